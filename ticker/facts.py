"""What the configuration says of sources and instruments that readers may know: no keys, no addresses asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.values import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta

    from ticker.settings.model import Calendar, PublicationCalendar, Schedule, SessionCalendar, Settings


class CalendarFacts(Struct, frozen=True):
    """When a source publishes: `hours` are "at" or "opens" and "closes" as HH:MM in `zone`; `text` says it in words."""

    id: str
    kind: str
    zone: str
    days: str
    holidays: str | None
    hours: Mapping[str, str]
    delay: timedelta | None
    grace: timedelta
    text: str


class CadenceFacts(Struct, frozen=True):
    """How often a source is asked: `every`, or the `cron` lines in `zone`; never more than `budget` times an hour."""

    every: timedelta | None
    cron: tuple[str, ...]
    zone: str
    jitter: timedelta
    budget: int
    text: str


class SourceFacts(Struct, frozen=True):
    """One source that is asked: whose it is, on what terms, when, and which instruments it feeds."""

    id: str
    attribution: Mapping[str, str]
    terms_url: str | None
    instruments: tuple[str, ...]
    checks: tuple[str, ...]
    calendar: CalendarFacts
    cadence: CadenceFacts


class Facts(Struct, frozen=True):
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
    zone = str(schedule.zone)
    text = f"every {_spoken(schedule.every)}" if schedule.every else f"cron {' | '.join(schedule.cron)} ({zone})"
    text = f"{text}, at most {budget} requests an hour"
    return CadenceFacts(schedule.every, schedule.cron, zone, schedule.jitter, budget, text)


def _calendar(name: str, config: Calendar) -> CalendarFacts:
    zone, working = str(config.zone), config.days + (f" except holidays {config.holidays}" if config.holidays else "")
    hours, delay, text = _publication(config) if config.kind == "publication" else _session(config)
    text = f"{text} ({zone}), {working}; late after {_spoken(config.grace)}"
    return CalendarFacts(name, config.kind, zone, config.days, config.holidays, hours, delay, config.grace, text)


def _publication(config: PublicationCalendar) -> tuple[dict[str, str], None, str]:
    at = f"{config.at:%H:%M}"
    return {"at": at}, None, f"a table at {at}"


def _session(config: SessionCalendar) -> tuple[dict[str, str], timedelta, str]:
    opens, closes = f"{config.opens:%H:%M}", f"{config.closes:%H:%M}"
    delay = f", delayed {_spoken(config.delay)}" if config.delay else ""
    return {"opens": opens, "closes": closes}, config.delay, f"trading {opens} to {closes}{delay}"


def _spoken(span: timedelta) -> str:
    seconds = span.total_seconds()
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:g} s"
