"""When a source publishes and when it is asked."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, with_config
from typing_extensions import TypedDict

from ticker.render.models.kinds import STRICT, Number


@with_config(STRICT)
class WireCalendar(TypedDict):
    """When a number appears and when it is late; hours are local to `zone`."""

    id: str
    kind: Annotated[str, Field(description="publication: a table at an hour; session: a market between two hours")]
    zone: Annotated[str, Field(description="IANA time zone")]
    days: str
    holidays: Annotated[
        str | None, Field(description="whose holidays are no working days: ISO 3166 or a market's code")
    ]
    at: Annotated[str | None, Field(description="HH:MM, of a publication")]
    opens: Annotated[str | None, Field(description="HH:MM, of a session")]
    closes: Annotated[str | None, Field(description="HH:MM, of a session")]
    delay_seconds: Annotated[Number | None, Field(description="by which free data of a session are late")]
    grace_seconds: Annotated[
        Number, Field(description="after which a number that did not come makes the old one stale")
    ]
    text: Annotated[str, Field(description="the same in words")]


@with_config(STRICT)
class WireCadence(TypedDict):
    """How often the source is asked: `every_seconds`, or the lines of `cron` in `zone`."""

    every_seconds: Number | None
    cron: tuple[str, ...]
    zone: str
    jitter_seconds: Number
    requests_per_hour: Annotated[int, Field(description="never exceeded")]
    text: Annotated[str, Field(description="the same in words")]
