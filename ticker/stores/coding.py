"""A row of history as a database writes it, and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ticker.quotes import EPOCH, PriceType
from ticker.stores.base import Row

if TYPE_CHECKING:
    from collections.abc import Mapping

_MICRO = timedelta(microseconds=1)


def micros(value: datetime | date | timedelta) -> int:
    """A moment, the start of a day in UTC, or a duration, in whole microseconds."""
    if isinstance(value, timedelta):
        return value // _MICRO
    if not isinstance(value, datetime):
        value = datetime.combine(value, time(), UTC)
    return (value - EPOCH) // _MICRO


def moment_of(value: int, minutes: int = 0) -> datetime:
    """The moment of so many microseconds, in the zone so many minutes east."""
    return (EPOCH + value * _MICRO).astimezone(timezone(timedelta(minutes=minutes)) if minutes else UTC)


def encoded(row: Row) -> dict[str, object]:
    """The row's columns."""
    offset = row.as_of.utcoffset() or timedelta(0)
    return {
        "symbol": row.symbol,
        "source": row.source,
        "as_of": micros(row.as_of),
        "price": f"{row.price:f}",
        "price_type": str(row.price_type),
        "publisher": row.publisher,
        "offset": offset // timedelta(minutes=1),
        "day": row.as_of.date().isoformat(),
        "fetched_at": micros(row.fetched_at),
        "seen_at": micros(row.seen_at),
        "previous": None if row.previous is None else f"{row.previous:f}",
        "previous_as_of": None if row.previous_as_of is None else row.previous_as_of.isoformat(),
        "contract": row.contract,
        "archived": int(row.archived),
    }


def decoded(columns: Mapping[str, Any]) -> Row:
    """The row that `columns` are of."""
    before = columns["previous_as_of"]
    return Row(
        symbol=columns["symbol"],
        source=columns["source"],
        publisher=columns["publisher"],
        price_type=PriceType(columns["price_type"]),
        as_of=moment_of(columns["as_of"], columns["offset"]),
        price=Decimal(columns["price"]),
        fetched_at=moment_of(columns["fetched_at"]),
        seen_at=moment_of(columns["seen_at"]),
        previous=None if columns["previous"] is None else Decimal(columns["previous"]),
        previous_as_of=None if before is None else datetime.fromisoformat(before),
        contract=columns["contract"],
        archived=bool(columns["archived"]),
        revision=columns["revision"],
    )
