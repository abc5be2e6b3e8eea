"""Answering with the board as it stands: what is kept in the response cache, and what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest

from tests.support.running_service import Served
from tests.support.served_board import NOON, live
from tests.support.transports import Service, quiet

KEPT = (
    *("/v1/quotes", "/v1/quotes/USD", "/widget", "/widget?lang=ru", "/v1/quotes?shape=map", "/v1/instruments"),
    "/v1/convert?from=USD&to=EUR",
)


@pytest.mark.parametrize("path", KEPT)
async def test_an_answer_is_kept(served: Served, path: str) -> None:
    """The next one like it is the same, headers too, without its handler."""
    cache = served.service.context.cache
    assert cache.held_bytes == 0
    first = await served.client.get(path)
    held = cache.held_bytes
    second = await served.client.get(path)
    assert held == cache.held_bytes > 0
    assert await second.read() == await first.read()
    assert {**second.headers, "Date": ""} == {**first.headers, "Date": ""}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/quotes/GBP",
        "/v1/quotes?symbols=GBP",
        "/v1/quotes?at=2024-11-21",
        "/widget?style=none",
        "/v1/sources",
        "/v1/convert?from=USD&to=RUB&at=2024-11-21",
        "/widget.js",
        "/healthz",
        "/metrics",
    ],
)
async def test_nothing_else_is(served: Served, path: str) -> None:
    """Errors, the past, health and sources are made for their request."""
    await served.client.get(path)
    assert served.service.context.cache.held_bytes == 0


async def test_other_methods_take_nothing_from_the_cache(served: Served) -> None:
    """POST to what was answered to GET is refused as ever."""
    await served.client.get("/widget")
    assert (await served.client.post("/widget")).status == 405
    assert (await served.client.options("/widget")).status == 204


@pytest.mark.parametrize(
    ("line", "begins"),
    [
        ("Host: a b", b"HTTP/1.1 400 "),
        ("Host: a/b", b"HTTP/1.1 400 "),
        ("Host: a\r\nExpect: 100-continue", b"HTTP/1.1 100 "),
        ("Host: a\r\nExpect: more", b"HTTP/1.1 417 "),
    ],
)
async def test_a_malformed_request_gets_nothing_from_the_cache(line: str, begins: bytes) -> None:
    """What is refused without a cache is refused with one."""
    service = Service(lambda: NOON, cached=True, fast=False)
    await service.start()
    connection = service.connect()
    await quiet()
    for head in ("Host: a", line):
        connection.wire.said()
        connection.feed(f"GET /v1/quotes/USD HTTP/1.1\r\n{head}\r\n\r\n".encode())
        await quiet()
    assert connection.wire.said()[0].startswith(begins)
    await service.stop()


@pytest.mark.parametrize("flags", [{}, {"demo": True}, {"server__cors_origins": ["https://one.example"]}])
async def test_it_carries_what_every_answer_carries(flags: dict[str, Any]) -> None:
    """Whatever is put on an answer that is made for its request is on one that is ready, too."""
    async with live(**flags) as served, aiohttp.ClientSession(served.url) as client:
        made, ready = [
            (await client.get(path, headers={"Origin": "https://one.example"})).headers
            for path in ("/v1/sources", "/v1/quotes")
        ]
    own = {"Content-Length", "Etag", "Vary", "Last-Modified", "Date"}
    assert {**made, **dict.fromkeys(own)} == {**ready, **dict.fromkeys(own)}


@pytest.mark.parametrize("looks", range(1, 9))
async def test_a_board_that_time_has_passed_by_is_never_kept(looks: int) -> None:
    """Whenever, between the looks at the clock that one answer takes, the numbers are past their time."""

    class Turning:
        """A clock that shows a second more at every look."""

        now = NOON

        def __call__(self) -> datetime:
            self.now += timedelta(seconds=1)
            return self.now

    clock = Turning()
    service = Service(clock, cached=True, fast=True)
    board = service.context.board
    ends = NOON + timedelta(seconds=looks)
    quotes = tuple(replace(quote, usable_until=ends) for quote in board.latest.quotes)
    board.put(replace(board.latest, version=board.latest.version + 1, quotes=quotes), NOON)
    await service.start()
    connection = service.connect()
    await quiet()
    while True:
        asked_at = clock.now
        connection.feed(b"GET /v1/quotes/USD HTTP/1.1\r\nHost: ticker.example\r\n\r\n")
        await quiet()
        answer, _ = connection.wire.said()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        if asked_at >= ends:
            break
    assert b'"price": null' in answer
    await service.stop()


async def test_a_number_that_was_said_again_is_another_answer() -> None:
    """Its `checked_at` is: neither the tag nor the date of the former one stands for it."""
    async with live() as served, aiohttp.ClientSession(served.url) as client:
        async with client.get("/v1/quotes/USD") as first:
            former = {"If-Modified-Since": first.headers["Last-Modified"]}
            tag = {"If-None-Match": first.headers["ETag"]}
        served.context.board.check({"USD": NOON + timedelta(seconds=90)})
        for headers in (former, tag):
            async with client.get("/v1/quotes/USD", headers=headers) as again:
                assert again.status == 200
                assert '"checked_at": "2024-11-22T09:01:30Z"' in await again.text()


async def test_the_access_log_says_what_a_request_is_traced_by(caplog: pytest.LogCaptureFixture) -> None:
    """`traceparent` and `X-Request-Id` as they came, where they are what they should be; nothing else of the client."""
    caplog.set_level("INFO", "ticker")
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with live(server__access_log=True) as served, aiohttp.ClientSession(served.url) as client:
        for headers in (
            {"traceparent": trace, "X-Request-Id": "a1b2-C3"},
            {"traceparent": "00-zz", "X-Request-Id": 'a b"c'},
            {},
        ):
            for _ in range(2):
                await (await client.get("/v1/quotes/USD", headers=headers)).read()
    lines = [record.__dict__ for record in caplog.records if record.getMessage() == "request"]
    assert len(lines) == 6
    texts = [str(line) for line in lines]
    assert ["a1b2-C3" in text and trace in text for text in texts] == [True, True, *[False] * 4]
    assert not any("00-zz" in text for text in texts)
    assert not any("request_id" in text for text in texts[2:])
