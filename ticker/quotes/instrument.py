"""What is quoted."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from ticker.values import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta


class Instrument(Struct, frozen=True):
    """What is quoted: `base` in `quote` per `unit`, and the rules its number must obey.

    `band` are the inclusive bounds of a believable price; `max_move` and `tolerance` are fractions (0.02 is 2 %).
    """

    symbol: str
    base: str
    quote: str
    unit: str
    decimals: int
    sources: tuple[str, ...]
    max_age: timedelta
    max_move: Decimal
    tolerance: Decimal
    band: tuple[Decimal, Decimal] = (Decimal(0), Decimal("1e9"))
    required: bool = True
    calendar: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, str] = field(default_factory=dict)
