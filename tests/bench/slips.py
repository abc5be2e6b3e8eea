"""The faults that are injected, by kind: what a wrong number looks like when it comes from a source that answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random


@dataclass(frozen=True, slots=True)
class Given:
    """What a fault can be made of: today's true price, the one before, and another instrument's."""

    true: Decimal
    before: Decimal
    other: Decimal
    random: Random

    def shifted(self, low: float, high: float) -> Decimal:
        """The true price moved up or down by between `low` and `high` percent."""
        share = self.random.uniform(low, high) * self.random.choice((-1, 1)) / 100
        return self._like(self.true * (1 + Decimal(str(share))))

    def swapped_digits(self) -> Decimal:
        """Two neighbouring, different digits exchanged."""
        text = str(self.true)
        places = [i for i in range(len(text) - 1) if "." not in text[i : i + 2] and text[i] != text[i + 1]]
        if not places:
            return self.shifted(5, 9)
        i = self.random.choice(places)
        return Decimal(text[:i] + text[i + 1] + text[i] + text[i + 2 :])

    def dropped_digit(self) -> Decimal:
        """One digit lost before the point."""
        whole, _, rest = str(self.true).partition(".")
        i = self.random.randrange(len(whole))
        return Decimal(f"{whole[:i]}{whole[i + 1 :] or '0'}.{rest}")

    def _like(self, value: Decimal) -> Decimal:
        return value.quantize(self.true) if value.quantize(self.true) != self.true else value.quantize(self.true) + 1

    def inverse(self) -> Decimal:
        """The pair the other way round, to four significant digits at least."""
        return (1 / self.true).quantize(Decimal("0.000001"))


WRONG: dict[str, Callable[[Given], Decimal]] = {
    "nominal x10": lambda g: g.true * 10,
    "nominal x100": lambda g: g.true * 100,
    "nominal x10000": lambda g: g.true * 10000,
    "nominal /10": lambda g: (g.true / 10).quantize(Decimal("0.0001")),
    "nominal /100": lambda g: (g.true / 100).quantize(Decimal("0.0001")),
    "pair swapped": Given.inverse,
    "digits swapped": Given.swapped_digits,
    "digit dropped": Given.dropped_digit,
    "another instrument": lambda g: g.other,
    "yesterday relabelled": lambda g: g.before,
    "off by 0.1-1 %": lambda g: g.shifted(0.1, 1),
    "off by 1-8 %": lambda g: g.shifted(1, 8),
    "off by 8-60 %": lambda g: g.shifted(8, 60),
}
