from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from tests.select.conftest import MOSCOW, instrument
from ticker.quotes import Candidate, Check, PriceType, Quote
from ticker.select.cross import contradicted

DAY = datetime(2024, 11, 22, tzinfo=MOSCOW)
CHECK = Check(name="EURUSD", numerator="EUR", denominator="USD", base="EUR", quote="USD", sources=("ecb",))
SHOWN = {
    "USD": Quote(instrument("USD"), price=Decimal("100.2192")),
    "EUR": Quote(instrument("EUR"), price=Decimal("105.8067")),
}


def pair(usd: str, eur: str) -> list[Candidate]:
    """Both numbers of one table."""
    return [
        Candidate(symbol, "cbr", "cbr", Decimal(price), PriceType.FIXING, DAY, DAY)
        for symbol, price in (("USD", usd), ("EUR", eur))
    ]


@pytest.mark.parametrize(
    ("usd", "eur", "named"),
    [
        ("100.6798", "106.0762", set()),
        ("106.6798", "106.0762", {"USD"}),
        ("100.6798", "101.0762", {"EUR"}),
        ("106.0762", "100.6798", {"USD", "EUR"}),  # the pair swapped
        ("120.6798", "106.0762", {"USD"}),
    ],
)
def test_the_check_names_the_one_that_does_not_fit(usd: str, eur: str, named: set[str]) -> None:
    """Each is tried with what is shown of the other; where neither fits, both are named."""
    found = contradicted(CHECK, Decimal("1.0536"), pair(usd, eur), SHOWN)
    assert {symbol for _, symbol in found} == named


def test_with_nothing_shown_before_both_are_named() -> None:
    """At a cold start nobody can tell which of the two it is."""
    assert len(contradicted(CHECK, Decimal("1.0536"), pair("160.6798", "106.0762"), {})) == 2


def test_numbers_of_different_dates_are_not_divided() -> None:
    """Half a table says nothing of the other half."""
    usd, eur = pair("100.6798", "120.0762")
    later = Candidate("EUR", "cbr", "cbr", eur.price, PriceType.FIXING, DAY.replace(day=23), DAY)
    assert contradicted(CHECK, Decimal("1.0536"), [usd, later], SHOWN) == set()
