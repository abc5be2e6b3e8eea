"""The Bank of Russia: on which days it sets a table, and from which day that table is in force.

A table is set on each working day for the calendar day after it; a working Saturday counts (SOURCES, "Trading
calendars", from the Bank's announcements). Days off are those of the Government's decrees on the transfer of days off
and of the decrees of 25.03.2020 and 2.04.2020.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

MOSCOW = ZoneInfo("Europe/Moscow")
DAY = timedelta(days=1)

# Days off from Monday to Friday, by year: [K] the production calendars; those of New Year agree with SOURCES [P].
OFF: dict[int, tuple[str, ...]] = {
    2014: ("01-01", "01-02", "01-03", "01-06", "01-07", "01-08", "03-10", "05-01", "05-02", "05-09", "06-12", "06-13",
           "11-03", "11-04"),
    2019: ("01-01", "01-02", "01-03", "01-04", "01-07", "01-08", "03-08", "05-01", "05-02", "05-03", "05-09", "05-10",
           "06-12", "11-04"),
    # The week of 30 March was non-working by decree of 25.03.2020; the Bank set no table in it (SOURCES [P]).
    2020: ("01-01", "01-02", "01-03", "01-06", "01-07", "01-08", "02-24", "03-09", "03-30", "03-31", "04-01", "04-02",
           "04-03", "05-01", "05-04", "05-05", "05-11", "06-12", "06-24", "07-01", "11-04"),
    2021: ("01-01", "01-04", "01-05", "01-06", "01-07", "01-08", "02-22", "02-23", "03-08", "05-03", "05-10", "06-14",
           "11-04", "11-05", "12-31"),
    2022: ("01-03", "01-04", "01-05", "01-06", "01-07", "02-23", "03-07", "03-08", "05-02", "05-03", "05-09", "05-10",
           "06-13", "11-04"),
    2024: ("01-01", "01-02", "01-03", "01-04", "01-05", "01-08", "02-23", "03-08", "04-29", "04-30", "05-01", "05-09",
           "05-10", "06-12", "11-04", "12-30", "12-31"),
    2025: ("01-01", "01-02", "01-03", "01-06", "01-07", "01-08", "05-01", "05-02", "05-08", "05-09", "06-12", "06-13",
           "11-03", "11-04", "12-31"),
    2026: ("01-01", "01-02", "01-05", "01-06", "01-07", "01-08", "01-09", "02-23", "03-09", "05-01", "05-11", "06-12",
           "11-04", "12-31"),
}  # fmt: skip
# Saturdays on which the country works: 2021 and 2022 [K], 2024 (28.12: SOURCES [P]), 2025 [K]; none in 2026.
WORKING_SATURDAYS = frozenset(
    date.fromisoformat(day)
    for day in ("2021-02-20", "2022-03-05", "2024-04-27", "2024-11-02", "2024-12-28", "2025-11-01")
)
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Setting:
    """One table: the moment it appears (aware, Moscow) and the day from which it is in force."""

    at: datetime
    day: date


def sets_on(day: date) -> bool:
    """Whether the Bank sets a table on `day`. Raises KeyError for a year that is not in the tables."""
    off = OFF[day.year]
    if day.weekday() >= SATURDAY:
        return day in WORKING_SATURDAYS
    return f"{day:%m-%d}" not in off


@cache
def settings(first: date, last: date) -> tuple[Setting, ...]:
    """Every table set from `first` to `last`; the minute lies between 15:40 and 16:55, as seen in recordings."""
    found = []
    for offset in range((last - first).days + 1):
        day = first + offset * DAY
        if sets_on(day):
            minute = Random(day.toordinal()).randrange(75)  # noqa: S311 - the same minute every time
            at = datetime.combine(day, time(15, 40), MOSCOW) + timedelta(minutes=minute)
            found.append(Setting(at, day + DAY))
    return tuple(found)


def in_force(day: date) -> date:
    """The date of the table that is in force on `day`: that of the newest table set before it."""
    before = day - DAY
    while not sets_on(before):
        before -= DAY
    return before + DAY


def known_at(tables: tuple[Setting, ...], now: datetime) -> int:
    """How many of `tables` have been set by `now`."""
    return bisect_right(tables, now, key=lambda each: each.at)
