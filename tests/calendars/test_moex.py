"""Every day of 2025 and 2026 at the Moscow Exchange's derivatives market, by what the exchange announced."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise

import pytest

from tests.support.timetables import HOUR, MOSCOW, moscow, session

FORTS = session("moex_forts")
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LAG = 25 * MINUTE  # fifteen minutes of delay, ten of grace

# The exchange's announcements, as days and hours.
THREE = ((time(8, 50), time(14)), (time(14, 5), time(18, 50)), (time(19, 5), time(23, 50)))
ONE = ((time(8, 50), time(23, 50)),)
WEEKEND = ((time(9, 50), time(19)),)
CLOSED = {
    *(date(2025, 1, day) for day in (1, 2, 7)),
    *(date(2025, 5, day) for day in (1, 9)),
    *(date(2025, 6, 12), date(2025, 11, 4), date(2025, 12, 31)),
    *(date(2025, 11, day) for day in (2, 22, 23)),
    *(date(2026, 1, day) for day in (1, 2, 3, 4, 7, 10, 11)),
    *(date(2026, 2, day) for day in (14, 15)),
    *(date(2026, 3, day) for day in (7, 8, 21, 22)),
    *(date(2026, 5, day) for day in (9, 10)),
    *(date(2026, 6, day) for day in (20, 21)),
    *(date(2026, 8, day) for day in (1, 2, 15, 16)),
    *(date(2026, 9, day) for day in (12, 13)),
    *(date(2026, 10, day) for day in (24, 25)),
    *(date(2026, 12, day) for day in (5, 6, 31)),
}
WORKING_SATURDAY = date(2025, 11, 1)
WEEKEND_HOURS = {date(2026, 2, 23), date(2026, 5, 1), date(2026, 6, 12), date(2026, 11, 4)}
YEARS = [date(2025, 1, 1) + DAY * day for day in range(730)]


def announced(day: date) -> tuple[tuple[time, time], ...]:
    """The hours of `day`, as the exchange announced them."""
    if day in CLOSED:
        return ()
    if day in WEEKEND_HOURS:
        return WEEKEND
    if day.weekday() >= 5 and day != WORKING_SATURDAY:
        return WEEKEND if day >= date(2025, 8, 16) else ()
    if day == date(2026, 3, 20):
        return THREE[:2]
    return ONE if day >= date(2026, 3, 23) else THREE


def test_every_day_of_two_years_trades_as_announced() -> None:
    """All 730 days with the hours of each session."""
    for day in YEARS:
        found = tuple((each.opens.time(), each.closes.time()) for each in FORTS.sessions(day))
        assert found == announced(day), day


def test_every_quarter_of_an_hour_is_open_or_closed_as_announced() -> None:
    """The first minute of a session is open, that of its close is not."""
    for day in YEARS:
        for quarter in range(96):
            moment = datetime.combine(day, time(), MOSCOW) + 15 * MINUTE * quarter
            assert FORTS.is_open(moment) is any(start <= moment.time() < end for start, end in announced(day)), moment


def test_a_print_of_any_minute_is_late_when_its_market_should_have_printed_again() -> None:
    """In session after 25 minutes; the last ten minutes of a session last until 25 minutes into the next one."""
    spans = [
        (datetime.combine(day, start, MOSCOW), datetime.combine(day, end, MOSCOW))
        for day in (*YEARS, date(2027, 1, 3))  # what the weekday's rule says of a year that is not announced
        for start, end in announced(day)
    ]
    for (start, end), (following, _) in pairwise(spans):
        for moment in (start, start + HOUR, end - 11 * MINUTE):
            assert FORTS.fresh_until(moment) == moment + LAG, moment
        for moment in (end - MINUTE, end, end + MINUTE):
            assert FORTS.fresh_until(moment) == following + LAG, moment
        assert FORTS.usable_until(end, 7 * DAY) == following + 7 * DAY
        assert FORTS.next_open(end) == following
        rests = following - end > HOUR
        assert FORTS.next_update(end - MINUTE, end + 20 * MINUTE) == (following + 15 * MINUTE if rests else None)
        assert FORTS.next_update(start, start + HOUR) is None


@pytest.mark.parametrize(
    ("printed", "trade_date", "settled"),
    [
        ("2024-11-22T12:00", "2024-11-22", "2024-11-21T18:50"),
        ("2024-11-22T19:30", "2024-11-25", "2024-11-22T18:50"),  # Friday evening counted to Monday
        ("2024-11-25T12:00", "2024-11-25", "2024-11-22T18:50"),
        ("2025-11-15T12:00", "2025-11-17", "2025-11-14T18:50"),  # so does a weekend
        ("2025-11-16T18:59", "2025-11-17", "2025-11-14T18:50"),
        ("2025-12-30T20:00", "2026-01-05", "2025-12-30T18:50"),  # over the New Year
        ("2026-01-05T12:00", "2026-01-05", "2025-12-30T18:50"),
        ("2026-02-22T12:00", "2026-02-24", "2026-02-20T18:50"),  # a weekend with a holiday in weekend hours
        ("2026-02-23T12:00", "2026-02-24", "2026-02-20T18:50"),
        ("2026-03-19T20:00", "2026-03-20", "2026-03-19T18:50"),
        ("2026-03-20T18:00", "2026-03-20", "2026-03-19T18:50"),
        ("2026-03-23T12:00", "2026-03-23", "2026-03-20T18:50"),
        ("2026-03-23T22:00", "2026-03-23", "2026-03-20T18:50"),  # from now on an evening is of its own date
        ("2026-03-24T09:00", "2026-03-24", "2026-03-23T23:50"),
        ("2026-04-18T12:00", "2026-04-20", "2026-04-17T23:50"),
        ("2026-11-04T12:00", "2026-11-05", "2026-11-03T23:50"),
    ],
)
def test_a_change_is_measured_from_the_settlement_of_the_trading_day_before(
    printed: str, trade_date: str, settled: str
) -> None:
    """An evening, a weekend and a holiday in weekend hours count to the next trading day."""
    assert FORTS.trade_date(moscow(printed)) == date.fromisoformat(trade_date)
    assert FORTS.previous(moscow(printed)) == moscow(settled)


@pytest.mark.parametrize(
    ("printed", "late"),
    [
        ("2027-01-04T12:00", "2027-01-04T12:25"),  # a weekday of a year that is not announced: the weekday's rule
        ("2025-06-12T12:00", "2025-06-12T12:25"),  # a print of a day that the file calls closed proves the opposite
        ("2025-06-12T23:45", "2025-06-13T09:15"),
        ("2025-03-15T12:00", "2025-03-15T12:25"),  # a Saturday before there were weekend sessions
        ("2025-03-15T23:45", "2025-03-17T09:15"),
        ("2025-03-14T18:55", "2025-03-14T19:30"),  # between two sessions of a day: nothing newer before the next one
    ],
)
def test_a_print_of_a_day_that_no_file_knows_says_that_there_is_trading(printed: str, late: str) -> None:
    """It is judged by the hours of an ordinary day, not kept fresh until the next known session."""
    assert FORTS.fresh_until(moscow(printed)) == moscow(late)


def test_a_market_that_prints_is_in_session_whatever_the_file_says() -> None:
    """A print outside of every known session counts for as long as it would in session."""
    noon = moscow("2025-06-12T12:00")
    assert not FORTS.is_open(noon + 15 * MINUTE)
    assert FORTS.is_open(noon + 15 * MINUTE, newest=noon)
    assert FORTS.market(noon + 15 * MINUTE, noon) == "open"
    assert not FORTS.is_open(noon + LAG, newest=noon)
    assert FORTS.next_update(noon, noon + 15 * MINUTE) is None
    # The last print of an ordinary evening proves nothing of the night.
    assert FORTS.market(moscow("2026-04-20T23:55"), moscow("2026-04-20T23:49:59")) == "closed"
    assert FORTS.market(moscow("2026-04-20T23:55"), moscow("2026-04-20T23:50:01")) == "closed"


def test_the_holiday_of_the_great_fall_was_a_holiday() -> None:
    """On 9 March 2020 Friday's last print was the newest of this market until the tenth."""
    friday = moscow("2020-03-06T23:49")
    assert FORTS.market(moscow("2020-03-09T12:00"), friday) == "closed"
    assert FORTS.next_open(friday) == moscow("2020-03-10T10:00")
