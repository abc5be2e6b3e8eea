"""When numbers are late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.calendars import Publication, Session
from ticker.settings.model import PublicationCalendar

if TYPE_CHECKING:
    from datetime import tzinfo

    from ticker.calendars import Calendar
    from ticker.settings.model import Calendar as CalendarSettings
    from ticker.settings.model import Settings


def calendar_of(config: CalendarSettings) -> Calendar:
    """A configured calendar as a value."""
    if isinstance(config, PublicationCalendar):
        return Publication(
            zone=config.zone,
            at=config.at,
            grace=config.grace,
            days=config.days,
            holidays=config.holidays,
            lead=config.lead,
        )
    return Session(
        zone=config.zone,
        opens=config.opens,
        closes=config.closes,
        delay=config.delay,
        grace=config.grace,
        days=config.days,
        holidays=config.holidays,
    )


def overrides_of(config: Settings) -> dict[str, Calendar]:
    """The calendars of instruments that are judged by one of their own, by symbol."""
    return {s: calendar_of(config.calendars[i.calendar]) for s, i in config.instruments.items() if i.calendar}


def zone_of(config: Settings, symbol: str) -> tzinfo:
    """Where the days of an instrument begin: where its preferred source publishes."""
    instrument = config.instruments[symbol]
    return config.calendars[instrument.calendar or config.sources[instrument.sources[0]].calendar].zone
