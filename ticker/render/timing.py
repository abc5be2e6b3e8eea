"""When a source publishes and when it is asked, as the catalogues tell it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from ticker.facts import CadenceFacts, CalendarFacts
from ticker.render import spoken
from ticker.render.cldr import Locale
from ticker.render.models.timing import WireCadence, WireCalendar

_MILLISECOND = timedelta(milliseconds=1)


def cadence_of(facts: CadenceFacts, locale: Locale) -> WireCadence:
    """How often a source is asked, in the words of the API."""
    return {
        "every_seconds": None if facts.every is None else seconds(facts.every),
        "cron": facts.cron,
        "zone": facts.zone,
        "jitter_seconds": seconds(facts.jitter),
        "requests_per_hour": facts.budget,
        "text": spoken.cadence(facts, locale),
    }


def calendar_of(facts: CalendarFacts, locale: Locale) -> WireCalendar:
    """When a source publishes, in the words of the API."""
    return {
        "id": facts.id,
        "kind": facts.kind,
        "zone": facts.zone,
        "days": facts.days,
        "holidays": facts.holidays,
        "at": facts.hours.get("at"),
        "opens": facts.hours.get("opens"),
        "closes": facts.hours.get("closes"),
        "delay_seconds": None if facts.delay is None else seconds(facts.delay),
        "grace_seconds": seconds(facts.grace),
        "text": spoken.calendar(facts, locale),
    }


def seconds(span: timedelta) -> Decimal:
    """A span in seconds, exact to the millisecond."""
    return Decimal(span // _MILLISECOND).scaleb(-3).normalize()
