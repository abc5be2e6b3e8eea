"""A conversion as JSON: the result, and every quote it went through with its age and status."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ticker.convert import rounded
from ticker.quotes import PriceType, Reason, Status
from ticker.render.wire import DEMO, Moment, Number, Wire, stamp, utc
from ticker.values import Struct

if TYPE_CHECKING:
    from ticker.convert import Conversion, Leg
    from ticker.quotes import Snapshot

# A rate has no unit to be rounded to; so many digits carry any amount that is sane.
_RATE_DIGITS = 12


class WireLeg(Wire):
    """One quote on the way."""

    symbol: str
    base: str
    quote: str
    operation: Literal["multiply", "divide"] = Field(description="what was done with the price")
    price: Number | None
    price_type: PriceType | None
    as_of: Moment | None
    fetched_at: Moment | None
    source: str | None
    fallback: bool
    status: Status
    reason: Reason | None


class WireConversion(Wire):
    """An amount in another unit through the board's own quotes; `result` is null where one of them is not known."""

    amount: Number
    origin: str = Field(serialization_alias="from")
    to: str
    result: Number | None = Field(description="exact, then rounded half up to `precision` digits after the point")
    rate: Number | None = Field(
        description=f"what one unit is worth, to {_RATE_DIGITS} digits after the point; the result is not made from it"
    )
    precision: int
    status: Status = Field(description="the worst of the quotes used")
    as_of: Moment | None = Field(description="of when the oldest of the prices used is")
    version: int
    generated_at: Moment
    path: tuple[WireLeg, ...] = Field(description="the quotes used, in their order; none from a code to itself")
    demo: bool | None = DEMO


class Wanted(Struct, frozen=True):
    """What is asked: `amount` of `origin` in `to`, with `precision` digits after the point."""

    amount: Decimal
    origin: str
    to: str
    precision: int


def conversion_of(wanted: Wanted, found: Conversion, snapshot: Snapshot) -> WireConversion:
    """The conversion in the words of the API."""
    rate = found.rate
    return WireConversion(
        amount=wanted.amount,
        origin=wanted.origin,
        to=wanted.to,
        result=None if rate is None else rounded(Fraction(wanted.amount) * rate, wanted.precision),
        rate=None if rate is None else _plain(rounded(rate, _RATE_DIGITS)),
        precision=wanted.precision,
        status=found.status,
        as_of=stamp(found.as_of),
        version=snapshot.version,
        generated_at=utc(snapshot.generated_at) or "",
        path=tuple(_leg(leg) for leg in found.legs),
        demo=True if snapshot.demo else None,
    )


def _leg(leg: Leg) -> WireLeg:
    quote = leg.quote
    return WireLeg(
        symbol=quote.symbol,
        base=quote.instrument.base,
        quote=quote.instrument.quote,
        operation="multiply" if leg.forward else "divide",
        price=quote.price,
        price_type=quote.price_type,
        as_of=stamp(quote.as_of),
        fetched_at=utc(quote.fetched_at),
        source=quote.source,
        fallback=quote.fallback,
        status=quote.status,
        reason=quote.reason,
    )


def _plain(value: Decimal) -> Decimal:
    """Without the zeros that the last rounding left."""
    text = f"{value:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
