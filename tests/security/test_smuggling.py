"""Bytes in which two readers may see different requests: nothing hidden in them is ever answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.security.wire import END, Heard, connected, heard, say
from tests.support.patience import PATIENCE
from tests.support.served_board import Live, live

HOST = b"Host: localhost\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
HIDDEN = b"GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n"
EMPTY = b"0\r\n\r\n"


def get(*lines: bytes, body: bytes = b"", version: bytes = b"1.1", start: bytes = b"GET /healthz") -> bytes:
    """A request with these header lines behind its Host, and `body`."""
    return start + b" HTTP/" + version + b"\r\n" + HOST + b"".join(lines) + b"\r\n" + body


# Where two readers may differ: one answer, a refusal or to the first request alone, and the end.
DOUBTFUL: dict[str, bytes] = {
    "CL.TE": get(b"Content-Length: 6\r\n", CHUNKED, body=EMPTY + HIDDEN),
    "TE.CL": get(CHUNKED, b"Content-Length: 4\r\n", body=b"2c\r\n" + HIDDEN + EMPTY),
    "TE.TE, one unknown": get(CHUNKED, b"Transfer-Encoding: x\r\n", body=EMPTY + HIDDEN),
    "TE.TE, identity last": get(b"Transfer-Encoding: chunked, identity\r\n", body=EMPTY + HIDDEN),
    "TE misspelt": get(b"Transfer-Encoding: xchunked\r\n", body=EMPTY + HIDDEN),
    "TE after a vertical tab": get(b"Transfer-Encoding:\x0bchunked\r\n", body=EMPTY + HIDDEN),
    "TE after a tab": get(b"Transfer-Encoding:\tchunked\r\n", body=EMPTY + HIDDEN),
    "TE folded": get(b"Transfer-Encoding:\r\n chunked\r\n", body=EMPTY + HIDDEN),
    "TE in HTTP/1.0": get(CHUNKED, b"Connection: keep-alive\r\n", version=b"1.0", body=EMPTY + HIDDEN),
    "TE plain": get(CHUNKED, body=EMPTY + HIDDEN),
    "CL plain": get(b"Content-Length: %d\r\n" % len(HIDDEN), body=HIDDEN),
    "CL twice, different": get(b"Content-Length: 0\r\n", b"Content-Length: 44\r\n", body=HIDDEN),
    "CL twice, the same": get(b"Content-Length: 0\r\n", b"Content-Length: 0\r\n", body=HIDDEN),
    "CL a list": get(b"Content-Length: 0, 0\r\n", body=HIDDEN),
    "CL with a sign": get(b"Content-Length: +0\r\n", body=HIDDEN),
    "CL negative": get(b"Content-Length: -1\r\n", body=HIDDEN),
    "CL hexadecimal": get(b"Content-Length: 0x0\r\n", body=HIDDEN),
    "CL with an underscore": get(b"Content-Length: 0_0\r\n", body=HIDDEN),
    "CL empty": get(b"Content-Length:\r\n", body=HIDDEN),
    "CL beyond 64 bits": get(b"Content-Length: 18446744073709551616\r\n", body=HIDDEN),
    "CL before a space and the colon": get(b"Content-Length : 0\r\n", body=HIDDEN),
    "a bare LF in the headers": get(b"X: a\n", CHUNKED, body=EMPTY + HIDDEN),
    "bare LFs only": b"GET /healthz HTTP/1.1\nHost: localhost\n\n" + HIDDEN,
    "a bare CR": get(b"X: a\r", CHUNKED, body=EMPTY + HIDDEN),
    "obs-fold": get(b"X: a\r\n", b" Content-Length: 44\r\n", body=HIDDEN),
    "a space before the first header": b"GET /healthz HTTP/1.1\r\n X: y\r\n" + HOST + b"\r\n" + HIDDEN,
    "NUL in a value": get(b"X: a\x00b\r\n", body=HIDDEN),
    "NUL in a name": get(b"X\x00: a\r\n", body=HIDDEN),
    "NUL in the target": get(start=b"GET /healthz\x00", body=HIDDEN),
    "no colon": get(b"Content-Length\r\n", body=HIDDEN),
    "no name": get(b": 44\r\n", body=HIDDEN),
    "a chunk's extension": get(CHUNKED, body=b"1;a=b\r\nx\r\n" + EMPTY + HIDDEN),
    "a chunk's extension over two lines": get(CHUNKED, body=b"1;a\nb\r\nx\r\n" + EMPTY + HIDDEN),
    "a chunk's extension without end": get(CHUNKED, body=b"1;" + b"a" * 20_000),
    "a chunk of negative size": get(CHUNKED, body=b"-1\r\nx\r\n" + EMPTY + HIDDEN),
    "a chunk of 0x size": get(CHUNKED, body=b"0x1\r\nx\r\n" + EMPTY + HIDDEN),
    "a chunk longer than it says": get(CHUNKED, body=b"1\r\nxy\r\n" + EMPTY + HIDDEN),
    "chunks with bare LFs": get(CHUNKED, body=b"1\nx\n0\n\n" + HIDDEN),
    "Content-Length in the trailer": get(CHUNKED, body=b"0\r\nContent-Length: 44\r\n\r\n" + HIDDEN),
    "no Host": b"GET /healthz HTTP/1.1\r\n\r\n" + HIDDEN,
    "two Hosts": get(HOST, body=HIDDEN),
    "CONNECT": get(start=b"CONNECT localhost:22", body=HIDDEN),
    "HTTP/2 without asking": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + HIDDEN,
    "HTTP/0.9": b"GET /healthz\r\n\r\n" + HIDDEN,
    "HTTP/1.2": get(version=b"1.2", body=HIDDEN),
    "HTTP/11.1": get(version=b"11.1", body=HIDDEN),
    "a method in small letters": get(start=b"get /healthz", body=HIDDEN),
    "tabs between the words": b"GET\t/healthz\tHTTP/1.1\r\n" + HOST + b"\r\n" + HIDDEN,
    "a target of another scheme": get(start=b"GET file:///etc/passwd", body=HIDDEN),
    "eight-bit bytes in the target": get(start=b"GET /\xff\xfe", body=HIDDEN),
    "an inflated body": get(b"Content-Encoding: gzip\r\n", b"Content-Length: 5\r\n", body=b"abcde" + HIDDEN),
    "an upgrade nobody makes": get(b"Connection: upgrade\r\n", b"Upgrade: websocket\r\n", body=HIDDEN),
    "an upgrade to HTTP/2": get(b"Connection: Upgrade, HTTP2-Settings\r\n", b"Upgrade: h2c\r\n", body=HIDDEN),
    "an upgrade that Connection does not name": get(b"Upgrade: h2c\r\n", body=HIDDEN),
    "Expect": get(b"Expect: 100-continue\r\n", b"Content-Length: 44\r\n", body=HIDDEN),
}
# What is one request to every reader, whatever it looks like: answered, and the next one too.
CERTAIN: dict[str, tuple[bytes, int]] = {
    "plain": (get(), 200),
    "no body, said": (get(b"Content-Length: 0\r\n"), 200),
    "a target with a host": (get(start=b"GET http://other.example/healthz"), 200),
    "a name with an underscore": (get(b"Content_Length: 44\r\n"), 200),
    "the method overridden": (get(b"X-HTTP-Method-Override: DELETE\r\n"), 200),
    "TRACE": (get(b"X-Secret: 1\r\n", start=b"TRACE /healthz"), 405),
    "no such place": (get(start=b"GET /v1/../../etc/passwd"), 404),
}


pytestmark = pytest.mark.asyncio(loop_scope="module")
READY = b"GET /v1/quotes/USD HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest_asyncio.fixture(params=[True, False], ids=["fast", "ordinary"], scope="module", loop_scope="module")
async def served(request: pytest.FixtureRequest) -> AsyncIterator[Live]:
    """The service behind its own listener, with the lane before aiohttp's parser and without it."""
    async with live(server__fast_path=request.param) as started:
        # From the second time on it is ready, and answered in the lane.
        await say(started.port, READY * 2 + END)
        yield started


