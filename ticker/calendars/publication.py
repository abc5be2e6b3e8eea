"""A table that appears on working days at an hour."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from ticker.calendars.holidays import HORIZON, is_holiday

_DAY = timedelta(days=1)


class Publication(Struct, frozen=True):
    """A table that appears on working days at `at` (local time), in force the next day or the same one.

    The Bank of Russia's table of Friday evening is in force from Saturday to Monday, and none appears before Monday's
    evening; so a table in force from E is followed on the first working day not before E (https://www.cbr.ru/currency_base/).
    """

    zone: ZoneInfo
    at: time
    grace: timedelta
    days: frozenset[int]
    holidays: str | None = None
    lead: int = 1

    def due(self, as_of: datetime) -> datetime:
        """When the publication after the one of `as_of` is due."""
        first = as_of.astimezone(self.zone).date() + _DAY * (1 - self.lead)
        return next(self._moments(first))

    def next_update(self, as_of: datetime, now: datetime) -> datetime | None:
        """The next publication after `as_of`; None while one is being waited for, within its grace."""
        due = self.due(as_of)
        if due > now:
            return due
        first = max(due, now - self.grace).astimezone(self.zone).date()
        following = next(moment for moment in self._moments(first) if moment + self.grace > now)
        return following if following > now else None

    def fresh_until(self, as_of: datetime) -> datetime:
        """The due time of the next publication and the grace."""
        return self.due(as_of) + self.grace

    def latest(self, now: datetime) -> datetime:
        """The last moment of the day for which a table may already be out."""
        day = now.astimezone(self.zone).date() + _DAY * (self.lead + 1)
        return datetime.combine(day, time(), self.zone)

    def previous(self, as_of: datetime) -> datetime | None:
        """The start of the day for which the table before this one stood."""
        day = as_of.astimezone(self.zone).date() - _DAY * self.lead
        for back in range(1, HORIZON):
            if self._works(day - _DAY * back):
                return datetime.combine(day - _DAY * (back - self.lead), time(), self.zone)
        return None

    def _moments(self, first: date) -> Iterator[datetime]:
        for ahead in range(HORIZON):
            if self._works(first + _DAY * ahead):
                yield datetime.combine(first + _DAY * ahead, self.at, self.zone)

    def _works(self, day: date) -> bool:
        return day.weekday() in self.days and not (self.holidays and is_holiday(self.holidays, day))
