"""What the configuration says of sources and instruments that readers may know: no keys, no addresses asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ticker.settings.model import Calendar, PublicationCalendar, Schedule, SessionCalendar, Settings


@dataclass(frozen=True, slots=True)
class CalendarFacts:
    """When a source publishes: `hours` are "at" or "opens" and "closes" as HH:MM in `zone`."""

    id: str
    kind: str
    zone: str
    days: str
    holidays: str | None
    hours: Mapping[str, str]
    delay: timedelta | None
    grace: timedelta


@dataclass(frozen=True, slots=True)
class CadenceFacts:
    """How often a source is asked: `every`, or the `cron` lines in `zone`; never more than `budget` times an hour."""

    every: timedelta | None
    cron: tuple[str, ...]
    zone: str
    jitter: timedelta
    budget: int


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """One source that is asked: whose it is, on what terms, when, and which instruments it feeds."""

    id: str
    attribution: Mapping[str, str]
    terms_url: str | None
    instruments: tuple[str, ...]
    checks: tuple[str, ...]
    calendar: CalendarFacts
    cadence: CadenceFacts


@dataclass(frozen=True, slots=True)
class Facts:
    """Of every source asked, and the id of each instrument's calendar, by their names."""

    sources: Mapping[str, SourceFacts]
    calendars: Mapping[str, CalendarFacts]


def facts_of(config: Settings, asked: Iterable[str]) -> Facts:
    """The facts of the sources that are `asked` and of every instrument's calendar, out of the configuration."""
    calendars = {name: _calendar(name, each) for name, each in config.calendars.items()}
    own = {
        symbol: calendars[each.calendar or config.sources[each.sources[0]].calendar]
        for symbol, each in config.instruments.items()
    }
    return Facts({source: _source(config, source, calendars) for source in asked}, own)


def _source(config: Settings, source: str, calendars: Mapping[str, CalendarFacts]) -> SourceFacts:
    each = config.sources[source]
    return SourceFacts(
        id=source,
        attribution=each.attribution,
        terms_url=each.terms_url,
        instruments=tuple(symbol for symbol, fed in config.instruments.items() if source in fed.sources),
        checks=tuple(name for name, check in config.checks.items() if source in check.sources),
        calendar=calendars[each.calendar],
        cadence=_cadence(each.schedule, each.budget),
    )


def _cadence(schedule: Schedule, budget: int) -> CadenceFacts:
    return CadenceFacts(schedule.every, schedule.cron, str(schedule.zone), schedule.jitter, budget)


def _calendar(name: str, config: Calendar) -> CalendarFacts:
    hours, delay = _publication(config) if config.kind == "publication" else _session(config)
    return CalendarFacts(name, config.kind, str(config.zone), config.days, config.holidays, hours, delay, config.grace)


def _publication(config: PublicationCalendar) -> tuple[dict[str, str], None]:
    return {"at": f"{config.at:%H:%M}"}, None


def _session(config: SessionCalendar) -> tuple[dict[str, str], timedelta]:
    return {"opens": f"{config.opens:%H:%M}", "closes": f"{config.closes:%H:%M}"}, config.delay
