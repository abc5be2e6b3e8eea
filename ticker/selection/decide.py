"""The decision for one instrument, top to bottom: claims, findings, rules, the quote that follows, what to remember.

Pure and without memory of its own: what must be remembered comes in as a `SelectionMemory` and goes out in the
`Choice`. The rules themselves are the table in `rules`; the findings that they ask for are made in `evidence`
(fixings) and `markets`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from ticker.calendars import Session
from ticker.calendars.kind import fresh_until
from ticker.quotes import Agreement, Candidate, PriceType, Quote, Reason, Status, Upcoming
from ticker.selection import evidence, markets
from ticker.selection.evidence import (
    CROSSES,
    Claim,
    Evidence,
    SelectionInput,
    Verdict,
    Witness,
    claims_of,
    equal_digits,
    moved,
    ordinary,
    statements,
)
from ticker.selection.memory import Confirmed, Doubt, SelectionMemory
from ticker.selection.rules import FIXING, MARKET, Belief, Rule, decide

# Sources with the reason for which each was overruled.
Overruled: TypeAlias = tuple[tuple[str, Reason], ...]
# What is asked again because of a number in doubt is waited for so long before anything is said of it.
_QUIET = timedelta(minutes=2)
_REMEMBERED_DATES, _REMEMBERED_DOUBTS = 4, 8
_DOUBTS_LAST = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Choice:
    """The quote to publish, what to remember, why, who was overruled for which reason, and whom to ask at once.

    A `provisional` one waits for witnesses and is to be made anew in a moment.
    """

    quote: Quote
    memory: SelectionMemory
    evidence: Evidence
    overruled: Overruled = ()
    ask_now: tuple[str, ...] = ()
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim and the rule that decided it."""

    claim: Claim
    rule: Rule

    @property
    def believed(self) -> bool:
        """Whether it may be shown."""
        return self.rule.belief is Belief.BELIEVED


@dataclass(frozen=True, slots=True)
class Table:
    """What was made of one date of a publisher: the claim that is believed, if any, and all of them."""

    as_of: datetime
    believed: Judged | None
    judged: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """What the sources of the instrument's own kind allow: the quote, the rule, every claim, and what to remember."""

    quote: Quote
    rule: str
    judged: tuple[Judged, ...]
    memory: SelectionMemory
    ask_now: tuple[str, ...] = ()


def choose(ask: SelectionInput) -> Choice:
    """The quote that the candidates allow; the last good one, marked, where they allow none."""
    publisher = own_publisher(ask)
    own = _market(ask) if publisher is None else _fixing(ask, publisher)
    if ask.provisional:
        # The first answers of a start may be the wrong ones: nothing is learnt before all have spoken.
        stale = max(own.quote.status, Status.STALE, key=[*Status].index)
        own = replace(own, quote=replace(own.quote, status=stale), memory=ask.memory)
    quote, rule = _fallback(ask, own)
    overruled = tuple(
        (c.source, j.rule.reason)
        for j in own.judged
        if j.rule.reason is not None and not j.believed
        for c in j.claim.candidates
    )
    why = Evidence(
        symbol=ask.instrument.symbol,
        decided_at=ask.now,
        rule=rule,
        price=quote.price,
        as_of=quote.as_of,
        status=quote.status,
        witnesses=_witnesses(ask, own, quote),
        memory=ask.memory,
    )
    return Choice(quote, own.memory, why, tuple(dict.fromkeys(overruled)), own.ask_now, ask.provisional)


def own_publisher(ask: SelectionInput) -> str | None:
    """Whose fixing the instrument is; None where it is a market's price or an indicative rate."""
    sources, shown = ask.instrument.sources, ask.shown
    if shown is not None and shown.source in sources and shown.price_type is PriceType.FIXING:
        return shown.publisher
    best = min((c for c in ask.candidates if c.source in sources), key=ask.rank, default=None)
    return best.publisher if best and best.price_type is PriceType.FIXING and not best.derived else None


# A fixing.


