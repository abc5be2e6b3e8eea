"""Who takes time, room or connections and gives nothing: cut off, while everybody else is answered."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from tests.security.wire import END, connected, heard, say
from tests.support.patience import PATIENCE
from tests.support.served_board import Live, live
from ticker.web.connections import Bounds
from ticker.web.middlewares import problems

GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
HALF = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
BIG = b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n"


@asynccontextmanager
async def bounded(most: int = 100, **seconds: float) -> AsyncIterator[Live]:
    """The service behind a listener with these bounds."""
    started = live()
    started.bounds = Bounds(most, **seconds)
    async with started:
        yield started


async def until(holds: Callable[[], bool]) -> None:
    """Wait until it `holds`. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - a connection's end on the other side is no event here
            await asyncio.sleep(0.01)


def server(served: Live) -> web.Server:
    """What lets connections in."""
    assert served.runner is not None
    assert served.runner.server is not None
    return served.runner.server


def open_now(served: Live) -> int:
    """How many connections the service holds."""
    return len(server(served).connections)


def held() -> int:
    """How many descriptors this process holds, as Linux tells."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("words", [b"", b"G", HALF, GET, GET + HALF])
async def test_who_does_not_go_on_asking_is_cut_off(words: bytes) -> None:
    """Nothing said, a byte, half of the headers, nothing after an answer, half of a second request."""
    async with bounded(idle=0.3) as served:
        heard = await say(served.port, words)
        assert heard.statuses == [200] * words.count(GET)


@pytest.mark.parametrize("before", [b"", GET])
async def test_headers_byte_by_byte_do_not_buy_time(before: bytes) -> None:
    """Slowloris: every byte comes soon, the request never; the time is for the whole."""
    async with bounded(whole=0.4) as served, connected(served.port) as (reader, writer):
        writer.write(before + HALF)
        ended = asyncio.create_task(heard(reader))
        async with asyncio.timeout(PATIENCE):
            while not ended.done():
                writer.write(b"a")
                await asyncio.sleep(0.02)
        assert (await ended).count(b"HTTP/1.1") == before.count(GET)


async def test_whoever_asks_in_pieces_and_in_time_is_answered() -> None:
    """The time for one request is not the time of the connection."""
    async with bounded(whole=2.0) as served, connected(served.port) as (reader, writer):
        for _ in range(14):
            for piece in (HALF, b"x\r\n", b"\r\n"):
                writer.write(piece)
                await asyncio.sleep(0.05)
            assert b"HTTP/1.1 200" in await reader.readuntil(b"alive")


@pytest.mark.parametrize("announced", [b"Content-Length: 1000000", b"Transfer-Encoding: chunked"])
async def test_a_body_that_never_comes_is_not_waited_for(announced: bytes) -> None:
    """The answer comes at once, and the end with it."""
    async with bounded() as served:
        heard = await say(served.port, b"POST /healthz HTTP/1.1\r\nHost: localhost\r\n" + announced + b"\r\n\r\n")
        assert (heard.statuses, heard.heads[0]["connection"]) == ([405], "close")


@pytest.mark.parametrize("endless", [b"GET /", HALF, GET + b"X", HALF + b"a\r\nY: ", b"\r\n", b"X: y\r\n"])
async def test_a_request_without_end_is_ended_for_it(endless: bytes) -> None:
    """Request line, header, second request, blank lines, headers: after some kilobytes, not after megabytes."""
    async with bounded() as served, connected(served.port) as (reader, writer):
        ended = asyncio.create_task(heard(reader))
        if endless == b"X: y\r\n":
            writer.write(GET[:-2])
        said = 0
        async with asyncio.timeout(PATIENCE):
            writer.write(endless)
            while not ended.done():
                writer.write(endless * 100 if endless.endswith(b"\r\n") else b"a" * 1000)
                said += 1
                await asyncio.sleep(0.001)
        assert said < 1000
        await ended


async def test_a_body_without_end_is_ended_for_it() -> None:
    """Nobody reads it, and it is not listened to for long."""
    async with bounded() as served, connected(served.port) as (reader, writer):
        ended = asyncio.create_task(heard(reader))
        writer.write(b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n")
        async with asyncio.timeout(PATIENCE):
            while not ended.done():
                writer.write(b"a" * 10_000)
                await asyncio.sleep(0.001)
        await until(lambda: open_now(served) == 0)


async def test_who_asks_and_does_not_read_is_let_go() -> None:
    """Its answers wait for so long and no longer; what waited is forgotten."""
    async with bounded(patience=0.3) as served:
        own = socket.socket()
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        own.settimeout(0)
        await asyncio.get_running_loop().sock_connect(own, ("127.0.0.1", served.port))
        try:
            # More than the kernel takes for a reader who does not.
            await asyncio.get_running_loop().sock_sendall(own, BIG * 200)
            await until(lambda: server(served).requests_count > 0)
            await until(lambda: open_now(served) == 0)
        finally:
            own.close()


async def test_a_slow_reader_who_goes_on_reading_gets_everything() -> None:
    """Patience is for each stop, not for the whole: a slow line is no attack."""
    async with bounded(patience=5.0) as served, connected(served.port) as (reader, writer):
        writer.write(BIG * 20 + END)
        text = bytearray()
        async with asyncio.timeout(3 * PATIENCE):
            while chunk := await reader.read(65_536):
                text += chunk
                await asyncio.sleep(0.02)
        assert text.count(b"HTTP/1.1 200") == 20


async def test_one_client_cannot_take_all_the_connections() -> None:
    """A full house: who holds the most loses the oldest, and a guest from elsewhere neither waits nor goes."""
    async with bounded(most=32) as served, AsyncExitStack() as stack:
        guest = await asyncio.open_connection("127.0.0.1", served.port, local_addr=("127.0.0.2", 0))
        stack.callback(guest[1].transport.abort)
        for _ in range(150):
            _, writer = await stack.enter_async_context(connected(served.port))
            writer.write(HALF)
        await until(lambda: open_now(served) <= 32)
        for _ in range(3):
            guest[1].write(GET)
            async with asyncio.timeout(PATIENCE):
                assert b"HTTP/1.1 200" in await guest[0].readuntil(b"alive")
        async with asyncio.timeout(PATIENCE):
            newcomer, writer = await asyncio.open_connection("127.0.0.1", served.port, local_addr=("127.0.0.3", 0))
            stack.callback(writer.transport.abort)
            writer.write(GET)
            assert b"HTTP/1.1 200" in await newcomer.readuntil(b"alive")


async def test_streams_are_connections_as_others_are() -> None:
    """Who opens a hundred and fifty of them loses the oldest; who has one keeps it, and is told the next number."""
    stream = b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with bounded(most=32) as served, AsyncExitStack() as stack:
        guest, asking = await asyncio.open_connection("127.0.0.1", served.port, local_addr=("127.0.0.2", 0))
        stack.callback(asking.transport.abort)
        asking.write(stream)
        await guest.readuntil(b"event: quotes")
        for _ in range(150):
            _, writer = await stack.enter_async_context(connected(served.port))
            writer.write(stream)
        await until(lambda: open_now(served) + served.context.traffic.streams <= 32)
        served.put({"USD": "99.5"})
        async with asyncio.timeout(PATIENCE):
            assert await guest.readuntil(b'"price": 99.5')


async def test_who_asks_and_hangs_up_writes_nothing_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Before the answer, in the middle of it, in a stream: it is counted, and no fault of ours."""
    async with bounded() as served:
        for _ in range(20):
            for words in (GET, BIG, BIG * 20, b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n"):
                async with connected(served.port) as (_, writer):
                    writer.write(words)
                    await writer.drain()
        await until(lambda: open_now(served) + served.context.traffic.streams == 0)
    # Whoever is gone by the time that a stream would begin is told of by its connection alone.
    answer = await problems(make_mocked_request("GET", "/v1/stream"), hung_up)
    assert answer.status == 499
    assert not [each for each in caplog.records if each.levelname in {"ERROR", "WARNING"}]


async def hung_up(_request: web.Request) -> web.StreamResponse:
    """What answers somebody whose connection is gone."""
    raise ConnectionResetError


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="descriptors are counted as Linux shows them")
async def test_a_flood_of_connections_leaves_nothing_behind() -> None:
    """Some hundred come and go in every state; afterwards there are as many descriptors as before."""
    async with bounded(most=64) as served:
        await say(served.port, END)
        await until(lambda: open_now(served) == 0)
        before = held()
        async with AsyncExitStack() as stack:
            for number in range(300):
                _, writer = await stack.enter_async_context(connected(served.port))
                writer.write((b"", HALF, GET, BIG, b"\x00")[number % 5])
            await until(lambda: open_now(served) <= 64)
            assert (await say(served.port, END)).statuses == [404]
        await until(lambda: open_now(served) == 0)
        assert held() <= before


async def test_a_thousand_requests_in_one_breath_are_answered_in_order() -> None:
    """Pipelining is no attack as long as the answers are taken; none is lost and none is early."""
    paths = [f"/v1/quotes/{symbol}" for symbol in ("USD", "NONE", "EUR", "OIL")] * 250
    async with bounded() as served:
        words = b"".join(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode() for path in paths)
        heard = await say(served.port, words + END)
        assert heard.statuses == [404 if "NONE" in path else 200 for path in paths] + [404]


@pytest.mark.parametrize(
    "attack",
    [
        test_who_asks_and_does_not_read_is_let_go,
        test_one_client_cannot_take_all_the_connections,
        test_streams_are_connections_as_others_are,
        test_a_flood_of_connections_leaves_nothing_behind,
    ],
)
def test_the_same_on_the_loop_that_serves(attack: Callable[[], Coroutine[None, None, None]]) -> None:
    """The tests run on Python's own loop, the service on uvloop, whose transports are others."""
    pytest.importorskip("uvloop").run(attack())
