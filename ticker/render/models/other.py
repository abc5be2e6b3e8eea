"""The past, an error, and a sign of life."""

from __future__ import annotations

from typing import Annotated, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from ticker.quotes import PriceType
from ticker.render.models.kinds import STRICT, Demo, Moment, Number


@with_config(STRICT)
class WirePoint(TypedDict):
    """One number of the past."""

    as_of: Moment
    price: Number
    price_type: PriceType
    source: str
    fetched_at: Moment
    revision: Annotated[
        int, Field(description="how often this date was corrected; `at` a moment before it tells what was shown")
    ]


class _Line(TypedDict):
    symbol: str
    interval: str


# A word of the language, so it cannot be written as the others are.
_From = TypedDict("_From", {"from": str | None})


@with_config(STRICT)
class WireHistory(_Line, _From):
    """One instrument's line, oldest first."""

    to: str | None
    next: Annotated[str | None, Field(description="the `cursor` of the next page; null at the end")]
    since: Annotated[Moment | None, Field(description="the oldest date kept of the instrument")]
    points: tuple[WirePoint, ...]
    demo: NotRequired[Demo]


@with_config(STRICT)
class WireProblem(TypedDict):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: Annotated[str, Field(description="a sentence with the mend")]
    parameter: NotRequired[Annotated[str, Field(description="the parameter at fault")]]
    allowed: NotRequired[Annotated[tuple[str, ...], Field(description="what it may be")]]
    since: NotRequired[Annotated[Moment | None, Field(description="where history begins, for a moment before it")]]
    demo: NotRequired[Demo]


@with_config(STRICT)
class WireAlive(TypedDict):
    """Whether the process is worth keeping."""

    status: str
    demo: NotRequired[Demo]