def _fixing(ask: SelectionInput, publisher: str) -> Own:
    tables = _tables(ask, publisher)
    judged = tuple(each for table in tables for each in table.judged)
    latest = ask.instrument.rate == "latest"
    ahead = [] if latest else [table for table in tables if table.as_of > ask.now]
    behind = [table for table in tables if table not in ahead]
    shown = next((table for table in reversed(behind) if table.believed is not None), None)
    quote, rule = _in_force(ask, shown, tables)
    quote = _doubted(quote, [t for t in behind if t.believed is None and _not_before(t, quote)])
    asks = _unheard(ask, tables, publisher)
    last = ask.shown
    if asks and last is not None and shown is not None and (last.price, last.as_of) == (quote.price, quote.as_of):
        # Copies that were asked before a change came may say the same when they are asked again: no dispute yet.
        quote = replace(quote, source=last.source, fallback=last.fallback, reason=last.reason)
        judged = tuple(each for each in judged if each.believed or each.claim.as_of != quote.as_of)
    if ahead:
        quote = replace(quote, upcoming=_upcoming(ask, ahead[0], quote, tables))
    known = max((t.as_of for t in tables if t.believed is not None), default=quote.as_of)
    if known is not None and quote.source is not None:
        calendar = ask.calendars.get(quote.source)
        quote = replace(quote, next_update_at=calendar.next_update(known, ask.now) if calendar else None)
    return Own(quote.at(ask.now), rule, judged, _remember(ask, tables), asks)


def _tables(ask: SelectionInput, publisher: str) -> list[Table]:
    """Every date of which something is said, oldest first; whose newest number is refuted is doubted about others."""
    tables = _judged(ask, publisher, frozenset())
    newest = {c.source: table for table in tables for j in table.judged for c in j.claim.candidates}
    refuted = {
        source
        for source, table in newest.items()
        for j in table.judged
        if table.believed is not None and j.rule.belief is Belief.REFUSED and _says(j, source)
    }
    return _judged(ask, publisher, frozenset(refuted)) if refuted else tables


def _judged(ask: SelectionInput, publisher: str, refuted: frozenset[str]) -> list[Table]:
    """Each date is judged by what is believed of those before."""
    said = statements(ask, publisher)
    found: list[Table] = []
    for as_of in (dates := sorted(said)):
        before = _before(ask, found, as_of)
        claims = claims_of(ask, said[as_of], publisher)
        claims = evidence.examine(ask, claims, before, [said[each] for each in dates], refuted)
        judged = tuple(Judged(claim, decide(claim, FIXING)) for claim in claims)
        believed = min((j for j in judged if j.believed), key=lambda j: FIXING.index(j.rule), default=None)
        found.append(Table(as_of, believed, judged))
    return found


def _before(ask: SelectionInput, tables: Sequence[Table], as_of: datetime) -> Confirmed | None:
    """The newest number believed for a date before `as_of`: of what is said now, else of what is remembered."""
    disputed = {table.as_of for table in tables if table.believed is None}
    found = [each for each in ask.memory.confirmed if each.as_of < as_of and each.as_of not in disputed]
    for table in tables:
        if table.believed is not None:
            claim = table.believed.claim
            found = [each for each in found if each.as_of != table.as_of]
            found.append(_confirmed(claim))
    return max(found, key=lambda each: each.as_of, default=None)


def _confirmed(claim: Claim) -> Confirmed:
    return Confirmed(claim.price, claim.as_of, claim.first.source, claim.copied, _jumped(claim))


def _jumped(claim: Claim) -> bool:
    """Whether it was a large move itself: then the next one may be as well."""
    move = claim.findings.get("move")
    return move is not None and move.figure is not None and move.limit is not None and move.figure > move.limit / 2


