"""What is quoted, and who says so."""

from __future__ import annotations

from typing import Annotated, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from ticker.quotes import Reason, Status
from ticker.render.models.kinds import STRICT, Demo, Moment, Number
from ticker.render.models.timing import WireCadence, WireCalendar


@with_config(STRICT)
class WireInstrument(TypedDict):
    """One instrument: what its number means and the rules it obeys."""

    symbol: str
    label: str
    name: str
    base: str
    quote: str
    unit: str
    decimals: Annotated[int, Field(description="digits after the point where it is shown")]
    sources: Annotated[tuple[str, ...], Field(description="in order of preference")]
    required: Annotated[bool, Field(description="whether the service is ready only with it")]
    max_age_seconds: Annotated[Number, Field(description="after which a number that is not renewed is withdrawn")]
    max_move: Annotated[
        Number, Field(description="the largest believable step, as a fraction, without a second source")
    ]
    tolerance: Annotated[Number, Field(description="within which sources agree, as a fraction")]
    calendar: WireCalendar
    status: Status


@with_config(STRICT)
class WireInstruments(TypedDict):
    """All instruments, in the order of the configuration."""

    instruments: tuple[WireInstrument, ...]
    demo: NotRequired[Demo]


@with_config(STRICT)
class WireSource(TypedDict):
    """One source: whose numbers they are, on what terms, when it is asked and how it fares."""

    id: str
    attribution: Annotated[str, Field(description="how its publisher is to be named")]
    terms_url: Annotated[str | None, Field(description="what its publisher allows")]
    instruments: Annotated[tuple[str, ...], Field(description="that it feeds")]
    checks: Annotated[tuple[str, ...], Field(description="that it is a measure for")]
    cadence: WireCadence
    calendar: WireCalendar
    up: Annotated[
        bool | None, Field(description="whether the last poll succeeded; null before the first one has ended")
    ]
    reason: Annotated[Reason | None, Field(description="why the last poll failed")]
    failures_in_a_row: int
    last_success_at: Moment | None
    last_failure_at: Moment | None
    next_poll_at: Moment | None


@with_config(STRICT)
class WireSources(TypedDict):
    """All sources that are asked."""

    sources: tuple[WireSource, ...]
    demo: NotRequired[Demo]
