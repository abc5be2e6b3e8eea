"""A cross-check: two instruments' ratio against a third rate that neither of them was made from.

The euro in roubles over the dollar in roubles must be the European Central Bank's euro in dollars, within a market's
width. It never gives a number; it only speaks against one that no other source supports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from ticker.quotes import Candidate, Check, Quote


def contradicted(
    check: Check, reference: Decimal, candidates: Sequence[Candidate], shown: Mapping[str, Quote]
) -> set[tuple[str, str]]:
    """The (source, symbol) pairs that the check speaks against.

    Of a pair that is off, the one that still fits what is shown of the other is cleared; where neither fits (a swapped
    pair), or nothing was shown before, nobody can tell which it is, and both are named.
    """
    by_source = {(c.source, c.symbol): c for c in candidates}
    found: set[tuple[str, str]] = set()
    for source in {c.source for c in candidates}:
        top, bottom = by_source.get((source, check.numerator)), by_source.get((source, check.denominator))
        together = top and bottom and (top.as_of, top.price_type) == (bottom.as_of, bottom.price_type)
        if top and bottom and together and not _fits(check, reference, top.price, bottom.price):
            kept = [_price(shown, symbol) for symbol in (check.numerator, check.denominator)]
            cleared = {
                check.numerator: kept[1] is not None and _fits(check, reference, top.price, kept[1]),
                check.denominator: kept[0] is not None and _fits(check, reference, kept[0], bottom.price),
            }
            found |= {(source, symbol) for symbol in cleared if not cleared[symbol] or all(cleared.values())}
    return found


def _fits(check: Check, reference: Decimal, top: Decimal, bottom: Decimal) -> bool:
    return abs(top / bottom / reference - 1) <= check.tolerance


def _price(shown: Mapping[str, Quote], symbol: str) -> Decimal | None:
    last = shown.get(symbol)
    return None if last is None else last.price
