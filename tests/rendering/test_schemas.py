"""The JSON that the world sees."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import simplejson
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.rendering.quotes import EVENING, FRESH, GONE, STALE, board
from tests.support.upstream import NOON
from ticker.quotes import Agreement, Contract, Override, Quote, Status
from ticker.rendering import formats, schemas
from ticker.rendering.locales import locale_of
from ticker.rendering.representation import to_json
from ticker.rendering.schemas import AgreementSchema, BoardSchema, QuoteSchema

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
    body = to_json(QuoteSchema.of(replace(FRESH, price=Decimal(text), previous=None), EN))
    assert field("price", body) == text


@settings(max_examples=300)
@given(DIGITS, DIGITS)
def test_a_change_is_exact(price: str, previous: str) -> None:
    """Price less previous, in decimals."""
    quote = replace(FRESH, price=Decimal(price), previous=Decimal(previous))
    body = to_json(QuoteSchema.of(quote, EN))
    assert Decimal(field("change", body)) == Decimal(price) - Decimal(previous)


def test_a_change_in_percent_is_rounded_once() -> None:
    """Two digits, half up; null where the price before was nothing."""
    assert QuoteSchema.of(FRESH, EN).change_percent == Decimal("0.46")
    assert QuoteSchema.of(replace(FRESH, previous=Decimal(0)), EN).change_percent is None
    assert QuoteSchema.of(replace(FRESH, previous=None), EN).display.change is None


def test_no_number_of_an_unavailable_quote_is_anywhere_in_the_json() -> None:
    """Null, never 0 and never the last one known; what it was and why it is gone stay."""
    body = to_json(QuoteSchema.of(GONE, EN))
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
    assert BoardSchema.of(board(GONE), shown, EN).status == Status(status)


def test_a_stamp_keeps_the_zone_of_its_source() -> None:
    """To the second, RFC 3339; what we say ourselves is in UTC."""
    moment = datetime(2024, 11, 22, 1, 2, 3, 999, timezone(timedelta(hours=3)))
    assert schemas.stamp(moment) == "2024-11-22T01:02:03+03:00"
    assert schemas.stamp(moment.astimezone(UTC)) == "2024-11-21T22:02:03Z"
    assert schemas.utc(moment) == "2024-11-21T22:02:03Z"
    assert (schemas.stamp(None), schemas.utc(None)) == (None, None)


def test_a_hostile_text_is_a_json_string() -> None:
    """Quotes, control characters and lone line separators stay data."""
    nasty = '"},\n\x00</script>\u2028'
    quote = replace(FRESH, instrument=replace(FRESH.instrument, name={"en": nasty}))
    assert json.loads(to_json(QuoteSchema.of(quote, EN)))["name"] == nasty


def test_the_json_is_utf_8_and_ends_with_a_line() -> None:
    """Readable in a terminal."""
    body = to_json(BoardSchema.of(board(FRESH), (FRESH,), locale_of("ru")))
    assert body.endswith(b"\n")
    assert "Доллар США" in body.decode()


@pytest.mark.parametrize("demo", [False, True])
def test_a_quote_has_every_member_in_the_order_of_its_schema(demo: bool) -> None:  # noqa: FBT001 - a parameter
    """And no other; `demo` is there only where the numbers are invented."""
    for quote in (FRESH, STALE, GONE):
        sent = json.loads(to_json(QuoteSchema.of(quote, EN, demo=demo)))
        assert tuple(sent) == (*formats.FIELDS, *(["demo"] if demo else []))


@pytest.mark.parametrize("change", [{"prise": 1}, {"status": "new"}, {"fallback": None}, {"display": {}}])
def test_a_schema_refuses_what_it_does_not_know(change: dict[str, Any]) -> None:
    """A schema that takes anything would tell its readers nothing."""
    with pytest.raises(ValidationError):
        QuoteSchema.model_validate({**QuoteSchema.of(FRESH, EN).model_dump(), **change})


def test_a_schema_refuses_a_number_that_is_none() -> None:
    """NaN has no place in JSON."""
    with pytest.raises(ValidationError, match="finite"):
        AgreementSchema(sources=2, spread_percent=Decimal("NaN"), low=None, high=None)


def sent(quote: Quote, lang: str = "en") -> dict[str, Any]:
    """The quote as a client reads it, its numbers exact."""
    found: dict[str, Any] = simplejson.loads(to_json(QuoteSchema.of(quote, locale_of(lang))), use_decimal=True)
    return found


def test_in_the_evening_tomorrows_rate_is_upcoming_and_todays_is_the_price() -> None:
    """As the contract has it for 17:00 of 22 November 2024."""
    found = sent(EVENING)
    assert found["price"] == Decimal("100.6798")
    assert found["upcoming"] == {
        "price": Decimal("102.5761"),
        "as_of": "2024-11-23T00:00:00+03:00",
        "change": Decimal("1.8963"),
        "change_percent": Decimal("1.88"),
        "source": "cbr",
        "confirmed": True,
        "reason": None,
    }
    assert found["display"]["upcoming"] == {"price": "102.58", "change": "+1.88%", "as_of": "Nov 23, 2024"}
    assert found["valid_until"] == "2024-11-22T21:00:00Z"


def test_without_anything_to_come_the_display_is_three_texts() -> None:
    """And the wire says null, as for everything that is not known."""
    found = sent(FRESH)
    assert found["upcoming"] is None
    assert found["display"] == {"label": "USD", "price": "100.68", "change": "+0.46%"}


def test_a_future_names_its_contract_and_a_market_whether_it_is_open() -> None:
    """With its last day of trading, null where nobody said it."""
    oil = replace(FRESH, contract=Contract("BRF5", date(2025, 1, 2)), market="open", checked_at=NOON)
    assert sent(oil)["contract"] == {"code": "BRF5", "expires": "2025-01-02"}
    assert (sent(oil)["market"], sent(oil)["checked_at"]) == ("open", "2024-11-22T09:00:00Z")
    assert sent(replace(oil, contract=Contract("BRF5", None)))["contract"] == {"code": "BRF5", "expires": None}


def test_an_editors_hand_is_told_with_its_end() -> None:
    """Who, why, since when, until when."""
    held = replace(FRESH, override=Override("freeze", "checking", NOON, NOON + timedelta(hours=2), "anna"))
    assert sent(held)["override"] == {
        "mode": "freeze",
        "note": "checking",
        "since": "2024-11-22T09:00:00Z",
        "until": "2024-11-22T11:00:00Z",
        "by": "anna",
    }


def test_the_range_of_those_who_agree_is_told() -> None:
    """By the digits of the sources."""
    agreed = replace(FRESH, agreement=Agreement(3, Decimal("0.0412"), Decimal("100.6798"), Decimal("100.7213")))
    assert sent(agreed)["agreement"] == {
        "sources": 3,
        "spread_percent": Decimal("0.04"),
        "low": Decimal("100.6798"),
        "high": Decimal("100.7213"),
    }


def test_a_board_may_be_believed_as_long_as_the_first_of_its_quotes() -> None:
    """Of those that are shown."""
    sooner = replace(FRESH, fresh_until=NOON + timedelta(minutes=5))
    later = replace(FRESH, fresh_until=NOON + timedelta(hours=5))
    assert BoardSchema.of(board(sooner, later), (sooner, later), EN).valid_until == "2024-11-22T09:05:00Z"
    assert BoardSchema.of(board(sooner, later), (later,), EN).valid_until == "2024-11-22T14:00:00Z"
    assert BoardSchema.of(board(GONE), (GONE,), EN).valid_until is None
