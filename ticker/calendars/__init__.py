"""When a source publishes next and when its number is late: age is judged by the source's calendar, not by ours.

Two kinds cover every source: a *publication* (a table is set on working days at an hour, and is in force from its own
date) and a *session* (a market trades by a timetable). Both answer the same questions, each a pure function of time.
Rules and dated facts are data (config/calendars); holidays and working weekends are the `holidays` library's.
"""

from typing import TypeAlias

from ticker.calendars.days import days_of, is_half_day, is_holiday, is_working_weekend, known
from ticker.calendars.exceptions import Hours, PublicationException, SessionException
from ticker.calendars.publication import Publication
from ticker.calendars.session import Interval, Session, WeekTimetable

Calendar: TypeAlias = Publication | Session

__all__ = [
    "Calendar",
    "Hours",
    "Interval",
    "Publication",
    "PublicationException",
    "Session",
    "SessionException",
    "WeekTimetable",
    "days_of",
    "is_half_day",
    "is_holiday",
    "is_working_weekend",
    "known",
]
