"""Conversion through the quotes of one board: the shortest way between two codes, exact until it is rounded once.

The way follows from which instruments there are, never from how they fare, so that the same question is always answered
by the same kind of number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Context, Decimal
from fractions import Fraction

from ticker.quotes import Quote, Status, worst

# More digits than any amount times any price has: nothing is rounded but where it is said.
_WIDE = Context(prec=400)


@dataclass(frozen=True, slots=True)
class Leg:
    """One quote on the way; `forward` from its base to its quote (times the price), else back (by the price)."""

    quote: Quote
    forward: bool


@dataclass(frozen=True, slots=True)
class Conversion:
    """A way and what it gives. Without a leg it is from a code to itself."""

    legs: tuple[Leg, ...]

    @property
    def rate(self) -> Fraction | None:
        """What one unit is worth, exactly; None where a price on the way is not known."""
        rate = Fraction(1)
        for leg in self.legs:
            if not leg.quote.price:
                return None
            price = Fraction(leg.quote.price) / leg.quote.instrument.per
            rate = rate * price if leg.forward else rate / price
        return rate

    @property
    def status(self) -> Status:
        """The worst of the quotes used; a code is worth itself at any time."""
        return worst(leg.quote.status for leg in self.legs) if self.legs else Status.FRESH

    @property
    def as_of(self) -> datetime | None:
        """Of when the oldest of the prices used is."""
        return min((leg.quote.as_of for leg in self.legs if leg.quote.as_of), default=None)


def codes(quotes: Sequence[Quote]) -> list[str]:
    """What can be converted: bases and quotes, and the symbols that stand for their bases."""
    found = [code for q in quotes for code in (q.instrument.base, q.instrument.quote, q.symbol)]
    return list(dict.fromkeys(found))


def base_of(code: str, quotes: Sequence[Quote]) -> str:
    """The code itself, or the base of the instrument whose symbol it is (`OIL` is `BRENT`)."""
    plain = {each for q in quotes for each in (q.instrument.base, q.instrument.quote)}
    symbols = {q.symbol: q.instrument.base for q in quotes}
    return code if code in plain else symbols[code]


def way(start: str, end: str, quotes: Sequence[Quote]) -> Conversion | None:
    """The way with the fewest quotes, the first instrument among equals; None where there is none."""
    reached: dict[str, tuple[Leg, ...]] = {start: ()}
    queue = deque([start])
    while queue and end not in reached:
        here = queue.popleft()
        for leg, there in _onward(here, quotes):
            if there not in reached:
                reached[there] = (*reached[here], leg)
                queue.append(there)
    return Conversion(reached[end]) if end in reached else None


def _onward(here: str, quotes: Sequence[Quote]) -> list[tuple[Leg, str]]:
    ahead = [(Leg(q, forward=True), q.instrument.quote) for q in quotes if q.instrument.base == here]
    return ahead + [(Leg(q, forward=False), q.instrument.base) for q in quotes if q.instrument.quote == here]


def rounded(value: Fraction, decimals: int) -> Decimal:
    """`value`, not negative, with `decimals` digits after the point, half up, rounded once."""
    scale = 10**decimals
    # Half up, by whole numbers: a decimal quotient would already be rounded once.
    whole = (2 * value.numerator * scale + value.denominator) // (2 * value.denominator)
    return Decimal(whole).scaleb(-decimals, _WIDE)
