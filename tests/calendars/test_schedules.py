"""Sources are asked when something is due: on working Saturdays and in weekend sessions too."""

from datetime import date, datetime, timedelta

import pytest
from apscheduler.triggers.cron import CronTrigger

from ticker.calendars import Publication
from ticker.calendars.days import days_of
from ticker.settings.loader import load, shipped

SETTINGS = load(shipped(), {}, {}).settings
# A week, one with a working Saturday (28.12.2024, by the government's decree), and one with a holiday.
DAYS = [
    *(date(2026, 11, 16) + timedelta(days=day) for day in range(7)),
    *(date(2024, 12, 23) + timedelta(days=day) for day in range(7)),
    *(date(2026, 11, 2) + timedelta(days=day) for day in range(7)),
]
TABLES = [name for name, each in SETTINGS.sources.items() if each.schedule.cron]
PRINTS = [name for name, each in SETTINGS.sources.items() if each.schedule.every]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_asked_for_soon_after_it_is_due(name: str) -> None:
    """Within an eighth of the time after which it would be late."""
    source = SETTINGS.sources[name]
    calendar = SETTINGS.calendars[source.calendar]
    assert isinstance(calendar, Publication)
    lines = [CronTrigger.from_crontab(line, source.schedule.zone) for line in source.schedule.cron]
    asked = 0
    for day in DAYS:
        dated = (day + timedelta(days=calendar.lead)).weekday()
        if calendar.is_publication_day(day) and dated in days_of(source.carries):
            due = datetime.combine(day, calendar.at, calendar.zone)
            first = min(line.get_next_fire_time(None, due) for line in lines)
            assert first - due <= calendar.grace / 8, day
            asked += 1
    assert asked >= 2


def test_the_bank_is_asked_every_ten_minutes_on_a_working_saturday() -> None:
    """On 28 December 2024 the table of the 29th came in the afternoon."""
    schedule = SETTINGS.sources["cbr"].schedule
    (often, _) = (CronTrigger.from_crontab(line, schedule.zone) for line in schedule.cron)
    four = datetime(2024, 12, 28, 16, 1, tzinfo=schedule.zone)
    assert often.get_next_fire_time(None, four) == datetime(2024, 12, 28, 16, 10, tzinfo=schedule.zone)


@pytest.mark.parametrize("name", PRINTS)
def test_a_market_is_asked_at_any_hour_of_any_day_before_its_print_is_late(name: str) -> None:
    """No timetable of ours says when to look: a weekend session that nobody announced is seen as well."""
    source = SETTINGS.sources[name]
    schedule, calendar = source.schedule, SETTINGS.calendars[source.calendar]
    assert schedule.every is not None
    assert schedule.every + schedule.jitter < calendar.grace
