"""Whether the service should be given readers, and what is missing."""

from __future__ import annotations

from typing import Annotated, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from ticker.quotes import Reason, Status
from ticker.render.models.kinds import STRICT, Demo, Moment


@with_config(STRICT)
class WireReadyInstrument(TypedDict):
    """One instrument as a probe's reader sees it."""

    status: Status
    reason: Reason | None
    required: bool
    source: str | None
    as_of: Moment | None


@with_config(STRICT)
class WireReadySource(TypedDict):
    """One source as a probe's reader sees it."""

    up: Annotated[
        bool | None, Field(description="whether the last poll succeeded; null before the first one has ended")
    ]
    reason: Annotated[Reason | None, Field(description="why the last poll failed")]
    failures_in_a_row: int
    last_success: Moment | None
    next_poll: Moment | None


@with_config(STRICT)
class WireReadiness(TypedDict):
    """Whether there is a usable number for every instrument marked `required`."""

    status: Annotated[str, Field(description="ready, not ready or draining")]
    missing: Annotated[tuple[str, ...], Field(description="those that are required and have no usable number")]
    instruments: Annotated[dict[str, WireReadyInstrument], Field(description="by symbol")]
    sources: Annotated[dict[str, WireReadySource], Field(description="by id")]
    demo: NotRequired[Demo]
