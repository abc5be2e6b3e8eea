"""When a source publishes next and when its number is late: age is judged by the source's calendar, not by ours.

Two kinds cover every source: a *publication* (a table is set on working days at an hour, and is in force from its own
date) and a *session* (a market trades by a timetable). Both answer the same questions, each a pure function of time.
Rules and dated facts are data (config/calendars); holidays and working weekends are the `holidays` library's.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from typing import TypeAlias

from ticker.calendars.days import DAY
from ticker.calendars.publication import Publication
from ticker.calendars.session import Session

__all__ = ["Calendar", "Publication", "Session", "coverage_warnings", "covered_until", "ending_soon", "fresh_until"]

Calendar: TypeAlias = Publication | Session

# How far ahead a year's days should be known: exchanges and governments announce them about two months before.
AHEAD = timedelta(days=60)
COVERAGE_MEND = "add the announced exceptions and a later covered_until to calendars/<name>.toml"


def covered_until(calendar: Calendar) -> datetime | None:
    """The end of the last day whose facts `calendar` knows; None where it needs none, as a daily file does."""
    if calendar.covered_until is None:
        return None
    return datetime.combine(calendar.covered_until + DAY, time(), calendar.zone)


def ending_soon(calendars: Mapping[str, Calendar], now: datetime) -> dict[str, date]:
    """The calendars whose facts of the next 60 days are not all known, by name, with the last day that is."""
    ends = {name: covered_until(each) for name, each in calendars.items()}
    return {name: end.date() - DAY for name, end in ends.items() if end is not None and end < now + AHEAD}


def coverage_warnings(calendars: Mapping[str, Calendar], now: datetime) -> list[str]:
    """A sentence for each calendar of `ending_soon`, with the mend."""
    return [
        f"calendar {name}: what is known of its days ends with {last}, later ones are judged by their "
        f"weekday: {COVERAGE_MEND.replace('<name>', name)}"
        for name, last in ending_soon(calendars, now).items()
    ]


# A pause for clearing is no rest: the market goes on within minutes.
PAUSE = timedelta(minutes=30)


def fresh_until(own: Calendar, kind: Iterable[Calendar], as_of: datetime) -> datetime:
    """By its own market while that is in session; at rest, until any market of the `kind` must have printed."""
    until = own.fresh_until(as_of)
    if not isinstance(own, Session) or until <= as_of + own.delay + own.grace:
        return until
    if own.next_open(as_of) - as_of <= PAUSE:
        return until
    return min([until, *(_printed_by(each, as_of) for each in kind if isinstance(each, Session) and each != own)])


def _printed_by(market: Session, as_of: datetime) -> datetime:
    """When another market must have printed something newer than `as_of`, heard or not."""
    session, lag = market.session_at(as_of), market.delay + market.grace
    if session is not None and as_of < session.closes - market.grace:
        return as_of + lag
    return market.next_open(as_of) + lag
