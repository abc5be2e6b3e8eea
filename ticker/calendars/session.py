"""When a market trades, and until when its last print is the newest that can be expected."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, Literal

from ticker.calendars.days import (
    DAY,
    WEEKDAYS,
    Holidays,
    Hours,
    SessionException,
    Weekdays,
    by_day,
    days_before,
    days_from,
    days_of,
    is_half_day,
    is_holiday,
    known,
)
from ticker.fields import Duration, TimeOfDay, Zone

# Clocks differ, and the last print of a session may carry the second after its close.
SLACK = timedelta(minutes=2)
# A day has at most so many remembered neighbours; the memory is dropped when it is full.
_REMEMBERED = 8192


@dataclass(frozen=True, kw_only=True)
class WeekTimetable:
    """The sessions of a week, in force from the day `valid_from` on, or since ever."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    sessions: tuple[Hours, ...]
    valid_from: date | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a week without a session, or without one that has a trade date of its own."""
        if not self.sessions:
            raise ValueError('a timetable has sessions: [{ days = "mon-fri", opens = "09:00", closes = "18:00" }]')
        if all(each.trade_date == "next" for each in self.sessions):
            raise ValueError('one session at least has trade_date = "same": the others count to its day')

    def of(self, weekday: int) -> tuple[Hours, ...]:
        """The sessions of a weekday, 0 being Monday, in order."""
        return tuple(each for each in self.sessions if each.belongs_to(weekday))


@dataclass(frozen=True)
class Interval:
    """One session of one day: from `opens` until before `closes`; its trades count as those of `trade_date`."""

    opens: datetime
    closes: datetime
    trade_date: date


@dataclass(frozen=True, kw_only=True)
class Session:
    """A market that trades by a timetable.

    `delay` is how old the source's free data is by its own terms, `grace` how much older the newest print of a market
    in session may be before it is late. `timetables` say the sessions of a week, each from its `valid_from` on; for
    one session a day `days`, `opens` and `closes` are enough. On `holidays` the market rests; on the holidays and
    half days of `early_closes` it closes at `early_close`; `exceptions` have the last word over all of that.
    `covered_until` is the last day whose dated facts are known, `facts` the addresses they are from.

    The hours are those in which the market surely trades. What it prints outside of them proves that it trades: on a
    day that no file knows, the print of that day is judged by the hours of an ordinary one.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    kind: Literal["session"] = "session"
    zone: Zone
    delay: Duration = timedelta(0)
    grace: Duration = timedelta(0)
    timetables: tuple[WeekTimetable, ...] = ()
    days: Weekdays = "mon-fri"
    opens: TimeOfDay | None = None
    closes: TimeOfDay | None = None
    holidays: Holidays | None = None
    early_closes: Holidays | None = None
    early_close: TimeOfDay | None = None
    exceptions: tuple[SessionException, ...] = ()
    covered_until: date | None = None
    facts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for a market without sessions or with two forms of them, and for names that are none."""
        days_of(self.days)
        for name in filter(None, (self.holidays, self.early_closes)):
            known(name)
        if (self.opens is None) is not (self.closes is None):
            raise ValueError("give both opens and closes")
        if bool(self.timetables) is (self.opens is not None):
            raise ValueError("give either timetables, or days, opens and closes for one session a day")
        if (self.early_closes is None) is not (self.early_close is None):
            raise ValueError("give both early_closes (whose holidays) and early_close (the hour)")
        if min(self.delay, self.grace) < timedelta(0):
            raise ValueError("delay and grace are not negative")

    def sessions(self, day: date) -> tuple[Interval, ...]:
        """The sessions that belong to `day`, in order; none where the market rests."""
        found = self._remembered.get(day)
        if found is None:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            found = self._remembered[day] = self._sessions(day)
        return found

    def session_at(self, moment: datetime) -> Interval | None:
        """The session that is on at `moment`, or None while the market rests."""
        found = self._last(moment)
        return found if moment < found.closes else None

    def next_open(self, moment: datetime) -> datetime:
        """When the market opens next, after `moment`."""
        return self._next(moment).opens

    def is_open(self, now: datetime, newest: datetime | None = None) -> bool:
        """Whether the market is in session: by its timetable, or because it has just printed outside of it."""
        if self.session_at(now) is not None:
            return True
        if newest is None or not newest - SLACK <= now < newest + self.delay + self.grace:
            return False
        return newest >= self._last(newest).closes + SLACK

    def market(self, now: datetime, newest: datetime | None = None) -> Literal["open", "closed"]:
        """`is_open` in the word that readers are told."""
        return "open" if self.is_open(now, newest) else "closed"

    def effective_from(self, as_of: datetime) -> datetime:
        """A print counts from its own moment."""
        return as_of

    def is_late(self, newest: datetime, now: datetime, carried: str = "mon-sun") -> bool:  # noqa: ARG002 - as a publication is asked
        """Whether a market in session has not printed since `newest` although it should have."""
        return now >= self.fresh_until(newest)

    def next_update(self, as_of: datetime, now: datetime) -> datetime | None:
        """None while the market trades (any moment), else the next opening and the source's delay."""
        if self.is_open(now, as_of):
            return None
        heard = max(as_of, now - self.delay)
        upcoming = self.session_at(heard) or self._next(heard)
        return None if upcoming.opens <= now else upcoming.opens + self.delay

    def fresh_until(self, as_of: datetime) -> datetime:
        """Until when a print of `as_of` is the newest that can be expected.

        In session that is `delay` and `grace` after it. The last print of a session lasts until the next session has
        opened and should have printed: a market rests through a night or a weekend without growing old.
        """
        lag = self.delay + self.grace
        until = self._trades_until(as_of)
        if until is not None and as_of < until - self.grace:
            return as_of + lag
        return self._next(as_of).opens + lag

    def usable_until(self, as_of: datetime, max_age: timedelta) -> datetime:
        """`max_age` after the next session has opened."""
        return self._next(as_of).opens + max_age

    def latest(self, now: datetime) -> datetime:
        """`now`, and two minutes for clocks that differ."""
        return now + SLACK

    def trade_date(self, moment: datetime) -> date:
        """The trading day that a print of `moment` counts to: in the first third of a pause still to the one before."""
        last, upcoming = self._last(moment), self._next(moment)
        same_day = moment.astimezone(self.zone).date() == last.closes.astimezone(self.zone).date()
        if moment < last.closes + SLACK or (same_day and moment < last.closes + (upcoming.opens - last.closes) / 3):
            return last.trade_date
        return upcoming.trade_date

    def previous(self, as_of: datetime) -> datetime | None:
        """The settlement before: the close of the main session of the trading day before that of `as_of`."""
        own = (self._own(day) for day in days_before(self.trade_date(as_of)))
        return next(sessions[-1].closes for sessions in own if sessions)

    def timetable(self, day: date) -> WeekTimetable:
        """The timetable in force on `day`; before the first one begins, that one."""
        begun = [each for each in self._timetables if _beginning(each) <= day]
        return begun[-1] if begun else self._timetables[0]

    @cached_property
    def _timetables(self) -> tuple[WeekTimetable, ...]:
        if self.opens is None or self.closes is None:
            return tuple(sorted(self.timetables, key=_beginning))
        return (WeekTimetable(sessions=(Hours(days=self.days, opens=self.opens, closes=self.closes),)),)

    @cached_property
    def _exceptional(self) -> Mapping[date, SessionException]:
        return by_day(self.exceptions)

    @cached_property
    def _remembered(self) -> dict[date, tuple[Interval, ...]]:
        return {}

    def _sessions(self, day: date) -> tuple[Interval, ...]:
        found = (self._interval(day, each) for each in self._hours(day))
        opens, closes = self._cut(day)
        cut = ((max(each.opens, opens or each.opens), min(each.closes, closes or each.closes), each) for each in found)
        whole = (Interval(start, end, each.trade_date) for start, end, each in cut if start < end)
        return tuple(sorted(whole, key=lambda each: each.opens))

    def _hours(self, day: date) -> tuple[Hours, ...]:
        exception = self._exceptional.get(day)
        if exception is None:
            rests = self.holidays is not None and is_holiday(self.holidays, day)
            return () if rests else self.timetable(day).of(day.weekday())
        if exception.closed:
            return ()
        weekday = day.weekday() if exception.like is None else WEEKDAYS.index(exception.like)
        return exception.sessions or self.timetable(day).of(weekday)

    def _cut(self, day: date) -> tuple[datetime | None, datetime | None]:
        """The moments before which and after which nothing is traded of `day`."""
        exception = self._exceptional.get(day)
        if exception is not None:
            opens, closes = exception.opens, exception.closes
        else:
            short = self.early_closes is not None and (
                is_holiday(self.early_closes, day) or is_half_day(self.early_closes, day)
            )
            opens, closes = None, self.early_close if short else None
        return (
            datetime.combine(day, opens, self.zone) if opens else None,
            datetime.combine(day, closes, self.zone) if closes else None,
        )

    def _interval(self, day: date, hours: Hours) -> Interval:
        return Interval(
            datetime.combine(day - DAY * hours.overnight, hours.opens, self.zone),
            datetime.combine(day, hours.closes, self.zone),
            day if hours.trade_date == "same" else self._next_trade_date(day),
        )

    def _next_trade_date(self, day: date) -> date:
        days = days_from(day + DAY)
        return next(each for each in days if any(hours.trade_date == "same" for hours in self._hours(each)))

    def _own(self, day: date) -> tuple[Interval, ...]:
        """The sessions of `day` that count to itself."""
        return tuple(each for each in self.sessions(day) if each.trade_date == day)

    def _last(self, moment: datetime) -> Interval:
        """The last session that has opened by `moment`."""
        days = days_before(moment.astimezone(self.zone).date() + 2 * DAY)
        return next(each for day in days for each in reversed(self.sessions(day)) if each.opens <= moment)

    def _next(self, moment: datetime) -> Interval:
        """The first session that opens after `moment`."""
        first = moment.astimezone(self.zone).date()
        return next(each for day in days_from(first) for each in self.sessions(day) if each.opens > moment)

    def _trades_until(self, as_of: datetime) -> datetime | None:
        """The close of the session in which `as_of` was printed; None for a print between two sessions of a day.

        A print of a day without sessions says that there are some: those of an ordinary day.
        """
        session = self.session_at(as_of)
        if session is not None:
            return session.closes
        day = as_of.astimezone(self.zone).date()
        neighbours = (self._last(as_of).closes, self._next(as_of).opens)
        if day in {each.astimezone(self.zone).date() for each in neighbours}:
            return None
        timetable = self.timetable(day)
        usual = timetable.of(day.weekday()) or timetable.of(0)
        found = (self._interval(day, each) for each in usual)
        return next((each.closes for each in found if each.opens <= as_of < each.closes), None)


def _beginning(timetable: WeekTimetable) -> date:
    return timetable.valid_from or date.min
