"""Why a number that no other source supports is not simply believed, and what ends the doubt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from ticker.quotes import Candidate, PriceType, Reason
from ticker.select.agreement import disputing, peers, supporters
from ticker.select.question import Question
from ticker.validate import Case, slips

# How long a new fixing waits for its copies to be asked once; a copy that does not answer in that time is no witness.
PATIENCE = timedelta(minutes=2)
# A market prints every minute. While another one on time denies it, what it prints three hours later is its next word.
_STANDS_BY_IT = timedelta(hours=3)


def slipped(ask: Question, candidate: Candidate, usable: Sequence[Candidate]) -> bool:
    """Ten times or the inverse of what is shown, and nobody else says so: the next publication would slip as well."""
    calendar = ask.calendars[candidate.source]
    case = Case(candidate, ask.instrument, calendar, ask.shown, ask.now)
    return slips(case) and not supporters(ask, candidate, usable)


def settled(ask: Question, candidate: Candidate, sound: Sequence[Candidate]) -> bool:
    """Whether another source says the same, and none that says the same stands by a copy with another number.

    A source that rounds agrees with two copies that differ in their last digits, and so decides nothing between them.
    """
    if not supporters(ask, candidate, sound):
        return False
    others = [c for c in sound if c is not candidate]
    return not any(supporters(ask, rival, others) for rival in disputing(ask, candidate, sound))


def older(ask: Question, candidate: Candidate) -> bool:
    """An older fixing than the one shown: an upstream's cache that lags is no reason to go back."""
    last = ask.shown
    if last is None or last.as_of is None or last.price_type is not candidate.price_type:
        return False
    return candidate.price_type is PriceType.FIXING and candidate.as_of < last.as_of


def doubt(ask: Question, candidate: Candidate, sound: Sequence[Candidate]) -> Reason | None:
    """The reason to hold an unsupported number, or None.

    A first number is measured by what its own answer says of the publication before it, where it says anything.
    """
    if jumps(ask, candidate, *_before(ask, candidate)):
        return Reason.MOVE
    if candidate.source in ask.contradicted or (ask.shown is not None and disputing(ask, candidate, sound)):
        return Reason.DISAGREE
    return Reason.FROZEN if relabelled(ask, candidate) else None


def _before(ask: Question, candidate: Candidate) -> tuple[Decimal | None, datetime | None]:
    last = ask.shown
    return (candidate.previous, candidate.previous_as_of) if last is None else (last.price, last.as_of)


def jumps(ask: Question, candidate: Candidate, price: Decimal | None, as_of: datetime | None) -> bool:
    """Whether the candidate is further from `price` than the instrument may move in the time between the two."""
    if price is None or as_of is None:
        return False
    # Volatility grows with the square root of time: after a week without news twice a day's move is no alarm.
    days = Decimal(max(1, (candidate.as_of - as_of) // timedelta(days=1)))
    return abs(candidate.price / price - 1) > ask.instrument.max_move * days.sqrt()


def relabelled(ask: Question, candidate: Candidate) -> bool:
    """Yesterday's fixing under today's date, to the last digit: a cache that stamps what it has."""
    last = ask.shown
    if last is None or last.as_of is None or candidate.price_type is not PriceType.FIXING:
        return False
    return last.price == candidate.price and last.as_of < candidate.as_of and candidate.price_type is last.price_type


def calm(ask: Question, candidate: Candidate) -> bool:
    """On time, and an ordinary move from what is shown, or from its own publication before."""
    if not ask.fresh(candidate) or candidate.source in ask.contradicted:
        return False
    price, as_of = _before(ask, candidate)
    return price is not None and not jumps(ask, candidate, price, as_of) and not relabelled(ask, candidate)


def confirmed(ask: Question, candidate: Candidate, sound: Sequence[Candidate]) -> bool:
    """By the source's next publication standing where the held one stood."""
    held = ask.memory.pending
    if held is None or candidate.source != held.source or candidate.as_of <= held.as_of:
        return False
    if candidate.source in ask.contradicted:
        return False
    if jumps(ask, candidate, held.price, held.as_of):
        return False
    denied = candidate.price_type is not PriceType.FIXING and peers(ask, candidate, sound)
    return not denied or candidate.as_of - held.as_of >= _STANDS_BY_IT


def unheard(ask: Question, winner: Candidate) -> tuple[str, ...]:
    """The copies of a new fixing that are alive and have not been asked since it came: they are asked now."""
    if winner.price_type is not PriceType.FIXING or ask.now - winner.fetched_at > PATIENCE:
        return ()
    if ask.shown is None or ask.repeats(winner):
        return ()
    copies = [c for c in ask.candidates if c.source != winner.source and c.publisher == winner.publisher]
    alive = [c.source for c in copies if c.source not in ask.failures and c.price_type is PriceType.FIXING]
    return tuple(source for source in alive if ask.asked.get(source, ask.now) < winner.fetched_at)
