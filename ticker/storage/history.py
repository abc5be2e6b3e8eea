"""The past out of the store: the board as it stood, and one instrument's line. Bounded, cached, off the loop.

What speaks for a moment is chosen as it is for now, by time and preference; only numbers that were published or stand
in a source's archive are in the store, so nothing is weighed again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol, TypeVar

from cachetools import TTLCache

from ticker.calendars import Calendar
from ticker.quotes import EPOCH, Candidate, Instrument, PriceType, Quote, Snapshot, Status
from ticker.storage.base import Point, Query, Row, Store, StoreError
from ticker.storage.codec import contract_of

# One instrument's line: what is asked, what is given, and where the next page begins.


_DAY = timedelta(days=1)
_END = datetime(9000, 1, 1, tzinfo=UTC)
INTERVALS: dict[str, timedelta | None] = {"raw": None, "1h": timedelta(hours=1), "1d": _DAY}


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one instrument, oldest first; `onward` is where the next page begins, None at the end.

    `since` is the oldest date there is of the instrument at all.
    """

    points: Sequence[Point]
    since: datetime | None
    onward: datetime | None


@dataclass(frozen=True, slots=True)
class TimeRange:
    """What is asked of one instrument's past: days or moments `first` to `last`, both included, None for open."""

    symbol: str
    first: date | datetime | None
    last: date | datetime | None
    interval: str = "raw"
    limit: int = 1000
    onward: datetime | None = None


def span_of(ask: TimeRange, instrument: Instrument, zone: tzinfo, now: datetime) -> Query:
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
    return Query(ask.symbol, instrument.all_sources, first, end, ask.limit, INTERVALS[ask.interval], offset)


