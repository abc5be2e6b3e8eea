"""The past out of the store: the board as it stood, and one instrument's line. Bounded, cached, off the loop.

What was shown is kept as it was. Where it is not, what speaks for a moment is chosen as it is for now, by time and
preference; only numbers that were in force or stand in a source's archive are rows, so nothing is weighed again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from itertools import islice
from typing import Literal, Protocol, TypeVar

from cachetools import TTLCache

from ticker.calendars import Calendar, fresh_until
from ticker.quotes import EPOCH, Instrument, PriceType, Quote, Snapshot, Status
from ticker.storage.base import QUOTE, Key, Point, Query, RecordEntry, Row, Store, StoreError
from ticker.storage.codec import contract_of, is_number, quote_of_entry

_DAY = timedelta(days=1)
_WEEK = 7 * _DAY
# The stretch that the store samples by, for each interval; weeks and months are made of days.
INTERVALS: dict[str, timedelta | None] = {"raw": None, "1h": timedelta(hours=1), "1d": _DAY, "1w": _DAY, "1mo": _DAY}
_PAGE = 2000
# Rows of one stretch of a market, a print every few seconds.
_STRETCH = 20_000
# One line never mixes kinds unless it is asked to: of several the first of these that is there.
_KINDS = (PriceType.FIXING, PriceType.LAST, PriceType.SETTLEMENT, PriceType.MID)


@dataclass(frozen=True, slots=True)
class Series:
    """Points of one instrument in the order asked for; `onward` is where the next page begins, None at the end.

    `since` is the oldest date there is of the instrument at all.
    """

    points: Sequence[Point]
    since: datetime | None
    onward: datetime | None


@dataclass(frozen=True, slots=True)
class TimeRange:
    """What is asked of one instrument's past: days or moments `first` to `last`, both included, None for open.

    `source` and `price_type` narrow it to what one source said, or to one kind of price; without them the instrument's
    own sources speak, the preferred first, of one kind. `order` is "asc" (oldest first) or "desc".
    """

    symbol: str
    first: date | datetime | None
    last: date | datetime | None
    interval: str = "raw"
    limit: int = 1000
    onward: datetime | None = None
    source: str | None = None
    price_type: PriceType | None = None
    order: Literal["asc", "desc"] = "asc"


def span_of(ask: TimeRange, instrument: Instrument, zone: tzinfo, now: datetime) -> Query:
    """What the store is asked for; days begin in `zone`."""

    def start(of: date | datetime) -> datetime:
        return of if isinstance(of, datetime) else datetime.combine(of, time(), zone)

    upward = ask.order == "asc"
    first = start(ask.first) if ask.first is not None else datetime(1900, 1, 1, tzinfo=UTC)
    # What is published and not in force yet is no part of the past.
    end = now + timedelta.resolution
    if ask.last is not None:
        end = min(end, start(ask.last) + (timedelta.resolution if isinstance(ask.last, datetime) else _DAY))
    if ask.onward is not None:
        first, end = (ask.onward, end) if upward else (first, ask.onward)
    # Every kind is looked for where one is named: a market's settlements stand between its last prices.
    every = None if ask.price_type is not None else INTERVALS[ask.interval]
    sources = (ask.source,) if ask.source else instrument.all_sources if ask.price_type else instrument.sources
    offset = (first if ask.first or ask.onward else now).astimezone(zone).utcoffset() or timedelta(0)
    return Query(instrument.series, sources, first, end, ask.limit, every, offset)


def stretch(point: Point, interval: str, offset: timedelta) -> object:
    """Which stretch of an interval a point belongs to, by local days, ISO weeks or months."""
    local = EPOCH + timedelta(microseconds=point.as_of) + offset
    if interval == "1w":
        return local.isocalendar()[:2]
    if interval == "1mo":
        return local.year, local.month
    every = INTERVALS[interval]
    return point.as_of if every is None else (local - EPOCH) // every


def after(last: Point, interval: str, offset: timedelta, *, upward: bool) -> datetime:
    """Where the page after the point `last` begins: the next moment, or the next stretch of a sampled line."""
    moment = EPOCH + timedelta(microseconds=last.as_of)
    every = INTERVALS[interval]
    if every is None:
        return moment + timedelta(microseconds=1) if upward else moment
    local = EPOCH + (moment + offset - EPOCH) // every * every
    if interval == "1w":
        local, every = local - local.weekday() * _DAY, _WEEK
    elif interval == "1mo":
        local = local.replace(day=1)
        every = (local + 31 * _DAY).replace(day=1) - local
    return (local + every if upward else local) - offset


def upward_points(store: Store, query: Query, most: int) -> Iterator[Point]:
    """The points of `query`, oldest first, page by page as they are taken; `most` is the first page's size."""
    first, size = query.first, min(most, _PAGE)
    while first < query.end:
        points = store.series(replace(query, first=first, limit=size))
        yield from points
        if len(points) < size:
            return
        interval = "raw" if query.every is None else "1h" if query.every < _DAY else "1d"
        first, size = after(points[-1], interval, query.offset, upward=True), _PAGE


