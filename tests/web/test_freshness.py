"""A representation as an HTTP answer: validators, freshness, content coding, 304."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime, parsedate_to_datetime

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.support.running_service import Served
from tests.support.upstream import NOON
from ticker.web.headers import last_modified, preferred_coding

VIEWS = ("/", "/v1/quotes", "/v1/quotes/USD", "/widget", "/widget?lang=ru")
NEVER = datetime.max.replace(tzinfo=UTC)
ALL = ("br", "zstd", "gzip", "identity")


def age(header: str) -> int:
    """The max-age of a Cache-Control."""
    return int(header.partition("max-age=")[2].partition(",")[0])


@pytest.mark.parametrize("path", VIEWS)
async def test_who_has_the_newest_is_told_so(served: Served, path: str) -> None:
    """If-None-Match with the tag, one of several, a weak one or * gives 304 without a body, with the same headers."""
    whole = await served.client.get(path)
    tag = whole.headers["ETag"]
    for header in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        answer = await served.client.get(path, headers={"If-None-Match": header})
        assert (answer.status, await answer.read()) == (304, b"")
        for name in ("ETag", "Cache-Control", "Vary", "Last-Modified"):
            assert answer.headers[name] == whole.headers[name]
    assert (await served.client.get(path, headers={"If-None-Match": '"other"'})).status == 200


async def test_a_tag_goes_before_a_date(served: Served) -> None:
    """RFC 9110, 13.2.2: with If-None-Match the date is not looked at."""
    future = format_datetime(datetime(2030, 1, 1, tzinfo=UTC), usegmt=True)
    headers = {"If-None-Match": '"other"', "If-Modified-Since": future}
    assert (await served.client.get("/v1/quotes", headers=headers)).status == 200


async def test_the_date_of_an_answer_revalidates_it(served: Served) -> None:
    """If-Modified-Since with the Last-Modified of a second ago gives 304, an older one or nonsense the whole."""
    served.clock.now += timedelta(seconds=2)
    date = (await served.client.get("/v1/quotes")).headers["Last-Modified"]
    older = format_datetime(parsedate_to_datetime(date) - timedelta(seconds=1), usegmt=True)
    for since, status in ((date, 304), (older, 200), ("yesterday", 200), ("", 200)):
        answer = await served.client.get("/v1/quotes", headers={"If-Modified-Since": since})
        assert answer.status == status, since


@given(
    st.floats(0, 3, allow_nan=False),
    st.floats(0, 3, allow_nan=False),
    st.floats(0, 3),
    st.floats(0, 3, allow_nan=False),
)
def test_the_date_of_one_version_never_stands_for_another(first: float, asked: float, gap: float, later: float) -> None:
    """Two versions in one second differ for those who ask by date alone."""
    began = NOON + timedelta(seconds=first)
    seen = began + timedelta(seconds=asked)
    changed = seen + timedelta(seconds=gap, microseconds=1)
    now = changed + timedelta(seconds=later)
    assert last_modified(began, seen) <= seen
    assert last_modified(began, seen) < changed.replace(microsecond=0) + timedelta(seconds=1)
    assert last_modified(began, seen) <= last_modified(changed, now) <= now


@pytest.mark.parametrize("path", VIEWS)
async def test_the_bytes_and_the_tag_change_together(served: Served, path: str) -> None:
    """In every coding a tag of its own, and a new one with the next version."""
    seen: dict[str, bytes] = {}
    for step in range(3):
        for coding in ALL:
            answer = await served.client.get(path, headers={"Accept-Encoding": coding})
            body = await answer.read()
            assert seen.setdefault(answer.headers["ETag"], body) == body
        snapshot = served.service.board.latest
        moved = tuple(replace(quote, price=Decimal(100 + step)) for quote in snapshot.quotes)
        served.service.board.put(snapshot.follow(moved, served.clock.now), served.clock.now)
    assert len(seen) == 12


@pytest.mark.parametrize(
    ("coding", "inflate"), [("gzip", gzip.decompress), ("br", brotli.decompress), ("zstd", zstandard.decompress)]
)
async def test_a_compressed_answer_is_the_same_body(
    served: Served, coding: str, inflate: Callable[[bytes], bytes]
) -> None:
    """And says what it is; Vary tells caches that there are others."""
    plain = await served.client.get("/v1/quotes", headers={"Accept-Encoding": "identity"})
    raw = await served.client.get("/v1/quotes", headers={"Accept-Encoding": coding})
    assert raw.headers["Content-Encoding"] == coding
    assert inflate(await raw.read()) == await plain.read()
    assert "Content-Encoding" not in plain.headers
    assert plain.headers["Vary"] == raw.headers["Vary"] == "Accept, Accept-Encoding, Accept-Language"


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("", "identity"),
        ("gzip", "gzip"),
        ("gzip, deflate, br", "br"),
        ("gzip, br;q=0", "gzip"),
        ("br;q=0.5, gzip;q=0.8", "gzip"),
        ("gzip;q=0.5, br;q=0.5", "br"),
        ("*", "br"),
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, zstd", "zstd"),
        ("zstd;q=0.4, gzip;q=0.5", "gzip"),
        ("*;q=0.1, br;q=0", "zstd"),
        ("identity, gzip;q=0.5", "identity"),
        ("identity;q=0.1, gzip;q=0.5", "gzip"),
        ("GZIP ; q = 0.3", "gzip"),
        ("deflate", "identity"),
        ("br;q=2, gzip;q=x", "identity"),
        (",,;q=1", "identity"),
    ],
)
def test_the_coding_is_the_best_that_the_client_takes(header: str, coding: str) -> None:
    """By q-value, ours first among equals (RFC 9110, 12.5.3)."""
    assert preferred_coding(header, ALL) == coding


@given(st.text(max_size=80))
def test_any_header_gets_a_coding_that_is_offered(header: str) -> None:
    """Nonsense is no error."""
    assert preferred_coding(header, ALL) in ALL


@pytest.mark.parametrize("path", VIEWS)
async def test_an_answer_is_kept_no_longer_than_to_the_next_possible_change(served: Served, path: str) -> None:
    """max-age never reaches beyond what the board says, and is 0 once that moment has passed."""
    for ahead in (0, 1, 30, 59, 3600, 86_400):
        served.clock.now = NOON + timedelta(seconds=ahead)
        header = (await served.client.get(path)).headers["Cache-Control"]
        now, board = served.clock.now, served.service.board
        valid_until = board.current(now).valid_until
        until = max(0.0, (min(board.next_change(now), valid_until or NEVER) - now).total_seconds())
        assert 0 <= age(header) <= until
        assert age(header) > until - 1 or until == 0
        assert header.startswith("public, ")
        kept = {name: int(value) for name, _, value in (each.partition("=") for each in header.split(", ")[1:])}
        beyond = max(kept["stale-while-revalidate"], kept["stale-if-error"])
        assert valid_until is None or now + timedelta(seconds=kept["max-age"] + beyond) <= max(now, valid_until)


async def test_while_a_first_answer_is_awaited_nothing_is_kept(waiting: Served) -> None:
    """It may come at any moment."""
    assert age((await waiting.client.get("/v1/quotes")).headers["Cache-Control"]) == 0
