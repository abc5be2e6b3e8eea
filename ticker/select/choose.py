"""The decision, top to bottom.

1. A slip of nominal or direction, and a fixing older than the one shown, are out.
2. The most preferred source that is on time leads; a fallback only where those before it are late.
3. A leader that nobody supports gives way to two that agree against it. One dissenter alone never moves the number.
4. What another source confirms is published at once, a jump as well.
5. What nobody confirms is published if it is an ordinary move; a jump, a contradicted number and a disputed fixing are
   held: the last good quote stays, marked, until another source or the source's next publication confirms it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from ticker.quotes import Candidate, Quote, Reason, Status
from ticker.select import doubt
from ticker.select.agreement import are_copies, peers, supporters
from ticker.select.publish import keep, publish
from ticker.select.question import Choice, Memory, Overruled, Question


def choose(ask: Question) -> Choice:
    """The quote that the candidates allow, or the last good one, marked, where they allow none."""
    usable = [c for c in ask.candidates if c.as_of + ask.instrument.max_age > ask.now]
    slipped = [c for c in usable if doubt.slipped(ask, c, usable)]
    sound = [c for c in usable if c not in slipped and not doubt.older(ask, c)]
    overruled: Overruled = tuple((c.source, Reason.UNIT) for c in slipped)
    if not sound:
        # Answers that are all past `max_age`, or older than what is shown, come from sources that stand still, unless
        # the preferred one has stopped answering: then that is why.
        still = Reason.FROZEN if ask.candidates and ask.instrument.sources[0] not in ask.failures else None
        reason = Reason.UNIT if slipped else still
        return Choice(keep(ask, reason), ask.memory, overruled)
    leader = _leader(ask, sound)
    # Copies that were asked before the leader's number came cannot speak against it.
    winner = leader if doubt.unheard(ask, leader) else _outvoted(ask, leader, sound)
    if winner is not leader:
        overruled = (*overruled, (leader.source, Reason.DISAGREE))
    return _weigh(ask, winner, sound, overruled)


def _leader(ask: Question, sound: Sequence[Candidate]) -> Candidate:
    """On time before late, then by preference; where all are late, the newest."""
    fresh = [c for c in sound if ask.fresh(c)]
    return min(fresh, key=ask.rank) if fresh else max(sound, key=lambda c: (c.as_of, -ask.rank(c)))


def _outvoted(ask: Question, leader: Candidate, sound: Sequence[Candidate]) -> Candidate:
    """The best of two or more that agree against a leader nobody supports, else the leader."""
    if supporters(ask, leader, sound):
        return leader
    others = peers(ask, leader, sound)
    return next((c for c in others if supporters(ask, c, others)), leader)


def _weigh(ask: Question, winner: Candidate, sound: Sequence[Candidate], overruled: Overruled) -> Choice:
    settled = doubt.settled(ask, winner, sound)
    if ask.memory.unproven and not settled and winner.source in ask.contradicted:
        # The first number since the start, no second source, and a cross-check against it: not known after all.
        unknown = Quote(ask.instrument, reason=Reason.DISAGREE)
        return Choice(unknown, Memory(), (*overruled, (winner.source, Reason.DISAGREE)))
    if ask.repeats(winner) or settled:
        return _accept(ask, winner, sound, overruled)
    reason = doubt.doubt(ask, winner, sound)
    witnesses = doubt.unheard(ask, winner)
    if reason is Reason.DISAGREE and witnesses:
        # Copies that were asked before this number came may say the same when they are asked again.
        return Choice(keep(ask, None), ask.memory, overruled, witnesses)
    if reason is not None and not doubt.confirmed(ask, winner, sound):
        return _hold(ask, winner, sound, reason, (*overruled, (winner.source, reason)), witnesses)
    if witnesses:
        return Choice(keep(ask, None), ask.memory, overruled, witnesses)
    return _accept(ask, winner, sound, overruled)


def _hold(
    ask: Question,
    doubted: Candidate,
    sound: Sequence[Candidate],
    reason: Reason,
    overruled: Overruled,
    witnesses: tuple[str, ...],
) -> Choice:
    """Keep the last good quote and remember the doubted number, the first of its level, for its confirmation."""
    held = ask.memory.pending
    again = held is not None and held.source == doubted.source and not doubt.jumps(ask, doubted, held.price, held.as_of)
    memory = replace(ask.memory, pending=held if again else doubted)
    last = ask.shown
    late = last is None or last.at(ask.now).status is not Status.FRESH
    others = [c for c in sound if c is not doubted and doubt.calm(ask, c)]
    if reason is Reason.MOVE and late and others:
        # What was kept has grown old while another source is on time and has not jumped.
        return Choice(publish(ask, min(others, key=ask.rank), sound), memory, overruled)
    return Choice(keep(ask, reason, sound), memory, overruled, witnesses)


def _accept(ask: Question, winner: Candidate, sound: Sequence[Candidate], overruled: Overruled) -> Choice:
    quote = publish(ask, winner, sound)
    near = supporters(ask, winner, sound)
    dissent = [c for c in peers(ask, winner, sound) if c not in near]
    reasons = dict(overruled)
    if ask.instrument.sources[0] in reasons and ask.rank(winner) > 0:
        quote = replace(quote, reason=reasons[ask.instrument.sources[0]])
    elif (dissent or winner.source in ask.contradicted) and not near:
        quote = replace(quote, reason=quote.reason or Reason.DISAGREE)
    told = dict.fromkeys((*overruled, *((c.source, Reason.DISAGREE) for c in dissent)))
    return Choice(quote, _remember(ask, winner, near, dissent), tuple(told))


def _remember(ask: Question, winner: Candidate, near: Sequence[Candidate], dissent: Sequence[Candidate]) -> Memory:
    ratios = {c.source: c.price / winner.price for c in (*near, *dissent)}
    told = {source: ratio for source, ratio in ratios.items() if abs(ratio - 1) <= ask.instrument.tolerance}
    # Who is late or silent just now still stands where it stood to the one that speaks.
    known, unit = ask.memory.offsets, ask.memory.offsets.get(winner.source)
    kept = {} if unit is None else {source: offset / unit for source, offset in known.items()}
    # The same number again is no news of where the others stand to it; only who is new is learnt.
    offsets = {**told, **kept} if ask.repeats(winner) else {**kept, **told}
    offsets[winner.source] = Decimal(1)
    lost = {c.source for c in dissent if are_copies(winner, c)}
    trusted = {winner.source, *(c.source for c in near)}
    first = ask.shown is None or (ask.memory.unproven and ask.repeats(winner))
    return Memory(None, first and not near, offsets, (ask.memory.distrusted | lost) - trusted)
