"""The only place that walks the whole way: fetch, normalize, validate, selection, board; and the health of each source.

`CandidateStore` is what the sources said that may speak, `SelectionState` what selection made of it and remembers,
`Poller` the walk. An upstream's failure never goes further than here: the last good numbers stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from ticker.board import Board
from ticker.calendars import Calendar
from ticker.feeds import Feed, PollTargets, Reply, ask, ask_earlier, meaning, unchanged
from ticker.fetch import Fetching
from ticker.health import Health
from ticker.log import Log
from ticker.normalize import Origin, candidates_of, word
from ticker.quotes import SOON, Candidate, Instrument, PriceType, Quote, Reason, Snapshot, SourceError, Tick
from ticker.selection.decide import Choice, Overruled, choose
from ticker.selection.evidence import Evidence, Quotient, SelectionInput
from ticker.selection.memory import Confirmed, SelectionMemory, decode, encode
from ticker.validate import Case, earlier, refusal

log = Log(__name__)
# All that a decision depended on, and what was decided.
Decision = tuple[SelectionInput, Choice]
# A source and a symbol.
Key = tuple[str, str]
# Of a fixing, so many dates are kept of each source: tomorrow's, today's, and the one by which they are judged.
_DATES = 3
_SLACK = timedelta(minutes=2)


class LeaderGate(Protocol):
    """Whether this service is the one that polls and publishes: of several replicas one does."""

    @property
    def on(self) -> bool:
        """At this moment."""

    async def begins(self) -> None:
        """Return when it does; at once where it has."""


class AlwaysLeader:
    """The gate of a service that has no other beside it."""

    on = True

    async def begins(self) -> None:
        """At once."""


def migrate_quotes(last: Snapshot, instruments: Iterable[Instrument], now: datetime) -> tuple[Quote, ...]:
    """The shown quotes for `instruments`: with their numbers where these still mean the same and are believed."""
    return tuple(_migrated(last.get(each.symbol), each).at(now) for each in instruments)


def _migrated(shown: Quote | None, instrument: Instrument) -> Quote:
    gone = shown is not None and shown.source not in (None, *instrument.all_sources)
    if shown is None or gone or meaning(shown.instrument) != meaning(instrument):
        return Quote(instrument)
    low, high = instrument.band
    if shown.price is not None and not low <= shown.price <= high:
        return Quote(instrument)
    until = shown.usable_until
    if instrument.max_age != shown.instrument.max_age and shown.fresh_until is not None:
        until = shown.fresh_until + instrument.max_age
    return replace(shown, instrument=instrument, usable_until=until)


class CandidateStore:
    """The newest valid candidates of each source and instrument, of several dates where they are fixings."""

    def __init__(self) -> None:
        self._candidates: dict[Key, tuple[Candidate, ...]] = {}
        self._refused: dict[Key, Reason] = {}

    def take(self, targets: PollTargets, health: Health, reply: Reply, now: datetime) -> tuple[SourceError | None, int]:
        """Keep the valid candidates of one reply of `health.source`, count the refused ones.

        Returns what failed of it, and how many were kept. Raises SourceError where nothing is said of any instrument
        that was asked for.
        """
        source = health.source
        wanted, origin = targets.wanted(source), targets.feeds[source].origin
        found = [candidates_of(instrument, origin, reply.ticks, now) for instrument in wanted]
        # An answer that is silent on one of them is why that one has no number from here.
        pairs = [*zip(wanted, found, strict=True)]
        reasons = {each.symbol: _why_not(each, origin, reply) for each, candidates in pairs if not candidates}
        if not any(found):
            detail = f"none of {', '.join(each.symbol for each in wanted)} in the answer"
            raise reply.failure or SourceError(next(iter(reasons.values()), Reason.SCHEMA), detail)
        self._refused |= {(source, symbol): reason for symbol, reason in reasons.items()}
        kept = sum(self._admit(targets, health, each, candidates, now) for each, candidates in pairs if candidates)
        missing = next((SourceError(why, f"no {symbol} in the answer") for symbol, why in reasons.items()), None)
        return reply.failure or missing, kept

    def knows_before(self, source: str, as_of: datetime, due: datetime | None) -> bool:
        """Whether `source` has said a fixing of an earlier date than `as_of`, not older than the one that was `due`."""
        mine = (each for (name, _), each in self._candidates.items() if name == source)
        return any((due or c.as_of) <= c.as_of < as_of for each in mine for c in each)

    def newest(self) -> dict[str, datetime]:
        """The newest date that each source has given of anything."""
        found: dict[str, datetime] = {}
        for (source, _), candidates in self._candidates.items():
            found[source] = max(candidates[0].as_of, found.get(source, candidates[0].as_of))
        return found

    def _admit(
        self,
        targets: PollTargets,
        health: Health,
        instrument: Instrument,
        candidates: Sequence[Candidate],
        now: datetime,
    ) -> bool:
        """Keep what `candidates` say, the newest first; whether the newest may speak."""
        newest, *others = candidates
        key = (newest.source, instrument.symbol)
        calendar = targets.calendars[instrument.symbol][newest.source]
        # What was heard later than now was heard before the clock was set back.
        known = tuple(c for c in self._candidates.get(key, ()) if c.fetched_at <= now + _SLACK)
        for other in others:
            # What it said of that date when it was the newest is better known than what it tells of it now.
            if (
                all(c.as_of != other.as_of for c in known)
                and refusal(Case(other, instrument, calendar, None, now)) is None
            ):
                known = _with(known, other)
        before = known[0] if known else None
        reason = refusal(Case(newest, instrument, calendar, before, now))
        # Before a market opens, last night's settlement is older than last night's last price: no step back.
        if reason is None and not earlier(newest, before):
            known = _with(known, newest)
        if known:
            self._candidates[key] = known
        if reason is None:
            self._refused.pop(key, None)
            return True
        self._refused[key] = reason
        health.reject(instrument.symbol, reason)
        return False

    def by_symbol(self) -> dict[str, list[Candidate]]:
        """Everything, by symbol, once: to look through all for each would make a large board a slow one."""
        found: dict[str, list[Candidate]] = {}
        for (_, symbol), candidates in self._candidates.items():
            found.setdefault(symbol, []).extend(candidates)
        return found

    def failures(self, instrument: Instrument, health: Mapping[str, Health]) -> dict[str, Reason]:
        """Why a source of `instrument` has no number for it this time."""
        found: dict[str, Reason] = {}
        for source in instrument.all_sources:
            reason = self._refused.get((source, instrument.symbol)) or health[source].reason
            if reason is not None:
                found[source] = reason
        return found

    def latest_values(self, source: str) -> dict[str, str]:
        """What `source` last said that could be used, with its date, by symbol."""
        mine = {symbol: each[0] for (name, symbol), each in self._candidates.items() if name == source}
        return {symbol: f"{c.price:f} of {c.as_of:%Y-%m-%d}" for symbol, c in mine.items()}

    def migrate(self, before: PollTargets, after: PollTargets, now: datetime) -> None:
        """Keep what still means the same and what no rule of the new configuration refuses."""
        same = unchanged(before.all, after.all)
        former, self._candidates = self._candidates, {}
        for each in (one for one in after.all if one.symbol in same):
            for source in each.all_sources:
                calendar = after.calendars[each.symbol].get(source)
                known = former.get((source, each.symbol), ()) if calendar else ()
                kept = [c for c in known if calendar and refusal(Case(c, each, calendar, None, now)) is None]
                if kept:
                    self._candidates[source, each.symbol] = tuple(kept)
        self._refused = {key: why for key, why in self._refused.items() if key[0] in after.feeds and key[1] in same}

    def checkpoint(self) -> Callable[[], None]:
        """What forgets everything that is heard after this moment."""
        candidates, refused = dict(self._candidates), dict(self._refused)

        def back() -> None:
            self._candidates, self._refused = dict(candidates), dict(refused)

        return back


def _why_not(instrument: Instrument, origin: Origin, reply: Reply) -> Reason:
    """Why `reply` gives no candidate of `instrument`."""
    code = word(instrument, origin)
    own = {tick.currency for tick in reply.ticks if tick.symbol == code}
    if len(own) == 1 and instrument.quote not in own:
        return Reason.UNIT
    return reply.why_not(code, instrument.base, instrument.quote) or Reason.SCHEMA


def _with(known: Sequence[Candidate], new: Candidate) -> tuple[Candidate, ...]:
    """The `known` candidates of one source with a `new` one, the newest first: of a market only that one."""
    same = next((c for c in known if (c.as_of, c.price, c.contract) == (new.as_of, new.price, new.contract)), None)
    if same is not None:
        new = replace(new, fetched_at=same.fetched_at, checked_at=new.fetched_at)
    if new.price_type is not PriceType.FIXING or new.derived:
        return (new,)
    others = [c for c in known if c.as_of != new.as_of and c.price_type is PriceType.FIXING]
    return tuple(sorted([new, *others], key=lambda c: c.as_of, reverse=True)[:_DATES])


class SelectionState:
    """Has selection decide on every instrument, and keeps what it remembers; `health` counts who is overruled."""

    def __init__(self, health: Mapping[str, Health], memories: Mapping[str, SelectionMemory] | None = None) -> None:
        self._health = health
        self.memories: dict[str, SelectionMemory] = dict(memories or {})
        # All that the newest decision of each instrument depended on.
        self.questions: dict[str, SelectionInput] = {}
        self._overruled: dict[str, Overruled] = {}
        self._undecided = set[str]()

    def choices(self, targets: PollTargets, store: CandidateStore, last: Snapshot, now: datetime) -> list[Choice]:
        """What the candidates make of each instrument at `now`, where `last` is shown."""
        known, shown = store.by_symbol(), {quote.symbol: quote.of_its_day(now) for quote in last.quotes}
        asked = {source: each.last_success for source, each in self._health.items() if each.last_success}
        return [
            self._choose(
                SelectionInput(
                    instrument=each,
                    candidates=known.get(each.symbol, []),
                    calendars=targets.calendars[each.symbol],
                    now=now,
                    last=shown.get(each.symbol),
                    memory=self.memories.get(_key(each)) or _seeded(shown.get(each.symbol)),
                    failures=store.failures(each, self._health),
                    asked=asked,
                    quotients=_quotients(targets, each, known, self.memories, now),
                    # Who failed has been heard of, whether it speaks of this instrument or only measures it.
                    witnesses=[w for w in targets.witnesses(each) if self._health[w].reason is None],
                )
            )
            for each in targets.instruments
        ]

    def _choose(self, question: SelectionInput) -> Choice:
        symbol = question.instrument.symbol
        try:
            choice = choose(question)
        except Exception as error:
            choice = _undecided(question)
            if symbol not in self._undecided:
                log.exception("a decision failed", symbol=symbol, error=f"{type(error).__name__}: {error}")
            self._undecided.add(symbol)
        else:
            self._undecided.discard(symbol)
        self.memories[_key(question.instrument)], self.questions[symbol] = choice.memory, question
        # Each overruling is counted once when it begins, not again at every look at the same ticks.
        for source, reason in set(choice.overruled) - set(self._overruled.get(symbol, ())):
            self._health[source].reject(symbol, reason)
        self._overruled[symbol] = choice.overruled
        return choice

    def checkpoint(self) -> Callable[[], None]:
        """What forgets everything that is decided after this moment."""
        memories, overruled = dict(self.memories), dict(self._overruled)

        def back() -> None:
            self.memories, self._overruled = dict(memories), dict(overruled)

        return back


def _undecided(question: SelectionInput) -> Choice:
    """What is shown of an instrument whose decision failed: the last good number, and not as fresh."""
    last = (question.last or Quote(question.instrument)).at(question.now)
    quote = replace(last.marked, reason=Reason.PARSE)
    told = (question.instrument.symbol, question.now, "failed", quote.price, quote.as_of, quote.status)
    return Choice(quote, question.memory, Evidence(*told, witnesses=(), memory=question.memory))


def _key(instrument: Instrument) -> str:
    """What is remembered is of what an instrument's numbers mean, which another configuration may change."""
    return " ".join(str(each) for each in meaning(instrument))


