"""When a table of numbers is set, from when it is in force, and when the next one is missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import islice
from typing import Any, ClassVar, Literal

from ticker.calendars.days import (
    DAY,
    WORKING_WEEK,
    Holidays,
    PublicationException,
    Weekdays,
    by_day,
    days_before,
    days_from,
    days_of,
    is_holiday,
    is_working_weekend,
    known,
)
from ticker.fields import Duration, TimeOfDay, Whole, Zone

EVERY_DAY = "mon-sun"
# A relay that carries only days on which no table is dated is never late.
_LOOKED_AHEAD = 400


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A table set on working days at `at` (local time) and dated `lead` calendar days later.

    The Bank of Russia sets a table on each working day, working Saturdays among them, for the calendar day after it;
    that table is in force from 00:00 of its date until 00:00 of the next table's date, however long the country rests
    in between (https://www.cbr.ru/currency_base/). Where a table is dated the day on which it appears (`lead = 0`, the
    European Central Bank), it counts from the hour at which it appears.

    Working days are those of `days`, less the holidays of `holidays`, plus the weekends on which that country works,
    and `exceptions` have the last word. `grace` is how long after `at` a missing table is called late.
    `covered_until` is the last day whose dated facts are known, `facts` the addresses they are from.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    kind: Literal["publication"] = "publication"
    zone: Zone
    at: TimeOfDay
    grace: Duration = timedelta(0)
    days: Weekdays = "mon-fri"
    holidays: Holidays | None = None
    lead: Whole = 0
    exceptions: tuple[PublicationException, ...] = ()
    covered_until: date | None = None
    facts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for weekdays or a name of holidays that are none, or for a negative grace."""
        days_of(self.days)
        if self.holidays is not None:
            known(self.holidays)
        if self.grace < timedelta(0):
            raise ValueError("grace is not negative: how long after its hour a table is late")
        if not -31 <= self.lead <= 1:  # noqa: PLR2004 - a table is dated tomorrow at most, and a month back at least
            raise ValueError(f"lead = {self.lead} is not between -31 and 1: a table is dated so many days later")

    def is_publication_day(self, day: date) -> bool:
        """Whether a table is set on `day`."""
        exception = self._exceptional.get(day)
        if exception is not None:
            return not exception.closed
        if self.holidays is None:
            return day.weekday() in self._weekdays
        if is_working_weekend(self.holidays, day):
            return self._weekdays >= WORKING_WEEK
        return day.weekday() in self._weekdays and not is_holiday(self.holidays, day)

    def following(self, as_of: datetime) -> datetime:
        """The date, at 00:00, of the table after the one of `as_of`."""
        return self._midnight(self._set_on(as_of) + DAY * self.lead)

    def due(self, as_of: datetime) -> datetime:
        """When the table after the one of `as_of` is due."""
        return self._moment(self._set_on(as_of))

    def effective_from(self, as_of: datetime) -> datetime:
        """From when the table of `as_of` is in force: its date's 00:00, or the hour it appears where that is later."""
        dated = as_of.astimezone(self.zone).date()
        return max(self._midnight(dated), self._moment(dated - DAY * self.lead))

    def valid_until(self, as_of: datetime) -> datetime:
        """When the table after the one of `as_of` comes into force."""
        return self.effective_from(self.following(as_of))

    def effective_dates(self, first: date, last: date) -> list[date]:
        """The dates of the tables from `first` to `last`, both included."""
        span = range((last - first).days + 1)
        return [first + DAY * step for step in span if self.is_publication_day(first + DAY * (step - self.lead))]

    def is_late(self, newest: datetime, now: datetime, carried: str = EVERY_DAY) -> bool:
        """Whether a table after `newest` was due more than `grace` ago.

        Operators hear of it at once; what is shown stays right until the missing table comes into force. `carried`
        are the weekdays of the dates of which a relay passes tables on: one of them drops Saturday's.
        """
        weekdays = days_of(carried)
        days = (day for day in islice(days_from(self._set_on(newest)), _LOOKED_AHEAD) if self.is_publication_day(day))
        due = next((self._moment(day) for day in days if (day + DAY * self.lead).weekday() in weekdays), None)
        return due is not None and now >= due + self.grace

    def next_update(self, as_of: datetime, now: datetime) -> datetime | None:
        """When the next table after `as_of` is due; None while one is being waited for, within its grace."""
        due = self.due(as_of)
        if due > now:
            return due
        first = max(due, now - self.grace).astimezone(self.zone).date()
        moments = (self._moment(day) for day in days_from(first) if self.is_publication_day(day))
        following = next(moment for moment in moments if moment + self.grace > now)
        return following if following > now else None

    def fresh_until(self, as_of: datetime) -> datetime:
        """When the table of `as_of` is stale if nothing newer is known: when the next one has come into force.

        A table that is late on the afternoon before makes tomorrow unknown, not today old.
        """
        return max(self._midnight(self.following(as_of).date()), self.due(as_of) + self.grace)

    def usable_until(self, as_of: datetime, max_age: timedelta) -> datetime:
        """`max_age` after the validity of the table of `as_of` has ended."""
        return self.valid_until(as_of) + max_age

    def latest(self, now: datetime) -> datetime:
        """The end of the last day for which a table may already be out."""
        return self._midnight(now.astimezone(self.zone).date() + DAY * (self.lead + 1))

    def previous(self, as_of: datetime) -> datetime | None:
        """The date, at 00:00, of the table before the one of `as_of`."""
        last = as_of.astimezone(self.zone).date() - DAY * self.lead
        return self._midnight(next(day for day in days_before(last) if self.is_publication_day(day)) + DAY * self.lead)

    def market(self, now: datetime, newest: datetime | None = None) -> None:
        """None: a table is not traded."""

    @cached_property
    def _weekdays(self) -> frozenset[int]:
        return days_of(self.days)

    @cached_property
    def _exceptional(self) -> Mapping[date, PublicationException]:
        return by_day(self.exceptions)

    def _set_on(self, as_of: datetime) -> date:
        """The day on which the table after the one of `as_of` is set."""
        first = as_of.astimezone(self.zone).date() + DAY * (1 - self.lead)
        return next(day for day in days_from(first) if self.is_publication_day(day))

    def _moment(self, day: date) -> datetime:
        return datetime.combine(day, self.at, self.zone)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone)
