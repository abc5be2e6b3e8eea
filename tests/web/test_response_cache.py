"""The response cache: an answer of the present epoch, in bounded memory, for as long as nothing has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.running_service import Clock, Served
from tests.support.served_board import NOON, live
from ticker import clock
from ticker.board import Board
from ticker.rendering.representation import Representation
from ticker.web.response_cache import MAX_BYTES, CachedResponse, ResponseCache, cached_response

ANSWER = CachedResponse(
    "/widget", '"tag"', NOON, b'ETag: "tag"\r\n', b"Content-Length: 4\r\n\r\n", b"body", shared=True
)
TARGET, VARIANT = b"/widget", "json br en"
BODY = b'{"price": 100.6798}' * 40
MADE = Representation(BODY, "application/json", datetime(2024, 11, 22, 9, tzinfo=UTC))
OPENING = b"HTTP/1.1 200 OK\r\nServer: ticker\r\n"


def board() -> Board:
    """The trio, which the next poll may change in a minute."""
    return live().context.board


def cache_of(shown: Board, now: Callable[[], datetime] | None = None, max_bytes: int = MAX_BYTES) -> ResponseCache:
    """A cache over that board, at noon."""
    return ResponseCache(shown, ("*",), now or Clock(NOON), max_bytes=max_bytes)


def opening(cache: ResponseCache) -> list[str]:
    """How answers begin now, without the machine's own Date."""
    text = cache.decide(ANSWER, None, None, None)[2].decode()
    return [line for line in text.split("\r\n") if not line.startswith("Date: ")]


def found(cache: ResponseCache, target: bytes = TARGET) -> CachedResponse | None:
    """What is there for the widget."""
    answer = cache.answer(target, VARIANT, None, None, None)
    return None if answer is None else answer[0]


@given(st.lists(st.floats(0, 70, allow_nan=False), min_size=1, max_size=30))
def test_an_answer_never_begins_otherwise_than_one_made_for_it_alone(offsets: list[float]) -> None:
    """Age, date and time to the next change are those of this very moment, whatever was asked before."""
    shared, kept, now = board(), board(), Clock(NOON)
    cache = cache_of(shared, now)
    for offset in sorted(offsets):
        now.now = NOON + timedelta(seconds=offset)
        assert opening(cache) == opening(cache_of(kept, now))


def test_what_one_epoch_says_is_written_once() -> None:
    """Not again at every request."""
    now = Clock(NOON)
    cache = cache_of(board(), now)
    epochs = set()
    for n in range(500):
        now.now = NOON + timedelta(seconds=0.1 + n / 1000)
        epochs.add(id(cache.epoch()))
    assert len(epochs) <= 2  # the machine's own second may turn meanwhile


def test_on_the_machines_clock_a_look_at_it_makes_no_date() -> None:
    """It is one number, compared with two; what else an answer depends on is still looked at."""
    looks: list[datetime] = []

    def looked() -> datetime:
        looks.append(clock.wall())
        return looks[-1]

    served = live(clock=clock.wall)
    served.context.board.expect(clock.wall() + timedelta(minutes=1))
    cache = ResponseCache(served.context.board, ("*",), looked, machine_clock=True)
    epochs = [cache.epoch() for _ in range(500)]
    assert len(looks) <= 5  # the second may turn meanwhile, and the age with it
    assert epochs[-1].since <= clock.wall() < epochs[-1].until + timedelta(seconds=5)
    served.put({"USD": "101"})
    assert cache.epoch().snapshot is served.context.board.latest


def test_the_cache_is_empty_after_each_new_version() -> None:
    """And keeps what it has while a poll brings nothing new."""
    served = live()
    cache = cache_of(served.context.board, Clock(NOON + timedelta(seconds=1.5)))
    cache.epoch()
    cache.keep(TARGET, VARIANT, ANSWER)
    served.context.board.expect(NOON + timedelta(hours=1))
    assert any("max-age=3598," in line for line in opening(cache))
    assert found(cache) is ANSWER
    served.put({"USD": "101"})
    assert found(cache) is None


def test_the_cache_is_empty_after_each_hour() -> None:
    """How old a stale number is said to be depends on it."""
    now = Clock(NOON + timedelta(minutes=59))
    cache = cache_of(board(), now)
    cache.epoch()
    cache.keep(TARGET, VARIANT, ANSWER)
    now.now = NOON + timedelta(minutes=59, seconds=59)
    assert found(cache) is ANSWER
    now.now = NOON + timedelta(minutes=60)
    assert found(cache) is None


