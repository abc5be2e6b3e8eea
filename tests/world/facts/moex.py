"""Moscow Exchange, derivatives market: when Brent traded in 2025 and 2026, by the minute, Moscow time.

SOURCES, "Trading calendars" [P]: from the exchange's announcements as the press printed them. Where that text does not
say (exceptions of 2025's weekends, the holidays of 2025 that it knows "by name only"), the day is UNKNOWN here.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MOSCOW = ZoneInfo("Europe/Moscow")
DAY = timedelta(days=1)

# Until 22.03.2026: morning and day, main clearing, evening (of the next trade date).
BEFORE = ((time(8, 50), time(14, 0)), (time(14, 5), time(18, 50)), (time(19, 5), time(23, 50)))
# 20.03.2026, the last Friday of the old timetable: no evening session.
LAST_OLD, LAST_OLD_DAY = BEFORE[:2], date(2026, 3, 20)
# From 23.03.2026: one session without pauses, the evening belongs to the same date.
AFTER = ((time(8, 50), time(23, 50)),)
NEW_TIMETABLE = date(2026, 3, 23)
# Weekend sessions, and holidays in the weekend's format.
WEEKEND = ((time(9, 50), time(19, 0)),)
WEEKENDS_SINCE = date(2025, 8, 16)


def _days(*texts: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(text) for text in texts)


CLOSED = _days("2026-01-01", "2026-01-02", "2026-01-07", "2026-03-08", "2026-05-09", "2026-12-31") | _days(
    # 2025 [K]: New Year, the first of May, Victory Day, Russia Day, Unity Day, the last of December. That the price of
    # 30 December stood on 5 January 2026 unless somebody traded, and that 31 December is closed, is issue 15 [P].
    "2024-12-31", "2025-01-01", "2025-01-02", "2025-01-07", "2025-05-01", "2025-05-09", "2025-06-12", "2025-12-31"
)  # fmt: skip
# Ordinary sessions although the country rests.
ORDINARY = _days("2026-01-05", "2026-01-06", "2026-01-08", "2026-01-09", "2026-03-09", "2026-05-11")
# Holidays that trade by the weekend's hours.
WEEKEND_FORMAT = _days("2026-02-23", "2026-05-01", "2026-06-12", "2026-11-04")
# Weekends of 2026 without sessions.
NO_WEEKEND = _days(
    "2026-01-03", "2026-01-04", "2026-01-10", "2026-01-11", "2026-02-14", "2026-02-15", "2026-03-07", "2026-03-08",
    "2026-03-21", "2026-03-22", "2026-05-09", "2026-05-10", "2026-06-20", "2026-06-21", "2026-08-01", "2026-08-02",
    "2026-08-15", "2026-08-16", "2026-09-12", "2026-09-13", "2026-10-24", "2026-10-25", "2026-12-05", "2026-12-06",
)  # fmt: skip
# 2025, "known by name only" [K], and the days around them: what was open when, this table does not say.
UNKNOWN = _days(
    "2025-01-03", "2025-01-06", "2025-01-08", "2025-05-02", "2025-05-08", "2025-06-13", "2025-11-01", "2025-11-02",
    "2025-11-03", "2025-11-04",
)  # fmt: skip
SATURDAY = 5
YEAR_OF_WEEKENDS = 2026


def hours(day: date) -> tuple[tuple[time, time], ...] | None:
    """The sessions of `day`, none where it is closed, None where the facts do not say."""
    if day in CLOSED or day in NO_WEEKEND:
        return ()
    if day in WEEKEND_FORMAT:
        return WEEKEND
    if day.weekday() >= SATURDAY and day < WEEKENDS_SINCE:
        return ()
    # The exceptions of the weekends of 2025 and 2027 are not known.
    if day in UNKNOWN or (day.weekday() >= SATURDAY and day.year != YEAR_OF_WEEKENDS):
        return None
    if day.weekday() >= SATURDAY:
        return WEEKEND
    return LAST_OLD if day == LAST_OLD_DAY else AFTER if day >= NEW_TIMETABLE else BEFORE


def sessions(first: date, last: date) -> list[tuple[datetime, datetime]]:
    """Every session from `first` to `last`, in order; unknown days have none."""
    return [
        (datetime.combine(day, opens, MOSCOW), datetime.combine(day, closes, MOSCOW))
        for offset in range((last - first).days + 1)
        for day in (first + offset * DAY,)
        for opens, closes in hours(day) or ()
    ]


def unknown(first: date, last: date) -> list[tuple[datetime, datetime]]:
    """The spans from `first` to `last` of which the facts do not say when the market traded: whole days."""
    days = (first + offset * DAY for offset in range((last - first).days + 1))
    return [
        (datetime.combine(day, time(), MOSCOW), datetime.combine(day + DAY, time(), MOSCOW))
        for day in days
        if hours(day) is None
    ]
