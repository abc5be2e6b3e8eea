"""What sources share that speak of days: dates, spans of days, the price before, the prices of successive days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

from ticker.quotes import PriceType, Reason, SourceError, Tick
from ticker.sources.base import number, sane, schema
from ticker.sources.digits import decimal_of


def midnight(value: object, pattern: str, zone: ZoneInfo, where: str) -> datetime:
    """The start in `zone` of the day that `value` writes as `pattern` (strptime). Raises SourceError (`schema`)."""
    try:
        return sane(datetime.strptime(str(value), pattern).replace(tzinfo=zone), where)
    except ValueError as error:
        raise schema(f"{where}: no date but {str(value)[:40]!r}") from error


def unix(value: object, where: str) -> datetime:
    """The moment that `value` gives in seconds since 1970. Raises SourceError (`schema`)."""
    try:
        return sane(datetime.fromtimestamp(int(str(value)), UTC), where)
    except (ValueError, OverflowError, OSError) as error:
        raise schema(f"{where}: no time but {str(value)[:40]!r}") from error


def spans(first: date, last: date, days: int) -> Iterator[tuple[date, date]]:
    """The days from `first` to `last` in spans of `days` at most; both ends of each are included."""
    while first <= last:
        end = min(last, first + timedelta(days=days - 1))
        yield first, end
        first = end + timedelta(days=1)


def before(price: Decimal, change: object, where: str) -> Decimal | None:
    """The price before `change`, which is signed; None where none is told. Raises SourceError."""
    text = str(change or "").strip()
    if not text:
        return None
    step = decimal_of(text.lstrip("+-"))
    previous = price + step if text.startswith("-") else price - step
    if previous <= 0:
        raise SourceError(Reason.RANGE, f"{where}: {price} cannot have changed by {text[:20]}")
    return previous


def newest(ticks: Sequence[Tick]) -> Sequence[Tick]:
    """The newest tick of each series in `ticks`, which stand oldest first. Raises SourceError (`schema`) for none."""
    found = {tick.symbol: tick for tick in ticks}
    if not found:
        raise schema("no day of the series has a price")
    return list(found.values())


def history(symbol: str, currency: str, rows: Iterable[tuple[object, object]], zone: ZoneInfo) -> Sequence[Tick]:
    """The ticks of one series of daily assessments, oldest first, each with the one before it. Raises SourceError.

    `rows` are a day (YYYY-MM-DD) and a price each, of the days that have one; either order will do.

    An assessment is of the kind `fixing`: one number for one date, the same digits wherever it is copied, and never to
    be compared with what a futures market did at some minute of that day (on 22.11.2024: 76.10 here, 73.73 there).
    """
    days = [(midnight(day, "%Y-%m-%d", zone, symbol), number(value, symbol)) for day, value in rows]
    days.sort()
    if any(day == later for (day, _), (later, _) in pairwise(days)):
        raise schema(f"{symbol}: a day stands in the series twice")
    stamps = [(None, None), *((price, day) for day, price in days)]
    return [
        Tick(symbol, price, currency, day, PriceType.FIXING, 1, *last)
        for (day, price), last in zip(days, stamps, strict=False)
    ]
