"""One instrument's line: what is asked, what is given, and where the next page begins."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from ticker.quotes import EPOCH
from ticker.stores.base import Span
from ticker.values import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from ticker.quotes import Instrument
    from ticker.stores.base import Point

_DAY = timedelta(days=1)
_END = datetime(9000, 1, 1, tzinfo=UTC)
INTERVALS: dict[str, timedelta | None] = {"raw": None, "1h": timedelta(hours=1), "1d": _DAY}


class Line(Struct, frozen=True):
    """Points of one instrument, oldest first; `onward` is where the next page begins, None at the end.

    `since` is the oldest date there is of the instrument at all.
    """

    points: Sequence[Point]
    since: datetime | None
    onward: datetime | None


class Stretch(Struct, frozen=True):
    """What is asked of one instrument's past: days or moments `first` to `last`, both included, None for open."""

    symbol: str
    first: date | datetime | None
    last: date | datetime | None
    interval: str = "raw"
    limit: int = 1000
    onward: datetime | None = None


def span_of(ask: Stretch, instrument: Instrument, zone: tzinfo, now: datetime) -> Span:
    """What the store is asked for; days begin in `zone`."""

    def start(of: date | datetime) -> datetime:
        return of if isinstance(of, datetime) else datetime.combine(of, time(), zone)

    first = ask.onward or (start(ask.first) if ask.first is not None else datetime(1900, 1, 1, tzinfo=UTC))
    if ask.last is None:
        end = _END
    elif isinstance(ask.last, datetime):
        end = ask.last + timedelta(microseconds=1)
    else:
        end = start(ask.last + _DAY)
    offset = (first if ask.first or ask.onward else now).astimezone(zone).utcoffset() or timedelta(0)
    return Span(ask.symbol, instrument.sources, first, end, ask.limit, INTERVALS[ask.interval], offset)


def after(last: Point, span: Span) -> datetime:
    """Where the page after the point `last` begins: the next moment, or the next stretch of a sampled line."""
    if span.every is None:
        return EPOCH + timedelta(microseconds=last.as_of + 1)
    local = timedelta(microseconds=last.as_of) + span.offset
    return EPOCH + (local // span.every + 1) * span.every - span.offset