def _seeded(shown: Quote | None) -> SelectionMemory:
    """What a number that is shown without a memory of it leaves to remember, as one that version 0.1.0 kept."""
    if shown is None or shown.price is None or shown.as_of is None or shown.source is None:
        return SelectionMemory()
    copied = shown.agreement is not None and shown.agreement.sources > 1
    return SelectionMemory(confirmed=(Confirmed(shown.price, shown.as_of, shown.source, copied),))


def _quotients(
    targets: PollTargets,
    instrument: Instrument,
    known: Mapping[str, Sequence[Candidate]],
    memories: Mapping[str, SelectionMemory],
    now: datetime,
) -> list[Quotient]:
    """What the instrument over its partner is measured by: a third rate, of the most preferred source on time."""
    found = []
    for check in targets.checks:
        if instrument.symbol not in (check.numerator, check.denominator):
            continue
        numerator = instrument.symbol == check.numerator
        other = check.denominator if numerator else check.numerator
        partner = next((each for each in targets.instruments if each.symbol == other), None)
        calendars = targets.calendars[check.reference.symbol]
        references = [
            c for c in known.get(check.reference.symbol, ()) if now < calendars[c.source].fresh_until(c.as_of)
        ]
        if partner is None:
            continue
        rank = check.reference.sources.index
        reference = min(references, key=lambda c: (rank(c.source), -c.as_of.timestamp()), default=None)
        said: dict[datetime, dict[str, Decimal]] = {}
        for c in known.get(other, ()):
            if c.source in partner.sources and c.price_type is PriceType.FIXING and not c.derived:
                said.setdefault(c.as_of, {})[c.source] = c.price
        believed = {each.as_of: each.price for each in memories.get(_key(partner), SelectionMemory()).confirmed}
        scale = instrument.per / Decimal(partner.per) if numerator else partner.per / Decimal(instrument.per)
        third = reference.price * scale if reference is not None else None
        found.append(Quotient(check.name, third, check.tolerance, numerator, said, believed))
    return found


