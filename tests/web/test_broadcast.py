from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable

import pytest

from tests.support.patience import PATIENCE
from tests.support.served_board import Live, live
from ticker.web.connections import Bounds

REQUEST = b"GET /v1/stream HTTP/1.%d\r\nHost: x\r\n\r\n"


async def opened(served: Live, minor: int = 1) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream over a bare socket, its request sent."""
    taken, given = await asyncio.open_connection("127.0.0.1", served.port)
    given.write(REQUEST % minor)
    return taken, given


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - a number, not an event, says it
            await asyncio.sleep(0.01)


async def test_a_stream_says_that_its_connection_ends_with_it() -> None:
    """After the last words come the last chunk and the end; a second request on the connection is not answered."""
    async with live() as served:
        taken, given = await opened(served)
        assert b"\r\nConnection: close\r\n" in await taken.readuntil(b"\r\n\r\n")
        given.write(b"GET /v1/quotes HTTP/1.1\r\nHost: x\r\n\r\n")
        version = served.put({"USD": "101"}).version
        await taken.readuntil(b"id: %d\n" % version)
        served.context.board.close()
        async with asyncio.timeout(PATIENCE):
            rest = await taken.read()
        assert rest.endswith(b": the service stops\n\r\n0\r\n\r\n")
        assert b"HTTP/1.1" not in rest
        given.close()


async def test_a_reader_of_http_1_0_gets_the_bytes_without_chunks() -> None:
    """Chunks are HTTP/1.1's; the same stream for the older one is framed by the end of the connection."""
    async with live() as served:
        taken, given = await opened(served, 0)
        await taken.readuntil(b"\r\n\r\n")
        assert await taken.readuntil(b"\n") == b"retry: 2000\n"
        assert (await taken.readuntil(b"\n\n")).startswith(b"id: ")
        served.context.board.close()
        async with asyncio.timeout(PATIENCE):
            assert (await taken.read()).endswith(b": the service stops\n")
        given.close()


async def test_who_comes_after_the_end_is_sent_away_with_the_same_words() -> None:
    """A service that stops still answers whom it let in: come back later."""
    async with live() as served:
        served.context.board.close()
        taken, given = await opened(served)
        async with asyncio.timeout(PATIENCE):
            assert b": the service stops\n" in await taken.read()
        given.close()
        await until(lambda: served.context.traffic.streams == 0)


async def test_a_reader_that_takes_nothing_is_let_go() -> None:
    """Who has stopped, with the connection open, is cut off after a while; the others go on."""
    served = live()
    served.bounds = Bounds(10, patience=0.1)
    async with served:
        stopped = socket.create_connection(("127.0.0.1", served.port))
        stopped.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stopped.sendall(REQUEST % 1)
        taken, given = await opened(served)
        await until(lambda: served.context.traffic.streams == 2)
        step, got = 0, b""
        async with asyncio.timeout(PATIENCE):
            while served.context.traffic.streams == 2:
                served.put({"USD": f"{100 + (step := step + 1) / 10000:.4f}"})
                got = await taken.read(65_536)
        assert got
        assert served.context.traffic.streams == 1
        stopped.close()
        given.close()


async def test_a_reader_that_goes_on_talking_is_let_go() -> None:
    """Nothing is asked on a stream; what is said all the same is not listened to for ever."""
    async with live() as served:
        taken, given = await opened(served)
        await taken.readuntil(b"event: quotes")
        given.write(b"a" * 1_000_000)
        await until(lambda: served.context.traffic.streams == 0)
        given.close()


async def test_a_reader_that_had_asked_for_much_more_is_noticed_when_it_leaves() -> None:
    """Requests in line behind the stream are not answered; the end of the connection is heard behind them."""
    async with live() as served:
        taken, given = await asyncio.open_connection("127.0.0.1", served.port)
        given.write(REQUEST % 1 + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 200)
        await taken.readuntil(b"event: quotes")
        assert served.context.traffic.streams == 1
        given.close()
        await until(lambda: served.context.traffic.streams == 0)


async def test_an_event_that_cannot_be_made_ends_the_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours cuts the connection, so that its reader comes back; it is no silence for ever."""
    async with live() as served:
        taken, given = await opened(served)
        await taken.readuntil(b"event: quotes")
        monkeypatch.delattr(served.context, "renderer")
        served.put({"USD": "104"})
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionResetError):
                assert not (await taken.read()).endswith(b"0\r\n\r\n")
        await until(lambda: served.context.traffic.streams == 0)
        given.close()


async def test_streams_count_among_the_connections_that_there_may_be() -> None:
    """Whoever opens one stream after the other loses the oldest, and others still get in."""
    served = live()
    served.bounds = Bounds(20)
    async with served:
        streams = [await opened(served) for _ in range(20)]
        await until(lambda: served.context.traffic.streams == 20)
        taken, given = await opened(served)
        assert (await taken.readline()).startswith(b"HTTP/1.1 200")
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionResetError):
                assert b": the service stops" not in await streams[0][0].read()
        assert served.context.traffic.streams == 20
        for _taken, each in (*streams, (taken, given)):
            each.close()
