"""The decision for one instrument: its own kind's number, else another kind's, and why.

Pure and without memory of its own: what must be remembered comes in as a `SelectionMemory` and goes out in the
`Choice`. `fixings` and `markets` decide on the own kind; the rules themselves are the table in `rules`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from ticker.quotes import Candidate, PriceType, Quote, Reason, Status
from ticker.selection import fixings, markets
from ticker.selection.evidence import (
    CROSSES,
    Evidence,
    SelectionInput,
    Verdict,
    Witness,
    agreed,
    moved,
    ordinary,
    quote_of,
    repeated,
    silent,
)
from ticker.selection.memory import SelectionMemory
from ticker.selection.rules import Belief, Judged, Own

# Sources with the reason for which each was overruled.
Overruled: TypeAlias = tuple[tuple[str, Reason], ...]


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


def choose(ask: SelectionInput) -> Choice:
    """The quote that the candidates allow; the last good one, marked, where they allow none."""
    publisher = own_publisher(ask)
    own = markets.judge(ask) if publisher is None else fixings.judge(ask, publisher)
    if ask.provisional:
        # The first answers of a start may be the wrong ones: nothing is learnt before all have spoken.
        own = replace(own, quote=own.quote.marked, memory=ask.memory)
    refused = [ask.failures.get(source) for source in ask.instrument.sources]
    if refused.count(Reason.FUTURE) > 1 and None not in refused:
        # All who answer are ahead of our clock: it is our clock that is wrong, and something newer is there.
        own = replace(own, quote=replace(own.quote.marked, reason=Reason.FUTURE))
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
    last = repeated(ask, best)
    made = replace(
        quote_of(ask, best),
        next_update_at=ask.calendars[best.source].next_update(best.as_of, ask.now),
        fallback=True,
        status=Status.STALE,
        reason=quote.reason or silent(ask) or Reason.FROZEN,
        agreement=agreed(best.price, [best.price, *others], [c.price for c in sound]),
        fresh_until=min(ask.now, quote.fresh_until or ask.now) if last is None else last.fresh_until,
        upcoming=quote.upcoming,
    )
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
        judged = next((j for j in reversed(own.judged) if j.says(source)), None)
        found.append(_witness(ask, source, newest.get(source), judged, quote))
    return tuple(found)


def _witness(  # noqa: PLR0911 - a line for each verdict
    ask: SelectionInput, source: str, candidate: Candidate | None, judged: Judged | None, quote: Quote
) -> Witness:
    checks = tuple(judged.claim.findings.values()) if judged else ()
    if candidate is None:
        return Witness(source, Verdict.SILENT, ask.failures.get(source))
    if judged is not None and all(
        (c.price, c.as_of) != (candidate.price, candidate.as_of) for c in judged.claim.candidates
    ):
        # It has taken it back, or says again what it took back.
        return Witness(source, Verdict.HELD, ask.failures.get(source, Reason.DISAGREE), candidate)
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
    same = judged is not None and judged.claim.copied and judged.says(quote.source or "")
    if same or (near and judged is None) or (judged is not None and judged.claim.favoured("second_market", "candle")):
        return Witness(source, Verdict.AGREES, None, candidate, checks)
    return Witness(source, Verdict.DISSENTS, Reason.DISAGREE, candidate, checks)
