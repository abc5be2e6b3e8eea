"""RULES: small predicates that a candidate must pass before it may speak; each tells the incident it prevents.

Pure: the instrument, the calendar, the last good quote and `now` are arguments. A rule says the reason, the poller
counts it; nothing here changes a number. What an answer shows of itself (a truncated table, a nominal that is no power
of ten, a rate stated twice and differently) the source's own file refuses; what only the other sources can tell
(a digit swapped, a jump, yesterday's table under today's date) selection holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ticker.calendars import Calendar
from ticker.quotes import Candidate, Instrument, Quote, Reason


@dataclass(frozen=True, slots=True)
class Case:
    """What a rule may look at: the candidate, whom it speaks of, the number before it, and the time.

    `last` is the source's own candidate before this one.
    """

    candidate: Candidate
    instrument: Instrument
    calendar: Calendar
    last: Candidate | Quote | None
    now: datetime


def out_of_band(case: Case) -> bool:
    """Zero, negative or beyond the instrument's band: a parser that took another column, or a slip at a cold start."""
    low, high = case.instrument.band
    return not (
        case.candidate.price.is_finite()
        and max(low, Decimal(0)) < case.candidate.price
        and case.candidate.price <= high
    )


def earlier(candidate: Candidate, last: Candidate | Quote | None) -> bool:
    """Whether the candidate is of an earlier moment than `last`."""
    return last is not None and last.as_of is not None and candidate.as_of < last.as_of


def from_the_future(case: Case) -> bool:
    """A date beyond what the source can have published: a day and month swapped, or an upstream's clock gone wrong."""
    return case.candidate.as_of > case.calendar.latest(case.now)


# Within this of a power of ten, or of the inverse, a jump is a slip of nominal or of direction and not a market.
_SLIP = Decimal("0.25")


def nominal_slip(price: Decimal, last: Decimal) -> bool:
    """10, 100, 10000 times the last price: the Bank moved the yuan's Nominal from 10 to 1 and readers stayed at 10."""
    tens = [Decimal(10) ** power for power in (-5, -4, -3, -2, -1, 1, 2, 3, 4, 5)]
    return any(abs(price / last / ten - 1) < _SLIP for ten in tens)


def swapped_pair(price: Decimal, last: Decimal) -> bool:
    """The inverse of the last price: roubles per dollar read as dollars per rouble."""
    if Decimal("0.5") < last < 2:  # noqa: PLR2004 - near 1 a price and its inverse look alike; `move` judges
        return False
    return abs(price * last - 1) < _SLIP


def gone_back(case: Case) -> bool:
    """An older date than the same source gave before: one of an upstream's caches that lags behind the others."""
    return (
        earlier(case.candidate, case.last)
        and case.last is not None
        and case.last.price_type is case.candidate.price_type
    )


RULES: tuple[tuple[Reason, Callable[[Case], bool]], ...] = (
    (Reason.RANGE, out_of_band),
    (Reason.FUTURE, from_the_future),
    (Reason.FROZEN, gone_back),
)
# Judged against the last good number, so another source's word can overrule them: selection asks.
SLIPS: tuple[Callable[[Decimal, Decimal], bool], ...] = (nominal_slip, swapped_pair)


def refusal(case: Case) -> Reason | None:
    """The reason of the first rule that the candidate breaks, or None where it may speak."""
    return next((reason for reason, broken in RULES if broken(case)), None)


def slips(price: Decimal, last: Decimal) -> bool:
    """Whether `price` is the `last` one with its nominal or its direction slipped."""
    return last > 0 and price > 0 and any(slipped(price, last) for slipped in SLIPS)
