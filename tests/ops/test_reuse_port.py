"""Several processes over one store that share one port, and a rolling restart of them under load."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.ops.process import Process, answers, running, samples, until
from tests.ops.world import turning, write
from tests.support.patience import PATIENCE

COUNT = 3
READERS = 12


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return int(each.getsockname()[1])


class Readers:
    """Clients that ask again and again, some on a new connection each time, some on one they keep while they may."""

    def __init__(self, port: int) -> None:
        self.answers = 0
        self.failures: list[str] = []
        self.stop = False
        self._port = port

    async def ask(self, *, keep: bool) -> None:
        """Ask until told to stop; every connection that is refused, reset or cut is noted."""
        while not self.stop:
            try:
                await self._connected(keep=keep)
            except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
                self.failures.append(f"{'kept' if keep else 'new'}: {error!r}")

    async def _connected(self, *, keep: bool) -> None:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            again = True
            while again:
                async with asyncio.timeout(PATIENCE):
                    head = await self._answer(reader, writer)
                again = keep and not self.stop and b"connection: close" not in head
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """The head of the answer to one request, whose body has come whole."""
        writer.write(b"GET /v1/quotes HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        self.answers += 1
        return head


@asynccontextmanager
async def reading(port: int) -> AsyncIterator[Readers]:
    """Twelve readers, of which every other keeps its connections."""
    readers = Readers(port)
    tasks = [asyncio.create_task(readers.ask(keep=bool(number % 2))) for number in range(READERS)]
    try:
        yield readers
    finally:
        readers.stop = True
        await asyncio.gather(*tasks)


async def more(readers: Readers, count: int) -> None:
    """Wait until `count` more answers have come."""
    wanted = readers.answers + count

    async def there() -> bool:
        return readers.answers >= wanted

    await until(there)


@pytest.fixture
async def port() -> int:
    """The port that all processes of a test share."""
    return free_port()


async def test_a_rolling_restart_under_load_resets_no_connection(tmp_path: Path, port: int) -> None:
    """Each of three processes is ended and started again; no reader is refused, reset or cut off."""
    config = write(tmp_path / "ticker.toml")
    environment = {"TICKER_SERVER__PORT": str(port), "TICKER_STORE__URL": f"sqlite:///{tmp_path}/ticker.db"}
    async with turning() as world, AsyncExitStack() as stack, aiohttp.ClientSession() as session:

        async def start() -> Process:
            process = await stack.enter_async_context(running(config, world.upstream.url, environment, "--reuse-port"))
            await until(lambda: answers(session, process.metrics.replace("/metrics", "") + "/readyz"))
            return process

        processes = [await start() for _ in range(COUNT)]
        async with reading(port) as readers:
            await more(readers, 200)
            for process in processes:
                process.send(signal.SIGTERM)
                assert await process.ended() == 0
                await more(readers, 200)
                await start()
        assert readers.failures == []


async def test_processes_over_one_store_share_the_readers_and_one_of_them_polls(tmp_path: Path, port: int) -> None:
    """Each answers some of the new connections; one leads, so that no source is asked more often than by one."""
    config = write(tmp_path / "ticker.toml")
    environment = {"TICKER_SERVER__PORT": str(port), "TICKER_STORE__URL": f"sqlite:///{tmp_path}/ticker.db"}
    async with turning() as world, AsyncExitStack() as stack, aiohttp.ClientSession() as session:
        processes = [
            await stack.enter_async_context(running(config, world.upstream.url, environment, "--reuse-port"))
            for _ in range(COUNT)
        ]
        for process in processes:
            await until(lambda each=process: answers(session, f"{each.metrics}/readyz"))  # type: ignore[misc]
            await process.said("replica turned")
        async with reading(port) as readers:
            await more(readers, 300)
        found = [await samples(session, process.metrics) for process in processes]
        asked = 'ticker_http_requests_total{code="200",method="GET",route="/v1/quotes"}'
        assert all(each[asked] > 0 for each in found)
        assert sum(each["ticker_leader"] for each in found) == 1
