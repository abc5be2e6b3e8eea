"""The quote that follows from a choice: provenance, previous publication, standing in time, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from ticker.quotes import Candidate, PriceType, Quote, Reason, Status
from ticker.select.agreement import measure, standing, supporters
from ticker.select.question import Question


def publish(ask: Question, winner: Candidate, among: Sequence[Candidate]) -> Quote:
    """The winner as a quote, as it stands at `ask.now`."""
    calendar = ask.calendars[winner.source]
    previous, previous_as_of = _previous(ask, winner, among)
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
        agreement=measure(ask, winner, among),
        fresh_until=calendar.fresh_until(winner.as_of),
        usable_until=winner.as_of + ask.instrument.max_age,
    )
    return quote.at(ask.now)


def keep(ask: Question, reason: Reason | None, among: Sequence[Candidate] = ()) -> Quote:
    """The last good quote with the reason why nothing newer is shown, or the instrument without a number.

    `among` are the candidates that were not believed.
    """
    why = reason or ask.failures.get(ask.instrument.sources[0])
    base = ask.last or Quote(ask.instrument)
    base = replace(base, next_update_at=_due(ask, base))
    if base.price is None:
        return replace(base, instrument=ask.instrument, reason=why)
    # Who agreed on the number when it was published says nothing of what they say now.
    agreement = base.agreement if reason is None else standing(ask, base, among)
    return replace(base.at(ask.now), instrument=ask.instrument, reason=why, agreement=agreement)


def _due(ask: Question, kept: Quote) -> datetime | None:
    """When something newer than `kept` is due, seen from now: what was said of it then has passed meanwhile."""
    calendar = ask.calendars.get(kept.source or "")
    if calendar is None or kept.as_of is None:
        return None
    return calendar.next_update(kept.as_of, ask.now)


def _fetched_at(ask: Question, winner: Candidate) -> datetime:
    """When this very number first came in: an answer that only repeats it changes nothing."""
    last = ask.last
    if last is None or last.fetched_at is None or last.source != winner.source:
        return winner.fetched_at
    return last.fetched_at if ask.repeats(winner) else winner.fetched_at


def _previous(ask: Question, winner: Candidate, among: Sequence[Candidate]) -> tuple[Decimal | None, datetime | None]:
    """The publisher's own previous publication: from the answer, from a copy of it, or from what we showed before."""
    copies = (c for c in supporters(ask, winner, among) if c.publisher == winner.publisher)
    told = next((c for c in (winner, *copies) if c.previous is not None), None)
    if told is not None:
        return told.previous, told.previous_as_of
    last = ask.last
    if last is None or last.as_of is None or last.publisher != winner.publisher:
        return None, None
    if last.price_type is not winner.price_type or winner.price_type is not PriceType.FIXING:
        return None, None
    if last.as_of == winner.as_of:
        return last.previous, last.previous_as_of
    if last.as_of == ask.calendars[winner.source].previous(winner.as_of):
        return last.price, last.as_of
    return None, None


def _why(ask: Question, winner: Candidate) -> Reason | None:
    """Why the number is not the first choice on time: what keeps the preferred source from speaking."""
    first = ask.instrument.sources[0]
    if ask.rank(winner) == 0:
        return None if ask.fresh(winner) else ask.failures.get(first, Reason.FROZEN)
    answered = any(c.source == first for c in ask.candidates)
    return ask.failures.get(first, Reason.FROZEN if answered else None)