class Poller:
    """Keeps the newest valid candidates of each source and instrument and publishes what they say.

    `clock` gives the aware time. Everything else is a pure function of what was fetched. `report` is told every new
    snapshot, `remember` whatever must outlive the process as text, `poll_now` asks a source before its turn, and
    `gate` says whether what is learnt may be published.
    """

    def __init__(  # noqa: PLR0913 - everything it needs is handed to it here, and nothing later
        self,
        targets: PollTargets,
        board: Board,
        fetcher: Fetching,
        clock: Callable[[], datetime],
        *,
        gate: LeaderGate | None = None,
        report: Callable[[Snapshot], object] = lambda _snapshot: None,
        remember: Callable[[Callable[[], str]], object] = lambda _text: None,
        poll_now: Callable[[str], object] = lambda _source: None,
        explain: Callable[[Snapshot, Snapshot, Sequence[Decision]], object] = lambda _before, _after, _why: None,
        memories: Mapping[str, SelectionMemory] | None = None,
    ) -> None:
        self.health = {source: Health(source) for source in targets.feeds}
        self.targets = targets
        self._store = CandidateStore()
        self._state = SelectionState(self.health, memories)
        self._board = board
        self._fetcher = fetcher
        self._clock = clock
        self._gate = gate or AlwaysLeader()
        self._report = report
        self._remember = remember
        self._poll_now = poll_now
        self._explain = explain
        self._waiting: frozenset[str] = frozenset()
        self._provisional = False
        self._looked_back: dict[str, tuple[datetime, date]] = {}
        self._reported = board.latest.version
        # What was shown when why was told last; whoever reads may have let time pass on the board since.
        self._explained = board.latest_selected

    @property
    def instruments(self) -> Sequence[Instrument]:
        """The instruments that are shown."""
        return self.targets.instruments

    @property
    def feeds(self) -> Mapping[str, Feed]:
        """The sources that are asked."""
        return self.targets.feeds

    def calendars(self, symbol: str) -> Mapping[str, Calendar]:
        """The calendars that `symbol` is judged by, by source."""
        return self.targets.calendars[symbol]

    def cost(self, source: str) -> int:
        """How many requests one poll of `source` takes."""
        tables = 2 if self.feeds[source].adapter.earlier is not None and source not in self._looked_back else 0
        return self.targets.cost(source, self._clock()) + tables

    def latest_values(self, source: str) -> dict[str, str]:
        """What `source` last said that could be used, with its date, by symbol."""
        return self._store.latest_values(source)

    def newest(self) -> dict[str, datetime]:
        """The newest date that each source has given of anything."""
        return self._store.newest()

    async def ask(self, feed: Feed, codes: Sequence[str]) -> Reply:
        """What `feed` says of `codes` now; see `feeds.ask`."""
        return await ask(self._fetcher, feed, codes, self._clock())

    async def poll(self, source: str) -> None:
        """Ask `source` once and publish what follows. Never raises for anything an upstream does."""
        health, feed = self.health[source], self.feeds[source]
        began = asyncio.get_running_loop().time()
        try:
            failure, fresh = await self._hear(feed, health)
        except SourceError as error:
            health.failed(self._clock(), feed.redacted(error))
        except Exception as error:  # noqa: BLE001 - a fault in one adapter must not take the others down
            detail = feed.without_key(f"{type(error).__name__}: {error}"[:200])
            health.failed(self._clock(), SourceError(Reason.PARSE, detail))
        else:
            if failure is None:
                health.succeeded(self._clock(), fresh)
            else:
                health.failed(self._clock(), feed.redacted(failure))
        health.duration.observe(asyncio.get_running_loop().time() - began)
        # Who was asleep, or cut off from the others, finds out first whether it still speaks for them.
        await self._gate.begins()
        self.publish(self._clock())

    async def _hear(self, feed: Feed, health: Health) -> tuple[SourceError | None, int]:
        """What failed of one poll, and how many numbers it gave; an answer to what is asked no longer gives none."""
        asked, codes = self.targets.request_key(feed.id), self.targets.codes(feed.id)
        reply = await self.ask(feed, codes)
        earlier = await self._earlier(feed, codes, reply)
        health.rows_skipped += len(reply.skipped)
        if asked != self.targets.request_key(feed.id):
            return reply.failure, 0
        return self._store.take(self.targets, health, replace(reply, ticks=reply.ticks + earlier), self._clock())

    async def _earlier(self, feed: Feed, codes: Sequence[str], reply: Reply) -> tuple[Tick, ...]:
        """Tables that a start or a silence has missed: in the evening the one in force, and the one before.

        It is what a first table is judged by, and its own publisher's word for the change of the day.
        """
        dates = {tick.as_of for tick in reply.ticks if tick.symbol in codes and tick.price_type is PriceType.FIXING}
        if feed.adapter.earlier is None or not dates:
            return ()
        oldest, now = min(dates), self._clock()
        # Another one may be in force from midnight on, though the newest is still the same.
        today = now.astimezone(oldest.tzinfo).date()
        if self._looked_back.get(feed.id) == (max(dates), today):
            return ()
        in_force = max((date for date in dates if date <= now), default=None)
        due = feed.calendar.previous(in_force or oldest)
        if oldest < (in_force or oldest) or self._store.knows_before(feed.id, in_force or oldest, due):
            self._looked_back[feed.id] = max(dates), today
            return ()
        found: list[Tick] = []
        # The newest table is known all the same; what is missing is asked for again with the next.
        with suppress(SourceError):
            if in_force is None:
                found += (await ask_earlier(self._fetcher, feed, codes, today)).ticks
            in_force = min([oldest, *(tick.as_of for tick in found)])
            found += (await ask_earlier(self._fetcher, feed, codes, in_force.date() - timedelta(days=1))).ticks
            self._looked_back[feed.id] = max(dates), today
        return tuple(tick for tick in found if tick.as_of < oldest)

    def publish(self, now: datetime) -> Snapshot:
        """Put on the board what the candidates of this moment say; the same quotes again are no new version."""
        last, memories = self._board.selected(now), dict(self._state.memories)
        choices = self._state.choices(self.targets, self._store, last, now)
        quotes = tuple(choice.quote for choice in choices)
        if memories != self._state.memories:
            # Before the number itself: whoever takes over knows of a doubt at least as early as of what is shown.
            kept = dict(self._state.memories)
            self._remember(lambda: encode(kept))
        if last.repeats(quotes):
            self._board.check({quote.symbol: quote.checked_at for quote in quotes if quote.checked_at})
        else:
            after = last.follow(quotes, now)
            self._tell_why(after, choices)
            self._board.put(after, now)
        self.age(now)
        self._provisional = any(choice.provisional for choice in choices)
        self._ask(frozenset(source for choice in choices for source in choice.ask_now))
        return self._board.latest

    def age(self, now: datetime) -> bool:
        """Let time pass on the board and report what that changes, as at midnight; whether it changed anything."""
        shown = self._board.selected(now)
        changed = shown.version != self._reported
        if changed:
            self._reported = shown.version
            if self._gate.on:
                if shown.version != self._explained.version:
                    # Time alone has changed it: why it is shown now is a decision too.
                    self._tell_why(shown, self._state.choices(self.targets, self._store, shown, now))
                self._report(shown)
        return changed

    def _tell_why(self, after: Snapshot, choices: Sequence[Choice]) -> None:
        self._explain(self._explained, after, [(self._state.questions[each.quote.symbol], each) for each in choices])
        self._explained = after

    def _ask(self, witnesses: frozenset[str]) -> None:
        for source in witnesses - self._waiting:
            self._poll_now(source)
        self._waiting = witnesses

    def look_again(self, now: datetime) -> None:
        """Let time pass, and decide anew where it changes what is shown or a number waits for a witness.

        Who is about to be late is followed by another before anybody reads of it.
        """
        turns_at = self._board.latest_selected.turns_at(now)
        soon = turns_at is not None and turns_at <= now + SOON
        if (self.age(now) or soon or self._waiting or self._provisional) and self._gate.on:
            self.publish(now)

    def forget(self) -> None:
        """Know no more than the board shows and its memory: what was last heard may be older than what others heard."""
        self._store = CandidateStore()
        self._waiting = frozenset()
        self._looked_back.clear()

    def take_over(self, text: str) -> None:
        """Remember what another replica remembered."""
        self._state.memories.update(decode(text))

    def shows(self, version: int) -> None:
        """Note that the board shows what another replica has reported already."""
        self._reported, self._explained = version, self._board.latest_selected

    def checkpoint(self) -> Callable[[], None]:
        """What forgets everything that was learnt after this moment: a recording begins again there."""
        marks = [self._store.checkpoint(), self._state.checkpoint()]
        waiting = self._waiting
        asked = {source: health.last_success for source, health in self.health.items()}

        def back() -> None:
            for each in marks:
                each()
            self._waiting = waiting
            for source, when in asked.items():
                self.health[source].last_success = when

        return back

    def reload(self, targets: PollTargets) -> set[str]:
        """Go on with another configuration, at once and without a gap; the sources that must now be asked anew.

        Numbers that still mean the same stay; an answer on its way that was asked for otherwise will be dropped.
        """
        now, before = self._clock(), self.targets
        self.targets = targets
        self._store.migrate(before, targets, now)
        # The same objects: metrics and handlers read them.
        kept = {source: self.health.get(source) or Health(source) for source in targets.feeds}
        self.health.clear()
        self.health.update(kept)
        self._migrate(now)
        if self._gate.on:
            self.publish(now)
        return {source for source in targets.feeds if before.request_key(source) != targets.request_key(source)}

    def _migrate(self, now: datetime) -> None:
        last = self._board.selected(now)
        quotes = migrate_quotes(last, self.targets.instruments, now)
        if quotes == last.quotes:
            return
        # Who follows goes one step ahead of what it shows, and never ahead of what the leader will say of it.
        carried = last.follow(quotes, now) if self._gate.on else replace(last, version=last.version + 1, quotes=quotes)
        self._board.put(carried, now)
        self.age(now)