def after(last: Point, query: Query) -> datetime:
    """Where the page after the point `last` begins: the next moment, or the next stretch of a sampled line."""
    if query.every is None:
        return EPOCH + timedelta(microseconds=last.as_of + 1)
    local = timedelta(microseconds=last.as_of) + query.offset
    return EPOCH + (local // query.every + 1) * query.every - query.offset


# The quote that the rows of one moment give: what a board of the past is made of. Pure.


def quote_of(
    instrument: Instrument, calendars: Mapping[str, Calendar], found: Sequence[Sequence[Row]], now: datetime
) -> Quote:
    """What `instrument` stood at, of the rows `found` by source, each the newest first."""
    candidates = [_candidate(rows, calendars[rows[0].source]) for rows in found if rows]
    if not candidates:
        return Quote(instrument)
    rank = instrument.all_sources.index
    fresh = [each for each in candidates if now < calendars[each.source].fresh_until(each.as_of)]
    leader = (
        min(fresh, key=lambda c: rank(c.source)) if fresh else max(candidates, key=lambda c: (c.as_of, -rank(c.source)))
    )
    calendar = calendars[leader.source]
    # Who else agreed is not kept; nor is it invented.
    return Quote(
        instrument=instrument,
        price=leader.price,
        price_type=leader.price_type,
        previous=leader.previous,
        previous_as_of=leader.previous_as_of,
        as_of=leader.as_of,
        fetched_at=leader.fetched_at,
        next_update_at=calendar.next_update(leader.as_of, now),
        source=leader.source,
        publisher=leader.publisher,
        contract=leader.contract,
        fallback=leader.source != instrument.sources[0],
        status=Status.FRESH,
        fresh_until=calendar.fresh_until(leader.as_of),
        usable_until=calendar.usable_until(leader.as_of, instrument.max_age),
    ).at(now)


def _candidate(rows: Sequence[Row], calendar: Calendar) -> Candidate:
    """The newest of `rows`, with the publication before it where the archive holds just that one."""
    newest, before = rows[0], rows[1] if len(rows) > 1 else None
    candidate = Candidate(
        symbol=newest.symbol,
        source=newest.source,
        publisher=newest.publisher,
        price=newest.price,
        price_type=newest.price_type,
        as_of=newest.as_of,
        fetched_at=newest.fetched_at,
        previous=newest.previous,
        previous_as_of=newest.previous_as_of,
        contract=contract_of(newest.contract),
    )
    if newest.previous is not None or before is None or newest.price_type is not PriceType.FIXING:
        return candidate
    if before.as_of != calendar.previous(newest.as_of):
        return candidate
    return replace(candidate, previous=before.price, previous_as_of=before.as_of)


# The board as it stood, and the questions to the store.


T = TypeVar("T")

_BOARDS = 512
# Backfills and corrections come from other processes; after so long everybody sees them.
_REMEMBERED_SECONDS = 30
# What a sparkline shows.
_RECENT = timedelta(days=30)
# Between two years, for those who read meanwhile.
_BREATH_SECONDS = 0.02


class Read(Protocol):
    """Runs a question to the store where it does not hold up the loop."""

    async def __call__(self, question: Callable[[Store], T], /) -> T:
        """The store's answer."""


class History:
    """Asks the store through `read`, which runs a question off the loop. Raises what that raises, StoreError."""

    def __init__(
        self,
        read: Read,
        instruments: Callable[[], Sequence[Instrument]],
        calendars: Callable[[str], Mapping[str, Calendar]],
        zone: Callable[[str], tzinfo],
        clock: Callable[[], datetime],
        *,
        demo: bool = False,
    ) -> None:
        """`calendars` gives an instrument's calendars by source, `zone` where its days begin, both by symbol."""
        self._read = read
        self._instruments = instruments
        self._calendars = calendars
        self._zone = zone
        self._clock = clock
        self._demo = demo
        self._boards: TTLCache[date, Snapshot] = TTLCache(_BOARDS, _REMEMBERED_SECONDS)
        self._recent: TTLCache[tuple[str, datetime | None], Sequence[Point]] = TTLCache(_BOARDS, _REMEMBERED_SECONDS)

    def today(self) -> date:
        """The day it is, wherever of our instruments it is latest."""
        now = self._clock()
        return max(now.astimezone(self._zone(each.symbol)).date() for each in self._instruments())

    async def board(self, at: date | datetime) -> Snapshot:
        """All quotes as they stood at a moment, or the rates in force on a day; without a price where none is known."""
        kept = self._boards.get(at)
        if kept is not None:
            return kept
        wanted = tuple(self._instruments())
        now = at if isinstance(at, datetime) else datetime.combine(at, time(), UTC)
        keys = [(each.symbol, source) for each in wanted for source in each.all_sources]
        found = await self._read(lambda store: store.standing(keys, at))
        quotes = tuple(
            quote_of(
                each, self._calendars(each.symbol), [found.get((each.symbol, s), ()) for s in each.all_sources], now
            )
            for each in wanted
        )
        snapshot = replace(Snapshot(0, now, ()).follow(quotes, now), demo=self._demo)
        if now < self._clock() - 2 * _DAY:
            self._boards[at] = snapshot
        return snapshot

    async def warm(self) -> None:
        """Look once into each calendar of every year that there is history of: a year's holidays take a millisecond.

        A store that fails is nothing to warm for.
        """
        with suppress(StoreError):
            since = await self.since([each.symbol for each in self._instruments()])
            for year in range(since.year if since else self.today().year, self.today().year + 1):
                for instrument in self._instruments():
                    for calendar in self._calendars(instrument.symbol).values():
                        calendar.previous(datetime(year, 7, 1, tzinfo=UTC))
                await asyncio.sleep(_BREATH_SECONDS)

    async def since(self, symbols: Sequence[str]) -> datetime | None:
        """The oldest date kept of any of `symbols`."""

        def question(store: Store) -> list[datetime | None]:
            return [store.since(symbol) for symbol in symbols]

        found = await self._read(question)
        return min(filter(None, found), default=None)

    async def recent(self, symbols: Sequence[str], until: datetime | None = None) -> dict[str, Sequence[Point]]:
        """The 30 days of each of `symbols` before `until`, or before now, a point a day, oldest first.

        Remembered for half a minute.
        """
        found = dict[str, Sequence[Point]]()
        for symbol in symbols:
            points = self._recent.get((symbol, until))
            if points is None:
                ask = TimeRange(symbol, (until or self._clock()) - _RECENT, until, "1d")
                points = (await self.line(ask, lambda _: None))[0].points
                self._recent[symbol, until] = points
            found[symbol] = points
        return found

    async def line(self, ask: TimeRange, make: Callable[[Series], T]) -> tuple[Series, T]:
        """The points asked for and what `make` makes of them, off the loop as well: they may be thousands."""
        instrument = next(each for each in self._instruments() if each.symbol == ask.symbol)
        query = span_of(ask, instrument, self._zone(ask.symbol), self._clock())

        def question(store: Store) -> tuple[Series, T]:
            points = store.series(replace(query, limit=query.limit + 1))
            more = len(points) > query.limit
            points = points[: query.limit]
            line = Series(points, store.since(ask.symbol), after(points[-1], query) if more else None)
            return line, make(line)

        return await self._read(question)
