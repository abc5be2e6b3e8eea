"""`ticker serve` on a machine whose clock is another one."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.cli.running import ready, serving
from tests.support.fragments import folded
from tests.support.patience import PATIENCE
from tests.support.programs import needs
from tests.support.upstream import Upstream
from ticker.replicas.lease import SILENT_SECONDS


async def preloaded() -> str:
    """The library that the command faketime loads."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(needs("faketime"), "now", "printenv", "LD_PRELOAD", stdout=pipe)
    out, _ = await process.communicate()
    return out.decode().strip()


@pytest.mark.programs
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


@pytest.mark.programs
async def test_numbers_stay_fresh_where_the_whole_process_is_given_another_clock(tmp_path: Path) -> None:
    """Plain faketime moves the monotonic clock too: no thread may wait for a moment that the kernel never sees."""
    clock = {"LD_PRELOAD": await preloaded(), "FAKETIME": "@2024-11-22 12:00:00", "TZ": "Europe/Moscow"}
    async with Upstream() as upstream, ClientSession() as session:
        upstream.trio()
        arguments = ("serve", "--port", "0", "--upstream", upstream.url, "--store", f"sqlite:///{tmp_path}/ticker.db")
        async with serving(tmp_path, *arguments, **clock) as (_, url):
            await ready(session, url)
            loop = asyncio.get_running_loop()

            async def statuses() -> set[str]:
                board = await (await session.get(f"{url}/v1/quotes")).json()
                return {each["status"] for each in board["quotes"]}

            async with asyncio.timeout(PATIENCE):
                while await statuses() != {"fresh"}:  # noqa: ASYNC110 - another process rings no bell
                    await asyncio.sleep(0.1)
            # A replica that is silent for five seconds is noticed.
            enough = loop.time() + SILENT_SECONDS + 2
            while loop.time() < enough:
                assert await statuses() == {"fresh"}
                await asyncio.sleep(0.2)
