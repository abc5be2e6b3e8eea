"""Which candidate speaks for an instrument: preference, agreement between sources, holding an unconfirmed jump.

Pure and without memory of its own: what must be remembered from one choice to the next (the last quote, a jump that
waits for confirmation) comes in as an argument and goes out in the `Choice`.

The rules, each in one function below:

* the most preferred source that is on time speaks; a fallback only where the preferred ones are late (`_leader`)
* only like is compared with like: the same kind of price, for the same date or both on time (`_comparable`)
* one dissenter never moves the number; two that agree against a lonely leader do (`_outvoted`)
* a jump past `max_move` waits until another source, or the same source's next publication, confirms it (`_jumps`)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ticker.quotes import Agreement, Candidate, PriceType, Quote, Reason, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ticker.calendars import Calendar
    from ticker.quotes import Instrument


@dataclass(frozen=True, slots=True)
class Choice:
    """The quote to publish, the jump that waits for confirmation, and who was overruled for which reason."""

    quote: Quote
    pending: Candidate | None = None
    overruled: tuple[tuple[str, Reason], ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """All that one choice depends on.

    `candidates` holds at most one valid candidate a source; `failures` why a source did not give one this time.
    """

    instrument: Instrument
    candidates: Sequence[Candidate]
    calendars: Mapping[str, Calendar]
    now: datetime
    last: Quote | None = None
    pending: Candidate | None = None
    failures: Mapping[str, Reason] | None = None

    def fresh(self, candidate: Candidate) -> bool:
        """Whether the candidate is as new as its source's calendar lets it be."""
        return self.now < self.calendars[candidate.source].fresh_until(candidate.as_of)

    def rank(self, candidate: Candidate) -> int:
        """The place of the candidate's source in the instrument's order of preference."""
        return self.instrument.sources.index(candidate.source)


def choose(ask: Question) -> Choice:
    """The quote that `ask.candidates` allow, or the last good one, marked, where they allow none."""
    usable = [c for c in ask.candidates if c.as_of + ask.instrument.max_age > ask.now]
    if not usable:
        # Answers that are all past `max_age` come from sources that have stopped publishing.
        return Choice(_keep(ask, Reason.FROZEN if ask.candidates else None), ask.pending)
    leader = _leader(ask, usable)
    winner = _outvoted(ask, leader, usable)
    overruled: tuple[tuple[str, Reason], ...] = ()
    if winner is not leader:
        overruled = ((leader.source, Reason.DISAGREE),)
    if not _jumps(ask, winner) or _confirmed(ask, winner, usable):
        return Choice(_quote(ask, winner, usable), None, overruled)
    calm = next((c for c in _peers(ask, winner, usable) if not _jumps(ask, c) and ask.fresh(c)), None)
    if calm is not None:
        return Choice(_quote(ask, calm, usable), winner, ((winner.source, Reason.DISAGREE),))
    return Choice(_keep(ask, Reason.MOVE), ask.pending or winner, ((winner.source, Reason.MOVE),))


def _leader(ask: Question, usable: Sequence[Candidate]) -> Candidate:
    """On time before late, then never back to an older date of the same kind, then by preference."""
    fresh = [c for c in usable if ask.fresh(c)]
    if not fresh:
        return max(usable, key=lambda c: (c.as_of, -ask.rank(c)))
    shown = ask.last.as_of if ask.last and ask.last.price is not None else None
    kind = ask.last.price_type if ask.last else None
    onward = [
        c
        for c in fresh
        if shown is None or c.price_type is not PriceType.FIXING or kind is not c.price_type or c.as_of >= shown
    ]
    return min(onward or fresh, key=ask.rank)


def _comparable(ask: Question, one: Candidate, other: Candidate) -> bool:
    """Same kind, and of the same moment: a fixing of the same date, a market price that is on time as well."""
    if one.source == other.source or one.price_type is not other.price_type:
        return False
    if one.price_type is PriceType.FIXING:
        return one.as_of == other.as_of
    return ask.fresh(one) == ask.fresh(other)


def _peers(ask: Question, one: Candidate, usable: Sequence[Candidate]) -> list[Candidate]:
    return sorted((c for c in usable if _comparable(ask, one, c)), key=ask.rank)


def _near(ask: Question, one: Candidate, other: Candidate) -> bool:
    return abs(one.price - other.price) <= ask.instrument.tolerance * min(one.price, other.price)


def _supporters(ask: Question, one: Candidate, usable: Sequence[Candidate]) -> list[Candidate]:
    return [c for c in _peers(ask, one, usable) if _near(ask, one, c)]


