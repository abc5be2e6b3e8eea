"""Who outlives whom: real processes, killed by -9 while a page is asked for all the time.

    sh .ci/uv run python -m tests.bench.outlive

`ticker serve`, `ticker export --watch --lease 30s` and nginx with config/nginx/market-ticker-files.conf, all on a clock
that begins at noon of 22 November 2024. The exporter is killed after 4 s, the service after 8; the page is asked for
during 50 s.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.cli.running import started
from tests.nginx.server import NginxClock, faketime, free_port, running, shipped
from tests.support.upstream import Upstream

SECONDS, EXPORTER_DIES, SERVICE_DIES = 50.0, 4.0, 8.0
PAGE = """<title>news</title><!--# block name="t" -->stub<!--# endblock -->
<header><!--# include virtual="/_ticker?lang=en" stub="t" --></header><p>the news</p>"""


class RunningClock(NginxClock):
    """A clock that goes on from noon, for every process that is started with it."""

    def environment(self) -> dict[str, str]:
        """What makes a process see this clock."""
        return {"LD_PRELOAD": faketime(), "FAKETIME": "@2024-11-22 12:00:00", "TZ": "Europe/Moscow"}


def header(page: str) -> str:
    """The text of the page's header; the page's own text must be there too."""
    assert "the news" in page
    return " ".join(re.sub(r"<[^>]*>", "", page.partition("<header>")[2].partition("</header>")[0]).split())


@asynccontextmanager
async def world(at: Path) -> AsyncIterator[tuple[Process, Process, str]]:
    """Exporter, service, and the address of the page that nginx gives."""
    clock, service, port = RunningClock(at / "time"), free_port(), free_port()
    async with Upstream() as upstream:
        upstream.trio()
        common = ("--upstream", upstream.url, "--store", "memory://")
        environment = clock.environment()
        served = await started(at, "serve", "--port", str(service), *common, **environment)
        work = await started(at, "export", "files", "--watch", "--lease", "30s", *common, **environment)
        swaps = {
            "127.0.0.1:8080": f"127.0.0.1:{service}",
            "127.0.0.1:8079": f"127.0.0.1:{free_port()}",
            "listen 80;": f"listen 127.0.0.1:{port};",
            "/var/www/html": f"{at}/html",
            "/var/cache/market-ticker": f"{at}/cache",
            "/var/lib/ticker-export/files": f"{at}/files",
        }
        try:
            async with running(at, shipped("market-ticker-files.conf", swaps), PAGE, port, clock=clock) as url:
                while not (at / "files" / "live").exists():  # noqa: ASYNC110 - another process rings no bell
                    await asyncio.sleep(0.05)
                yield work, served, url
        finally:
            for process in (work, served):
                if process.returncode is None:
                    process.kill()
                await process.communicate()


async def main() -> None:
    """Ask, kill, and print what was shown from when on."""
    shown: list[str] = []
    pages, slowest = 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        async with world(Path(folder)) as (work, served, url), aiohttp.ClientSession() as session:
            began = time.monotonic()
            while (passed := time.monotonic() - began) < SECONDS:
                for process, dies in ((work, EXPORTER_DIES), (served, SERVICE_DIES)):
                    if passed > dies and process.returncode is None:
                        process.kill()
                        await process.wait()
                asked = time.monotonic()
                async with session.get(url) as got:
                    text = header(await got.text())
                pages, slowest = pages + 1, max(slowest, time.monotonic() - asked)
                if not shown or shown[-1] != text:
                    shown.append(text)
                    print(f"{passed:5.1f} s  {text}")
                await asyncio.sleep(0.02)
    print(f"{pages} pages, the slowest {slowest * 1000:.0f} ms")


if __name__ == "__main__":
    asyncio.run(main())
