from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from tests.support.patience import PATIENCE
from tests.support.served_board import Live, live
from ticker.web import stream


@asynccontextmanager
async def listening(
    served: Live, query: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator[aiohttp.ClientResponse]:
    """An open stream, its first line, the pause until a reader comes back, already read."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{served.url}/v1/stream{query}", headers=headers) as got,
    ):
        if got.status == 200:
            assert await got.content.readuntil(b"\n") == b"retry: 2000\n"
        yield got


async def event(got: aiohttp.ClientResponse) -> dict[str, str]:
    """The next event's fields; a comment's field has no name."""
    async with asyncio.timeout(PATIENCE):
        block = (await got.content.readuntil(b"\n\n")).decode()
    fields = (line.partition(": ") for line in block.strip().split("\n"))
    return {name if colon else "": value or name for name, colon, value in fields}


async def test_a_reader_is_told_the_board_at_once_and_then_every_change() -> None:
    """The first event is the newest snapshot, its id the version, its data the JSON of /v1/quotes."""
    async with live() as served, listening(served) as got:
        first = await event(got)
        async with aiohttp.ClientSession() as session, session.get(f"{served.url}/v1/quotes") as plain:
            assert json.loads(first["data"]) == await plain.json()
        assert (first["event"], int(first["id"])) == ("quotes", served.context.board.latest.version)
        version = served.put({"USD": "101.5"}).version
        second = await event(got)
        assert int(second["id"]) == version
        assert json.loads(second["data"])["quotes"][0]["price"] == 101.5
    assert got.headers["Content-Type"] == "text/event-stream"
    assert got.headers["Cache-Control"] == "no-store, no-transform"
    assert got.headers["Access-Control-Allow-Origin"] == "*"
    assert got.headers["X-Content-Type-Options"] == "nosniff"


async def test_symbols_and_language_are_those_asked_for() -> None:
    """`symbols` chooses and orders, `lang` sets the language of `display`."""
    async with live() as served, listening(served, "?symbols=OIL,USD&lang=ru") as got:
        told = json.loads((await event(got))["data"])
    assert [quote["symbol"] for quote in told["quotes"]] == ["OIL", "USD"]
    assert told["quotes"][0]["display"]["label"] == "НЕФТЬ"
    assert told["quotes"][1]["display"]["price"] == "100,68"


async def test_a_reader_who_has_the_newest_is_told_nothing_until_there_is_newer() -> None:
    """`Last-Event-ID` is honoured: no event repeats what the reader has."""
    async with live() as served:
        had = served.context.board.latest.version
        async with listening(served, headers={"Last-Event-ID": str(had)}) as got:
            version = served.put({"USD": "102"}).version
            assert int((await event(got))["id"]) == version


@pytest.mark.parametrize("last", ["nonsense", "-1", "9999999999999999", "1" * 400, "٣"])
async def test_a_last_event_id_that_this_board_never_had_means_everything(last: str) -> None:
    """A reader with a foreign or broken id is told the board, not left waiting."""
    headers = {"Last-Event-ID": last}
    async with live() as served, listening(served, headers=headers) as got:
        assert int((await event(got))["id"]) == served.context.board.latest.version


async def test_silence_is_broken_by_comments(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection on which nothing happens carries a comment line now and then, which no event comes of."""
    monkeypatch.setattr(stream, "HEARTBEAT", 0.02)
    async with live() as served, listening(served) as got:
        await event(got)
        assert await got.content.readuntil(b"\n") == b":\n"
        version = served.put({"USD": "103"}).version
        assert int((await event(got))["id"]) == version


async def test_a_service_that_stops_says_when_to_come_back() -> None:
    """The last word of a stream is a retry hint; then it ends."""
    async with live() as served, listening(served) as got:
        await event(got)
        served.context.board.close()
        async with asyncio.timeout(PATIENCE):
            last = await got.content.read()
        retry, comment = last.decode().splitlines()
        assert 2_000 <= int(retry.removeprefix("retry: ")) < 7_000
        assert comment.startswith(":")


async def test_no_client_sees_an_empty_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty line comes after data only: some clients take every one for the end of an event."""
    monkeypatch.setattr(stream, "HEARTBEAT", 0.02)
    async with live() as served, aiohttp.ClientSession(served.url) as session:
        had = str(served.context.board.latest.version)
        for headers in ({}, {"Last-Event-ID": had}):
            async with session.get("/v1/stream", headers=headers) as got, asyncio.timeout(PATIENCE):
                text = await got.content.readuntil(b":\n:\n")
                served.put({"USD": "104"})
                text += await got.content.readuntil(b"\n\n")
            for block in text.split(b"\n\n")[:-1]:
                assert b"\ndata: " in b"\n" + block


async def test_open_streams_are_counted_and_those_that_left_are_not() -> None:
    """`ticker_stream_clients` is the number of readers now, whether or not there is anything to tell."""
    async with live() as served:
        async with listening(served) as one, listening(served) as two:
            await asyncio.gather(event(one), event(two))
            assert served.context.traffic.streams == 2
        async with asyncio.timeout(PATIENCE):
            while served.context.traffic.streams:  # noqa: ASYNC110 - a number, not an event, says it
                await asyncio.sleep(0.01)


async def test_readers_of_one_view_share_one_body() -> None:
    """What is sent is made once a version and view, however many read it."""
    async with live() as served, listening(served) as one, listening(served) as two:
        await asyncio.gather(event(one), event(two))
        kept = [view for view in served.context.renderer._views if view.kind == "event"]
        assert len(kept) == 1


async def test_a_slow_reader_is_shown_the_newest_and_costs_no_memory() -> None:
    """Of two thousand steps a reader who did not read gets what fitted into its socket, and then the last."""
    steps = 2_000
    async with live() as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=4096)
        writer.write(b"GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"event: quotes")
        for step in range(steps):
            served.put({"USD": f"{100 + step / 1000:.4f}"})
            await asyncio.sleep(0)
        final = f"id: {served.context.board.latest.version}\n".encode()
        got = bytearray()
        async with asyncio.timeout(PATIENCE):
            while final not in got:
                got += await reader.read(65_536)
        writer.close()
        told = got.count(b"event: quotes")
        assert told < steps / 2
        assert len(got) < 8_000_000


@pytest.mark.parametrize(("query", "parameter"), [("?symbols=XXX", "symbols"), ("?lang=xx", "lang"), ("?foo=1", "foo")])
async def test_what_is_not_understood_is_refused_before_the_stream_begins(query: str, parameter: str) -> None:
    """A wrong parameter is a problem in JSON, not an empty stream."""
    async with live() as served, listening(served, query) as got:
        assert got.status == 400
        assert (await got.json(content_type="application/problem+json"))["parameter"] == parameter


async def test_head_answers_the_headers_alone() -> None:
    """HEAD of a stream ends at once."""
    async with live() as served, aiohttp.ClientSession() as session, session.head(f"{served.url}/v1/stream") as got:
        assert got.status == 200
        assert got.headers["Content-Type"] == "text/event-stream"
        assert served.context.traffic.streams == 0