@pytest.mark.parametrize("name", DOUBTFUL)
async def test_what_two_readers_may_understand_differently_ends_the_connection(served: Live, name: str) -> None:
    """One answer, none to the request that is hidden in it, and nothing that a cache keeps of a refusal."""
    told = await say(served.port, DOUBTFUL[name])
    assert len([status for status in told.statuses if status != 100]) == 1
    assert b"/hidden" not in told.text
    last = told.heads[-1]
    assert last.get("connection") == "close" or not told.text.startswith(b"HTTP/1.1")
    if told.statuses[-1] >= 400:
        assert (last["content-type"], last["cache-control"]) == ("application/problem+json", "no-store")
        assert last["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("name", DOUBTFUL)
async def test_nor_where_an_ordinary_request_came_before_it(served: Live, name: str) -> None:
    """On a connection that the lane has answered on, and for a path that it knows."""
    async with connected(served.port) as (reader, writer), asyncio.timeout(PATIENCE):
        for _ in range(2):
            writer.write(READY)
            assert b"HTTP/1.1 200" in await reader.readuntil(b"}}\n")
        writer.write(DOUBTFUL[name].replace(b"/healthz", b"/v1/quotes/USD"))
        text = Heard(await heard(reader))
    assert len([status for status in text.statuses if status != 100]) == 1
    assert b"/hidden" not in text.text


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"BREW /v1/quotes HTTP/1.1", 405),
        (b"get /v1/quotes HTTP/1.1", 405),
        (b"GETT /v1/quotes HTTP/1.1", 405),
        (b"\x00GET /v1/quotes HTTP/1.1", 400),
        (b"SSH-2.0-OpenSSH_9.2p1", 400),
        (b"GET /v1/quotes HTTP/2.0", 505),
        (b"GET /v1/quotes/USD HTTP/2.0", 505),
    ],
)
async def test_a_method_or_version_that_there_is_not_is_told_which_there_are(
    served: Live, line: bytes, status: int
) -> None:
    """405 with Allow where only the method is strange, 505 where the version is; else it is no HTTP."""
    told = await say(served.port, line + b"\r\n" + HOST + b"\r\n")
    assert told.statuses == [status]
    assert (told.heads[0].get("allow") == "GET, HEAD, OPTIONS") is (status == 405)
    assert told.heads[0]["access-control-allow-origin"] == "*"