def _in_force(ask: SelectionInput, table: Table | None, tables: Sequence[Table]) -> tuple[Quote, str]:
    last = ask.shown
    own = last is not None and last.price_type is PriceType.FIXING and last.source in ask.instrument.sources
    withdrawn = {t.as_of for t in tables if t.believed is None} - {each.as_of for each in ask.memory.confirmed}
    ahead = last is not None and last.as_of is not None and (table is None or last.as_of > table.as_of)
    if last is not None and own and ahead and last.as_of not in withdrawn:
        # The sources have gone back to an older table, or have not been asked yet: no reason to go back with them.
        reason = None if last.at(ask.now).status is Status.FRESH else _silent(ask)
        return replace(last, reason=reason, upcoming=None, instrument=ask.instrument), "kept"
    if table is None or table.believed is None:
        return Quote(ask.instrument, reason=_silent(ask)), "nothing known"
    claim, rule = table.believed.claim, table.believed.rule
    told = _number(ask, claim, table, tables)
    quote = Quote(
        instrument=ask.instrument,
        price=claim.price,
        price_type=PriceType.FIXING,
        previous=told.previous,
        previous_as_of=told.previous_as_of,
        as_of=claim.as_of,
        fetched_at=told.fetched_at,
        checked_at=told.checked_at,
        source=told.source,
        publisher=told.publisher,
        fallback=told.fallback,
        status=Status.FRESH,
        agreement=told.agreement,
        fresh_until=told.fresh_until,
        usable_until=told.usable_until,
    )
    return replace(quote, reason=_why(ask, quote.at(ask.now), table)), rule.name


def _number(ask: SelectionInput, claim: Claim, table: Table, tables: Sequence[Table]) -> Upcoming:
    """One fixing with all that is told beside it, whether it is in force or not."""
    source = claim.first.source
    previous, previous_as_of = _previous(ask, claim, tables)
    prices = [c.price for each in table.judged for c in each.claim.candidates]
    return Upcoming(
        price=claim.price,
        as_of=claim.as_of,
        fetched_at=min([c.fetched_at for c in claim.candidates], default=ask.now),
        checked_at=max([c.checked_at or c.fetched_at for c in claim.candidates]),
        source=source,
        publisher=claim.first.publisher,
        confirmed=claim.copied,
        previous=previous,
        previous_as_of=previous_as_of,
        fallback=source != ask.instrument.sources[0],
        agreement=_agreement(claim.price, [c.price for c in claim.candidates], prices),
        fresh_until=ask.calendars[source].fresh_until(claim.as_of),
        usable_until=ask.usable_until(claim.first),
    )


def _upcoming(ask: SelectionInput, table: Table, quote: Quote, tables: Sequence[Table]) -> Upcoming | None:
    """What is published and not in force yet: at once, with what speaks against it."""
    best = table.believed or next((j for j in table.judged if j.rule.belief is Belief.HELD), None)
    if best is None:
        return None
    told = _number(ask, best.claim, table, tables)
    if quote.price is not None and quote.price_type is PriceType.FIXING:
        told = replace(told, previous=quote.price, previous_as_of=quote.as_of)
    due = ask.calendars[told.source].next_update(told.as_of, told.as_of)
    return replace(told, reason=best.rule.reason, confirmed=best.believed and told.confirmed, next_update_at=due)


def _doubted(quote: Quote, doubtful: Sequence[Table]) -> Quote:
    """Stale, where something newer is in force by its date and not believed; said once its witnesses were asked."""
    if not doubtful:
        return quote
    newest = doubtful[-1]
    reason = next((j.rule.reason for j in newest.judged if j.rule.belief is Belief.HELD), None)
    reason = reason or newest.judged[0].rule.reason
    if quote.price is None:
        return replace(quote, reason=reason)
    until = min(filter(None, (quote.fresh_until, max(newest.as_of, quote.as_of or newest.as_of))))
    return replace(quote, reason=reason, fresh_until=until, status=Status.STALE)


def _not_before(table: Table, quote: Quote) -> bool:
    return quote.as_of is None or table.as_of >= quote.as_of


def _previous(ask: SelectionInput, claim: Claim, tables: Sequence[Table]) -> tuple[Decimal | None, datetime | None]:
    """The publication before: what is believed of its date, else what a copy of this one tells of it."""
    told = next((c for c in claim.candidates if c.previous is not None), None)
    due = told.previous_as_of if told else ask.calendars[claim.first.source].previous(claim.as_of)
    before = _before(ask, [t for t in tables if t.as_of < claim.as_of], claim.as_of)
    if before is not None and before.as_of == due:
        return before.price, before.as_of
    if told is not None:
        return told.previous, told.previous_as_of
    last = ask.last
    if last is not None and last.as_of == claim.as_of and last.price == claim.price:
        return last.previous, last.previous_as_of
    return None, None


