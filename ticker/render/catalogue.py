"""The catalogues: what is quoted, and how the sources behind it fare."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import Field

from ticker.quotes import Reason, Status
from ticker.render import locales
from ticker.render.wire import DEMO, Moment, Number, Wire, name_of, utc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from babel import Locale

    from ticker.facts import CadenceFacts, CalendarFacts, Facts, SourceFacts
    from ticker.health import Health
    from ticker.quotes import Instrument, Quote, Snapshot


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


class WireInstrument(Wire):
    """One instrument: what its number means and the rules it obeys."""

    symbol: str
    label: str
    name: str
    base: str
    quote: str
    unit: str
    decimals: int = Field(description="digits after the point where it is shown")
    sources: tuple[str, ...] = Field(description="in order of preference")
    required: bool = Field(description="whether the service is ready only with it")
    max_age_seconds: Number = Field(description="after which a number that is not renewed is withdrawn")
    max_move: Number = Field(description="the largest believable step, as a fraction, without a second source")
    tolerance: Number = Field(description="within which sources agree, as a fraction")
    calendar: WireCalendar
    status: Status


class WireInstruments(Wire):
    """All instruments, in the order of the configuration."""

    instruments: tuple[WireInstrument, ...]
    demo: bool | None = DEMO


class WireCadence(Wire):
    """How often the source is asked: `every_seconds`, or the lines of `cron` in `zone`."""

    every_seconds: Number | None
    cron: tuple[str, ...]
    zone: str
    jitter_seconds: Number
    requests_per_hour: int = Field(description="never exceeded")
    text: str = Field(description="the same in words")


class WireSource(Wire):
    """One source: whose numbers they are, on what terms, when it is asked and how it fares."""

    id: str
    attribution: str = Field(description="how its publisher is to be named")
    terms_url: str | None = Field(description="what its publisher allows")
    instruments: tuple[str, ...] = Field(description="that it feeds")
    checks: tuple[str, ...] = Field(description="that it is a measure for")
    cadence: WireCadence
    calendar: WireCalendar
    up: bool | None = Field(description="whether the last poll succeeded; null before the first one has ended")
    reason: Reason | None = Field(description="why the last poll failed")
    failures_in_a_row: int
    last_success_at: Moment | None
    last_failure_at: Moment | None
    next_poll_at: Moment | None


class WireSources(Wire):
    """All sources that are asked."""

    sources: tuple[WireSource, ...]
    demo: bool | None = DEMO


def instruments_of(snapshot: Snapshot, facts: Facts, locale: Locale) -> WireInstruments:
    """The catalogue of what is quoted."""
    rows = tuple(_instrument(quote, facts, locale) for quote in snapshot.quotes)
    return WireInstruments(instruments=rows, demo=True if snapshot.demo else None)


def sources_of(health: Mapping[str, Health], facts: Facts, locale: Locale, *, demo: bool) -> WireSources:
    """The catalogue of who is asked, as they fare now."""
    rows = tuple(_source(facts.sources[name], each, locale) for name, each in health.items() if name in facts.sources)
    return WireSources(sources=rows, demo=True if demo else None)


def _instrument(quote: Quote, facts: Facts, locale: Locale) -> WireInstrument:
    what: Instrument = quote.instrument
    return WireInstrument(
        symbol=what.symbol,
        label=locales.chosen(what.labels, locale, what.symbol),
        name=name_of(what, locale),
        base=what.base,
        quote=what.quote,
        unit=what.unit,
        decimals=what.decimals,
        sources=what.sources,
        required=what.required,
        max_age_seconds=_seconds(what.max_age),
        max_move=what.max_move,
        tolerance=what.tolerance,
        calendar=_calendar(facts.calendars[what.symbol]),
        status=quote.status,
    )


def _source(facts: SourceFacts, health: Health, locale: Locale) -> WireSource:
    return WireSource(
        id=facts.id,
        attribution=locales.chosen(facts.attribution, locale, facts.id),
        terms_url=facts.terms_url,
        instruments=facts.instruments,
        checks=facts.checks,
        cadence=_cadence(facts.cadence),
        calendar=_calendar(facts.calendar),
        up=health.up,
        reason=health.reason,
        failures_in_a_row=health.in_a_row,
        last_success_at=utc(health.last_success),
        last_failure_at=utc(health.last_failure),
        next_poll_at=utc(health.next_poll),
    )


def _cadence(facts: CadenceFacts) -> WireCadence:
    return WireCadence(
        every_seconds=None if facts.every is None else _seconds(facts.every),
        cron=facts.cron,
        zone=facts.zone,
        jitter_seconds=_seconds(facts.jitter),
        requests_per_hour=facts.budget,
        text=facts.text,
    )


def _calendar(facts: CalendarFacts) -> WireCalendar:
    return WireCalendar(
        id=facts.id,
        kind=facts.kind,
        zone=facts.zone,
        days=facts.days,
        holidays=facts.holidays,
        at=facts.hours.get("at"),
        opens=facts.hours.get("opens"),
        closes=facts.hours.get("closes"),
        delay_seconds=None if facts.delay is None else _seconds(facts.delay),
        grace_seconds=_seconds(facts.grace),
        text=facts.text,
    )


def _seconds(span: timedelta) -> Decimal:
    return Decimal(span // _MILLISECOND).scaleb(-3).normalize()
