"""The tests' own upstream does what the tests believe it does."""

from __future__ import annotations

import asyncio
import gc
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import aiohttp
import pytest

from tests.support import upstream
from tests.support.patience import PATIENCE
from tests.support.upstream import Upstream

HEALTHY = b'{"price": 73.73}'
WRONG = ["hang", "close", "reset", "drip", "truncate", "bomb_gzip", "endless", "empty", "garbage", "html"]


@pytest.fixture
async def up() -> AsyncIterator[Upstream]:
    """Run an upstream with one healthy answer."""
    async with Upstream() as started:
        started.answer("/a/b", body=HEALTHY)
        yield started


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Open a client that leaves bodies as they come."""
    async with aiohttp.ClientSession(auto_decompress=False) as opened:
        yield opened


async def test_it_answers_what_it_was_told(up: Upstream, session: aiohttp.ClientSession) -> None:
    """Body, status, content type and headers are those given, for any query."""
    up.answer("/x", body=b"<a/>", content_type="text/xml; charset=windows-1251", status=203, headers={"Age": "3"})
    async with session.get(f"{up.url}/x?q=1") as response:
        assert (response.status, await response.read()) == (203, b"<a/>")
        assert response.headers["Content-Type"] == "text/xml; charset=windows-1251"
        assert response.headers["Age"] == "3"


async def test_a_path_nobody_set_is_404(up: Upstream, session: aiohttp.ClientSession) -> None:
    """Without an answer there is none."""
    async with session.get(f"{up.url}/nothing") as response:
        assert response.status == 404


async def test_a_query_can_have_its_own_answer(up: Upstream, session: aiohttp.ClientSession) -> None:
    """An answer for exactly one query stands before that for the path."""
    up.answer("/a/b?day=1", body=b"one")
    async with session.get(f"{up.url}/a/b?day=1") as one, session.get(f"{up.url}/a/b?day=2") as two:
        assert (await one.read(), await two.read()) == (b"one", HEALTHY)


@pytest.mark.parametrize(
    ("name", "asked", "value"),
    [
        ("ETag", "If-None-Match", '"1"'),
        ("Last-Modified", "If-Modified-Since", "Fri, 22 Nov 2024 09:00:00 GMT"),
    ],
)
async def test_it_answers_conditional_requests(
    up: Upstream, session: aiohttp.ClientSession, name: str, asked: str, value: str
) -> None:
    """A request that names the validator it was given gets 304 and no body; another gets the body."""
    up.answer("/v", body=HEALTHY, headers={name: value})
    async with session.get(f"{up.url}/v", headers={asked: value}) as same:
        assert (same.status, await same.read()) == (304, b"")
    async with session.get(f"{up.url}/v", headers={asked: "other"}) as other:
        assert (other.status, await other.read()) == (200, HEALTHY)


async def test_it_counts_what_it_saw(up: Upstream, session: aiohttp.ClientSession) -> None:
    """Every request is kept with method, path, query and headers, also those that failed."""
    up.fail("/a/", "status:503")
    for path in ("/a/b?x=1", "/other"):
        async with session.get(f"{up.url}{path}", headers={"User-Agent": "t"}):
            pass
    assert [hit.path_qs for hit in up.hits()] == ["/a/b?x=1", "/other"]
    (hit,) = up.hits("/a/")
    assert (hit.method, hit.headers["user-agent"]) == ("GET", "t")


async def test_a_request_can_be_waited_for(up: Upstream, session: aiohttp.ClientSession) -> None:
    """A test can wait until the call has come, though no answer ever does."""
    up.fail("/a/", "hang")
    call = asyncio.create_task(session.get(f"{up.url}/a/b").__aenter__())
    assert [hit.path_qs for hit in await up.seen("/a/")] == ["/a/b"]
    assert not call.done()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_the_longest_prefix_wins_until_it_heals(up: Upstream, session: aiohttp.ClientSession) -> None:
    """The narrower failure stands before the wider; healed, the wider shows, and then the answer."""
    up.fail("/", "status:500")
    up.fail("/a/", "status:503")
    statuses = []
    for healed in ("", "/a/", "/"):
        up.heal(healed)
        async with session.get(f"{up.url}/a/b") as response:
            statuses.append(response.status)
    assert statuses == [503, 500, 200]


async def test_an_unknown_failure_is_an_error(up: Upstream) -> None:
    """A misspelt misbehaviour does not pass for health."""
    with pytest.raises(KeyError):
        up.fail("/", "hnag")


async def test_hang_never_answers(up: Upstream, session: aiohttp.ClientSession) -> None:
    """Only the client's own time-out ends a hanging call."""
    up.fail("/a/", "hang")
    with pytest.raises(TimeoutError):
        async with session.get(f"{up.url}/a/b", timeout=aiohttp.ClientTimeout(total=0.05)):
            pass