def _why(ask: SelectionInput, quote: Quote, table: Table) -> Reason | None:
    """Why the number is not the first choice on time: what keeps the preferred source from speaking."""
    first = ask.instrument.sources[0]
    if quote.source != first:
        other = next((j for j in table.judged if not j.believed and _says(j, first)), None)
        if other is not None:
            return other.rule.reason
        answered = any(c.source == first for c in ask.candidates)
        return ask.failures.get(first, Reason.FROZEN if answered else None)
    return None if quote.status is Status.FRESH else _silent(ask)


def _silent(ask: SelectionInput) -> Reason | None:
    """Why the preferred source says nothing newer."""
    first = ask.instrument.sources[0]
    answered = any(c.source == first for c in ask.candidates)
    return ask.failures.get(first, Reason.FROZEN if answered else None)


def _says(judged: Judged, source: str) -> bool:
    return any(c.source == source for c in judged.claim.candidates)


def _agreement(price: Decimal, same: Sequence[Decimal], among: Sequence[Decimal]) -> Agreement:
    spread = (max(among) - min(among)) / price * 100 if among else Decimal(0)
    return Agreement(len(same), round(spread, 4), min(same, default=price), max(same, default=price))


def _unheard(ask: SelectionInput, tables: Sequence[Table], publisher: str) -> tuple[str, ...]:
    """The copies that are alive and have not been asked since the newest number came: they are asked now."""
    if not tables:
        return ()
    newest = tables[-1]
    claims = [j.claim for j in newest.judged]
    if len(claims) == 1 and (claims[0].copied or claims[0].favoured("said_before")):
        return ()
    came = max(c.fetched_at for claim in claims for c in claim.candidates)
    if ask.now - came > _QUIET:
        return ()
    copies = {c.source for c in ask.candidates if evidence.is_copy(ask, c, publisher)}
    copies -= {c.source for claim in claims for c in claim.candidates if c.fetched_at == came}
    alive = [source for source in ask.instrument.sources if source in copies and source not in ask.failures]
    return tuple(source for source in alive if ask.asked.get(source, ask.now) < came)


def _remember(ask: SelectionInput, tables: Sequence[Table]) -> SelectionMemory:
    confirmed = {each.as_of: each for each in ask.memory.confirmed}
    doubts = {(d.source, d.as_of, d.price): d for d in ask.memory.doubts}
    for table in tables:
        if table.believed is not None:
            claim = table.believed.claim
            before = confirmed.get(table.as_of)
            copied = claim.copied or bool(before and before.copied and equal_digits(before.price, claim.price))
            jumped = _jumped(claim) or bool(before and before.jumped)
            confirmed[table.as_of] = replace(_confirmed(claim), copied=copied, jumped=jumped)
            doubts = {k: d for k, d in doubts.items() if not _settled(ask, d, claim)}
        for judged in table.judged:
            if not judged.believed and judged.rule.reason is not None:
                for candidate in judged.claim.candidates:
                    key = (candidate.source, table.as_of, candidate.price)
                    doubts[key] = _doubt(ask, candidate, judged.rule, doubts.get(key))
    last = [d for d in doubts.values() if ask.now - d.as_of < _DOUBTS_LAST]
    return replace(
        ask.memory,
        confirmed=tuple(sorted(confirmed.values(), key=lambda c: c.as_of)[-_REMEMBERED_DATES:]),
        doubts=tuple(sorted(last, key=lambda d: (d.as_of, d.source))[-_REMEMBERED_DOUBTS:]),
    )


def _settled(ask: SelectionInput, doubt: Doubt, claim: Claim) -> bool:
    """Whether a doubt is of no use any more, now that its source says a number that is believed.

    What was refuted is forgotten only when a copy says the same as its source again; what was merely in doubt when a
    later table is in force.
    """
    if doubt.source not in {c.source for c in claim.candidates} or doubt.as_of > claim.as_of:
        return False
    if doubt.as_of == claim.as_of and doubt.price == claim.price:
        return True
    return claim.copied if doubt.refuted else doubt.as_of == claim.as_of or claim.as_of <= ask.now


def _doubt(ask: SelectionInput, candidate: Candidate, rule: Rule, before: Doubt | None) -> Doubt:
    refuted = rule.belief is Belief.REFUSED
    if before is not None and before.price == candidate.price:
        return replace(before, reason=rule.reason or before.reason, refuted=before.refuted or refuted)
    code = candidate.contract.code if candidate.contract else None
    reason = rule.reason or Reason.DISAGREE
    return Doubt(candidate.source, candidate.price, candidate.as_of, ask.now, reason, refuted, code)


