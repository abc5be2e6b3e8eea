"""What a source says: in its own words, and in ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.values import Struct

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from ticker.quotes.words import PriceType


class Tick(Struct, frozen=True):
    """One observation in the source's own words: `price` units of `currency` for `nominal` units of `symbol`."""

    symbol: str
    price: Decimal
    currency: str
    as_of: datetime
    price_type: PriceType
    nominal: int = 1
    previous: Decimal | None = None
    previous_as_of: datetime | None = None
    contract: str | None = None


class Candidate(Struct, frozen=True):
    """A tick in our words: the price of one unit of an instrument, with where and when it is from.

    `publisher` is whose number it is: a mirror of the Bank of Russia publishes the Bank's number, not a second one.
    """

    symbol: str
    source: str
    publisher: str
    price: Decimal
    price_type: PriceType
    as_of: datetime
    fetched_at: datetime
    previous: Decimal | None = None
    previous_as_of: datetime | None = None
    contract: str | None = None
    derived: bool = False
