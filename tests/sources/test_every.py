"""What holds for every source alike."""

from __future__ import annotations

import json
from datetime import date, timedelta
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import wounds
from tests.support.answers import HISTORY, LIVE, NOON
from tests.support.refusals import refused
from ticker.quotes import Reason, SourceError
from ticker.settings.loader import load, shipped
from ticker.sources import SOURCES

SPLASH = b"<!DOCTYPE html><html><head><title>DDOS-GUARD</title></head><body></body></html>"
WORDS = """
    amount base date quote rate rates securities marketdata columns data SECID BOARDID cbrf CBRF_USD_LAST result
    base_code time_last_update_unix usd rub response series period value units name unit symbol close timestamp
    Cur_Abbreviation Cur_Scale Ccy Nominal observations status code
""".split()  # noqa: SIM905 - a list of so many words is read best as text
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "USD", "2024-11-22", "1.5", "RUB", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=12,
)


@pytest.mark.parametrize("source", SOURCES)
def test_a_web_page_is_a_guard_and_no_data(source: str) -> None:
    """A splash, a consent page or an error page in place of data is `blocked` at every source."""
    adapter = SOURCES[source]
    assert refused(adapter.parse, SPLASH) is Reason.BLOCKED
    if adapter.parse_archive:
        assert refused(adapter.parse_archive, SPLASH) is Reason.BLOCKED


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b"0", b"\x00\xff\xfe", b"<a/>", b"a,b\n1,2\n", b"[" * 9_999]
)
def test_what_is_no_answer_gives_no_number(source: str, body: bytes) -> None:
    """Nothing, an empty list, a number, another format: refused by name."""
    with pytest.raises(SourceError):
        SOURCES[source].parse(body)


@pytest.mark.parametrize("source", LIVE)
@given(st.data())
def test_wounds_give_no_number_that_nobody_wrote(source: str, data: st.DataObject) -> None:
    """Whatever a body has suffered, it is refused by the one error family, or its prices stand in it."""
    body = data.draw(wounds.wounded(LIVE[source]))
    prices = [tick.price for tick in wounds.read(SOURCES[source], body)]
    assert all(price > 0 for price in prices)
    assert set(prices) <= wounds.written(body)


@pytest.mark.parametrize("source", HISTORY)
@given(st.data())
def test_a_wounded_history_is_refused_or_read(source: str, data: st.DataObject) -> None:
    """The same holds for archives."""
    parse = SOURCES[source].parse_archive or SOURCES[source].parse
    body = data.draw(wounds.wounded(HISTORY[source]))
    try:
        ticks = parse(body).ticks
    except SourceError:
        return
    assert all(tick.price > 0 for tick in ticks)


@settings(max_examples=40)  # of 17 sources each
@given(JSON)
def test_no_json_of_any_shape_escapes(answer: object) -> None:
    """Lists where objects belong, nulls where numbers do: every source names it, none breaks on it."""
    body = json.dumps(answer).encode()
    for adapter in SOURCES.values():
        wounds.read(adapter, body)


@pytest.mark.parametrize("source", SOURCES)
def test_a_big_answer_is_read_in_no_time(source: str) -> None:
    """A megabyte of one thing repeated takes none of the parsers a second."""
    for piece in (b"[", b"<a>", b'{"rates":', b"1", b"a,", b'"', b"\n", b"<!--"):
        began = process_time()
        with pytest.raises(SourceError):
            SOURCES[source].parse(piece * (1_000_000 // len(piece)))
        assert process_time() - began < 1


@pytest.mark.parametrize("source", SOURCES)
def test_every_source_is_configured_with_what_it_is_owed(source: str) -> None:
    """The shipped configuration has each adapter's host, calendar, budget, terms and attribution in both languages."""
    config = load(shipped(), {}, {}).settings
    each = config.sources[source]
    assert each.base_url == SOURCES[source].base_url
    assert each.calendar in config.calendars
    assert each.terms_url is not None
    assert each.attribution.keys() == {"en", "ru"}
    requests = SOURCES[source].requests(list(SOURCES[source].codes.values()) or ["USD"], NOON)
    assert 1 <= len(requests) <= each.budget


@pytest.mark.parametrize("source", [source for source, adapter in SOURCES.items() if adapter.archive])
@settings(max_examples=20)
@given(first=st.dates(date(2000, 1, 1), date(2030, 1, 1)), days=st.integers(0, 800))
def test_an_archive_is_asked_for_every_day_once(source: str, first: date, days: int) -> None:
    """No request of a span stands there twice, and a span of days has some unless nothing is published on them."""
    adapter = SOURCES[source]
    assert adapter.archive is not None
    asked = adapter.archive(list(adapter.codes.values()) or ["USD"], first, first + timedelta(days=days))
    written = [(request.path, *sorted(request.query.items())) for request in asked]
    assert len(set(written)) == len(written)
    assert written or days < 2