# A market, or an indicative rate.


def _market(ask: SelectionInput) -> Own:
    prints = _prints(ask)
    # What the first answer of a start has put there is no measure yet.
    known = ask.shown is not None and ask.shown.source in ask.instrument.sources and ask.memory.confirmed
    shown = ask.shown if known else None
    current = sorted((c for c in prints if markets.is_current(ask, c)), key=ask.rank)
    resting = sorted((c for c in prints if c not in current), key=lambda c: (c.as_of, -ask.rank(c)), reverse=True)
    judged = tuple(_judge(ask, each, prints, shown) for each in (*current, *resting))
    believed = [each for each in judged if each.believed]
    speaker = believed[0] if believed else None
    open_ = judged[: len(current)]
    others = [each for each in open_ if each.believed]
    # Of the markets in session the first that is not believed, where none before it is.
    held = next(iter(open_), None)
    held = None if held is None or held.believed else held
    memory = _learn(ask, open_, speaker, [c for c in prints if c in current])
    asks = _second(ask, held, current) if held is not None else ()
    reason = held.rule.reason if held is not None else None
    if held is not None and others and shown is not None and _patient(ask, held, memory):
        return Own(_kept(ask, shown, reason, prints, stale=False), "kept", judged, memory, asks)
    going_back = speaker is not None and not others and _older(speaker, shown, or_as_old=held is not None)
    if speaker is None or going_back:
        if shown is None and held is not None and held.rule.name == "markets differ" and _nearly(ask, held, prints):
            # Two markets a little apart at a start: the preferred one's number, and not called fresh.
            quote = replace(_print(ask, held.claim.first, prints, reason), status=Status.STALE)
            return Own(quote, held.rule.name, judged, memory, asks)
        if shown is None:
            return Own(Quote(ask.instrument, reason=reason or _still(ask)), "nothing known", judged, memory, asks)
        return Own(_kept(ask, shown, reason, prints, stale=held is not None), "kept", judged, memory, asks)
    quote = _print(ask, speaker.claim.first, prints, reason)
    if held is not None and not others:
        quote = replace(quote, status=Status.STALE, fresh_until=min(ask.now, quote.fresh_until or ask.now))
    return Own(quote.at(ask.now), speaker.rule.name, judged, memory, asks)


def _nearly(ask: SelectionInput, held: Judged, prints: Sequence[Candidate]) -> bool:
    """Whether two markets that differ are within the instrument's tolerance of each other all the same."""
    one = held.claim.first
    others = [c.price for c in prints if c is not one and markets.is_current(ask, c)]
    return any(moved(one.price, price) <= ask.instrument.tolerance for price in others)


def _older(speaker: Judged, shown: Quote | None, *, or_as_old: bool) -> bool:
    if shown is None or shown.as_of is None:
        return False
    return speaker.claim.as_of < shown.as_of or (or_as_old and speaker.claim.as_of == shown.as_of)


def _prints(ask: SelectionInput) -> list[Candidate]:
    """The newest print of each source that can still be shown."""
    newest: dict[str, Candidate] = {}
    for each in sorted(ask.candidates, key=lambda c: (c.as_of, c.fetched_at)):
        own = each.source in ask.instrument.sources and each.price_type is not PriceType.FIXING
        in_force = each.as_of <= max(ask.now, ask.calendars[each.source].latest(ask.now) if own else ask.now)
        traded = own and isinstance(ask.calendars[each.source], Session)
        if own and in_force and ask.now < ask.usable_until(each) and (traded or each.as_of <= ask.now):
            newest[each.source] = each
    return sorted(newest.values(), key=ask.rank)


def _judge(ask: SelectionInput, one: Candidate, prints: Sequence[Candidate], shown: Quote | None) -> Judged:
    others = [other for other in prints if other.source != one.source]
    claim = markets.examine(ask, one, others, shown)
    return Judged(claim, decide(claim, MARKET))


def _still(ask: SelectionInput) -> Reason | None:
    """Why there is no print at all: answers past their age come from sources that stand still."""
    first = ask.instrument.sources[0]
    return ask.failures.get(first) or (Reason.FROZEN if ask.candidates else None)


