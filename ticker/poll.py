"""The only place that walks the whole way: fetch, normalise, validate, select, board; and the health of each source.

An upstream's failure is counted, named and remembered here, and never goes further: the last good numbers stay.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ticker.health import Health
from ticker.normalise import Origin, normalise, word
from ticker.quotes import Candidate, Reason, Snapshot, SourceError
from ticker.select import Question, choose
from ticker.validate import Case, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from ticker.board import Board
    from ticker.calendars import Calendar
    from ticker.fetch import Fetcher
    from ticker.quotes import Instrument, Quote, Tick
    from ticker.sources import Adapter


@dataclass(frozen=True, slots=True)
class Feed:
    """One configured source: its adapter, where and how it is asked, and whose words its ticks are."""

    id: str
    adapter: Adapter
    base_url: str
    timeout: timedelta
    max_bytes: int
    origin: Origin
    api_key: str | None = field(default=None, repr=False)


class Poller:
    """Keeps the newest valid candidate of each source and instrument and publishes what they say.

    `clock` gives the aware time. Everything else is a pure function of what was fetched.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        feeds: Mapping[str, Feed],
        board: Board,
        fetcher: Fetcher,
        clock: Callable[[], datetime],
        overrides: Mapping[str, Calendar] | None = None,
    ) -> None:
        """`overrides` are the calendars of instruments that are judged by one of their own, by symbol."""
        self.instruments = instruments
        self.feeds = feeds
        self.health = {source: Health(source) for source in feeds}
        own = {source: feed.origin.calendar for source, feed in feeds.items()}
        self._calendars = {
            each.symbol: dict.fromkeys(feeds, overrides[each.symbol]) if overrides and each.symbol in overrides else own
            for each in instruments
        }
        self._board = board
        self._fetcher = fetcher
        self._clock = clock
        self._candidates: dict[tuple[str, str], Candidate] = {}
        self._refused: dict[tuple[str, str], Reason] = {}
        self._pending: dict[str, Candidate | None] = {}
        self._overruled: dict[str, tuple[tuple[str, Reason], ...]] = {}

    def wanted(self, source: str) -> list[Instrument]:
        """The instruments that `source` feeds."""
        return [instrument for instrument in self.instruments if source in instrument.sources]

    def cost(self, source: str) -> int:
        """How many requests one poll of `source` takes."""
        return len(self.feeds[source].adapter.requests(self._codes(source)))

    async def poll(self, source: str) -> None:
        """Ask `source` once and publish what follows. Never raises for anything an upstream does."""
        health = self.health[source]
        began = asyncio.get_running_loop().time()
        try:
            ticks = await self._ticks(self.feeds[source])
            fresh = self._accept(source, ticks)
        except SourceError as error:
            health.failed(self._clock(), error)
        except Exception as error:  # noqa: BLE001 - a fault in one adapter must not take the others down
            health.failed(self._clock(), SourceError(Reason.PARSE, f"{type(error).__name__}: {error}"[:200]))
        else:
            health.succeeded(self._clock(), fresh)
        health.duration.observe(asyncio.get_running_loop().time() - began)
        self.publish(self._clock())

    def publish(self, now: datetime) -> Snapshot:
        """Put on the board what the candidates of this moment say; the same quotes again are no new version."""
        last = self._board.current(now)
        quotes = tuple(self._choose(instrument, last, now) for instrument in self.instruments)
        snapshot = last if quotes == last.quotes else last.follow(quotes, now)
        self._board.put(snapshot, now)
        return snapshot

    def told(self, source: str) -> dict[str, str]:
        """What `source` last said that could be used, by symbol."""
        return {symbol: f"{c.price:f}" for (each, symbol), c in self._candidates.items() if each == source}

    def _codes(self, source: str) -> list[str]:
        return [word(instrument, self.feeds[source].origin) for instrument in self.wanted(source)]

    async def _ticks(self, feed: Feed) -> list[Tick]:
        """Every request of one poll, one after the other: politeness before speed."""
        ticks: list[Tick] = []
        for request in feed.adapter.requests(self._codes(feed.id)):
            answer = await self._fetcher.get(
                f"{feed.base_url.rstrip('/')}{request.path}",
                request.asked(self._clock()),
                request.headers,
                timeout=feed.timeout,
                max_bytes=feed.max_bytes,
            )
            ticks += feed.adapter.parse(answer.body)
        return ticks

    def _accept(self, source: str, ticks: Sequence[Tick]) -> int:
        """Keep the valid candidates of one answer, count the refused ones; the number kept.

        Raises SourceError (`schema`) where the answer says nothing of any instrument it was asked for.
        """
        now = self._clock()
        wanted = self.wanted(source)
        found = [normalise(instrument, self.feeds[source].origin, ticks, now) for instrument in wanted]
        if not any(found):
            raise SourceError(Reason.SCHEMA, f"none of {', '.join(i.symbol for i in wanted)} in the answer")
        return sum(self._admit(i, c, now) for i, c in zip(wanted, found, strict=True) if c is not None)

    def _admit(self, instrument: Instrument, candidate: Candidate, now: datetime) -> bool:
        key = (candidate.source, instrument.symbol)
        calendar = self._calendars[instrument.symbol][candidate.source]
        reason = refusal(Case(candidate, instrument, calendar, self._board.latest.get(instrument.symbol), now))
        if reason is None:
            self._candidates[key] = candidate
            self._refused.pop(key, None)
            return True
        self._refused[key] = reason
        self.health[candidate.source].reject(instrument.symbol, reason)
        return False

    def _choose(self, instrument: Instrument, last: Snapshot, now: datetime) -> Quote:
        ask = Question(
            instrument=instrument,
            candidates=[c for (_, symbol), c in self._candidates.items() if symbol == instrument.symbol],
            calendars=self._calendars[instrument.symbol],
            now=now,
            last=last.get(instrument.symbol),
            pending=self._pending.get(instrument.symbol),
            failures=self._failures(instrument),
        )
        choice = choose(ask)
        self._pending[instrument.symbol] = choice.pending
        self._count_overruled(instrument.symbol, choice.overruled)
        return choice.quote

    def _failures(self, instrument: Instrument) -> dict[str, Reason]:
        found: dict[str, Reason] = {}
        for source in instrument.sources:
            reason = self._refused.get((source, instrument.symbol)) or self.health[source].reason
            if reason is not None:
                found[source] = reason
        return found

    def _count_overruled(self, symbol: str, overruled: tuple[tuple[str, Reason], ...]) -> None:
        """Each overruling is counted once when it begins, not again at every look at the same ticks."""
        for source, reason in set(overruled) - set(self._overruled.get(symbol, ())):
            self.health[source].reject(symbol, reason)
        self._overruled[symbol] = overruled
