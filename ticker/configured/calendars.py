"""When numbers are late."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, tzinfo

from ticker.calendars import holidays, publication, session, week
from ticker.calendars.calendar import Calendar
from ticker.settings.model import Calendar as CalendarSettings
from ticker.settings.model import PublicationCalendar, Settings


def calendar_of(config: CalendarSettings) -> Calendar:
    """A configured calendar as a value."""
    days = week.days_of(config.days)
    if isinstance(config, PublicationCalendar):
        return publication.Publication(config.zone, config.at, config.grace, days, config.holidays, config.lead)
    return session.Session(config.zone, config.opens, config.closes, config.delay, config.grace, days, config.holidays)


def overrides_of(config: Settings) -> dict[str, Calendar]:
    """The calendars of instruments that are judged by one of their own, by symbol."""
    return {s: calendar_of(config.calendars[i.calendar]) for s, i in config.instruments.items() if i.calendar}


def zone_of(config: Settings, symbol: str) -> tzinfo:
    """Where the days of an instrument begin: where its preferred source publishes."""
    instrument = config.instruments[symbol]
    return config.calendars[instrument.calendar or config.sources[instrument.sources[0]].calendar].zone


def read_holidays(config: Settings, used: Iterable[str], today: date) -> None:
    """Have this year's holidays of the calendars at hand that the sources `used` and the instruments ask."""
    of_sources = {config.sources[source].calendar for source in used}
    for name in of_sources | {each.calendar for each in config.instruments.values() if each.calendar}:
        if market := config.calendars[name].holidays:
            holidays.is_holiday(market, today)
