"""The JSON that the world sees."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.render.quotes import FRESH, GONE, STALE, board
from ticker.quotes import Status
from ticker.render import encoder, wire
from ticker.render.locales import locale_of

EN = locale_of("en")
# What the sources write: up to twelve digits on each side, trailing zeros kept.
DIGITS = st.tuples(st.integers(0, 10**12 - 1), st.text("0123456789", max_size=12)).map(
    lambda parts: f"{parts[0]}.{parts[1]}".rstrip(".")
)


def field(name: str, body: bytes) -> str:
    """The text of a number as it stands in the JSON."""
    found = re.search(rf'"{name}": ([^,}}]+)', body.decode())
    assert found is not None
    return found[1]


@settings(max_examples=2000)
@given(DIGITS)
def test_a_price_has_the_digits_of_its_source(text: str) -> None:
    """100.6798 and never 100.67980000000001, 73.70 and never 73.7, without an exponent."""
    body = encoder.line(wire.quote_of(replace(FRESH, price=Decimal(text), previous=None), EN))
    assert field("price", body) == text


@settings(max_examples=300)
@given(DIGITS, DIGITS)
def test_a_change_is_exact(price: str, previous: str) -> None:
    """Price less previous, in decimals."""
    quote = replace(FRESH, price=Decimal(price), previous=Decimal(previous))
    body = encoder.line(wire.quote_of(quote, EN))
    assert Decimal(field("change", body)) == Decimal(price) - Decimal(previous)


def test_a_change_in_percent_is_rounded_once() -> None:
    """Two digits, half up; null where the price before was nothing."""
    assert wire.quote_of(FRESH, EN)["change_percent"] == Decimal("0.46")
    assert wire.quote_of(replace(FRESH, previous=Decimal(0)), EN)["change_percent"] is None
    assert wire.quote_of(replace(FRESH, previous=None), EN)["display"]["change"] is None


def test_no_number_of_an_unavailable_quote_is_anywhere_in_the_json() -> None:
    """Null, never 0 and never the last one known; what it was and why it is gone stay."""
    body = encoder.line(wire.quote_of(GONE, EN))
    found = json.loads(body)
    empty = ("price", "previous", "previous_as_of", "change", "change_percent", "agreement")
    assert [found[name] for name in empty] == [None] * len(empty)
    assert found["display"] == {"label": "USD", "price": None, "change": None}
    assert (found["status"], found["reason"]) == ("unavailable", "timeout")
    assert not re.search(r"\d+[.,]\d", body.decode())


@pytest.mark.parametrize(
    ("quotes", "status"),
    [((FRESH,), "fresh"), ((FRESH, STALE), "stale"), ((GONE, FRESH, STALE), "unavailable"), ((), "unavailable")],
)
def test_the_status_of_the_board_is_the_worst_of_what_is_shown(quotes: tuple[object, ...], status: str) -> None:
    """Of the quotes asked for, not of all."""
    shown = tuple(quote for quote in (FRESH, STALE, GONE) if quote in quotes)
    assert wire.quotes_of(board(GONE), shown, EN)["status"] == Status(status)


def test_a_stamp_keeps_the_zone_of_its_source() -> None:
    """To the second, RFC 3339; what we say ourselves is in UTC."""
    moment = datetime(2024, 11, 22, 1, 2, 3, 999, timezone(timedelta(hours=3)))
    assert wire.stamp(moment) == "2024-11-22T01:02:03+03:00"
    assert wire.stamp(moment.astimezone(UTC)) == "2024-11-21T22:02:03Z"
    assert wire.utc(moment) == "2024-11-21T22:02:03Z"
    assert (wire.stamp(None), wire.utc(None)) == (None, None)


def test_a_hostile_text_is_a_json_string() -> None:
    """Quotes, control characters and lone line separators stay data."""
    nasty = '"},\n\x00</script>\u2028'
    quote = replace(FRESH, instrument=replace(FRESH.instrument, name={"en": nasty}))
    assert json.loads(encoder.line(wire.quote_of(quote, EN)))["name"] == nasty


def test_the_json_is_utf_8_and_ends_with_a_line() -> None:
    """Readable in a terminal."""
    body = encoder.line(wire.quotes_of(board(FRESH), (FRESH,), locale_of("ru")))
    assert body.endswith(b"\n")
    assert "Доллар США" in body.decode()
