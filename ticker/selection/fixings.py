"""The decision on a fixing: the tables by date, what is believed of each, what is in force, what to remember.

The findings are made in `evidence`, the rules are `rules.FIXING`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from ticker.quotes import PriceType, Quote, Reason, Status, Upcoming
from ticker.selection import evidence
from ticker.selection.evidence import (
    QUIET,
    Claim,
    SelectionInput,
    agreed,
    claims_of,
    equal_digits,
    silent,
    statements,
    taken_back,
)
from ticker.selection.memory import DOUBTS_LAST, Confirmed, Doubt, SelectionMemory
from ticker.selection.rules import FIXING, Belief, Judged, Own, decide

_REMEMBERED_DATES, _REMEMBERED_DOUBTS = 8, 8


@dataclass(frozen=True, slots=True)
class Table:
    """What was made of one date of a publisher: the claim that is believed, if any, and all of them."""

    as_of: datetime
    believed: Judged | None
    judged: tuple[Judged, ...]

    @property
    def shown(self) -> Judged | None:
        """What may be shown of it: the believed claim, else one that is marked."""
        return self.believed or next((j for j in self.judged if j.rule.belief is Belief.MARKED), None)


def judge(ask: SelectionInput, publisher: str) -> Own:
    """What the copies of `publisher`'s tables allow."""
    tables = _tables(ask, publisher)
    judged = tuple(each for table in tables for each in table.judged)
    latest = ask.instrument.rate == "latest"
    ahead = [] if latest else [table for table in tables if table.as_of > ask.now]
    behind = [table for table in tables if table not in ahead]
    shown = next((table for table in reversed(behind) if table.shown is not None), None)
    quote, rule = _in_force(ask, shown, tables)
    quote = _doubted(quote, [t for t in behind if t.believed is None and t.as_of >= (quote.as_of or t.as_of)])
    asks = _unheard(ask, tables, publisher)
    last = ask.shown
    if asks and last is not None and shown is not None and (last.price, last.as_of) == (quote.price, quote.as_of):
        # Copies that were asked before a change came may say the same when they are asked again: no dispute yet.
        quote = replace(quote, source=last.source, fallback=last.fallback, reason=last.reason)
        judged = tuple(each for each in judged if each.believed or each.claim.as_of != quote.as_of)
    if ahead:
        quote = replace(quote, upcoming=_upcoming(ask, ahead[0], quote, tables))
    known = max((t.as_of for t in tables if t.shown is not None), default=quote.as_of)
    coming = last.upcoming if last is not None and not latest and not ahead else None
    own = coming is not None and coming.as_of > ask.now and coming.source in ask.instrument.sources
    if coming is not None and own and not taken_back(ask, coming):
        # A cache has gone back to an older table, or the sources have not been asked yet: no reason to go with it.
        quote = replace(quote, upcoming=replace(coming, previous=quote.price, previous_as_of=quote.as_of))
        known = coming.as_of if coming.reason is None else known
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
        if table.believed is not None and j.rule.belief is Belief.REFUSED and j.says(source)
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
            found = [*(each for each in found if each.as_of != table.as_of), _confirmed(table.believed.claim)]
    return max(found, key=lambda each: each.as_of, default=None)


def _confirmed(claim: Claim) -> Confirmed:
    move = claim.findings.get("move")
    # After a large move the next one may be large as well.
    jumped = move is not None and move.figure is not None and move.limit is not None and move.figure > move.limit / 2
    return Confirmed(claim.price, claim.as_of, claim.first.source, claim.copied, jumped)


def _in_force(ask: SelectionInput, table: Table | None, tables: Sequence[Table]) -> tuple[Quote, str]:
    last = ask.shown
    own = last is not None and last.price_type is PriceType.FIXING and last.source in ask.instrument.sources
    withdrawn = {t.as_of for t in tables if t.believed is None} - {each.as_of for each in ask.memory.confirmed}
    withdrawn |= {each.as_of for each in _undone(ask, tables)}
    ahead = last is not None and last.as_of is not None and (table is None or last.as_of > table.as_of)
    if last is not None and own and ahead and last.as_of not in withdrawn:
        # The sources have gone back to an older table, or have not been asked yet: no reason to go back with them.
        reason = None if last.at(ask.now).status is Status.FRESH else silent(ask)
        return replace(last, reason=reason, upcoming=None, instrument=ask.instrument), "kept"
    if table is None or table.shown is None:
        return Quote(ask.instrument, reason=silent(ask)), "nothing known"
    claim, rule = table.shown.claim, table.shown.rule
    # As it becomes the price at its midnight by time alone.
    quote = Quote(ask.instrument, upcoming=_number(ask, claim, table, tables)).at(claim.as_of)
    return replace(quote, reason=_why(ask, quote.at(ask.now), table)), rule.name


