"""The catalogues: what is quoted, and how the sources behind it fare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from ticker.quotes import Reason, Status
from ticker.render import locales
from ticker.render.timing import WireCadence, WireCalendar, cadence_of, calendar_of, seconds
from ticker.render.wire import DEMO, Moment, Number, Wire, name_of, utc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticker.facts import Facts, SourceFacts
    from ticker.health import Health
    from ticker.quotes import Instrument, Quote, Snapshot
    from ticker.render.cldr import Locale


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
        max_age_seconds=seconds(what.max_age),
        max_move=what.max_move,
        tolerance=what.tolerance,
        calendar=calendar_of(facts.calendars[what.symbol]),
        status=quote.status,
    )


def _source(facts: SourceFacts, health: Health, locale: Locale) -> WireSource:
    return WireSource(
        id=facts.id,
        attribution=locales.chosen(facts.attribution, locale, facts.id),
        terms_url=facts.terms_url,
        instruments=facts.instruments,
        checks=facts.checks,
        cadence=cadence_of(facts.cadence),
        calendar=calendar_of(facts.calendar),
        up=health.up,
        reason=health.reason,
        failures_in_a_row=health.in_a_row,
        last_success_at=utc(health.last_success),
        last_failure_at=utc(health.last_failure),
        next_poll_at=utc(health.next_poll),
    )
