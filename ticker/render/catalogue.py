"""The catalogues: what is quoted, and how the sources behind it fare."""

from __future__ import annotations

from collections.abc import Mapping

from ticker.facts import Facts, SourceFacts
from ticker.health import Health
from ticker.quotes import Instrument, Quote, Snapshot
from ticker.render import locales
from ticker.render.cldr import Locale
from ticker.render.models.catalogue import WireInstrument, WireInstruments, WireSource, WireSources
from ticker.render.timing import cadence_of, calendar_of, seconds
from ticker.render.wire import name_of, utc


def instruments_of(snapshot: Snapshot, facts: Facts, locale: Locale) -> WireInstruments:
    """The catalogue of what is quoted."""
    rows = tuple(_instrument(quote, facts, locale) for quote in snapshot.quotes)
    return {"instruments": rows, "demo": True} if snapshot.demo else {"instruments": rows}


def sources_of(health: Mapping[str, Health], facts: Facts, locale: Locale, *, demo: bool) -> WireSources:
    """The catalogue of who is asked, as they fare now."""
    rows = tuple(_source(facts.sources[name], each, locale) for name, each in health.items() if name in facts.sources)
    return {"sources": rows, "demo": True} if demo else {"sources": rows}


def _instrument(quote: Quote, facts: Facts, locale: Locale) -> WireInstrument:
    what: Instrument = quote.instrument
    return {
        "symbol": what.symbol,
        "label": locales.chosen(what.label, locale, what.symbol),
        "name": name_of(what, locale),
        "base": what.base,
        "quote": what.quote,
        "unit": what.unit,
        "decimals": what.decimals,
        "sources": what.sources,
        "required": what.required,
        "max_age_seconds": seconds(what.max_age),
        "max_move": what.max_move,
        "tolerance": what.tolerance,
        "calendar": calendar_of(facts.calendars[what.symbol], locale),
        "status": quote.status,
    }


def _source(facts: SourceFacts, health: Health, locale: Locale) -> WireSource:
    return {
        "id": facts.id,
        "attribution": locales.chosen(facts.attribution, locale, facts.id),
        "terms_url": facts.terms_url,
        "instruments": facts.instruments,
        "checks": facts.checks,
        "cadence": cadence_of(facts.cadence, locale),
        "calendar": calendar_of(facts.calendar, locale),
        "up": health.up,
        "reason": health.reason,
        "failures_in_a_row": health.in_a_row,
        "last_success_at": utc(health.last_success),
        "last_failure_at": utc(health.last_failure),
        "next_poll_at": utc(health.next_poll),
    }