def downward_points(store: Store, query: Query, since: datetime | None) -> Iterator[Point]:
    """The points of `query`, newest first: by windows that grow, so that no more is read than twice what is taken."""
    oldest, end = max(query.first, since or query.end), query.end
    window = _DAY if query.every is None else 60 * query.every
    while end > oldest:
        first = max(oldest, end - window)
        if query.every is not None and first > oldest:
            local = first + query.offset - EPOCH
            first = max(oldest, EPOCH + local // query.every * query.every - query.offset)
        yield from reversed([*upward_points(store, replace(query, first=first, end=end), _PAGE)])
        end, window = first, 2 * window


def sampled(points: Iterable[Point], ask: TimeRange, offset: timedelta) -> Iterator[Point]:
    """Of each stretch the last point, of one kind; `points` stand in the order asked for."""
    kind = ask.price_type
    held: Point | None = None
    for point in points:
        if kind is None:
            kind = PriceType(point.price_type)
        if point.price_type != kind or not is_number(point.price):
            continue
        if ask.interval == "raw":
            yield point
            continue
        same = held is not None and stretch(held, ask.interval, offset) == stretch(point, ask.interval, offset)
        if held is not None and not same:
            yield held
        # Newest first, the first of a stretch is its last.
        held = held if same and ask.order == "desc" else point
    if held is not None:
        yield held


def of_kind(store: Store, query: Query, points: Iterable[Point], kind: PriceType | None) -> Iterator[Point]:
    """The points, with the last of that kind for a stretch whose last number is of another kind.

    A market's settlement comes behind its last print, and must not take the day away with it.
    """
    for point in points:
        if kind is None or query.every is None or point.price_type == kind:
            yield point
            continue
        moment = EPOCH + timedelta(microseconds=point.as_of)
        start = EPOCH + (moment + query.offset - EPOCH) // query.every * query.every - query.offset
        rows = store.series(replace(query, first=start, end=moment, every=None, limit=_STRETCH))
        yield from [row for row in rows if row.price_type == kind][-1:]


def kind_of(store: Store, query: Query) -> PriceType | None:
    """The kind that a line without a named one is of: that of the preferred source which has any."""
    for source in query.sources:
        found = store.series(replace(query, sources=(source,), every=None, limit=50))
        kinds = {PriceType(point.price_type) for point in found}
        if kinds:
            return next(kind for kind in _KINDS if kind in kinds)
    return None


def quote_of(
    instrument: Instrument,
    calendars: Mapping[str, Calendar],
    found: Sequence[Sequence[Row]],
    now: datetime,
    began: datetime,
) -> Quote:
    """What `instrument` stood at `now`, of the rows `found` by source, each the newest first.

    Of a day, `now` is its end, and what was due next is told as of when it `began`.

    What was shown last speaks; where the service was away, an archive may know of something newer.
    """
    rows = [each for each in found if each]
    own = [each for each in rows if each[0].source in instrument.sources]
    shown = [each for each in rows if not each[0].archived]
    rank = instrument.all_sources.index
    leader = max(shown, key=lambda each: max(each[0].seen_at, each[0].as_of), default=None)
    archived = [each for each in own if each[0].archived]
    fresh = [each for each in archived if now < calendars[each[0].source].fresh_until(each[0].as_of)]
    best = min(fresh, key=lambda each: rank(each[0].source), default=None) or max(
        archived, key=lambda each: (each[0].as_of, -rank(each[0].source)), default=None
    )
    if best is not None and (leader is None or best[0].as_of > leader[0].as_of):
        leader = best
    if leader is None:
        leader = min(rows, key=lambda each: rank(each[0].source), default=None)
    if leader is None:
        return Quote(instrument)
    row = leader[0]
    calendar = calendars[row.source]
    previous, previous_as_of = _previous(leader, calendar)
    kind = [calendars[source] for source in instrument.sources if source in calendars]
    other = row.source in instrument.fallbacks
    # Who else agreed is not kept, nor is it invented; and when an archive was read says nothing of that day.
    quote = Quote(
        instrument=instrument,
        price=row.price,
        price_type=row.price_type,
        previous=previous,
        previous_as_of=previous_as_of,
        as_of=row.as_of,
        fetched_at=None if row.archived else row.fetched_at,
        source=row.source,
        publisher=row.publisher,
        contract=contract_of(row.contract),
        fallback=row.source != instrument.sources[0],
        status=Status.STALE if other else Status.FRESH,
        market=calendar.market(now, row.as_of),
        fresh_until=fresh_until(calendar, kind, row.as_of),
        usable_until=calendar.usable_until(row.as_of, instrument.max_age),
    )
    return replace(quote.at(now), next_update_at=calendar.next_update(row.as_of, began))


def shown_at(kept: Quote, told: Quote, now: datetime, *, over: bool) -> Quote:
    """What was shown at `now`: what is `kept` as shown, in its age then, or what the rows `told` where they know more.

    They do where nothing is kept, and where time alone changed what was, as nobody was there to keep, while an archive
    has something newer. Of a day that is `over` they know the last prints, which were heard of later, and corrections.
    """
    shown = kept.at(now)
    newer = told.as_of is not None and (shown.as_of is None or told.as_of > shown.as_of)
    if kept == Quote(kept.instrument) or (newer and told.fetched_at is None and shown != kept):
        return told
    if not over:
        return shown
    if shown.price_type is not PriceType.FIXING or (
        (told.source, told.as_of) == (shown.source, shown.as_of) and told.price != shown.price
    ):
        return told
    return replace(shown, upcoming=None, next_update_at=told.next_update_at)


def _previous(rows: Sequence[Row], calendar: Calendar) -> tuple[Decimal | None, datetime | None]:
    """What the row tells of the publication before it, or the row before where the archive holds just that one."""
    newest, before = rows[0], rows[1] if len(rows) > 1 else None
    if newest.previous is not None or before is None or newest.price_type is not PriceType.FIXING:
        return newest.previous, newest.previous_as_of
    return (before.price, before.as_of) if before.as_of == calendar.previous(newest.as_of) else (None, None)


def _whole(moment: datetime) -> datetime:
    """The end of the second that is named: an answer tells its moments in whole seconds."""
    return moment if moment.microsecond else moment + timedelta(seconds=1) - timedelta.resolution


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
        wanted, clock = tuple(self._instruments()), self._clock()
        ends = {each.symbol: self._end_of(at, each.symbol, clock) for each in wanted}

        def question(store: Store) -> tuple[Quote, ...]:
            found, entries = dict[Key, list[Row]](), dict[str, RecordEntry]()
            for end in set(ends.values()):
                asked = [each for each in wanted if ends[each.symbol] == end]
                keys = [(each.series, source) for each in asked for source in each.all_sources]
                found |= store.standing(keys, _whole(at) if isinstance(at, datetime) else at, _whole(end))
                known = store.entries(QUOTE, [each.symbol for each in asked], None, _whole(end), 1)
                entries |= {each.symbol: each for each in known}
            by_source = [[found.get((each.series, source), ()) for source in each.all_sources] for each in wanted]
            return tuple(
                self._shown(each, entries.get(each.symbol), rows, at, ends[each.symbol], over=ends[each.symbol] < clock)
                for each, rows in zip(wanted, by_source, strict=True)
            )

        quotes = await self._read(question)
        # A day's last print, or its correction, may have come after the day.
        now = max(*ends.values(), *(each.fetched_at for each in quotes if each.fetched_at))
        snapshot = replace(Snapshot(0, now, ()).follow(quotes, now), demo=self._demo)
        if now < clock - 2 * _DAY:
            self._boards[at] = snapshot
        return snapshot

    def _shown(
        self,
        instrument: Instrument,
        entry: RecordEntry | None,
        rows: Sequence[Sequence[Row]],
        at: date | datetime,
        end: datetime,
        *,
        over: bool,
    ) -> Quote:
        """What was shown at the `end` of `at`, which may be a day that is `over`; `rows` are there by source."""
        began = at if isinstance(at, datetime) else datetime.combine(at, time(), UTC)
        told = quote_of(instrument, self._calendars(instrument.symbol), rows, end, began)
        heard = [row.seen_at for each in rows for row in each if not row.archived and row.seen_at <= _whole(end)]
        if entry is None or entry.at < max(heard, default=entry.at):
            # A number that came later was shown as well, and how it stood was not kept.
            return told
        return shown_at(quote_of_entry(entry, instrument), told, end, over=over and at is not began)

    def _end_of(self, at: date | datetime, symbol: str, now: datetime) -> datetime:
        """The moment, or of a day the last second, where the instrument's days end; of today the present."""
        if isinstance(at, datetime):
            return at
        end = datetime.combine(at + _DAY, time(), self._zone(symbol))
        return min(end.astimezone(UTC) - timedelta(seconds=1), now)

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
        meant = {each.symbol: each.series for each in self._instruments()}

        found = await self._read(lambda store: [store.since(meant[each]) for each in symbols if each in meant])
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
            since, upward = store.since(instrument.series), ask.order == "asc"
            wanted, kind = query, ask.price_type or kind_of(store, query)
            if kind is None and ask.source is None:
                # Of its own kind there is nothing: then what stands in for it, of one kind as well.
                wanted = replace(query, sources=instrument.fallbacks)
                kind = kind_of(store, wanted)
            found = upward_points(store, wanted, ask.limit + 1) if upward else downward_points(store, wanted, since)
            found = of_kind(store, wanted, found, kind)
            taken = [*islice(sampled(found, replace(ask, price_type=kind), query.offset), ask.limit + 1)]
            points, more = taken[: ask.limit], len(taken) > ask.limit
            onward = after(points[-1], ask.interval, query.offset, upward=upward) if more else None
            line = Series(points, since, onward)
            return line, make(line)

        return await self._read(question)


class RecordReader:
    """Asks the store through `read`, which runs a question off the loop. Raises what that raises, StoreError."""

    def __init__(self, read: Read) -> None:
        self._read = read

    async def evidence(self, symbol: str, at: datetime | None) -> RecordEntry | None:
        """The evidence of what was shown of `symbol` at `at`, or is shown now; None where none is kept."""
        found = await self._read(lambda store: store.entries("evidence", [symbol], None, at, 1))
        return found[0] if found else None

    async def evidence_since(self, symbol: str) -> datetime | None:
        """The oldest moment of which evidence is kept."""

        def oldest(store: Store) -> datetime | None:
            newest = store.entries("evidence", [symbol], None, None, 1)
            before, found = EPOCH, newest[0].at if newest else None
            while found is not None and found - before > timedelta(seconds=1):
                # There may be a million, each of kilobytes: look for where they begin.
                middle = before + (found - before) / 2
                older = store.entries("evidence", [symbol], None, middle, 1)
                before, found = (before, older[0].at) if older else (middle, found)
            return found

        return await self._read(oldest)

    async def corrections(
        self, symbols: Sequence[str], first: datetime | None, until: datetime | None, limit: int
    ) -> list[RecordEntry]:
        """The record about `symbols` from `first` to `until`, the newest first, `limit` at most."""
        found = await self._read(lambda store: store.entries("correction", symbols, first, until, limit))
        return sorted(found, key=lambda each: (each.at, each.id), reverse=True)[:limit]
