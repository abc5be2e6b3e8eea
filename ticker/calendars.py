"""When a source publishes next and when its number is late: age is judged by the source's calendar, not by ours.

Two kinds cover every source: a *publication* calendar (a table appears on working days at an hour) and a *session*
calendar (a market trades between two hours). Both answer the same four questions, each a pure function of time.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Protocol

from ticker.values import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
# Names that the shipped configuration uses: the library has them (a test asks), and need not be imported to be asked.
SURE = frozenset({"BY", "IFEU", "KZ", "RU", "US", "UZ", "XECB"})
# The longest run without a publication that is looked through; Russia's New Year has reached eleven days.
_HORIZON = 40


class Calendar(Protocol):
    """What selection and serving ask of a calendar; every moment is aware."""

    def next_update(self, as_of: datetime, now: datetime) -> datetime | None:
        """When something newer than `as_of` is due next, seen from `now`; None while it may come at any moment."""

    def fresh_until(self, as_of: datetime) -> datetime:
        """Until when `as_of` is as new as the calendar lets it be, the grace included."""

    def latest(self, now: datetime) -> datetime:
        """The newest `as_of` that can honestly exist at `now`."""

    def previous(self, as_of: datetime) -> datetime | None:
        """The stamp of the publication or session before the one that `as_of` belongs to."""


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
        for back in range(1, _HORIZON):
            if _works(day - _DAY * back, self.days, self.holidays):
                return datetime.combine(day - _DAY * (back - self.lead), time(), self.zone)
        return None

    def _moments(self, first: date) -> Iterator[datetime]:
        for ahead in range(_HORIZON):
            if _works(first + _DAY * ahead, self.days, self.holidays):
                yield datetime.combine(first + _DAY * ahead, self.at, self.zone)


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
        for day in (first + _DAY * ahead for ahead in range(_HORIZON)):
            last = day if self.closes > self.opens else day + _DAY
            start, end = (
                datetime.combine(day, self.opens, self.zone),
                datetime.combine(last, self.closes, self.zone),
            )
            if day.weekday() in self.days and (start <= traded <= end or not self._off(last)):
                yield start, end

    def _off(self, day: date) -> bool:
        return self.holidays is not None and is_holiday(self.holidays, day)


def _works(day: date, days: frozenset[int], holidays: str | None) -> bool:
    return day.weekday() in days and not (holidays and is_holiday(holidays, day))


@lru_cache(maxsize=4096)
def is_holiday(market: str, day: date) -> bool:
    """Whether `day` is a holiday of `market`: a country ("RU") or a financial centre ("XECB") the library knows.

    Raises ValueError for a name that the holidays library does not have.
    """
    return day in _holidays(market, day.year)


# A board of another day asks for a handful of days of a year that nobody has asked for yet: a book costs a millisecond.
@lru_cache(maxsize=256)
def _holidays(market: str, year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415 - costs 60 ms, and a start needs to know only whether there is such a name

    for kind, files in (("countries", holidays.registry.COUNTRIES), ("financial", holidays.registry.FINANCIAL)):
        for file, names in files.items():
            if market in names:
                return frozenset(getattr(_file(f"holidays.{kind}.{file}"), market)(years=year))
    message = f"no holiday calendar named {market!r}: a country ('RU') or an exchange ('XNYS') is"
    raise ValueError(message)


def _file(name: str) -> ModuleType:
    """One file of the holidays library by itself; to import it in the usual way is to import all 250 beside it."""
    import holidays  # noqa: PLC0415 - as above

    spec = spec_from_file_location(name, f"{holidays.__path__[0]}/{'/'.join(name.split('.')[1:])}.py")
    if spec is None or spec.loader is None:
        raise ImportError(name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def known(market: str) -> str:
    """`market`, if the holidays library has a calendar of that name. Raises ValueError otherwise."""
    if market not in SURE:
        is_holiday(market, date(2024, 1, 1))
    return market


def days_of(text: str) -> frozenset[int]:
    """The weekdays that "mon-fri" or "sun,tue-thu" names, 0 being Monday. Raises ValueError for anything else."""
    found: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last and last not in DAYS):
            message = f"{part!r} is not a weekday or a range of them: one of {', '.join(DAYS)}"
            raise ValueError(message)
        start = DAYS.index(first)
        span = (DAYS.index(last or first) - start) % 7
        found.update((start + step) % 7 for step in range(span + 1))
    return frozenset(found)
