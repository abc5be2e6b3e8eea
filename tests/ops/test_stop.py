"""The end of a process, as a deployment or a node that goes brings it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.ops.load import readers
from tests.ops.process import answers, running, samples, until
from tests.ops.world import turning, write

# Forty readers, five times a second each: two hundred requests a second.
READERS, REST = 40, 0.2
STREAMS = 500
# What the process says when its time is over and it is ended with what it waits for.
TOO_LATE = "the end was waited for long enough"


async def test_sigterm_under_load_fails_no_request_and_exits_0(tmp_path: Path) -> None:
    """Every request that was let in is answered whole, and the process is gone within its time."""
    config = write(tmp_path / "ticker.toml")
    async with turning() as world, running(config, world.upstream.url) as process, aiohttp.ClientSession() as session:
        await until(lambda: answers(session, f"{process.url}/readyz"))
        async with readers(process.url, READERS, REST) as load:
            await until(lambda: reached(load.answers, 2 * READERS))
            process.send(signal.SIGTERM)
            assert await process.ended() == 0
            assert process.count(TOO_LATE) == 0
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


async def test_sigterm_ends_every_stream_with_a_hint_when_to_come_back(tmp_path: Path) -> None:
    """Under requests as above: each stream is ended whole, not cut, and its reader told how long to wait."""
    config = write(tmp_path / "ticker.toml")
    async with turning() as world, running(config, world.upstream.url) as process, aiohttp.ClientSession() as session:
        await until(lambda: answers(session, f"{process.url}/readyz"))
        async with streaming(process.url, STREAMS) as ends, readers(process.url, READERS, REST) as load:
            await until(lambda: open_streams(session, process.metrics, STREAMS))
            await until(lambda: reached(load.answers, 2 * READERS))
            process.send(signal.SIGTERM)
            assert await process.ended() == 0
        assert load.failures == []
        assert len(ends) == STREAMS
        assert all("retry: " in end for end in ends)


@asynccontextmanager
async def streaming(url: str, count: int) -> AsyncIterator[list[str]]:
    """`count` readers of /v1/stream; the last 200 characters each had, once all have ended."""
    ends: list[str] = []

    async def follow(session: aiohttp.ClientSession) -> None:
        async with session.get(f"{url}/v1/stream") as response:
            ends.append((await response.text())[-200:])

    connector, patience = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(connector=connector, timeout=patience) as session:
        tasks = [asyncio.create_task(follow(session)) for _ in range(count)]
        yield ends
        await asyncio.gather(*tasks)


async def open_streams(session: aiohttp.ClientSession, url: str, count: int) -> bool:
    """Whether so many streams are open."""
    return (await samples(session, url))["ticker_stream_clients"] == count
