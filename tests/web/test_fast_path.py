"""The fast path: what it answers is what aiohttp would have answered, and all else it leaves alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.differential import Differential, compare
from tests.support.running_service import Clock
from tests.support.served_board import NOON
from tests.support.transports import Connection, Service, quiet
from ticker.quotes import Status
from ticker.web.connections import Bounds
from ticker.web.fast_path import closed_because
from ticker.web.listener import Listener
from ticker.web.routes import build_metrics

PLAIN = b"GET /v1/quotes/USD HTTP/1.1\r\nHost: ticker.example\r\n\r\n"
BROWSER = (
    b"GET /v1/quotes/USD HTTP/1.1\r\nHost: ticker.example\r\nConnection: keep-alive\r\n"
    b'sec-ch-ua: "Chromium";v="130", "Not?A_Brand";v="99"\r\nsec-ch-ua-mobile: ?0\r\n'
    b'sec-ch-ua-platform: "Linux"\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0.0.0\r\n'
    b"Accept: */*\r\nOrigin: https://news.example\r\nSec-Fetch-Site: cross-site\r\nReferer: https://news.example/\r\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: ru-RU,ru;q=0.9,en;q=0.8\r\n\r\n"
)


def asking(*lines: str, target: str = "/v1/quotes/USD", method: str = "GET") -> bytes:
    """A request with further header lines."""
    return "\r\n".join((f"{method} {target} HTTP/1.1", "Host: ticker.example", *lines, "", "")).encode()


@asynccontextmanager
async def serving(clock: Clock | None = None, **flags: Any) -> AsyncIterator[Service]:  # noqa: ANN401 - settings
    """The service with its fast path."""
    service = Service(clock or Clock(NOON), cached=True, fast=True, **flags)
    await service.start()
    yield service
    await service.stop()


async def asked(connection: Connection, data: bytes) -> tuple[bytes, bool]:
    """What comes back, and whether it came at once: aiohttp's own answers take a turn of the loop."""
    connection.feed(data)
    at_once = bool(connection.wire.written)
    await quiet()
    return connection.wire.said()[0], at_once


async def connected(service: Service, *known: bytes) -> Connection:
    """A connection on which `known` requests have been answered before."""
    connection = service.connect()
    await quiet()
    for each in known:
        await asked(connection, each)
    return connection