async def test_reset_resets_the_connection(up: Upstream) -> None:
    """The client is sent RST, not an end of stream."""
    up.fail("/a/", "reset")
    reader, writer = await asyncio.open_connection("127.0.0.1", int(up.url.rpartition(":")[2]))
    writer.write(b"GET /a/b HTTP/1.1\r\nHost: x\r\n\r\n")
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_close_ends_without_a_byte(up: Upstream, session: aiohttp.ClientSession) -> None:
    """The connection ends before any answer."""
    up.fail("/a/", "close")
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await session.get(f"{up.url}/a/b")


async def test_drip_comes_byte_by_byte(up: Upstream, session: aiohttp.ClientSession) -> None:
    """A dripping body is whole in the end; slow enough, it is never whole in time."""
    up.fail("/a/", "drip:0")
    async with session.get(f"{up.url}/a/b") as response:
        assert await response.read() == HEALTHY
    up.fail("/a/", "drip:60")
    async with session.get(f"{up.url}/a/b") as response:
        assert await response.content.readany() == HEALTHY[:1]


async def test_truncate_promises_more_than_it_sends(up: Upstream, session: aiohttp.ClientSession) -> None:
    """The announced length is the whole, the body half of it."""
    up.fail("/a/", "truncate")
    async with session.get(f"{up.url}/a/b") as response:
        assert response.content_length == len(HEALTHY)
        assert await response.content.readany() == HEALTHY[: len(HEALTHY) // 2]
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_bomb_is_small_until_inflated(up: Upstream, session: aiohttp.ClientSession) -> None:
    """Under a megabyte of gzip inflates to 200 MB of blanks."""
    up.fail("/a/", "bomb_gzip")
    async with session.get(f"{up.url}/a/b") as response:
        assert response.headers["Content-Encoding"] == "gzip"
        packed = await response.read()
    assert len(packed) < 2**20
    unpacker, size = zlib.decompressobj(wbits=31), 0
    while packed:
        size += len(unpacker.decompress(packed, 2**20))
        packed = unpacker.unconsumed_tail
    assert size + len(unpacker.flush()) == 200 * 2**20


async def test_endless_does_not_end(up: Upstream, session: aiohttp.ClientSession) -> None:
    """More comes than any cap allows."""
    up.fail("/a/", "endless")
    async with session.get(f"{up.url}/a/b") as response:
        assert len(await response.content.readexactly(5_000_000)) == 5_000_000


async def test_redirect_and_retry_after_carry_their_argument(up: Upstream, session: aiohttp.ClientSession) -> None:
    """A redirect goes where it is told; retry_after is a 429 that says when to come back."""
    up.fail("/go/", "redirect:https://guce.example/consent")
    up.fail("/slow/", "retry_after:120")
    async with session.get(f"{up.url}/go/", allow_redirects=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "https://guce.example/consent")
    async with session.get(f"{up.url}/slow/") as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "120")


@pytest.mark.parametrize(("how", "start"), [("html", b"<!DOCTYPE html>"), ("empty", b""), ("garbage", b"\x80\x81")])
async def test_bodies_that_are_not_the_format(
    up: Upstream, session: aiohttp.ClientSession, how: str, start: bytes
) -> None:
    """A page, nothing and noise all come with status 200."""
    up.fail("/a/", how)
    async with session.get(f"{up.url}/a/b") as response:
        assert response.status == 200
        assert (await response.read())[:15].startswith(start)


async def test_stopped_it_refuses_and_started_it_is_back(up: Upstream, session: aiohttp.ClientSession) -> None:
    """Between stop and start connections are refused; the address stays the same."""
    url = f"{up.url}/a/b"
    await up.stop()
    with pytest.raises(aiohttp.ClientConnectorError):
        await session.get(url)
    await up.start()
    async with session.get(url) as response:
        assert await response.read() == HEALTHY


@pytest.mark.parametrize("how", WRONG)
async def test_closing_is_quick_whatever_is_under_way(how: str) -> None:
    """A stop in the middle of any misbehaviour takes no time and leaves no task or connection behind."""
    async with aiohttp.ClientSession(auto_decompress=False) as session, asyncio.timeout(PATIENCE):
        async with Upstream() as up:
            up.answer("/a/b", body=HEALTHY)
            up.fail("/", how)
            call = asyncio.create_task(session.get(f"{up.url}/a/b").__aenter__())
            await up.seen()
        await asyncio.wait([call])
        if call.exception() is None:
            call.result().close()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    gc.collect()


async def test_trio_sets_the_four_upstreams(up: Upstream, session: aiohttp.ClientSession) -> None:
    """One call fills the four sources, with numbers and moments of the test's choice."""
    up.trio(usd="101.5000", brent=Decimal("80.10"), now=datetime(2024, 11, 22, 9, tzinfo=UTC))
    found = {
        upstream.CBR: b"<Value>101,5000</Value>",
        upstream.MIRROR: b'"Value": 101.5,',
        upstream.MOEX: b"80.10",
        upstream.YAHOO: b'"regularMarketPrice":80.10',
    }
    for path, number in found.items():
        async with session.get(up.url + path) as response:
            assert number in await response.read()