def _patient(ask: SelectionInput, held: Judged, memory: SelectionMemory) -> bool:
    """Whether a preferred market has been denied for so short a time that its last good print still stands."""
    since = [d.since for d in memory.doubts if d.source == held.claim.first.source]
    return bool(since) and ask.now - min(since) < _QUIET


def _second(ask: SelectionInput, held: Judged, current: Sequence[Candidate]) -> tuple[str, ...]:
    """The other markets on time that have not been asked since the print in doubt came."""
    came = held.claim.first.fetched_at
    others = [c.source for c in current if c.source != held.claim.first.source and c.source not in ask.failures]
    return tuple(source for source in others if ask.asked.get(source, ask.now) < came)


def _print(ask: SelectionInput, one: Candidate, prints: Sequence[Candidate], reason: Reason | None) -> Quote:
    calendar, source = ask.calendars[one.source], one.source
    others = [c for c in prints if c is not one and markets.is_current(ask, c) and markets.is_current(ask, one)]
    near = [c for c in others if markets.agrees(ask, one, c)]
    last = ask.last
    again = last is not None and (last.price, last.as_of, last.source) == (one.price, one.as_of, source)
    if reason is None and others and not near:
        reason = Reason.DISAGREE
    if reason is None and source != ask.instrument.sources[0] and not markets.is_current(ask, one):
        reason = _silent(ask)
    quote = Quote(
        instrument=ask.instrument,
        price=one.price,
        price_type=one.price_type,
        previous=one.previous,
        previous_as_of=one.previous_as_of,
        as_of=one.as_of,
        fetched_at=(last.fetched_at if last and again else None) or one.fetched_at,
        checked_at=one.checked_at or one.fetched_at,
        source=source,
        publisher=one.publisher,
        contract=one.contract,
        fallback=source != ask.instrument.sources[0],
        status=Status.FRESH,
        agreement=_agreement(one.price, [one.price, *(c.price for c in near)], [one.price, *(c.price for c in others)]),
        fresh_until=_fresh_until(ask, one),
        usable_until=ask.usable_until(one),
    )
    quote = _timed(ask, quote, one.as_of)
    if reason is None and quote.at(ask.now).status is not Status.FRESH:
        reason = _silent(ask)
    elif reason is None and source != ask.instrument.sources[0] and calendar is not None:
        reason = ask.failures.get(ask.instrument.sources[0])
    return replace(quote, reason=reason)


def _fresh_until(ask: SelectionInput, one: Candidate) -> datetime:
    kind = [ask.calendars[source] for source in ask.instrument.sources if source in ask.calendars]
    return fresh_until(ask.calendars[one.source], kind, one.as_of)


def _timed(ask: SelectionInput, quote: Quote, as_of: datetime) -> Quote:
    """With what changes by time alone: its market open or closed, and when something newer is due."""
    calendar = ask.calendars.get(quote.source or "")
    if calendar is None:
        return replace(quote, next_update_at=None)
    due = [calendar.next_update(as_of, ask.now)]
    market, turns = calendar.market(ask.now, as_of), None
    if isinstance(calendar, Session):
        session = calendar.session_at(ask.now)
        turns = session.closes if session else calendar.next_open(ask.now)
        kind = [ask.calendars[source] for source in ask.instrument.sources if source in ask.calendars]
        due += [each.next_update(as_of, ask.now) for each in kind if isinstance(each, Session)]
    known = [each for each in due if each is not None]
    return replace(
        quote,
        market=market,
        market_turns_at=turns,
        next_update_at=min(known) if len(known) == len(due) else None,
    )


def _kept(
    ask: SelectionInput, shown: Quote, reason: Reason | None, prints: Sequence[Candidate], *, stale: bool
) -> Quote:
    """The last good print, with the reason why nothing newer is shown; `stale` at once where there is something."""
    quote = replace(shown, instrument=ask.instrument)
    if stale:
        quote = replace(quote, status=Status.STALE, fresh_until=min(ask.now, shown.fresh_until or ask.now))
    if shown.as_of is not None:
        quote = _timed(ask, quote, shown.as_of)
    quote = quote.at(ask.now)
    if reason is None and quote.status is not Status.FRESH:
        reason = _silent(ask)
    if reason is not None and quote.price is not None:
        among = [c.price for c in prints if markets.is_current(ask, c)]
        price = quote.price
        near = [each for each in among if moved(each, price) <= ask.instrument.tolerance]
        agreement = _agreement(price, near, [*among, price]) if among else quote.agreement
        quote = replace(quote, agreement=agreement)
    return replace(quote, reason=reason)