def _outvoted(ask: Question, leader: Candidate, usable: Sequence[Candidate]) -> Candidate:
    """The best of two or more that agree against a leader nobody supports, else the leader."""
    if _supporters(ask, leader, usable):
        return leader
    peers = _peers(ask, leader, usable)
    return next((c for c in peers if _supporters(ask, c, peers)), leader)


def _jumps(ask: Question, candidate: Candidate) -> bool:
    """Whether the candidate is further from the last good quote than the instrument may move in that time."""
    last = ask.last
    if last is None or last.price is None or last.as_of is None:
        return False
    # Volatility grows with the square root of time: after a week without news twice a day's move is no alarm.
    days = Decimal(max(1, (candidate.as_of - last.as_of) // timedelta(days=1)))
    return abs(candidate.price / last.price - 1) > ask.instrument.max_move * days.sqrt()


def _confirmed(ask: Question, candidate: Candidate, usable: Sequence[Candidate]) -> bool:
    """By another source, or by the next publication staying at the new level."""
    if _supporters(ask, candidate, usable):
        return True
    held = ask.pending
    if held is None or candidate.as_of <= held.as_of:
        return False
    return abs(candidate.price / held.price - 1) <= ask.instrument.max_move


def _quote(ask: Question, winner: Candidate, usable: Sequence[Candidate]) -> Quote:
    calendar = ask.calendars[winner.source]
    fresh_until = calendar.fresh_until(winner.as_of)
    previous, previous_as_of = _previous(ask, winner, usable)
    quote = Quote(
        instrument=ask.instrument,
        price=winner.price,
        price_type=winner.price_type,
        previous=previous,
        previous_as_of=previous_as_of,
        as_of=winner.as_of,
        fetched_at=_fetched_at(ask, winner),
        next_update_at=calendar.next_update(winner.as_of, ask.now),
        source=winner.source,
        publisher=winner.publisher,
        contract=winner.contract,
        fallback=ask.rank(winner) > 0,
        status=Status.FRESH,
        reason=_why(ask, winner),
        agreement=_agreement(ask, winner, usable),
        fresh_until=fresh_until,
        usable_until=winner.as_of + ask.instrument.max_age,
    )
    return quote.at(ask.now)


def _fetched_at(ask: Question, winner: Candidate) -> datetime:
    """When this very number first came in: an answer that only repeats it changes nothing."""
    last = ask.last
    same = last and (last.source, last.price, last.as_of) == (winner.source, winner.price, winner.as_of)
    return last.fetched_at if last and same and last.fetched_at else winner.fetched_at


def _previous(ask: Question, winner: Candidate, usable: Sequence[Candidate]) -> tuple[Decimal | None, datetime | None]:
    """The publisher's own previous publication: from the answer, from a copy of it, or from what we showed before."""
    copies = [
        c for c in _supporters(ask, winner, usable) if c.publisher == winner.publisher and c.as_of == winner.as_of
    ]
    told = next((c for c in (winner, *copies) if c.previous is not None), None)
    if told is not None:
        return told.previous, told.previous_as_of
    last = ask.last
    if (
        last is None
        or last.as_of is None
        or last.publisher != winner.publisher
        or last.price_type is not PriceType.FIXING
    ):
        return None, None
    if last.as_of == winner.as_of:
        return last.previous, last.previous_as_of
    if last.as_of == ask.calendars[winner.source].previous(winner.as_of):
        return last.price, last.as_of
    return None, None


def _why(ask: Question, winner: Candidate) -> Reason | None:
    """Why the number is not the first choice on time: what keeps the preferred source from speaking."""
    if ask.rank(winner) == 0 and ask.fresh(winner):
        return None
    first = ask.instrument.sources[0]
    failed = (ask.failures or {}).get(first)
    if failed is not None:
        return failed
    answered = any(c.source == first for c in ask.candidates)
    return Reason.FROZEN if answered and ask.rank(winner) == 0 else None


def _agreement(ask: Question, winner: Candidate, usable: Sequence[Candidate]) -> Agreement:
    peers = _peers(ask, winner, usable)
    prices = [winner.price, *(c.price for c in peers)]
    spread = (max(prices) - min(prices)) / winner.price * 100
    return Agreement(1 + len(_supporters(ask, winner, usable)), round(spread, 4))


def _keep(ask: Question, reason: Reason | None) -> Quote:
    """The last good quote with the reason why nothing newer is shown, or the instrument without a number."""
    first = ask.instrument.sources[0]
    why = reason or (ask.failures or {}).get(first)
    if ask.last is None or ask.last.price is None:
        base = ask.last or Quote(ask.instrument)
        return replace(base, instrument=ask.instrument, reason=why)
    return replace(ask.last.at(ask.now), instrument=ask.instrument, reason=why)
