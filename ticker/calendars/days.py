"""What kind of day it is: its weekday, and whether a country works or a market rests on it.

Holidays are the `holidays` library's own, working weekends included; a newer edition of it changes what is known here.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import count
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import holidays

from ticker.fields import Flag, ReadBy, TimeOfDay

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


# A longer one is a rule, not an exception, or a slip of the year.
_LONGEST = 366


@dataclass(frozen=True, kw_only=True)
class DatedException:
    """The days that one exception speaks of: `dates`, and all days from `first` to `last`; `note` says why."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    dates: tuple[date, ...] = ()
    first: date | None = None
    last: date | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError for an exception without a day."""
        if (self.first is None) is not (self.last is None):
            raise ValueError("give both first and last, or list the days in dates")
        if self.first and self.last and not 0 <= (self.last - self.first).days < _LONGEST:
            raise ValueError(f"last = {self.last} does not lie within a year after first = {self.first}")
        if not self.days:
            raise ValueError("an exception needs its days: dates = [2026-02-23], or first and last")

    @property
    def days(self) -> tuple[date, ...]:
        """Every day it speaks of."""
        if self.first is None or self.last is None:
            return self.dates
        return (*self.dates, *(self.first + DAY * step for step in range((self.last - self.first).days + 1)))


@dataclass(frozen=True, kw_only=True)
class PublicationException(DatedException):
    """Days on which no table is set (`closed`), or on which one is although the country rests (`closed = false`)."""

    closed: Flag


@dataclass(frozen=True, kw_only=True)
class Hours:
    """A session of a day in local time, on the weekdays `days`, or of the dated exception it stands in.

    One that does not close after it opens goes over midnight: `days` say when it opens, and it belongs, with its
    holiday and its exceptions, to the day on which it closes. `trade_date` is "next" where its trades count as those
    of the next trading day, as the Moscow Exchange's evenings did and its weekends do.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    opens: TimeOfDay
    closes: TimeOfDay
    days: Weekdays = "mon-sun"
    trade_date: Literal["same", "next"] = "same"

    def __post_init__(self) -> None:
        """Raises ValueError for days that are none."""
        days_of(self.days)

    @property
    def overnight(self) -> bool:
        """Whether it opens on the evening before the day it belongs to."""
        return self.closes <= self.opens

    def belongs_to(self, weekday: int) -> bool:
        """Whether there is such a session of that weekday, 0 being Monday."""
        return (weekday - self.overnight) % 7 in days_of(self.days)


@dataclass(frozen=True, kw_only=True)
class SessionException(DatedException):
    """Days on which a market trades otherwise.

    One of: `closed`; `like`, the sessions of that weekday ("sun": weekend hours on a holiday, "mon": an ordinary day
    although the country rests); `sessions` of its own; or the usual ones cut by `opens` (later) or `closes` (earlier).
    """

    closed: Flag = False
    like: str | None = None
    sessions: tuple[Hours, ...] = ()
    opens: TimeOfDay | None = None
    closes: TimeOfDay | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for an exception that says nothing, or two things."""
        super().__post_init__()
        said = (self.closed, self.like is not None, bool(self.sessions), bool(self.opens or self.closes))
        if sum(said) != 1:
            raise ValueError('say one thing: closed = true, like = "sun", sessions = [...], or opens / closes')
        if self.like is not None and len(days_of(self.like)) != 1:
            raise ValueError(f'like = {self.like!r} is not one weekday: write like = "sun"')


E = TypeVar("E", bound=DatedException)


def by_day(exceptions: Iterable[E]) -> dict[date, E]:
    """Each exceptional day with its exception; of two for one day the later one holds."""
    return {day: each for each in exceptions for day in each.days}
