"""The board as it stood, and the questions to the store."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING, Protocol, TypeVar

from cachetools import TTLCache

from ticker.history.lines import Line, after, span_of
from ticker.quotes import Snapshot
from ticker.stores.base import StoreError
from ticker.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ticker.calendars.calendar import Calendar
    from ticker.history.lines import Stretch
    from ticker.quotes import Instrument
    from ticker.stores.store import Store

T = TypeVar("T")

_BOARDS = 512
# Backfills and corrections come from other processes; after so long everybody sees them.
_REMEMBERED_SECONDS = 30
_DAY = timedelta(days=1)
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

    def today(self) -> date:
        """The day it is, wherever of our instruments it is latest."""
        now = self._clock()
        return max(now.astimezone(self._zone(each.symbol)).date() for each in self._instruments())

    async def board(self, at: date | datetime) -> Snapshot:
        """All quotes as they stood at a moment, or the rates in force on a day; without a price where none is known."""
        from ticker.history.standing import quote_of  # noqa: PLC0415 - a start shows today's

        kept = self._boards.get(at)
        if kept is not None:
            return kept
        wanted = tuple(self._instruments())
        now = at if isinstance(at, datetime) else datetime.combine(at, time(), UTC)
        keys = [(each.symbol, source) for each in wanted for source in each.sources]
        found = await self._read(lambda store: store.standing(keys, at))
        quotes = tuple(
            quote_of(each, self._calendars(each.symbol), [found.get((each.symbol, s), ()) for s in each.sources], now)
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

    async def line(self, ask: Stretch, make: Callable[[Line], T]) -> tuple[Line, T]:
        """The points asked for and what `make` makes of them, off the loop as well: they may be thousands."""
        instrument = next(each for each in self._instruments() if each.symbol == ask.symbol)
        span = span_of(ask, instrument, self._zone(ask.symbol), self._clock())

        def question(store: Store) -> tuple[Line, T]:
            points = store.series(replace(span, limit=span.limit + 1))
            more = len(points) > span.limit
            points = points[: span.limit]
            line = Line(points, store.since(ask.symbol), after(points[-1], span) if more else None)
            return line, make(line)

        return await self._read(question)
