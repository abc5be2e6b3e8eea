"""Dated exceptions: the days on which a bank publishes or a market trades otherwise than its rule says.

They are facts of a file (config/calendars), each with the source it is from, because no library knows them: a decree,
a halted evening, a holiday on which an exchange opens.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Literal, TypeVar

from ticker.calendars.days import DAY, Weekdays, days_of
from ticker.fields import Flag, TimeOfDay

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
