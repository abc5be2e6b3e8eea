"""How a connection ends: every request that came whole is answered, and what comes behind the last one is not read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.security.wire import Heard, connected, heard, say
from tests.support.patience import PATIENCE
from tests.support.served_board import Live, live

pytestmark = pytest.mark.asyncio(loop_scope="module")
READY = b"GET /v1/quotes/USD HTTP/1.1\r\nHost: localhost\r\n\r\n"
SLOW = b"GET /v1/quotes/USD/history?format=csv HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /v1/quotes/USD HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@pytest_asyncio.fixture(params=[True, False], ids=["fast", "ordinary"], scope="module", loop_scope="module")
async def served(request: pytest.FixtureRequest) -> AsyncIterator[Live]:
    """The service with its fast path and without."""
    async with live(server__fast_path=request.param) as started:
        yield started


@pytest.mark.parametrize("asked", [[READY], [READY, READY, READY], [SLOW], [READY, SLOW, READY]])
async def test_who_says_no_more_still_gets_every_answer(served: Live, asked: list[bytes]) -> None:
    """A client may close its half of the connection before it reads (RFC 9112, 9.6); `nc` and scripts do."""
    for _ in range(20):
        async with connected(served.port) as (reader, writer), asyncio.timeout(PATIENCE):
            writer.write(b"".join(asked))
            writer.write_eof()
            told = Heard(await heard(reader))
        assert len(told.statuses) == len(asked)
        assert b"HTTP/1.1 400" not in told.text


async def test_who_says_nothing_and_no_more_is_let_go_at_once(served: Live) -> None:
    """Nothing is owed to it; nor to one that stops in the middle of a request."""
    for words in (b"", READY[:20]):
        async with connected(served.port) as (reader, writer), asyncio.timeout(PATIENCE):
            writer.write(words)
            writer.write_eof()
            assert await heard(reader) == b""


@pytest.mark.parametrize("behind", [b"\r\n", b"\r\n\r\n", b"GET /v1/", READY, b"\x00\x00", b"GARBAGE\r\n\r\n"])
async def test_what_comes_behind_the_last_request_is_not_read(served: Live, behind: bytes) -> None:
    """`Connection: close` is a promise; who breaks it has a good answer all the same (RFC 9112, 9.6)."""
    told = await say(served.port, LAST + behind)
    assert told.statuses == [200]
    told = await say(served.port, READY + LAST + behind)
    assert told.statuses == [200, 200]
    async with connected(served.port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(LAST)
        writer.write(behind)
        told = Heard(await heard(reader))
    assert told.statuses == [200]
