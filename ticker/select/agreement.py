"""Who says the same. Only like is compared with like: one kind of price, of one date or both on time.

Copies of one publisher's fixing must be equal digit for digit: where they differ, one of them is wrong. Two markets
never print the same number: there the difference they had when they were last published together is taken out first.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from ticker.quotes import Agreement, Candidate, PriceType, Quote
from ticker.select.question import Question

# A known offset between two markets drifts with their delays and rolls; the band around it is this much narrower than
# the one around nothing.
_KNOWN_OFFSET = Decimal("0.2")


def peers(ask: Question, one: Candidate, among: Sequence[Candidate]) -> list[Candidate]:
    """Those `among` that can be compared with `one`, the most preferred first."""
    return sorted((other for other in among if _comparable(ask, one, other)), key=ask.rank)


def supporters(ask: Question, one: Candidate, among: Sequence[Candidate]) -> list[Candidate]:
    """The peers that say the same as `one`."""
    return [other for other in peers(ask, one, among) if _same(ask, one, other)]


def disputing(ask: Question, one: Candidate, among: Sequence[Candidate]) -> list[Candidate]:
    """The witnesses who must say the same as `one` and do not.

    Copies of the very publication; and, where `one` has moved, markets whose offset to it is known: where it has not,
    it is they who have jumped. Those that lost the last dispute have no say until they agree again.
    """
    moved = _moved(ask, one)
    witnesses = (c for c in peers(ask, one, among) if are_copies(one, c) or (moved and _met(ask, one, c)))
    return [c for c in witnesses if not _same(ask, one, c) and c.source not in ask.memory.distrusted]


def are_copies(one: Candidate, other: Candidate) -> bool:
    """Whether both are the same publisher's fixing of the same date."""
    fixings = one.price_type is PriceType.FIXING and other.price_type is PriceType.FIXING
    return fixings and one.publisher == other.publisher and one.as_of == other.as_of


def measure(ask: Question, one: Candidate, among: Sequence[Candidate]) -> Agreement:
    """How many say the same as `one`, itself included, and the spread of all that can be compared, in percent."""
    prices = [one.price, *(other.price for other in peers(ask, one, among))]
    spread = (max(prices) - min(prices)) / one.price * 100
    return Agreement(1 + len(supporters(ask, one, among)), round(spread, 4))


def _comparable(ask: Question, one: Candidate, other: Candidate) -> bool:
    if one.source == other.source or one.price_type is not other.price_type:
        return False
    if one.price_type is PriceType.FIXING:
        return one.as_of == other.as_of
    return ask.fresh(one) == ask.fresh(other)


def _same(ask: Question, one: Candidate, other: Candidate) -> bool:
    if are_copies(one, other):
        return _equal_digits(one.price, other.price)
    if _met(ask, one, other) and not _rolled(ask, one) and not _rolled(ask, other):
        known = ask.memory.offsets
        expected = other.price * known[one.source] / known[other.source]
        return abs(one.price / expected - 1) <= ask.instrument.tolerance * _KNOWN_OFFSET
    return abs(one.price - other.price) <= ask.instrument.tolerance * min(one.price, other.price)


def _moved(ask: Question, one: Candidate) -> bool:
    """Whether `one` is further from what is shown than two markets differ from one another."""
    last = ask.shown
    if last is None or last.price is None:
        return False
    expected = last.price * ask.memory.offsets.get(one.source, Decimal(1))
    return abs(one.price / expected - 1) > ask.instrument.tolerance * _KNOWN_OFFSET


def standing(ask: Question, kept: Quote, among: Sequence[Candidate]) -> Agreement | None:
    """Who stands by a market's number that is kept; None for a fixing, of which the new table says nothing."""
    alike = [c.price for c in among if c.price_type is kept.price_type and ask.fresh(c)]
    if kept.price is None or kept.price_type is PriceType.FIXING or not alike:
        return None
    near = [price for price in alike if abs(price / kept.price - 1) <= ask.instrument.tolerance]
    spread = (max(alike) - min(alike)) / kept.price * 100
    return Agreement(len(near), round(spread, 4))


def _met(ask: Question, one: Candidate, other: Candidate) -> bool:
    """Whether both were looked at together when the last number was published."""
    return {one.source, other.source} <= ask.memory.offsets.keys()


def _rolled(ask: Question, candidate: Candidate) -> bool:
    """Whether the source went on to another futures contract: what its old one stood at is of no use then."""
    return ask.shown is not None and candidate.source == ask.shown.source and candidate.contract != ask.shown.contract


def _equal_digits(one: Decimal, other: Decimal) -> bool:
    """Equal as far as the shorter one goes: a copy may have rounded, never below the fourth decimal."""
    places = min(-int(price.as_tuple().exponent) for price in (one, other))
    unit = Decimal(1).scaleb(-max(4, places))
    return one.quantize(unit, ROUND_HALF_EVEN) == other.quantize(unit, ROUND_HALF_EVEN)
