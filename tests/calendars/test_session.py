"""Brent abroad by the exchanges' hours, and what a timetable may say."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.timetables import HOUR, MOSCOW, session, york
from ticker.calendars.days import Hours, SessionException
from ticker.calendars.session import Session, WeekTimetable

BRENT, DEALERS = session("ice_brent"), session("dealers")
EVERYBODY = (BRENT, DEALERS, session("moex_forts"), session("moex_fx"))
LAG = timedelta(minutes=25)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2024-11-24T17:30", False),  # Sunday
        ("2024-11-24T18:30", True),
        ("2024-11-25T03:00", True),
        ("2024-11-25T16:30", True),
        ("2024-11-25T17:30", False),  # NYMEX pauses
        ("2024-11-25T20:30", True),
        ("2024-11-29T11:00", True),  # the day after Thanksgiving ends early
        ("2024-11-29T15:00", False),
        ("2024-11-30T12:00", False),  # Saturday
        ("2024-12-24T12:00", True),
        ("2024-12-24T15:00", False),
        ("2024-12-25T12:00", False),
        ("2024-12-25T21:00", True),
        ("2024-12-31T15:00", False),
        ("2025-01-01T12:00", False),
        ("2025-01-01T21:00", True),
        ("2025-01-20T12:00", True),  # Martin Luther King's day
        ("2025-01-20T15:00", False),
        ("2025-01-20T21:00", True),
        ("2025-04-17T21:00", False),  # the evening before Good Friday
        ("2025-04-18T12:00", False),
        ("2025-04-20T18:30", True),  # Easter Sunday
        ("2025-04-21T12:00", True),  # Easter Monday is no holiday in New York
        ("2020-03-08T18:30", True),  # the Sunday on which oil fell by a quarter
        ("2020-03-09T12:00", True),
    ],
)
def test_brent_abroad_trades_from_sunday_to_friday_but_for_its_holidays(moment: str, is_open: bool) -> None:  # noqa: FBT001 - the expected answer
    """New York time; on the holidays of New York it closes at one in the afternoon."""
    assert BRENT.is_open(york(moment)) is is_open


@pytest.mark.parametrize(
    ("printed", "late"),
    [
        ("2024-11-22T16:55", "2024-11-24T18:25"),  # Friday's last print lasts until Sunday evening
        ("2024-11-22T17:59", "2024-11-24T18:25"),  # so does one of ICE's hour after it
        ("2024-11-22T12:00", "2024-11-22T12:25"),
        ("2024-11-25T16:55", "2024-11-25T20:25"),  # the daily pause
        ("2024-11-25T18:30", "2024-11-25T20:25"),  # NYMEX is back before ICE is
        ("2024-03-28T16:55", "2024-03-31T18:25"),  # Good Friday's session would have opened on Thursday evening
        ("2024-12-24T12:55", "2024-12-25T20:25"),
        ("2024-12-31T12:55", "2025-01-01T20:25"),
        ("2024-12-31T15:30", "2025-01-01T20:25"),
    ],
)
def test_the_last_print_lasts_until_the_market_is_back(printed: str, late: str) -> None:
    """The hours are those in which both exchanges trade; a print outside of them is no reason to call it late."""
    assert BRENT.fresh_until(york(printed)) == york(late)


@pytest.mark.parametrize(
    ("printed", "settled"),
    [
        ("2024-11-25T12:00", "2024-11-22T17:00"),
        ("2024-11-24T19:00", "2024-11-22T17:00"),  # Sunday evening is Monday's
        ("2024-11-25T17:30", "2024-11-22T17:00"),
        ("2024-11-25T18:30", "2024-11-25T17:00"),  # NYMEX's evening is Tuesday's
        ("2024-12-26T12:00", "2024-12-24T13:00"),
    ],
)
def test_a_session_over_midnight_is_of_the_day_on_which_it_closes(printed: str, settled: str) -> None:
    """Its change is measured from the close of the day before."""
    assert BRENT.previous(york(printed)) == york(settled)


def market(**changes: Any) -> Session:  # noqa: ANN401 - any field
    """A market that trades on weekdays from ten to eighteen."""
    hours = Hours(days="mon-fri", opens=time(10), closes=time(18))
    given: dict[str, Any] = {"zone": MOSCOW, "timetables": (WeekTimetable(sessions=(hours,)),), **changes}
    return Session(**given)


def opened(calendar: Session, day: date) -> list[str]:
    """The sessions of a day as they are read aloud."""
    return [f"{each.opens:%a %H:%M}-{each.closes:%a %H:%M}" for each in calendar.sessions(day)]


WEDNESDAY, SATURDAY = date(2026, 11, 18), date(2026, 11, 21)


@pytest.mark.parametrize(
    ("exception", "day", "expected"),
    [
        ({"closed": True}, WEDNESDAY, []),
        ({"like": "sat"}, WEDNESDAY, []),
        ({"like": "mon"}, SATURDAY, ["Sat 10:00-Sat 18:00"]),
        ({"closes": time(14)}, WEDNESDAY, ["Wed 10:00-Wed 14:00"]),
        ({"opens": time(12)}, WEDNESDAY, ["Wed 12:00-Wed 18:00"]),
        ({"opens": time(12), "closes": time(14)}, WEDNESDAY, ["Wed 12:00-Wed 14:00"]),
        ({"closes": time(9)}, WEDNESDAY, []),
        ({"sessions": (Hours(opens=time(20), closes=time(2)),)}, SATURDAY, ["Fri 20:00-Sat 02:00"]),
    ],
)
def test_a_dated_exception_has_the_last_word(exception: dict[str, Any], day: date, expected: list[str]) -> None:
    """Closed, as another weekday, cut short at either end, or with sessions of its own; the days around stay."""
    calendar = market(exceptions=(SessionException(dates=(day,), **exception),))
    assert opened(calendar, day) == expected
    assert opened(calendar, date(2026, 11, 19)) == ["Thu 10:00-Thu 18:00"]


def test_of_two_exceptions_for_one_day_the_later_one_holds() -> None:
    """A file that lies over another adds its own at the end."""
    closed = SessionException(first=WEDNESDAY, last=SATURDAY, closed=True)
    again = SessionException(dates=(WEDNESDAY,), like="mon")
    assert opened(market(exceptions=(closed, again)), WEDNESDAY) == ["Wed 10:00-Wed 18:00"]
    assert opened(market(exceptions=(again, closed)), WEDNESDAY) == []


def test_a_timetable_holds_from_its_day_on() -> None:
    """Whatever the order in which they are written; before the first one that one is the best guess."""
    long = WeekTimetable(valid_from=WEDNESDAY, sessions=(Hours(days="mon-sun", opens=time(9), closes=time(23)),))
    short = WeekTimetable(valid_from=date(2026, 1, 1), sessions=(Hours(opens=time(12), closes=time(13)),))
    calendar = market(timetables=(long, short))
    assert opened(calendar, date(2026, 11, 17)) == ["Tue 12:00-Tue 13:00"]
    assert opened(calendar, WEDNESDAY) == ["Wed 09:00-Wed 23:00"]
    assert opened(calendar, date(2020, 1, 1)) == ["Wed 12:00-Wed 13:00"]


def test_one_session_a_day_needs_no_timetable() -> None:
    """The form of the first configuration."""
    short = Session(zone=MOSCOW, days="sun-thu", opens=time(18), closes=time(17))
    assert opened(short, date(2026, 11, 16)) == ["Sun 18:00-Mon 17:00"]
    assert opened(short, date(2026, 11, 20)) == ["Thu 18:00-Fri 17:00"]
    assert opened(short, SATURDAY) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"days": "monday"}, "'monday' is not a weekday"),
        ({"holidays": "Ruritania"}, "no holiday calendar named 'Ruritania'"),
        ({"early_closes": "XNYS"}, "give both early_closes"),
        ({"timetables": ()}, "give either timetables, or days, opens and closes"),
        ({"opens": time(10)}, "give both opens and closes"),
        ({"opens": time(10), "closes": time(18)}, "give either timetables, or days, opens and closes"),
        ({"delay": timedelta(minutes=-1)}, "delay and grace are not negative"),
    ],
)
def test_a_market_that_cannot_be_is_refused(change: dict[str, Any], complaint: str) -> None:
    """Each with what would do."""
    with pytest.raises(ValueError, match=complaint):
        market(**change)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"closed": True}, "an exception needs its days"),
        ({"dates": (WEDNESDAY,)}, "say one thing"),
        ({"dates": (WEDNESDAY,), "closed": True, "like": "sun"}, "say one thing"),
        ({"dates": (WEDNESDAY,), "like": "sat-sun"}, "is not one weekday"),
        ({"first": WEDNESDAY, "closed": True}, "give both first and last"),
        ({"first": SATURDAY, "last": WEDNESDAY, "closed": True}, "does not lie within a year after"),
        ({"first": WEDNESDAY, "last": date(2062, 11, 18), "closed": True}, "does not lie within a year after"),
    ],
)
def test_an_exception_that_says_nothing_or_two_things_is_refused(given: dict[str, Any], complaint: str) -> None:
    """Each with what would do."""
    with pytest.raises(ValueError, match=complaint):
        SessionException(**given)


def test_hours_that_never_settle_are_refused() -> None:
    """A session that counts to the next trading day needs one that counts to its own."""
    evening = Hours(opens=time(19), closes=time(23), trade_date="next")
    with pytest.raises(ValueError, match='one session at least has trade_date = "same"'):
        WeekTimetable(sessions=(evening,))
    with pytest.raises(ValueError, match="has sessions"):
        WeekTimetable(sessions=())


MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_the_questions_agree_with_each_other(as_of: datetime, passed: timedelta) -> None:
    """Whatever the day: no print is late at birth or fresh for ever, nothing is due in the past, before is before."""
    now = as_of + passed
    for each in EVERYBODY:
        lag = each.delay + each.grace
        assert as_of + lag <= each.fresh_until(as_of) < as_of + timedelta(days=21)
        assert now < each.next_open(now) < each.usable_until(now, HOUR)
        assert each.is_late(as_of, now) is (now >= each.fresh_until(as_of))
        before = each.previous(as_of)
        assert before is not None
        assert before < as_of + timedelta(hours=1)
        upcoming = each.next_update(as_of, now)
        assert upcoming is None or upcoming >= now
        found = each.session_at(now)
        assert each.is_open(now) is (found is not None)
        assert found is None or found.opens <= now < found.closes


@pytest.mark.parametrize(
    ("moment", "trade_date"),
    [
        ("2025-11-27T14:20", "2025-11-27"),  # on Thanksgiving NYMEX stops at 14:30
        ("2025-11-27T18:05", "2025-11-28"),  # and is back in the evening, before ICE is
        ("2025-12-24T13:40", "2025-12-24"),
        ("2025-11-25T17:45", "2025-11-25"),  # ICE trades for an hour after NYMEX
        ("2025-11-25T18:00", "2025-11-26"),
    ],
)
def test_what_is_printed_after_an_early_close_is_of_the_day_that_closed(moment: str, trade_date: str) -> None:
    """The hours are those in which both exchanges trade: the later close of one of them begins no new day."""
    assert BRENT.trade_date(york(moment)) == date.fromisoformat(trade_date)
