"""Filling history from the sources' archives: polite, interruptible, and the same rows however often it is run.

Each instrument is asked of its most preferred source that has an archive, and of the next one where that fails. An
answer's rows and the note that its request is done are kept in one transaction, so a run that was cut goes on there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import groupby

from ticker.feeds import Feed
from ticker.fetch import Fetching
from ticker.normalize import normalise, word
from ticker.quotes import Candidate, Instrument, PriceType, Reason, SourceError, Tick
from ticker.sources import Request
from ticker.storage.base import QUOTE, Row, Store, StoreError
from ticker.storage.codec import quote_of_entry, row_of_candidate
from ticker.validate import Case, refusal


@dataclass(slots=True)
class BackfillCount:
    """What one source gave for one instrument; `absent` counts requests for which it has nothing (404)."""

    rows: int = 0
    new: int = 0
    refused: int = 0
    absent: int = 0
    skipped: int = 0
    first: date | None = None
    last: date | None = None
    failure: SourceError | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One request to an archive and the instruments it is for."""

    feed: Feed
    request: Request
    wanted: tuple[Instrument, ...]

    @property
    def name(self) -> str:
        """Under which the store notes that it is done."""
        query = "&".join(f"{key}={value}" for key, value in sorted(self.request.query.items()))
        symbols = ",".join(each.symbol for each in self.wanted)
        return f"archive {symbols} {self.feed.id}{self.request.path}?{query}"


def jobs(feed: Feed, group: tuple[Instrument, ...], first: date, last: date) -> list[Job]:
    """An archive of one currency a request is asked for each, one of whole tables once for all."""
    archive = feed.adapter.archive
    if archive is None:
        return []
    codes = {each.symbol: word(each, feed.origin) for each in group}
    by_request: dict[str, Job] = {}
    for each in group:
        for request in archive([codes[each.symbol]], first, last):
            key = f"{request.path}{sorted(request.query.items())}"
            job = by_request.setdefault(key, Job(feed, request, ()))
            by_request[key] = replace(job, wanted=(*job.wanted, each))
    return list(by_request.values())


_TRIES = 4
# What is younger may still be corrected or completed: it is asked for again by every run.
_SETTLED = timedelta(days=7)


