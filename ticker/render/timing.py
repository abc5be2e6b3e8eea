"""When a source publishes and when it is asked, as the catalogues tell it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import Field

from ticker.render.wire import Number, Wire

if TYPE_CHECKING:
    from ticker.facts import CadenceFacts, CalendarFacts

_MILLISECOND = timedelta(milliseconds=1)


class WireCalendar(Wire):
    """When a number appears and when it is late; hours are local to `zone`."""

    id: str
    kind: str = Field(description="publication: a table at an hour; session: a market between two hours")
    zone: str = Field(description="IANA time zone")
    days: str
    holidays: str | None = Field(description="whose holidays are no working days: ISO 3166 or a market's code")
    at: str | None = Field(description="HH:MM, of a publication")
    opens: str | None = Field(description="HH:MM, of a session")
    closes: str | None = Field(description="HH:MM, of a session")
    delay_seconds: Number | None = Field(description="by which free data of a session are late")
    grace_seconds: Number = Field(description="after which a number that did not come makes the old one stale")
    text: str = Field(description="the same in words")


class WireCadence(Wire):
    """How often the source is asked: `every_seconds`, or the lines of `cron` in `zone`."""

    every_seconds: Number | None
    cron: tuple[str, ...]
    zone: str
    jitter_seconds: Number
    requests_per_hour: int = Field(description="never exceeded")
    text: str = Field(description="the same in words")


def cadence_of(facts: CadenceFacts) -> WireCadence:
    """How often a source is asked, in the words of the API."""
    return WireCadence(
        every_seconds=None if facts.every is None else seconds(facts.every),
        cron=facts.cron,
        zone=facts.zone,
        jitter_seconds=seconds(facts.jitter),
        requests_per_hour=facts.budget,
        text=facts.text,
    )


def calendar_of(facts: CalendarFacts) -> WireCalendar:
    """When a source publishes, in the words of the API."""
    return WireCalendar(
        id=facts.id,
        kind=facts.kind,
        zone=facts.zone,
        days=facts.days,
        holidays=facts.holidays,
        at=facts.hours.get("at"),
        opens=facts.hours.get("opens"),
        closes=facts.hours.get("closes"),
        delay_seconds=None if facts.delay is None else seconds(facts.delay),
        grace_seconds=seconds(facts.grace),
        text=facts.text,
    )


def seconds(span: timedelta) -> Decimal:
    """A span in seconds, exact to the millisecond."""
    return Decimal(span // _MILLISECOND).scaleb(-3).normalize()
