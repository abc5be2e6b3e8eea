"""The only place that walks the whole way: fetch, normalise, validate, select, board; and the health of each source.

An upstream's failure is counted, named and remembered here, and never goes further: the last good numbers stay.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from ticker import carry
from ticker.feeds import ask
from ticker.health import Health
from ticker.normalise import normalise, word
from ticker.quotes import Candidate, Reason, Snapshot, SourceError
from ticker.select import Choice, Memory, Question, choose, contradicted
from ticker.validate import Case, earlier, refusal
from ticker.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from ticker.board import Board
    from ticker.calendars import Calendar
    from ticker.feeds import Feed
    from ticker.fetch import Fetching
    from ticker.quotes import Instrument, Quote, Tick
    from ticker.select import Check


class Duty(Protocol):
    """Whether this service is the one that polls and publishes: of several replicas one does."""

    @property
    def on(self) -> bool:
        """At this moment."""

    async def begins(self) -> None:
        """Return when it does; at once where it has."""


class Always:
    """The duty of a service that has no other beside it."""

    on = True

    async def begins(self) -> None:
        """At once."""


class Poller:
    """Keeps the newest valid candidate of each source and instrument and publishes what they say.

    `clock` gives the aware time. Everything else is a pure function of what was fetched.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        feeds: Mapping[str, Feed],
        board: Board,
        fetcher: Fetching,
        clock: Callable[[], datetime],
        overrides: Mapping[str, Calendar] | None = None,
        checks: Sequence[Check] = (),
    ) -> None:
        """`overrides` are the calendars of instruments that are judged by one of their own, by symbol."""
        self.instruments = instruments
        self.feeds = feeds
        self.health = {source: Health(source) for source in feeds}
        # Whoever can ask a source before its turn; set by the composer.
        self.hurry: Callable[[str], object] = lambda _source: None
        # Whoever is told every new snapshot; set by the composer.
        self.report: Callable[[Snapshot], object] = lambda _snapshot: None
        # Whether what is learnt may be published; set by the composer.
        self.duty: Duty = Always()
        self._all = (*instruments, *(check.reference for check in checks))
        self._calendars = carry.calendars_of(self._all, feeds, overrides or {})
        self._checks = checks
        self._board = board
        self._fetcher = fetcher
        self._clock = clock
        self._candidates: dict[tuple[str, str], Candidate] = {}
        self._refused: dict[tuple[str, str], Reason] = {}
        self._memories: dict[str, Memory] = {}
        self._overruled: dict[str, tuple[tuple[str, Reason], ...]] = {}
        self._waiting: frozenset[str] = frozenset()

    def adopt(
        self,
        instruments: Sequence[Instrument],
        feeds: Mapping[str, Feed],
        overrides: Mapping[str, Calendar] | None = None,
        checks: Sequence[Check] = (),
    ) -> set[str]:
        """Go on with another configuration, at once and without a gap; the sources that must now be asked anew.

        Numbers that still mean the same stay; an answer on its way that was asked for otherwise will be dropped.
        """
        now, asked = self._clock(), {source: self._question(source) for source in self.feeds}
        former, self._all = self._all, (*instruments, *(check.reference for check in checks))
        self._calendars = carry.calendars_of(self._all, feeds, overrides or {})
        self._candidates = carry.candidates(self._candidates, former, self._all, self._calendars, now)
        same = carry.same(former, self._all)
        self._refused = {key: why for key, why in self._refused.items() if key[0] in feeds and key[1] in same}
        self._memories = {symbol: kept for symbol, kept in self._memories.items() if symbol in same}
        self.instruments, self.feeds, self._checks = instruments, feeds, checks
        # The same object: metrics and handlers read it.
        kept = {source: self.health.get(source) or Health(source) for source in feeds}
        self.health.clear()
        self.health.update(kept)
        last = self._board.current(now)
        quotes = carry.quotes(last, instruments, now)
        if quotes != last.quotes:
            # Who follows goes one step ahead of what it shows, and never ahead of what the leader will say of it.
            carried = (
                last.follow(quotes, now) if self.duty.on else replace(last, version=last.version + 1, quotes=quotes)
            )
            self._board.put(carried, now)
            if self.duty.on:
                self.report(carried)
        if self.duty.on:
            self.publish(now)
        return {source for source in feeds if asked.get(source) != self._question(source)}

    def wanted(self, source: str) -> list[Instrument]:
        """The instruments that `source` feeds, those that only serve a cross-check among them."""
        return [instrument for instrument in self._all if source in instrument.sources]

    def calendars(self, symbol: str) -> Mapping[str, Calendar]:
        """The calendars that `symbol` is judged by, by source."""
        return self._calendars[symbol]

    def cost(self, source: str) -> int:
        """How many requests one poll of `source` takes."""
        return len(self.feeds[source].adapter.requests(self._codes(source)))

    async def poll(self, source: str) -> None:
        """Ask `source` once and publish what follows. Never raises for anything an upstream does."""
        health, feed, asked = self.health[source], self.feeds[source], self._question(source)
        began = asyncio.get_running_loop().time()
        try:
            ticks, failure = await self.ask(feed, self._codes(source))
            same = source in self.feeds and asked == self._question(source)
            fresh = self._accept(source, ticks, failure) if same else 0
        except SourceError as error:
            health.failed(self._clock(), feed.told(error))
        except Exception as error:  # noqa: BLE001 - a fault in one adapter must not take the others down
            detail = feed.without_key(f"{type(error).__name__}: {error}"[:200])
            health.failed(self._clock(), SourceError(Reason.PARSE, detail))
        else:
            if failure is None:
                health.succeeded(self._clock(), fresh)
            else:
                health.failed(self._clock(), feed.told(failure))
        health.duration.observe(asyncio.get_running_loop().time() - began)
        # Who was asleep, or cut off from the others, finds out first whether it still speaks for them.
        await self.duty.begins()
        self.publish(self._clock())

    def publish(self, now: datetime) -> Snapshot:
        """Put on the board what the candidates of this moment say; the same quotes again are no new version."""
        last = self._board.current(now)
        against = self._contradicted(last)
        # By symbol, once: to look through all for each would make a large board a slow one.
        known, shown = self._by_symbol(), {quote.symbol: quote for quote in last.quotes}
        choices = [
            self._choose(each, known.get(each.symbol, []), shown.get(each.symbol), against, now)
            for each in self.instruments
        ]
        quotes = tuple(choice.quote for choice in choices)
        snapshot = last if quotes == last.quotes else last.follow(quotes, now)
        self._board.put(snapshot, now)
        if snapshot is not last:
            self.report(snapshot)
        self._ask_now(frozenset(source for choice in choices for source in choice.ask_now))
        return snapshot

    def look_again(self, now: datetime) -> None:
        """Publish anew where a number waits for a witness that may have run out of time."""
        if self._waiting and self.duty.on:
            self.publish(now)

    def forget(self) -> None:
        """Know no more than the board shows, as at a start: what was last heard may be older than what others heard."""
        for known in (self._candidates, self._refused, self._memories, self._overruled):
            known.clear()
        self._waiting = frozenset()

    def told(self, source: str) -> dict[str, str]:
        """What `source` last said that could be used, with its date, by symbol."""
        mine = {symbol: c for (each, symbol), c in self._candidates.items() if each == source}
        return {symbol: f"{c.price:f} of {c.as_of:%Y-%m-%d}" for symbol, c in mine.items()}

    def mark(self) -> Callable[[], None]:
        """What forgets everything that was learnt after this moment: a recording begins again there."""
        candidates, refused, memories = dict(self._candidates), dict(self._refused), dict(self._memories)
        overruled, waiting = dict(self._overruled), self._waiting
        asked = {source: health.last_success for source, health in self.health.items()}

        def back() -> None:
            self._candidates, self._refused, self._memories = dict(candidates), dict(refused), dict(memories)
            self._overruled, self._waiting = dict(overruled), waiting
            for source, when in asked.items():
                self.health[source].last_success = when

        return back

    async def ask(self, feed: Feed, codes: Sequence[str]) -> tuple[list[Tick], SourceError | None]:
        """What `feed` says of `codes` now; see `feeds.ask`."""
        return await ask(self._fetcher, feed, codes, self._clock())

    def _question(self, source: str) -> tuple[object, ...]:
        """All that decides what is asked of `source` and how its answer is read."""
        return (self.feeds[source], *(carry.meaning(each) for each in self.wanted(source)))

    def _codes(self, source: str) -> list[str]:
        return [word(instrument, self.feeds[source].origin) for instrument in self.wanted(source)]

    def _accept(self, source: str, ticks: Sequence[Tick], failure: SourceError | None) -> int:
        """Keep the valid candidates of one answer, count the refused ones; the number kept.

        Raises `failure`, or SourceError (`schema`), where nothing is said of any instrument that was asked for.
        """
        now = self._clock()
        wanted = self.wanted(source)
        found = [normalise(instrument, self.feeds[source].origin, ticks, now) for instrument in wanted]
        if not any(found):
            raise failure or SourceError(Reason.SCHEMA, f"none of {', '.join(i.symbol for i in wanted)} in the answer")
        # An answer that is silent on one of them is why that one has no number from here.
        silent = [each.symbol for each, candidate in zip(wanted, found, strict=True) if candidate is None]
        self._refused |= dict.fromkeys(((source, s) for s in silent), failure.reason if failure else Reason.SCHEMA)
        return sum(self._admit(i, c, now) for i, c in zip(wanted, found, strict=True) if c is not None)

    def _admit(self, instrument: Instrument, candidate: Candidate, now: datetime) -> bool:
        key = (candidate.source, instrument.symbol)
        calendar = self._calendars[instrument.symbol][candidate.source]
        before = self._candidates.get(key)
        reason = refusal(Case(candidate, instrument, calendar, before, now))
        if reason is None:
            # Before a market opens, last night's settlement is older than last night's last price: no step back.
            if not earlier(candidate, before):
                self._candidates[key] = candidate
            self._refused.pop(key, None)
            return True
        self._refused[key] = reason
        self.health[candidate.source].reject(instrument.symbol, reason)
        return False

    def _choose(
        self,
        instrument: Instrument,
        candidates: list[Candidate],
        last: Quote | None,
        against: set[tuple[str, str]],
        now: datetime,
    ) -> Choice:
        symbol = instrument.symbol
        ask = Question(
            instrument=instrument,
            candidates=candidates,
            calendars=self._calendars[symbol],
            now=now,
            last=last,
            memory=self._memories.get(symbol, Memory()),
            failures=self._failures(instrument),
            asked={source: each.last_success for source, each in self.health.items() if each.last_success},
            contradicted=frozenset(source for source, named in against if named == symbol),
        )
        choice = choose(ask)
        self._memories[symbol] = choice.memory
        self._count_overruled(symbol, choice.overruled)
        return choice

    def _by_symbol(self) -> dict[str, list[Candidate]]:
        found: dict[str, list[Candidate]] = {}
        for (_, symbol), candidate in self._candidates.items():
            found.setdefault(symbol, []).append(candidate)
        return found

    def _of(self, symbol: str) -> list[Candidate]:
        return [candidate for (_, named), candidate in self._candidates.items() if named == symbol]

    def _contradicted(self, last: Snapshot) -> set[tuple[str, str]]:
        """What the cross-checks speak against, each by its most preferred reference."""
        found: set[tuple[str, str]] = set()
        shown = {quote.symbol: quote for quote in last.quotes}
        for check in self._checks:
            references = sorted(self._of(check.reference.symbol), key=lambda c: check.reference.sources.index(c.source))
            if references:
                pair = [*self._of(check.numerator), *self._of(check.denominator)]
                found |= contradicted(check, references[0].price, pair, shown)
        return found

    def _ask_now(self, sources: frozenset[str]) -> None:
        for source in sources - self._waiting:
            self.hurry(source)
        self._waiting = sources

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
