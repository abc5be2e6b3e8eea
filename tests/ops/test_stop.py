"""The end of a process, as a deployment or a node that goes brings it."""

from __future__ import annotations

import asyncio
import signal
import time
from typing import TYPE_CHECKING

import aiohttp

from tests.ops.load import readers
from tests.ops.process import answers, running, until
from tests.ops.world import turning, write

if TYPE_CHECKING:
    from pathlib import Path

# Forty readers, five times a second each: two hundred requests a second.
READERS, REST = 40, 0.2


async def test_sigterm_under_load_fails_no_request_and_exits_0(tmp_path: Path) -> None:
    """Every request that was let in is answered whole, and the process is gone within its time."""
    config = write(tmp_path / "ticker.toml")
    async with turning() as world, running(config, world.upstream.url) as process, aiohttp.ClientSession() as session:
        await until(lambda: answers(session, f"{process.url}/readyz"))
        async with readers(process.url, READERS, REST) as load:
            await until(lambda: reached(load.answers, 2 * READERS))
            began = time.monotonic()
            process.send(signal.SIGTERM)
            assert await process.ended() == 0
            assert time.monotonic() - began < 5
    assert load.failures == []
    assert load.lost == []


async def test_while_it_drains_it_is_not_ready_and_still_answers(tmp_path: Path) -> None:
    """A balancer sees that it should look elsewhere before anybody is turned away."""
    config = write(tmp_path / "ticker.toml", more='[server]\ndrain = "10s"\n')
    async with turning() as world, running(config, world.upstream.url) as process, aiohttp.ClientSession() as session:
        await until(lambda: answers(session, f"{process.url}/readyz"))
        process.send(signal.SIGTERM)
        await process.said("stopping")
        async with session.get(f"{process.url}/readyz") as response:
            assert (response.status, (await response.json())["status"]) == (503, "draining")
        async with session.get(f"{process.url}/v1/quotes") as response:
            assert (response.status, response.headers["Connection"]) == (200, "close")


async def test_a_request_on_its_way_is_finished(tmp_path: Path) -> None:
    """A reader whose request was half sent when the signal came gets the whole answer."""
    config = write(tmp_path / "ticker.toml")
    async with turning() as world, running(config, world.upstream.url) as process:
        host, port = process.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /v1/quotes HTTP/1.1\r\nHost: localhost\r\n")
        await writer.drain()
        process.send(signal.SIGTERM)
        await process.said("stopping")
        writer.write(b"\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
        assert await process.ended() == 0


async def reached(now: int, wanted: int) -> bool:
    """Whether `now` is as many as `wanted`."""
    return now >= wanted
