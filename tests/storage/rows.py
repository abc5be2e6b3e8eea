"""Rows for tests of stores."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from ticker.quotes import PriceType
from ticker.storage.base import Row

# Under which series the shipped instruments have their history.
SERIES = {"USD": "USD/RUB/1 USD", "EUR": "EUR/RUB/1 EUR", "OIL": "BRENT/USD/1 barrel"}
MOSCOW = timezone(timedelta(hours=3))
FRIDAY = datetime(2024, 11, 22, tzinfo=MOSCOW)
DAY = timedelta(days=1)


def fixing(as_of: datetime = FRIDAY, price: str = "100.6798", source: str = "cbr", symbol: str = "USD") -> Row:
    """A table of the Bank, seen the evening before it is in force."""
    seen = as_of - timedelta(hours=7)
    return Row(symbol, source, "cbr", PriceType.FIXING, as_of, Decimal(price), seen, seen)


def trade(as_of: datetime, price: str, source: str = "moex") -> Row:
    """A price of Brent, fifteen minutes old when it is seen."""
    seen = as_of + timedelta(minutes=15)
    return Row("OIL", source, source, PriceType.LAST, as_of, Decimal(price), seen, seen)


def meant(rows: Iterable[Row]) -> list[Row]:
    """The rows under the series that the shipped instruments mean."""
    return [replace(row, symbol=SERIES[row.symbol]) for row in rows]


def archived(row: Row, fetched_at: datetime) -> Row:
    """The same out of an archive, asked at `fetched_at`."""
    return replace(row, fetched_at=fetched_at, seen_at=row.as_of, archived=True)
