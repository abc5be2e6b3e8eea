"""What a source says: in its own words, and in ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.values import Struct

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal

    from ticker.quotes.words import PriceType


class Contract(Struct, frozen=True):
    """A futures contract: the exchange's own code of it, and its last trading day where that is known."""

    code: str
    expires: date | None = None


class AnswerDigest(Struct, frozen=True):
    """Which bytes a tick came in: SHA-256 in hex, and length, of the whole decompressed answer."""

    sha256: str
    size: int


class Neighbour(Struct, frozen=True):
    """The next contract on the same board: how far apart both are is what a calendar spread is."""

    contract: Contract
    last: Decimal
    as_of: datetime
    previous_settlement: Decimal | None = None


class Candle(Struct, frozen=True):
    """The last price of one minute of trading; `at` is when the minute began."""

    at: datetime
    close: Decimal


class MarketData(Struct, frozen=True):
    """What a market's answer says beside the price, for the same nominal; None is what it does not say.

    `previous_price` is the last price of the session before, and `change_from_previous` what the exchange itself says
    that the price has moved since, in percent.
    """

    low: Decimal | None = None
    high: Decimal | None = None
    bid: Decimal | None = None
    offer: Decimal | None = None
    previous_price: Decimal | None = None
    change_from_previous: Decimal | None = None
    settlement: Decimal | None = None
    previous_settlement: Decimal | None = None
    open_interest: Decimal | None = None
    volume: Decimal | None = None
    neighbour: Neighbour | None = None
    candles: tuple[Candle, ...] = ()


class Tick(Struct, frozen=True):
    """One observation in the source's own words: `price` units of `currency` for `nominal` units of `symbol`.

    `raw` is the price as it stood in the answer, and `answer` which answer that was.
    """

    symbol: str
    price: Decimal
    currency: str
    as_of: datetime
    price_type: PriceType
    nominal: int = 1
    previous: Decimal | None = None
    previous_as_of: datetime | None = None
    contract: Contract | None = None
    market: MarketData | None = None
    raw: str | None = None
    answer: AnswerDigest | None = None


class Candidate(Struct, frozen=True):
    """A tick in our words: the price of one unit of an instrument, with where and when it is from.

    `publisher` is whose number it is: a mirror of the Bank of Russia publishes the Bank's number, not a second one.
    `ticks` is what it was made of: one, or the two of a cross rate.
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
    ticks: tuple[Tick, ...] = ()
