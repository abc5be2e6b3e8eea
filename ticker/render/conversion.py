"""A conversion as JSON: the result, and every quote it went through with its age and status."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from ticker.convert import Conversion, Leg, rounded
from ticker.quotes import Snapshot
from ticker.render.wire import stamp, utc

if TYPE_CHECKING:
    from ticker.render.models.conversion import WireConversion, WireLeg


# A rate has no unit to be rounded to; so many digits carry any amount that is sane.
RATE_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: `amount` of `origin` in `to`, with `precision` digits after the point."""

    amount: Decimal
    origin: str
    to: str
    precision: int


def conversion_of(wanted: Wanted, found: Conversion, snapshot: Snapshot) -> WireConversion:
    """The conversion in the words of the API."""
    rate = found.rate
    told: WireConversion = {
        "amount": wanted.amount,
        "from": wanted.origin,
        "to": wanted.to,
        "result": None if rate is None else rounded(Fraction(wanted.amount) * rate, wanted.precision),
        "rate": None if rate is None else _plain(rounded(rate, RATE_DIGITS)),
        "precision": wanted.precision,
        "status": found.status,
        "as_of": stamp(found.as_of),
        "version": snapshot.version,
        "generated_at": utc(snapshot.generated_at) or "",
        "path": tuple(_leg(leg) for leg in found.legs),
    }
    return {**told, "demo": True} if snapshot.demo else told


def _leg(leg: Leg) -> WireLeg:
    quote = leg.quote
    return {
        "symbol": quote.symbol,
        "base": quote.instrument.base,
        "quote": quote.instrument.quote,
        "operation": "multiply" if leg.forward else "divide",
        "price": quote.price,
        "price_type": quote.price_type,
        "as_of": stamp(quote.as_of),
        "fetched_at": utc(quote.fetched_at),
        "source": quote.source,
        "fallback": quote.fallback,
        "status": quote.status,
        "reason": quote.reason,
    }


def _plain(value: Decimal) -> Decimal:
    """Without the zeros that the last rounding left."""
    text = f"{value:f}"
    return Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
