"""What the configuration says of sources and instruments that readers may know: no keys, no addresses asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ticker.calendars import Calendar, Session
from ticker.settings.models import Schedule, Settings


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
    own = {symbol: calendars[config.calendar_name(symbol)] for symbol in config.instruments}
    return Facts({source: _source(config, source, calendars) for source in asked}, own)


def _source(config: Settings, source: str, calendars: Mapping[str, CalendarFacts]) -> SourceFacts:
    each = config.sources[source]
    return SourceFacts(
        id=source,
        attribution=each.attribution,
        terms_url=each.terms_url,
        instruments=config.instruments_fed(source),
        checks=config.checks_fed(source),
        calendar=calendars[each.calendar],
        cadence=_cadence(each.schedule, each.budget),
    )


def _cadence(schedule: Schedule, budget: int) -> CadenceFacts:
    return CadenceFacts(schedule.every, schedule.cron, str(schedule.zone), schedule.jitter, budget)


def _calendar(name: str, config: Calendar) -> CalendarFacts:
    hours, delay = _hours(config)
    days = config.timetables[-1].sessions[0].days if isinstance(config, Session) and config.timetables else config.days
    return CalendarFacts(name, config.kind, str(config.zone), days, config.holidays, hours, delay, config.grace)


def _hours(config: Calendar) -> tuple[dict[str, str], timedelta | None]:
    if not isinstance(config, Session):
        return {"at": f"{config.at:%H:%M}"}, None
    first = config.timetables[-1].sessions[0] if config.timetables else config
    return {"opens": f"{first.opens:%H:%M}", "closes": f"{first.closes:%H:%M}"}, config.delay
