"""A cross-check: two instruments' ratio against a third rate that neither of them was made from.

The euro in roubles over the dollar in roubles must be the European Central Bank's euro in dollars, within a market's
width. It never gives a number; it only speaks against one that no other source supports.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from ticker.quotes import Candidate, Instrument, Quote


@dataclass(frozen=True, slots=True)
class Check:
    """`numerator` over `denominator` (symbols) must be within `tolerance` (a fraction) of `reference`'s price."""

    numerator: str
    denominator: str
    reference: Instrument
    tolerance: Decimal


def contradicted(
    check: Check, reference: Decimal, candidates: Sequence[Candidate], shown: Mapping[str, Quote]
) -> set[tuple[str, str]]:
    """The (source, symbol) pairs that the check speaks against: of a pair that is off, the one that moved further.

    Where nothing was shown before nobody can tell which of the two it is, and both are named.
    """
    by_source = {(c.source, c.symbol): c for c in candidates}
    found: set[tuple[str, str]] = set()
    for source in {c.source for c in candidates}:
        top, bottom = by_source.get((source, check.numerator)), by_source.get((source, check.denominator))
        together = top and bottom and (top.as_of, top.price_type) == (bottom.as_of, bottom.price_type)
        if top and bottom and together and abs(top.price / bottom.price / reference - 1) > check.tolerance:
            found |= {(source, c.symbol) for c in _suspects(top, bottom, shown)}
    return found


def _suspects(top: Candidate, bottom: Candidate, shown: Mapping[str, Quote]) -> tuple[Candidate, ...]:
    moves = [_moved(top, shown), _moved(bottom, shown)]
    if moves[0] is None or moves[1] is None:
        return top, bottom
    return (top,) if moves[0] > moves[1] else (bottom,)


def _moved(candidate: Candidate, shown: Mapping[str, Quote]) -> Decimal | None:
    last = shown.get(candidate.symbol)
    return None if last is None or last.price is None else abs(candidate.price / last.price - 1)
