"""`ticker serve` on a machine whose clock is another one."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.cli.running import PATIENCE, folded, ready, serving
from tests.needs import needs
from tests.upstream import NOON, Upstream


async def preloaded() -> str:
    """The library that the command faketime loads."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(needs("faketime"), "now", "printenv", "LD_PRELOAD", stdout=pipe)
    out, _ = await process.communicate()
    return out.decode().strip()


async def test_serve_goes_by_the_clock_of_its_machine(tmp_path: Path) -> None:
    """On 22 November 2024 the numbers of that day are fresh, and the header reads as it did."""
    clock = {"LD_PRELOAD": await preloaded(), "FAKETIME": "@2024-11-22 12:00:00", "TZ": "Europe/Moscow"}
    async with Upstream() as upstream, ClientSession() as session:
        upstream.trio()
        arguments = ("serve", "--port", "0", "--upstream", upstream.url)
        async with serving(tmp_path, *arguments, **clock) as (_, url):
            await ready(session, url)
            answer = await session.get(f"{url}/widget")
            assert folded(await answer.text()) == "USD100.68 EUR106.08 OIL73.73"
            assert answer.headers["Last-Modified"].startswith("Fri, 22 Nov 2024 09:00:0")


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_serve_keeps_what_it_found_good_for_the_next_start(tmp_path: Path, workers: str) -> None:
    """Beside the store, once it listens; the next start, on another address, does without what looks it through."""
    arguments = ("serve", "--port", "0", "--workers", workers, "--upstream", "http://127.0.0.1:9")
    kept = tmp_path / "var" / "ticker.db.settings"
    async with serving(tmp_path, *arguments):
        await there(kept)
    before = kept.stat()
    async with serving(tmp_path, *arguments[:-1], "http://127.0.0.1:9/other", "--host", "localhost") as (process, _):
        assert not validates(process.pid)
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


async def test_no_answer_waits_for_pydantic_after_a_warm_start(tmp_path: Path) -> None:
    """Ten megabytes and a quarter of the start: only the OpenAPI document asks for it."""
    asked = "/v1/quotes /v1/quotes?fields=price&format=csv /v1/quotes/USD /v1/quotes/USD/history /widget / /frame"
    others = "/v1/instruments /v1/sources /v1/convert?from=USD&to=EUR /healthz /metrics /sparkline/USD.svg"
    async with Upstream() as upstream, ClientSession() as session:
        upstream.trio(now=NOON)
        arguments = ("serve", "--port", "0", "--upstream", upstream.url, "--at", NOON.isoformat())
        async with serving(tmp_path, *arguments) as (_, url):
            await ready(session, url)
            await there(tmp_path / "var" / "ticker.db.settings")
        async with serving(tmp_path, *arguments) as (process, url):
            for path in f"{asked} {others}".split():
                async with session.get(f"{url}{path}") as answer:
                    assert answer.status == 200, path
            async with session.get(f"{url}/v1/quotes?symbol=USD") as answer:
                assert answer.status == 400
            assert not validates(process.pid)
            async with session.get(f"{url}/v1/openapi.json") as answer:
                assert answer.status == 200
            assert validates(process.pid)


@pytest.mark.parametrize(("sound", "loaded"), [(False, True), (True, False)])
def test_a_sound_configuration_is_composed_without_the_scheduler(sound: bool, loaded: bool) -> None:  # noqa: FBT001
    """Whether its times are some was found out by the start before."""
    code = f"""
import sys
from ticker.app import compose
from ticker.settings.load import load, shipped
compose(load(shipped(), {{}}, {{}}).settings, sound={sound})
print("apscheduler" in sys.modules)
"""
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(loaded)]


def validates(pid: int) -> bool:
    """Whether the process has loaded pydantic, by the half of it that is machine code."""
    return "pydantic" in Path(f"/proc/{pid}/maps").read_text()


async def there(file: Path) -> None:
    """Wait until `file` has been written."""
    async with asyncio.timeout(PATIENCE):
        while not file.exists():  # noqa: ASYNC110, ASYNC240 - another process rings no bell
            await asyncio.sleep(0.02)
