"""A row of history as a database writes it, and back."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ticker.quotes import EPOCH, PriceType
from ticker.stores.base import Row

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    seconds, micro = divmod(value, 1_000_000)
    moment = datetime.fromtimestamp(seconds, _zone(minutes))
    return moment.replace(microsecond=micro) if micro else moment


@lru_cache(maxsize=256)
def _zone(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes)) if minutes else UTC


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


def decoded(columns: Iterable[Any]) -> Row:
    """The row of `columns`, which are all of the table's in its order: a line has thousands, so by place."""
    symbol, source, as_of, revision, price, price_type, publisher, offset, _, *others = columns
    fetched_at, seen_at, previous, previous_as_of, contract, archived = others
    return Row(
        symbol,
        source,
        publisher,
        PriceType(price_type),
        moment_of(as_of, offset),
        Decimal(price),
        moment_of(fetched_at),
        moment_of(seen_at),
        None if previous is None else Decimal(previous),
        None if previous_as_of is None else datetime.fromisoformat(previous_as_of),
        contract,
        bool(archived),
        revision,
    )