@dataclass(slots=True)
class Backfill:
    """One run over `first` to `last`. `base` gives a feed's archive's address; `pause` is between two requests."""

    store: Store
    fetcher: Fetching
    feeds: Mapping[str, Feed]
    base: Callable[[Feed], str]
    clock: Callable[[], datetime]
    pause: float
    tallies: dict[tuple[str, str], BackfillCount] = field(default_factory=dict)

    def sources(self, instrument: Instrument) -> list[str]:
        """The instrument's sources that have an archive, the preferred one first."""
        return [s for s in instrument.all_sources if s in self.feeds and self.feeds[s].adapter.archive is not None]

    async def run(
        self, wanted: Sequence[Instrument], first: date, last: date, step: Callable[[Job, int], None]
    ) -> list[Instrument]:
        """Ask until every instrument has been told by a source; those that none would tell.

        `step` is called after each request with it and the number of requests left to this source.
        Raises StoreError where the rows cannot be kept.
        """
        todo = {each.symbol: self.sources(each) for each in wanted}
        told: set[str] = set()
        while any(todo.values()):
            for source in sorted({sources[0] for sources in todo.values() if sources}):
                group = tuple(each for each in wanted if todo[each.symbol][:1] == [source])
                done = await self._ask(source, group, first, last, step)
                for each in group:
                    todo[each.symbol] = [] if done else todo[each.symbol][1:]
                    told |= {each.symbol} if done else set()
        return [each for each in wanted if each.symbol not in told]

    async def _ask(
        self, source: str, group: tuple[Instrument, ...], first: date, last: date, step: Callable[[Job, int], None]
    ) -> bool:
        """Whether the source answered everything."""
        feed = self.feeds[source]
        todo = jobs(feed, group, first, last)
        settled = last < (self.clock() - _SETTLED).date()
        for number, job in enumerate(todo, start=1):
            if settled and await asyncio.to_thread(self.store.saved, job.name) is not None:
                self._each(job).skipped += 1
            else:
                try:
                    await self._do(job)
                except SourceError as error:
                    error.detail = feed.without_key(error.detail)
                    for each in group:
                        self._tally(each, source).failure = error
                    return False
                await asyncio.sleep(self.pause)
            step(job, len(todo) - number)
        return bool(todo)

    async def _do(self, job: Job) -> None:
        try:
            ticks = await self._fetched(job)
        except SourceError as error:
            # An archive by the day has no page for a day without a publication.
            if error.reason is not Reason.HTTP_4XX or "404" not in error.detail:
                raise
            self._each(job).absent += 1
            ticks = []
        now = self.clock()
        for each in job.wanted:
            tally = self._tally(each, job.feed.id)
            found = await asyncio.to_thread(self._unrefused, each, self._rows(job.feed, each, ticks, now), now)
            tally.rows += len(found)
            tally.new += await self._write(found, {job.name: now.isoformat()} if each is job.wanted[-1] else {})
            days = [row.as_of.date() for row in found]
            tally.first = min([*days, *([tally.first] if tally.first else [])], default=None)
            tally.last = max([*days, *([tally.last] if tally.last else [])], default=None)

    async def _fetched(self, job: Job) -> Sequence[Tick]:
        """The ticks of the archive's answer; a refusal is waited out, a few times."""
        feed, parse = job.feed, job.feed.adapter.parse_archive or job.feed.adapter.parse
        for attempt in range(_TRIES):
            try:
                answer = await self.fetcher.get(feed.call(job.request, self.base(feed), patience=3))
            except SourceError as error:
                if attempt == _TRIES - 1 or error.reason in {Reason.HTTP_4XX, Reason.BLOCKED, Reason.SIZE}:
                    raise
                wait = error.retry_after.total_seconds() if error.retry_after else self.pause * 2**attempt
                if wait > 60:  # noqa: PLR2004 - nobody sits before a bar that long; another run goes on here
                    raise
                await asyncio.sleep(wait)
            else:
                return parse(answer.body).ticks
        raise AssertionError("the last attempt returns or raises")

    def _rows(self, feed: Feed, instrument: Instrument, ticks: Sequence[Tick], now: datetime) -> list[Row]:
        rows: list[Row] = []
        before: Candidate | None = None
        for _, day in groupby(sorted(ticks, key=lambda tick: tick.as_of), key=lambda tick: tick.as_of):
            found = normalise(instrument, feed.origin, list(day), now)
            if found is None or found.as_of > now:
                continue  # what is not in force yet may still be issued anew
            if refusal(Case(found, instrument, feed.calendar, before, now)) is not None:
                self._tally(instrument, feed.id).refused += 1
                continue
            before = found
            rows.append(row_of_candidate(found, instrument))
        return rows

    def _unrefused(self, instrument: Instrument, rows: Sequence[Row], now: datetime) -> list[Row]:
        """The rows but those of late of which the service has shown another number, or none because it was in doubt."""

        def refused(row: Row) -> bool:
            if row.as_of < now - _SETTLED or row.price_type is not PriceType.FIXING:
                return False
            entries = self.store.entries(QUOTE, [instrument.symbol], row.as_of, now, 500)
            quotes = (quote_of_entry(each, instrument) for each in entries)
            shown = next((each for each in quotes if each.as_of is None or each.as_of <= row.as_of), None)
            if shown is None or shown.as_of != row.as_of:
                return shown is not None and shown.reason in {Reason.DISAGREE, Reason.MOVE, Reason.UNIT}
            return shown.price != row.price

        return [row for row in rows if not refused(row)]

    async def _write(self, rows: Sequence[Row], done: Mapping[str, str]) -> int:
        for _ in range(_TRIES):
            try:
                return await asyncio.to_thread(self.store.write, rows, done)
            except StoreError:
                # A running service writes to the same file.
                await asyncio.sleep(0.2)
        return await asyncio.to_thread(self.store.write, rows, done)

    def _tally(self, instrument: Instrument, source: str) -> BackfillCount:
        return self.tallies.setdefault((instrument.symbol, source), BackfillCount())

    def _each(self, job: Job) -> BackfillCount:
        return self._tally(job.wanted[0], job.feed.id)