@pytest.mark.parametrize("request_", [PLAIN, BROWSER, asking(method="HEAD"), asking(target="/widget?lang=ru")])
async def test_what_was_answered_once_is_answered_at_once(request_: bytes) -> None:
    """The same bytes as the first time, without aiohttp's parser, task and router."""
    async with serving() as service:
        connection = await connected(service)
        first, second = await asked(connection, request_), await asked(connection, request_)
    assert first[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert second == (first[0], True)
    assert not first[1]


@pytest.mark.parametrize(
    "line",
    [
        'If-None-Match: "{tag}"',
        'If-None-Match: W/"{tag}"',
        'if-none-match: "other", "{tag}"',
        "If-None-Match: *",
        'If-None-Match: "{tag}"\r\nIf-Modified-Since: Fri, 22 Nov 2024 08:00:00 GMT',
        "If-Modified-Since: Fri, 22 Nov 2024 09:00:01 GMT",
    ],
)
async def test_who_has_the_newest_is_told_so_at_once(line: str) -> None:
    """304 as the ordinary path gives it, byte for byte."""
    async with serving() as service:
        connection = await connected(service)
        whole, _ = await asked(connection, PLAIN)
        tag = whole.partition(b'ETag: "')[2].partition(b'"')[0].decode()
        answer, at_once = await asked(connection, asking(line.format(tag=tag)))
        service.close_fast_path()
        assert (answer, at_once) == ((await asked(connection, asking(line.format(tag=tag))))[0], True)
    assert answer.startswith(b"HTTP/1.1 304 Not Modified\r\n")
    assert b"Content-Length" not in answer


@pytest.mark.parametrize(
    "odd",
    [
        PLAIN + PLAIN,
        PLAIN + b"\r\n",
        b"\r\n" + PLAIN,
        PLAIN.replace(b"\r\n", b"\n"),
        PLAIN.replace(b"1.1", b"1.0"),
        PLAIN.replace(b"GET", b"OPTIONS"),
        PLAIN.replace(b"GET ", b"GET  "),
        b"GET /v1/quotes/USD HTTP/1.1\r\n\r\n",
        b"GET /v1/quotes/USD HTTP/1.1\r\nAccept: */*\r\n\r\n",
        b"GET /v1/quotes/USD HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET /v1/quotes/USD HTTP/1.1\r\nHost: a/b\r\n\r\n",
        *(
            asking(line)
            for line in (
                "Host: second.example",
                "User-Agent: a\r\nuser-agent: b",
                "Connection: close",
                "Connection: keep-alive, close",
                "Connection: Upgrade\r\nUpgrade: websocket",
                "Upgrade: h2c",
                "Expect: 100-continue",
                "Content-Length: 0",
                "Transfer-Encoding: chunked",
                "Transfer-Encoding : chunked",
                "Content-Type: text/plain",
                "Content-Encoding: gzip",
                "Range: bytes=0-5",
                "Sec-WebSocket-Key1: a",
                "X-A: a\r\n folded",
                "X-A: a\tb",
                "X-A: \x7f",
                "X-A: \xff",
                "X-A: a\nX-B: b",
                "Cookie",
                ": none",
                "Cookie : a=b",
                "Accept-Encoding: gzip\r\nAccept-Encoding: br",
                "Accept-Encoding:  gzip",
                "Accept-Encoding: gzip ",
                "If-Match: *",
                "If-Unmodified-Since: Fri, 22 Nov 2024 09:00:01 GMT",
                "User-Agent: a\r\nUser-Agent: b",
                "Unheard-Of: yes",
                "Cookie: " + "a" * 5000,
                *["X-A: a\r\n" * 64 + "X-B: b"],
            )
        ),
    ],
)
async def test_what_is_not_ordinary_to_the_letter_is_left_to_aiohttp(odd: bytes) -> None:
    """Nothing is said before aiohttp has had its turn, and then what aiohttp says without a fast path."""
    async with serving() as service:
        answers = []
        for fast in (True, False):
            if not fast:
                service.close_fast_path()
            known_to_it = [asking(f"Accept-Encoding: {coding}") for coding in ("identity", "gzip", "br")]
            connection = await connected(service, *known_to_it)
            answer, at_once = await asked(connection, odd)
            assert not at_once
            answers.append((answer, connection.wire.closed))
    assert answers[0] == answers[1]


async def test_a_request_in_pieces_is_left_to_aiohttp_to_its_end() -> None:
    """What comes after a piece may look like a request and be the value of a field: nobody answers it as one."""
    async with serving() as service:
        connection = await connected(service, PLAIN)
        for piece in (b"GET /v1/quotes/USD HTTP/1.1\r\nHost: ticker.example\r\nX-A: ", PLAIN):
            connection.feed(piece)
            assert not connection.wire.written
        await quiet()
        assert connection.wire.said()[0].count(b"\r\nDate: ") == 1


async def test_after_a_request_in_pieces_a_connection_stays_with_aiohttp() -> None:
    """Where its parser stands is not certain from outside; a client that writes so is rare."""
    async with serving() as service:
        connection = await connected(service, PLAIN, PLAIN[:20], PLAIN[20:])
        assert not (await asked(connection, PLAIN))[1]


async def test_a_body_is_never_taken_for_a_request() -> None:
    """Smuggling: a request inside another one's body is its body, and ends with its connection."""
    async with serving() as service:
        connection = await connected(service, PLAIN)
        head = f"POST /v1/quotes HTTP/1.1\r\nHost: ticker.example\r\nContent-Length: {len(PLAIN)}\r\n\r\n".encode()
        for piece in (head, PLAIN, PLAIN):
            connection.feed(piece)
            await quiet(2)
        await quiet()
        said = connection.wire.said()[0]
        assert (said[:13], said.count(b"\r\nDate: ")) == (b"HTTP/1.1 405 ", 1)


async def test_after_a_whole_request_of_another_kind_the_fast_path_is_open_again() -> None:
    """A page fetches its script and then its numbers over one connection."""
    async with serving() as service:
        connection = await connected(service, PLAIN)
        script, at_once = await asked(connection, asking("Unheard-Of: yes", target="/widget.js"))
        assert (script[:15], at_once) == (b"HTTP/1.1 200 OK", False)
        assert (await asked(connection, PLAIN))[1]


async def test_a_request_behind_one_that_is_being_answered_waits_for_it() -> None:
    """Answers come in the order of the requests."""
    async with serving() as service:
        connection = await connected(service, PLAIN)
        connection.feed(asking(target="/healthz"))
        connection.feed(PLAIN)
        assert not connection.wire.written
        await quiet()
        said = connection.wire.said()[0]
        assert said.index(b'"status": "alive"') < said.index(b'"symbol": "USD"')


async def test_a_new_version_is_never_answered_with_the_old_one() -> None:
    """The cache is empty from the moment on in which the board has a newer snapshot."""
    async with serving() as service:
        service.context.board.expect(NOON + timedelta(seconds=59.5))
        connection = await connected(service, PLAIN)
        service.live.put({"USD": "101.5"})
        answer, at_once = await asked(connection, PLAIN)
        assert (b'"price": 101.5' in answer, at_once) == (True, False)


async def test_a_number_past_its_time_is_withdrawn_without_anybody_polling() -> None:
    """Time alone changes the answer, on the fast path too."""
    clock = Clock(NOON)
    async with serving(clock) as service:
        board = service.context.board
        quotes = board.latest.quotes
        aging = tuple(replace(quote, usable_until=NOON + timedelta(seconds=5)) for quote in quotes)
        board.put(replace(board.latest, version=board.latest.version + 1, quotes=aging), NOON)
        connection = await connected(service, PLAIN)
        assert (await asked(connection, PLAIN))[1]
        clock.now += timedelta(seconds=5)
        answer, _ = await asked(connection, PLAIN)
        assert b'"price": null' in answer
        assert board.latest.status is Status.UNAVAILABLE


async def test_a_reader_who_does_not_read_is_left_to_aiohttp() -> None:
    """Nothing more is written at once while what was written waits."""
    async with serving() as service:
        connection = await connected(service, PLAIN)
        connection.protocol.pause_writing()
        assert not (await asked(connection, PLAIN))[1]
        connection.protocol.resume_writing()
        await quiet()


async def test_a_service_that_stops_ends_its_connections() -> None:
    """`Connection: close` is aiohttp's to say."""
    async with serving() as service:
        connection = await connected(service, PLAIN)
        service.context.process_health.draining = True
        answer, at_once = await asked(connection, PLAIN)
        assert (b"\r\nConnection: close\r\n" in answer, at_once, connection.wire.closed) == (True, False, True)


@pytest.mark.parametrize(("setting", "value"), [("fast_path", False), ("access_log", True), ("rate_limit", 99)])
async def test_what_needs_the_ordinary_path_closes_the_fast_path(setting: str, value: Any) -> None:  # noqa: ANN401 - any setting
    """The switch; a log line a request; a limit for each client."""
    async with serving(None, **{f"server__{setting}": value}) as service:
        connection = await connected(service, PLAIN)
        assert not (await asked(connection, PLAIN))[1]


async def test_a_version_of_aiohttp_that_nobody_tested_closes_the_fast_path() -> None:
    """It uses what is not public of aiohttp's protocol: what it does not know it leaves alone, and says so."""
    assert closed_because(wanted=True, access_log=False, rate_limit=0) is None
    closed = closed_because(wanted=True, access_log=False, rate_limit=0, version="3.99")
    assert closed == "aiohttp is 3.99; the fast path was tested with 3.14.5"


async def test_whether_it_is_open_is_said_in_the_log_and_in_a_metric(caplog: pytest.LogCaptureFixture) -> None:
    """With the reason why not, at every start."""
    caplog.set_level("INFO", "ticker")
    told = []
    for rate in (0, 60):
        async with serving(None, server__rate_limit=rate) as service:
            told.append(service.context.exposition.scrape("").body)
    assert [b"ticker_fast_path_open 1.0" in text for text in told] == [True, False]
    assert b"ticker_fast_path_open 0.0" in told[1]
    said = [record.getMessage() for record in caplog.records if "fast path" in record.getMessage()]
    assert said == ["fast path is open", "fast path is closed"]
    assert "server.rate_limit is set" in str(caplog.records[-1].__dict__)


async def test_the_listener_of_the_metrics_answers_nothing_from_the_cache() -> None:
    """It has no quotes, whoever has asked for them elsewhere."""
    async with serving() as service:
        await connected(service, PLAIN)
        own = Listener(build_metrics(service.context), Bounds(10), shutdown_timeout=0.1)
        await own.setup()
        assert isinstance(own.server, web.Server)
        connection = Connection(own.server)
        await quiet()
        answer, at_once = await asked(connection, PLAIN)
        await own.cleanup()
    assert (answer[:13], at_once) == (b"HTTP/1.1 404 ", False)


async def test_only_listed_origins_are_let_in_on_the_fast_path_too() -> None:
    """Each origin gets its own name, and one that is not listed gets none."""
    origins = ["https://one.example", "https://two.example"]
    async with serving(server__cors_origins=origins) as service:
        connection = await connected(service, asking())
        for origin in (*origins, "https://three.example", "null"):
            answer, at_once = await asked(connection, asking(f"Origin: {origin}"))
            shown = f"\r\nAccess-Control-Allow-Origin: {origin}\r\n".encode() in answer
            assert (shown, at_once) == (origin in origins, True)
            assert b"Origin\r\n" in answer.partition(b"Vary: ")[2][:80]


async def test_what_the_fast_path_answers_is_counted_as_any_answer() -> None:
    """The same series, the same histogram; and the connection's time begins anew."""
    async with serving() as service:
        connection = await connected(service, PLAIN)
        traffic, closes = service.context.traffic, connection.protocol._next_keepalive_close_time
        await quiet()
        assert (await asked(connection, PLAIN))[1]
        route = "/v1/quotes/{symbol}"
        observed = {s.name: s.value for f in traffic.collect() for s in f.samples if s.labels == {"route": route}}
        assert traffic.requests[route, "GET", 200] == 2
        assert observed["ticker_http_request_duration_seconds_count"] == 2
        assert connection.protocol._next_keepalive_close_time > closes


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.randoms(use_true_random=False))
async def test_the_fast_path_and_the_ordinary_one_never_differ(random: Random) -> None:
    """Whatever comes in, and however the board and the time go on meanwhile."""
    async with Differential() as both:
        await compare(both, random, 150, abreast=4)


@pytest.mark.parametrize("flags", [{}, {"server__cors_origins": ["https://news.example"]}])
async def test_thousands_of_requests_are_answered_alike(flags: dict[str, Any]) -> None:
    """Many enough for the fast path to have its share of them; millions are compared by tests/bench/differential.py."""
    async with Differential(**flags) as both:
        sent, at_once = await compare(both, Random(9), 2_000)  # noqa: S311 - the same every time
    assert at_once > sent / 10