def _undone(ask: SelectionInput, tables: Sequence[Table]) -> list[Confirmed]:
    """What was believed for what came after it, is still said, and is believed no more."""
    said = {(t.as_of, j.claim.price) for t in tables if t.believed is None for j in t.judged}
    return [each for each in ask.memory.confirmed if not each.sure and (each.as_of, each.price) in said]


def _number(ask: SelectionInput, claim: Claim, table: Table, tables: Sequence[Table]) -> Upcoming:
    """One fixing with all that is told beside it, whether it is in force or not."""
    source = claim.first.source
    previous, previous_as_of = _previous(ask, claim, tables)
    prices = [c.price for each in table.judged for c in each.claim.candidates]
    # A number that is heard anew after a restart was first heard, and confirmed, before it.
    shown = [each for each in (ask.last, ask.last and ask.last.upcoming) if each]
    heard = [each for each in shown if (each.price, each.as_of) == (claim.price, claim.as_of)]
    return Upcoming(
        price=claim.price,
        as_of=claim.as_of,
        fetched_at=min(each.fetched_at for each in (*heard, *claim.candidates) if each.fetched_at),
        checked_at=max([c.checked_at or c.fetched_at for c in claim.candidates]),
        source=source,
        publisher=claim.first.publisher,
        confirmed=claim.copied or any(isinstance(each, Upcoming) and each.confirmed for each in heard),
        previous=previous,
        previous_as_of=previous_as_of,
        fallback=source != ask.instrument.sources[0],
        agreement=agreed(claim.price, [c.price for c in claim.candidates], prices),
        fresh_until=ask.calendars[source].fresh_until(claim.as_of),
        usable_until=ask.usable_until(claim.first),
    )


def _upcoming(ask: SelectionInput, table: Table, quote: Quote, tables: Sequence[Table]) -> Upcoming | None:
    """What is published and not in force yet: at once, with what speaks against it."""
    best = table.shown or next((j for j in table.judged if j.rule.belief is Belief.HELD), None)
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
        other = next((j for j in table.judged if not j.believed and j.says(first)), None)
        return silent(ask) if other is None else other.rule.reason
    return None if quote.status is Status.FRESH else silent(ask)


def _unheard(ask: SelectionInput, tables: Sequence[Table], publisher: str) -> tuple[str, ...]:
    """The copies that are alive and have not been asked since the newest number came: they are asked now."""
    if not tables:
        return ()
    newest = tables[-1]
    claims = [j.claim for j in newest.judged]
    if len(claims) == 1 and (claims[0].copied or claims[0].favoured("said_before")):
        return ()
    came = max(c.fetched_at for claim in claims for c in claim.candidates)
    if ask.now - came > QUIET:
        return ()
    copies = {c.source for c in ask.candidates if c.publisher == publisher and evidence.is_fixing(ask, c)}
    copies -= {c.source for claim in claims for c in claim.candidates if c.fetched_at == came}
    alive = [source for source in ask.instrument.sources if source in copies and source not in ask.failures]
    return tuple(source for source in alive if ask.asked.get(source, ask.now) < came)


def _remember(ask: SelectionInput, tables: Sequence[Table]) -> SelectionMemory:
    confirmed = {each.as_of: each for each in ask.memory.confirmed if each not in _undone(ask, tables)}
    for gone in {c.as_of for c in ask.candidates if taken_back(ask, c)} - {table.as_of for table in tables}:
        confirmed.pop(gone, None)
    doubts, retracted = {(d.source, d.price, d.as_of): d for d in ask.memory.doubts}, [*ask.memory.retracted]
    for table in tables:
        if table.believed is not None:
            claim, before = table.believed.claim, confirmed.get(table.as_of)
            made = confirmed[table.as_of] = _confirmed(claim)
            if before is not None:
                copied = made.copied or (before.copied and equal_digits(before.price, claim.price))
                confirmed[table.as_of] = replace(made, copied=copied, jumped=made.jumped or before.jumped)
            settled = {k: d for k, d in doubts.items() if _settled(ask, d, claim)}
            doubts = {k: d for k, d in doubts.items() if k not in settled}
            retracted += [d for d in settled.values() if d.as_of == claim.as_of and d.price != claim.price]
        for judged in table.judged:
            if not judged.believed and judged.rule.reason is not None:
                for candidate in judged.claim.candidates:
                    key = (candidate.source, candidate.price, table.as_of)
                    doubt = doubts.get(key) or Doubt(*key, ask.now, judged.rule.reason)
                    refuted = doubt.refuted or judged.rule.belief is Belief.REFUSED
                    doubts[key] = replace(doubt, reason=judged.rule.reason, refuted=refuted)
    last = [d for d in doubts.values() if ask.now - d.as_of < DOUBTS_LAST]
    return replace(
        ask.memory,
        confirmed=tuple(sorted(confirmed.values(), key=lambda c: c.as_of)[-_REMEMBERED_DATES:]),
        doubts=tuple(sorted(last, key=lambda d: (d.as_of, d.source))[-_REMEMBERED_DOUBTS:]),
        retracted=tuple(retracted[-_REMEMBERED_DOUBTS:]),
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