async def test_the_service_as_a_whole_tells_its_methods(served: Live) -> None:
    """`OPTIONS *` (RFC 9110, 9.3.7)."""
    told = await say(served.port, get(b"Connection: close\r\n", start=b"OPTIONS *"))
    assert told.statuses == [204]
    assert told.heads[0]["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("announced", [b"Content-Length: %d\r\n" % len(HIDDEN), CHUNKED])
async def test_a_body_that_comes_after_its_answer_is_no_request(served: Live, announced: bytes) -> None:
    """Head and body in two pieces: the second has the shape of a request, and is none."""
    async with connected(served.port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(READY.replace(b"\r\n\r\n", b"\r\n" + announced + b"\r\n"))
        assert b"HTTP/1.1 200" in await reader.readuntil(b"}}\n")
        writer.write(HIDDEN)
        assert await heard(reader) == b""


@pytest.mark.parametrize("name", CERTAIN)
async def test_what_is_certain_is_answered_and_so_is_what_follows(served: Live, name: str) -> None:
    """The connection goes on: a refusal of everything would prove nothing."""
    words, status = CERTAIN[name]
    told = await say(served.port, words + END)
    assert told.statuses == [status, 404]
    assert b"X-Secret" not in told.text


async def test_who_speaks_no_http_writes_nothing_into_the_log(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Refused requests are counted, under one label; a log that strangers fill hides what matters."""
    async with live() as served:
        for words in DOUBTFUL.values():
            await say(served.port, words)
    assert not caplog.records
    assert not capsys.readouterr().out
    counted = served.context.traffic.requests
    assert {key for key, count in counted.items() if count and key[0] == "unknown"} <= {
        ("unknown", "other", 400),
        ("unknown", "other", 404),
        ("unknown", "other", 405),
    }
    assert counted["unknown", "other", 400] > 30


async def test_what_is_no_expectation_is_a_problem_as_any_other(served: Live) -> None:
    """417 without the words that were sent."""
    told = await say(served.port, get(b"Expect: <script>\r\n"))
    assert (told.statuses, told.heads[0]["cache-control"]) == ([417], "no-store")
    assert b"script>" not in told.text
