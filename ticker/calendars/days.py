"""What kind of day it is: its weekday, and whether a country works or a market rests on it.

Holidays are the `holidays` library's own, working weekends included; a newer edition of it changes what is known here.
"""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from functools import lru_cache
from itertools import count
from typing import Annotated

import holidays

from ticker.fields import ReadBy

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKING_WEEK = frozenset(range(5))
DAY = timedelta(days=1)
_ANY_YEAR = 2024


@lru_cache(maxsize=256)
def days_of(text: str) -> frozenset[int]:
    """The weekdays that "mon-fri" or "sun,tue-thu" names, 0 being Monday. Raises ValueError for anything else."""
    found: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in WEEKDAYS or (last and last not in WEEKDAYS):
            raise ValueError(f"{part!r} is not a weekday or a range of them: one of {', '.join(WEEKDAYS)}")
        start = WEEKDAYS.index(first)
        span = (WEEKDAYS.index(last or first) - start) % 7
        found.update((start + step) % 7 for step in range(span + 1))
    return frozenset(found)


def is_holiday(name: str, day: date) -> bool:
    """Whether `day` is a holiday of `name`: a country ("RU") or a financial centre ("XECB") that the library knows.

    Raises ValueError for a name that the library does not have.
    """
    return day in _year(name, day.year)[0]


def is_working_weekend(name: str, day: date) -> bool:
    """Whether the country works on `day`, a Saturday or Sunday, in exchange for a day off elsewhere in the year."""
    return day in _year(name, day.year)[1]


def is_half_day(name: str, day: date) -> bool:
    """Whether `day` is a short trading day of the financial centre `name`."""
    return day in _year(name, day.year)[2]


def known(name: str) -> str:
    """`name`, if the holidays library has a calendar of that name. Raises ValueError otherwise."""
    _year(name, _ANY_YEAR)
    return name


def _holidays(value: object) -> object:
    return known(value) if isinstance(value, str) else value


def _weekdays(value: object) -> object:
    if isinstance(value, str):
        days_of(value)
    return value


# Fields of a calendar, looked at where they are written, so that an error names the key.
Holidays = Annotated[str, ReadBy(_holidays)]
Weekdays = Annotated[str, ReadBy(_weekdays)]


def days_from(first: date) -> Iterator[date]:
    """`first` and the days after it."""
    return (first + DAY * ahead for ahead in count())


def days_before(last: date) -> Iterator[date]:
    """The days before `last`, newest first."""
    return (last - DAY * back for back in count(1))


@lru_cache(maxsize=1024)
def _year(name: str, year: int) -> tuple[frozenset[date], frozenset[date], frozenset[date]]:
    """The holidays, the working weekends and the half days of one year."""
    off = _opened(name, year)
    half = _opened(name, year, "half_day") if "half_day" in off.supported_categories else ()
    return frozenset(off), frozenset(getattr(off, "weekend_workdays", ())), frozenset(half)


def _opened(name: str, year: int, category: str = "public") -> holidays.HolidayBase:
    for opened in (holidays.country_holidays, holidays.financial_holidays):
        with suppress(NotImplementedError):
            return opened(name, years=year, categories=(category,))
    raise ValueError(f"no holiday calendar named {name!r}: a country ('RU') or a financial centre ('XNYS') is")
