"""Quotes made by hand for the tests of rendering."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.support.upstream import NOON
from ticker.quotes import Agreement, Instrument, PriceType, Quote, Reason, Snapshot, Status, Upcoming

MOSCOW = ZoneInfo("Europe/Moscow")
DOLLAR = Instrument(
    symbol="USD",
    base="USD",
    quote="RUB",
    unit="1 USD",
    decimals=2,
    sources=("cbr",),
    max_age=timedelta(days=14),
    max_move=Decimal("0.1"),
    tolerance=Decimal("0.01"),
    label={"en": "USD", "ru": "ДОЛЛ"},
    name={"en": "US dollar", "ru": "Доллар США"},
)
FRESH = Quote(
    DOLLAR,
    price=Decimal("100.6798"),
    price_type=PriceType.FIXING,
    previous=Decimal("100.2192"),
    previous_as_of=datetime(2024, 11, 21, tzinfo=MOSCOW),
    as_of=datetime(2024, 11, 22, tzinfo=MOSCOW),
    fetched_at=NOON,
    source="cbr",
    status=Status.FRESH,
    agreement=Agreement(2, Decimal("0.0412")),
)
STALE = replace(FRESH, status=Status.STALE)
# Everything that could still hold a number does, but for what time has withdrawn.
GONE = replace(
    FRESH,
    status=Status.UNAVAILABLE,
    reason=Reason.TIMEOUT,
    price=None,
    previous=None,
    previous_as_of=None,
    agreement=None,
)


def board(*quotes: Quote, version: int = 1, demo: bool = False) -> Snapshot:
    """A snapshot of `quotes` at noon."""
    return Snapshot(version, NOON, quotes, demo)


# The evening of 22 November 2024: the table of the 23rd is out, the one of the 22nd in force.
EVENING = replace(
    FRESH,
    upcoming=Upcoming(
        price=Decimal("102.5761"),
        as_of=datetime(2024, 11, 23, tzinfo=MOSCOW),
        fetched_at=NOON,
        source="cbr",
        publisher="cbr",
        confirmed=True,
        previous=Decimal("100.6798"),
        previous_as_of=datetime(2024, 11, 22, tzinfo=MOSCOW),
    ),
)
