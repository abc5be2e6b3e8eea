"""A quote and the board."""

from __future__ import annotations

from typing import Annotated, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from ticker.quotes import PriceType, Reason, Status
from ticker.render.models.kinds import STRICT, Demo, Moment, Number


@with_config(STRICT)
class WireAgreement(TypedDict):
    """How many sources say the same, and how far apart they are."""

    sources: Annotated[int, Field(description="sources within the instrument's tolerance, the shown one among them")]
    spread_percent: Annotated[
        Number, Field(description="between the highest and the lowest comparable source, in percent")
    ]


@with_config(STRICT)
class WireDisplay(TypedDict):
    """The quote as text, rounded once, in the language asked for; null where there is no number."""

    label: str
    price: str | None
    change: str | None


@with_config(STRICT)
class WireQuote(TypedDict):
    """One instrument's published number with where it is from and how old it is."""

    symbol: str
    name: str
    base: str
    quote: str
    unit: str
    price: Number | None
    price_type: PriceType | None
    previous: Number | None
    previous_as_of: Moment | None
    change: Number | None
    change_percent: Number | None
    as_of: Moment | None
    fetched_at: Moment | None
    next_update_at: Moment | None
    source: str | None
    fallback: bool
    status: Status
    reason: Reason | None
    agreement: WireAgreement | None
    display: WireDisplay
    demo: NotRequired[Demo]


@with_config(STRICT)
class WireQuotes(TypedDict):
    """All quotes of one snapshot; `status` is the worst of theirs."""

    version: int
    generated_at: Moment
    status: Status
    quotes: tuple[WireQuote, ...]
    demo: NotRequired[Demo]