def _learn(
    ask: SelectionInput, judged: Sequence[Judged], speaker: Judged | None, current: Sequence[Candidate]
) -> SelectionMemory:
    """Differences of pairs that corroborate each other, and doubts about the prints that are not believed."""
    memory = ask.memory
    doubts = {d.source: d for d in memory.doubts if ask.now - d.as_of < _DOUBTS_LAST}
    for each in judged:
        one = each.claim.first
        if each.believed:
            dissents = speaker is not None and speaker is not each and each.claim.denied("second_market")
            far = each.claim.findings["second_market"].figure if dissents else None
            if far is not None and far > 2 * ask.instrument.tolerance * Decimal("0.2"):
                # Denied by the market that speaks: alone in the night, it is not believed for saying it again.
                doubts.setdefault(one.source, replace(_print_doubt(ask, one, Reason.DISAGREE), refuted=True))
            elif speaker is each or each.claim.favoured("second_market") or one.source not in doubts:
                doubts.pop(one.source, None)
            continue
        before = doubts.get(one.source)
        fresh = _print_doubt(ask, one, each.rule.reason or Reason.DISAGREE)
        refuted = each.rule.belief is Belief.REFUSED
        same = before is not None and moved(one.price, before.price) <= ask.instrument.max_move * Decimal("0.25")
        if before is not None and (same or before.refuted):
            doubts[one.source] = replace(before, reason=fresh.reason, refuted=before.refuted or refuted)
        else:
            doubts[one.source] = replace(fresh, refuted=refuted)
    memory = replace(memory, doubts=tuple(sorted(doubts.values(), key=lambda d: d.source)))
    believed = {c.source: c for c in memory.confirmed} | {
        each.claim.first.source: _believed_print(each) for each in judged if each.believed
    }
    if speaker is not None:
        believed.setdefault(speaker.claim.first.source, _believed_print(speaker))
    memory = replace(memory, confirmed=tuple(sorted(believed.values(), key=lambda c: c.source)))
    if speaker is not None and speaker.claim.first in current:
        for each in judged:
            if each is not speaker and each.believed and markets.agrees(ask, speaker.claim.first, each.claim.first):
                memory = markets.learn(memory, speaker.claim.first, each.claim.first)
    return memory


def _believed_print(judged: Judged) -> Confirmed:
    one = judged.claim.first
    code = one.contract.code if one.contract else None
    return Confirmed(one.price, one.as_of, one.source, judged.claim.favoured("second_market"), contract=code)


def _print_doubt(ask: SelectionInput, one: Candidate, reason: Reason) -> Doubt:
    code = one.contract.code if one.contract else ""
    return Doubt(one.source, one.price, one.as_of, ask.now, reason, contract=code)


# A number of another kind.