def test_a_full_cache_lets_go_of_what_was_used_longest_ago() -> None:
    """Every combination that somebody tries costs no more than the limit, and what everybody asks for stays."""
    cache = cache_of(board(), max_bytes=10_000)
    cache.epoch()
    cache.keep(TARGET, VARIANT, ANSWER)
    for number in range(1000):
        cache.keep(b"/widget?%d" % number, VARIANT, ANSWER)
        assert 0 < cache.held_bytes <= 10_000
        assert found(cache, b"/widget?%d" % number) is ANSWER
        assert found(cache) is ANSWER
    cache.keep(b"/large", VARIANT, replace(ANSWER, body=b"a" * 20_000))
    assert found(cache, b"/large") is None


def test_the_same_answer_takes_one_place() -> None:
    """However often it was made before it was there."""
    cache = cache_of(board())
    cache.keep(TARGET, VARIANT, ANSWER)
    held = cache.held_bytes
    cache.keep(TARGET, VARIANT, ANSWER)
    assert cache.held_bytes == held


def test_a_variant_is_what_the_accept_headers_come_to() -> None:
    """As bytes and as text alike, a missing one as an empty one."""
    cache = cache_of(board())
    assert cache.variant(None, None, None) == cache.variant("", b"", "") == "json identity en"
    assert cache.variant(b"text/csv", b"gzip, br", b"ru-RU") == cache.variant("text/csv", "gzip, br", "ru-RU")
    assert cache.variant("text/csv", "gzip, br", "ru-RU") == "csv br ru-RU"


def test_somebody_who_invents_headers_takes_no_more_memory() -> None:
    """What was remembered of headers longest ago is forgotten when it is too much."""
    cache = cache_of(board())
    for number in range(5000):
        cache.variant(None, f"gzip;q=0.{number}", None)
    assert len(cache._variants) <= 2048


def test_an_answer_is_its_opening_its_own_fields_and_its_body() -> None:
    """To GET; HEAD has the same without the body, and 304 nothing that speaks of one."""
    each = cached_response("/v1/quotes", MADE, "gzip", {"Vary": "Accept-Encoding"}, shared=True)
    own = b"ETag: %b\r\nVary: Accept-Encoding\r\n" % each.etag.encode()
    content = b"Content-Type: application/json\r\nContent-Length: %d\r\nContent-Encoding: gzip\r\n\r\n" % len(each.body)
    assert each.body == MADE.encoded("gzip")
    assert each.message(OPENING, 200, with_body=True) == OPENING + own + content + each.body
    assert each.message(OPENING, 200, with_body=False) == OPENING + own + content
    assert each.message(OPENING, 304, with_body=True) == OPENING + own + b"\r\n"


def test_what_is_not_worth_a_coding_is_sent_as_it_is() -> None:
    """A coding that the representation does not offer is not used, whoever asks for it."""
    small = Representation(b"{}", "application/json", MADE.modified)
    each = cached_response("/v1/quotes", small, "br", {}, shared=True)
    assert (each.body, each.etag) == (b"{}", small.etag("identity"))
    assert b"Content-Encoding" not in each.body_head


async def test_every_answer_says_the_same_however_its_connection_goes_on(served: Served) -> None:
    """`Connection: close` is told that the connection ends, and else the same as everybody."""
    for headers in ({}, {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "br", "Accept-Language": "ru"}):
        kept = await served.client.get("/widget", headers=headers)
        closed = await served.client.get("/widget", headers={**headers, "Connection": "close"})
        assert closed.headers["Connection"] == "close"
        alike = {name: value for name, value in closed.headers.items() if name not in {"Connection", "Date"}}
        assert alike == {name: value for name, value in kept.headers.items() if name != "Date"}
        assert await closed.read() == await kept.read()


@pytest.mark.parametrize(
    ("headers", "path", "kept"),
    [
        ({}, "/widget", True),
        ({"Accept-Language": "en"}, "/widget", True),
        ({"Accept-Language": "ru"}, "/widget", False),
        ({"Accept-Language": "ru"}, "/widget?lang=ru", True),
        ({"Accept": "text/csv"}, "/v1/quotes?lang=en", False),
        ({"Accept": "text/csv"}, "/v1/quotes?lang=en&format=csv", True),
        ({"Accept-Language": "ru"}, "/", False),
    ],
)
async def test_a_cdn_that_ignores_vary_keeps_only_what_everybody_would_get(
    served: Served, headers: dict[str, str], path: str, *, kept: bool
) -> None:
    """`CDN-Cache-Control` (RFC 9213): what a header chose otherwise than by default is not for an address alone."""
    answer = await served.client.get(path, headers=headers)
    own = answer.headers["CDN-Cache-Control"]
    assert own == (answer.headers["Cache-Control"] if kept else "no-store")
