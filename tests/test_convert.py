"""Conversion through the quotes of one board."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import quote
from ticker.convert import base_of, codes, rounded, way
from ticker.quotes import Quote, Status

PRICES = st.decimals("0.000001", "999999", places=6)


def oil(price: str | None = "73.73") -> Quote:
    """Brent in dollars."""
    plain = quote("OIL", price)
    return replace(plain, instrument=replace(plain.instrument, base="BRENT", quote="USD"))


BOARD = (quote("USD", "100.6798"), quote("EUR", "106.0762"), oil())


@pytest.mark.parametrize(
    ("start", "end", "path"),
    [
        ("USD", "RUB", "+USD"),
        ("RUB", "USD", "-USD"),
        ("USD", "EUR", "+USD -EUR"),
        ("BRENT", "EUR", "+OIL +USD -EUR"),
        ("EUR", "BRENT", "+EUR -USD -OIL"),
        ("USD", "USD", ""),
    ],
)
def test_the_way_is_the_one_with_the_fewest_quotes(start: str, end: str, path: str) -> None:
    """Forward from base to quote, back from quote to base."""
    found = way(start, end, BOARD)
    assert found is not None
    assert " ".join(f"{'+' if leg.forward else '-'}{leg.quote.symbol}" for leg in found.legs) == path


def test_a_code_that_nothing_leads_to_has_no_way() -> None:
    """Nothing is guessed."""
    assert way("USD", "GBP", BOARD) is None


def test_a_price_that_is_not_known_makes_the_result_unknown_and_changes_no_way() -> None:
    """Another kind of number is never passed off as the one that is missing."""
    found = way("BRENT", "RUB", (quote("USD", None), oil()))
    assert found is not None
    assert (found.rate, found.status, len(found.legs)) == (None, Status.UNAVAILABLE, 2)


def test_a_price_of_a_hundred_is_not_taken_for_that_of_one() -> None:
    """A thousand yen at 99.4486 roubles for a hundred are 994.486 roubles."""
    yen = quote("JPY", "99.4486")
    found = way("JPY", "RUB", (replace(yen, instrument=replace(yen.instrument, unit="100 JPY")),))
    assert found is not None
    assert found.rate == Fraction("0.994486")


def test_a_symbol_stands_for_its_base_unless_it_is_a_code_itself() -> None:
    """OIL is BRENT; USD is the dollar, whatever else is quoted in it."""
    assert (base_of("OIL", BOARD), base_of("USD", BOARD), base_of("RUB", BOARD)) == ("BRENT", "USD", "RUB")
    assert codes(BOARD) == ["USD", "RUB", "EUR", "BRENT", "OIL"]


@given(PRICES, PRICES, st.decimals(0, 10**15, places=12), st.integers(0, 12))
def test_the_result_is_exact_until_it_is_rounded_once(
    first: Decimal, second: Decimal, amount: Decimal, digits: int
) -> None:
    """Never further from the true value than half of its last digit, in whole-number arithmetic."""
    found = way("USD", "EUR", (quote("USD", f"{first:f}"), quote("EUR", f"{second:f}")))
    assert found is not None
    assert found.rate is not None
    true = Fraction(amount) * Fraction(first) / Fraction(second)
    shown = rounded(true, digits)
    assert abs(Fraction(shown) - true) <= Fraction(1, 2 * 10**digits)
    assert found.rate == Fraction(first) / Fraction(second)
    assert -shown.as_tuple().exponent == digits  # type: ignore[operator]  # a finite number's is an integer


@pytest.mark.parametrize(("value", "digits", "shown"), [("0.125", 2, "0.13"), ("0.115", 2, "0.12"), ("2.5", 0, "3")])
def test_halves_go_up(value: str, digits: int, shown: str) -> None:
    """As everywhere in the service."""
    assert rounded(Fraction(Decimal(value)), digits) == Decimal(shown)


@given(st.decimals("0.000001", "999999999", places=6))
def test_there_and_back_is_the_amount(price: Decimal) -> None:
    """The rates of the two directions are each other's inverse, exactly."""
    board = (quote("USD", f"{price:f}"),)
    there, back = way("USD", "RUB", board), way("RUB", "USD", board)
    assert there is not None
    assert back is not None
    assert there.rate is not None
    assert back.rate is not None
    assert there.rate * back.rate == 1