def _fallback(ask: SelectionInput, own: Own) -> tuple[Quote, str]:
    """The own kind's quote; a fallback's, at most stale, only when the own one has been stale for long or is none."""
    quote = own.quote
    if quote.price is not None:
        since = quote.fresh_until if quote.status is not Status.FRESH else None
        if since is None or ask.now < since + ask.instrument.fallback_after:
            return quote, own.rule
    if ask.provisional:
        return quote, own.rule
    usable = [c for c in ask.candidates if _stands_in(ask, c, own)]
    alive = [c for c in usable if quote.as_of is None or c.as_of >= quote.as_of]
    sound = [c for c in alive if _plausible(ask, c, alive, quote)]
    if not sound:
        last = ask.last
        if quote.price is None and last is not None and last.source in ask.instrument.fallbacks and last.price:
            kept = replace(last, instrument=ask.instrument).at(ask.now)
            return kept, "kept"
        return quote, own.rule
    best = min(sound, key=lambda c: (not ask.fresh(c), ask.rank(c)))
    others = [c.price for c in sound if c.source != best.source and moved(c.price, best.price) <= CROSSES]
    last = ask.last
    again = last is not None and (last.price, last.as_of, last.source) == (best.price, best.as_of, best.source)
    made = Quote(
        instrument=ask.instrument,
        price=best.price,
        price_type=best.price_type,
        previous=best.previous,
        previous_as_of=best.previous_as_of,
        as_of=best.as_of,
        fetched_at=(last.fetched_at if last and again else None) or best.fetched_at,
        checked_at=best.checked_at or best.fetched_at,
        next_update_at=ask.calendars[best.source].next_update(best.as_of, ask.now),
        source=best.source,
        publisher=best.publisher,
        contract=best.contract,
        fallback=True,
        status=Status.STALE,
        reason=quote.reason or _silent(ask) or Reason.FROZEN,
        agreement=_agreement(best.price, [best.price, *others], [c.price for c in sound]),
        fresh_until=min(ask.now, quote.fresh_until or ask.now),
        usable_until=ask.usable_until(best),
        upcoming=quote.upcoming,
    )
    if last is not None and again:
        made = replace(made, fresh_until=last.fresh_until)
    return made.at(ask.now), "fallback"


def _stands_in(ask: SelectionInput, candidate: Candidate, own: Own) -> bool:
    spoke = {id(c) for j in own.judged for c in j.claim.candidates}
    in_force = candidate.as_of <= ask.now and ask.now < ask.usable_until(candidate)
    other = candidate.source in ask.instrument.fallbacks or candidate.price_type is not PriceType.FIXING
    return in_force and other and id(candidate) not in spoke


def _plausible(ask: SelectionInput, one: Candidate, among: Sequence[Candidate], own: Quote) -> bool:
    """An ordinary move from the last number of the own kind, or another publisher near it."""
    others = [c for c in among if c.publisher != one.publisher]
    near = any(moved(one.price, c.price) <= CROSSES for c in others)
    if own.price is None or own.as_of is None:
        return near or not others
    return near or moved(one.price, own.price) <= ordinary(ask, ask.calendars[one.source], own.as_of, one.as_of)


# Why.


def _witnesses(ask: SelectionInput, own: Own, quote: Quote) -> tuple[Witness, ...]:
    """Every source with its newest number, what was made of it, and the checks with their figures."""
    newest: dict[str, Candidate] = {}
    for each in sorted(ask.candidates, key=lambda c: (c.as_of, c.fetched_at)):
        newest[each.source] = each
    found = []
    for source in ask.instrument.all_sources:
        judged = next((j for j in reversed(own.judged) if _says(j, source)), None)
        found.append(_witness(ask, source, newest.get(source), judged, quote))
    return tuple(found)


def _witness(  # noqa: PLR0911 - a line for each verdict
    ask: SelectionInput, source: str, candidate: Candidate | None, judged: Judged | None, quote: Quote
) -> Witness:
    checks = tuple(judged.claim.findings.values()) if judged else ()
    if candidate is None:
        return Witness(source, Verdict.SILENT, ask.failures.get(source))
    # An older number of a source may stand while its newest is doubted: it is the newest that the verdict is on.
    if source == quote.source and (judged is None or judged.believed or candidate.price == quote.price):
        return Witness(source, Verdict.SPOKE, None, candidate, checks)
    if judged is not None and not judged.believed:
        verdict = Verdict.REFUSED if judged.rule.belief is Belief.REFUSED else Verdict.HELD
        return Witness(source, verdict, judged.rule.reason, candidate, checks)
    if source in ask.failures:
        return Witness(source, Verdict.SILENT, ask.failures[source], candidate, checks)
    if not ask.fresh(candidate):
        return Witness(source, Verdict.LATE, Reason.FROZEN, candidate, checks)
    near = quote.price is not None and moved(candidate.price, quote.price) <= max(CROSSES, ask.instrument.tolerance)
    same = judged is not None and judged.claim.copied and _says(judged, quote.source or "")
    if same or (near and judged is None) or (judged is not None and judged.claim.favoured("second_market", "candle")):
        return Witness(source, Verdict.AGREES, None, candidate, checks)
    return Witness(source, Verdict.DISSENTS, Reason.DISAGREE, candidate, checks)
