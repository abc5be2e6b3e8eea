"""A market that trades between two hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from ticker.calendars.holidays import HORIZON, is_holiday

_DAY = timedelta(days=1)


class Session(Struct, frozen=True):
    """A market that trades from `opens` to `closes` (local time; over midnight where `closes` is not later).

    `delay` is how old the source's free data is by its own terms, `grace` how much older it may be before it is late.

    A holiday's session is the one that would close on it. Some markets open on a holiday all the same, which the trade
    of such a day tells: then that day counts as any other.
    """

    zone: ZoneInfo
    opens: time
    closes: time
    delay: timedelta
    grace: timedelta
    days: frozenset[int]
    holidays: str | None = None

    def next_update(self, as_of: datetime, now: datetime) -> datetime | None:
        """None while the market trades (any moment), else the next opening and the source's delay."""
        later = max(as_of, now - self.delay)
        opens = next(start for start, end in self._sessions(later, as_of) if end > later)
        return None if opens <= now else opens + self.delay

    def fresh_until(self, as_of: datetime) -> datetime:
        """As long as nothing newer can be expected: through a night or a weekend to the next opening."""
        lag = self.delay + self.grace
        return next(max(start, as_of) + lag for start, end in self._sessions(as_of, as_of) if end > as_of + lag)

    def latest(self, now: datetime) -> datetime:
        """`now`, and two minutes for clocks that differ."""
        return now + timedelta(minutes=2)

    def previous(self, as_of: datetime) -> datetime | None:
        """The close of the session before the one that `as_of` belongs to."""
        started = [end for start, end in self._sessions(as_of - 20 * _DAY, as_of) if start <= as_of]
        # A trade of a later day than the last session's is of one that the calendar does not know: of a weekend.
        unknown = started and as_of.astimezone(self.zone).date() > started[-1].date()
        return started[-1] if unknown else started[-2] if len(started) > 1 else None

    def _sessions(self, around: datetime, traded: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The sessions from two days before `around` on, in order, among them that of a holiday's trade, `traded`."""
        first = around.astimezone(self.zone).date() - 2 * _DAY
        for day in (first + _DAY * ahead for ahead in range(HORIZON)):
            last = day if self.closes > self.opens else day + _DAY
            start, end = (
                datetime.combine(day, self.opens, self.zone),
                datetime.combine(last, self.closes, self.zone),
            )
            if day.weekday() in self.days and (start <= traded <= end or not self._off(last)):
                yield start, end

    def _off(self, day: date) -> bool:
        return self.holidays is not None and is_holiday(self.holidays, day)
