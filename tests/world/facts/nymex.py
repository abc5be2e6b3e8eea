"""Brent abroad: when Yahoo's `BZ=F` (NYMEX, Brent last day financial) trades, New York time.

Globex: Sunday 18:00 to Friday 17:00, a pause from 17:00 to 18:00 each day [K]. ICE pauses from 18:00 to 20:00
(SOURCES [K]): whoever goes by ICE is late by as much, so from 17:00 to 20:15 nothing is held against anybody. Closed
1 January, Good Friday, 25 December; early closes on the holidays below (SOURCES [P] names the days, not the hours;
13:30 to 14:30 New York [K]: between 13:00 and 14:45 nothing is held against anybody either).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
DAY = timedelta(days=1)
OPENS, CLOSES, EARLY = time(18), time(17), time(13, 30)
SUNDAY, FRIDAY = 6, 4


def _days(*texts: str) -> frozenset[date]:
    return frozenset(date.fromisoformat(text) for text in texts)


# No session ends on these days: New Year, Good Friday, Christmas.
CLOSED = _days(
    "2025-01-01", "2025-04-18", "2025-12-25", "2026-01-01", "2026-04-03", "2026-12-25", "2020-01-01", "2020-04-10",
    "2020-12-25", "2024-01-01", "2024-03-29", "2024-12-25", "2027-01-01",
)  # fmt: skip
# Martin Luther King, Presidents, Memorial, Juneteenth, Independence, Labor, Thanksgiving and the day after, 24 and 31
# December; Independence Day of 2026 is observed on Friday the 3rd.
EARLY_DAYS = _days(
    "2025-01-20", "2025-02-17", "2025-05-26", "2025-06-19", "2025-07-04", "2025-09-01", "2025-11-27", "2025-11-28",
    "2025-12-24", "2025-12-31", "2026-01-19", "2026-02-16", "2026-05-25", "2026-06-19", "2026-07-03", "2026-09-07",
    "2026-11-26", "2026-11-27", "2026-12-24", "2026-12-31", "2024-11-28", "2024-11-29", "2024-12-24", "2024-12-31",
)  # fmt: skip
# Where these facts do not say until when there was trading.
_PAUSE = (time(17), time(20, 15))
_HALF = (time(13), time(14, 45))


def sessions(first: date, last: date) -> list[tuple[datetime, datetime]]:
    """Every session that ends from `first` to `last` (dates of New York), in order."""
    found = []
    for offset in range((last - first).days + 1):
        day = first + offset * DAY
        if day.weekday() > FRIDAY or day in CLOSED:
            continue
        closes = EARLY if day in EARLY_DAYS else CLOSES
        found.append((datetime.combine(day - DAY, OPENS, NEW_YORK), datetime.combine(day, closes, NEW_YORK)))
    return found


def unknown(first: date, last: date) -> list[tuple[datetime, datetime]]:
    """The spans in which it is not held against anybody whether he takes the market for open or closed."""
    found = []
    for offset in range((last - first).days + 1):
        day = first + offset * DAY
        if day.weekday() == SUNDAY - 1:
            continue
        found.append((datetime.combine(day, _PAUSE[0], NEW_YORK), datetime.combine(day, _PAUSE[1], NEW_YORK)))
        if day in EARLY_DAYS:
            # From the early close on: the evening may open again or not, by the site.
            found.insert(-1, (datetime.combine(day, _HALF[0], NEW_YORK), datetime.combine(day, _HALF[1], NEW_YORK)))
    return found
