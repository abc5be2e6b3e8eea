"""A conversion with every quote it went through."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from ticker.quotes import PriceType, Reason, Status
from ticker.render.conversion import RATE_DIGITS
from ticker.render.models.kinds import STRICT, Demo, Moment, Number


@with_config(STRICT)
class WireLeg(TypedDict):
    """One quote on the way."""

    symbol: str
    base: str
    quote: str
    operation: Annotated[Literal["multiply", "divide"], Field(description="what was done with the price")]
    price: Number | None
    price_type: PriceType | None
    as_of: Moment | None
    fetched_at: Moment | None
    source: str | None
    fallback: bool
    status: Status
    reason: Reason | None


class _Amount(TypedDict):
    amount: Number


# A word of the language, so it cannot be written as the others are.
_From = TypedDict("_From", {"from": str})


@with_config(STRICT)
class WireConversion(_Amount, _From):
    """An amount in another unit through the board's own quotes; `result` is null where one of them is not known."""

    to: str
    result: Annotated[
        Number | None, Field(description="exact, then rounded half up to `precision` digits after the point")
    ]
    rate: Annotated[
        Number | None,
        Field(
            description=f"what one unit is worth, to {RATE_DIGITS} digits after the point; "
            "the result is not made from it"
        ),
    ]
    precision: int
    status: Annotated[Status, Field(description="the worst of the quotes used")]
    as_of: Annotated[Moment | None, Field(description="of when the oldest of the prices used is")]
    version: int
    generated_at: Moment
    path: Annotated[
        tuple[WireLeg, ...], Field(description="the quotes used, in their order; none from a code to itself")
    ]
    demo: NotRequired[Demo]
