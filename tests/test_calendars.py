from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.calendars.books import BOOKS
from ticker.calendars.holidays import SURE, is_holiday
from ticker.calendars.publication import Publication
from ticker.calendars.session import Session
from ticker.calendars.week import days_of
from ticker.configured.calendars import calendar_of
from ticker.settings.load import load, shipped

MOSCOW, YORK, UTC = ZoneInfo("Europe/Moscow"), ZoneInfo("America/New_York"), ZoneInfo("UTC")
BANK = Publication(MOSCOW, time(16), timedelta(hours=4), days_of("mon-fri"), "RU", 1)
SAME_DAY = Publication(ZoneInfo("Europe/Berlin"), time(16), timedelta(hours=2), days_of("mon-fri"), "XECB", 0)
FORTS = Session(MOSCOW, time(9), time(23, 50), timedelta(minutes=15), timedelta(minutes=45), days_of("mon-fri"), "RU")
# What is at hand: years whose decrees are out, and those that history is asked for.
YEARS = range(2024, 2028)
ICE = Session(YORK, time(20), time(18), timedelta(minutes=10), timedelta(minutes=90), days_of("sun-thu"))


def moscow(text: str) -> datetime:
    """The moment of an ISO date or time in Moscow."""
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW)


@pytest.mark.parametrize(
    ("table", "due"),
    [
        ("2024-11-22", "2024-11-22T16:00"),  # Friday's own table: Saturday's appears that afternoon
        ("2024-11-23", "2024-11-25T16:00"),  # Saturday's stands until Monday's afternoon
        ("2024-11-26", "2024-11-26T16:00"),
        ("2024-11-02", "2024-11-05T16:00"),  # over National Unity Day, a Monday
        ("2021-12-31", "2022-01-10T16:00"),  # over the New Year, when 31 December was a day off
        ("2026-01-01", "2026-01-12T16:00"),
        ("2024-02-29", "2024-02-29T16:00"),  # a leap day
    ],
)
def test_the_bank_publishes_on_the_first_working_day_not_before_the_table_in_force(table: str, due: str) -> None:
    """The table in force from E is followed on the first working day from E on."""
    assert BANK.next_update(moscow(table), moscow(table)) == moscow(due)
    assert BANK.fresh_until(moscow(table)) == moscow(due) + timedelta(hours=4)


def test_saturdays_table_is_fresh_until_tuesdays_is_late() -> None:
    """A weekend is no fault."""
    assert BANK.fresh_until(moscow("2022-08-27")) == moscow("2022-08-29T20:00")


def test_an_overdue_publication_gives_the_next_regular_time() -> None:
    """`next_update` never lies in the past; while a table is being waited for it may come at any moment."""
    assert BANK.next_update(moscow("2024-11-20"), moscow("2024-11-22T12:00")) == moscow("2024-11-22T16:00")
    assert BANK.next_update(moscow("2024-11-20"), moscow("2024-11-22T17:00")) is None
    assert BANK.next_update(moscow("2024-11-20"), moscow("2024-11-22T20:01")) == moscow("2024-11-25T16:00")


def test_tomorrows_table_can_exist_and_the_day_afters_cannot() -> None:
    """The newest honest date is tomorrow's."""
    now = moscow("2024-11-21T18:00")
    assert moscow("2024-11-22") <= BANK.latest(now)
    assert moscow("2024-11-23T00:01") > BANK.latest(now)


@pytest.mark.parametrize(
    ("table", "before"),
    [
        ("2024-11-22", "2024-11-21"),
        ("2024-11-26", "2024-11-23"),
        ("2024-11-23", "2024-11-22"),
        ("2022-01-11", "2021-12-31"),
    ],
)
def test_the_table_before(table: str, before: str) -> None:
    """Tuesday's table follows Saturday's, and January's first the one of 31 December."""
    assert BANK.previous(moscow(table)) == moscow(before)


def test_a_table_in_force_on_its_own_day_is_followed_on_the_next_working_day() -> None:
    """The European Central Bank's rates are of the day they appear; Good Friday and Easter Monday have none."""
    thursday = datetime(2026, 4, 2, tzinfo=SAME_DAY.zone)
    assert SAME_DAY.next_update(thursday, thursday) == datetime(2026, 4, 7, 16, tzinfo=SAME_DAY.zone)


@pytest.mark.parametrize(
    ("as_of", "until"),
    [
        ("2024-11-22T12:00", "2024-11-22T13:00"),  # an hour later, delay and grace
        ("2024-11-22T23:40", "2024-11-25T10:00"),  # the last trade of Friday lasts the weekend
        ("2024-11-23T11:00", "2024-11-25T10:00"),  # a weekend session that the calendar does not know
        ("2024-11-21T23:49", "2024-11-22T10:00"),  # over night
        ("2024-11-22T08:00", "2024-11-22T10:00"),  # before the opening
    ],
)
def test_a_market_is_fresh_as_long_as_nothing_newer_can_be_expected(as_of: str, until: str) -> None:
    """Nights and weekends do not age a last price."""
    assert FORTS.fresh_until(moscow(as_of)) == moscow(until)


def test_a_market_over_midnight_pauses_once_a_day() -> None:
    """Brent abroad trades from Sunday evening to Friday evening in New York, two hours' pause a day."""
    friday = datetime(2024, 11, 22, 17, 55, tzinfo=YORK)
    assert ICE.fresh_until(friday) == datetime(2024, 11, 24, 21, 40, tzinfo=YORK)
    assert ICE.next_update(friday, friday + timedelta(hours=3)) == datetime(2024, 11, 24, 20, 10, tzinfo=YORK)
    assert ICE.next_update(friday - timedelta(hours=4), friday - timedelta(hours=4)) is None


def test_the_session_before_closed_on_the_last_trading_day() -> None:
    """Monday's change is measured from Friday's close."""
    assert FORTS.previous(moscow("2024-11-25T12:00")) == moscow("2024-11-22T23:50")


@pytest.mark.parametrize(
    ("as_of", "until"),
    [
        ("2025-06-12T12:00", "2025-06-12T13:00"),  # a day off on which there is trading all the same
        ("2025-06-12T23:40", "2025-06-16T10:00"),
        ("2025-01-06T12:00", "2025-01-06T13:00"),
        ("2025-01-06T23:30", "2025-01-09T10:00"),
    ],
)
def test_a_trade_on_a_day_off_says_that_there_is_trading(as_of: str, until: str) -> None:
    """The exchange opens on some holidays: an hour later its number is late, not fresh to the end of the New Year."""
    assert FORTS.fresh_until(moscow(as_of)) == moscow(until)
    assert FORTS.next_update(moscow(as_of), moscow(as_of)) is None


def test_a_weekends_change_is_measured_from_fridays_close() -> None:
    """A session that the calendar does not know follows the last one that it does."""
    assert FORTS.previous(moscow("2025-11-15T12:00")) == moscow("2025-11-14T23:50")
    assert FORTS.previous(moscow("2025-11-16T12:00")) == moscow("2025-11-14T23:50")
    assert FORTS.previous(moscow("2025-11-14T23:51")) == moscow("2025-11-13T23:50")
    assert FORTS.previous(moscow("2025-11-17T12:00")) == moscow("2025-11-14T23:50")


@pytest.mark.parametrize(
    ("as_of", "until"),
    [
        ("2024-03-28T17:55", "2024-03-31T21:40"),  # Good Friday's session, which would open on Thursday evening
        ("2024-12-24T17:55", "2024-12-25T21:40"),  # Christmas
        ("2024-12-31T17:55", "2025-01-01T21:40"),  # New Year
    ],
)
def test_a_session_over_midnight_is_of_the_day_on_which_it_closes(as_of: str, until: str) -> None:
    """What would have opened the evening before a holiday is that holiday's session."""
    ice = load(shipped(), {}, {}).settings.calendars["ice"]
    assert calendar_of(ice).fresh_until(datetime.fromisoformat(as_of).replace(tzinfo=YORK)) == datetime.fromisoformat(
        until
    ).replace(tzinfo=YORK)


def test_a_market_cannot_have_traded_in_the_future() -> None:
    """Two minutes are left for clocks that differ."""
    now = moscow("2024-11-22T12:00")
    assert FORTS.latest(now) == now + timedelta(minutes=2)


def test_days_are_written_as_lists_and_ranges() -> None:
    """Ranges may go over the week's end."""
    assert days_of("mon-fri") == frozenset(range(5))
    assert days_of("sat, sun-mon") == frozenset({5, 6, 0})
    with pytest.raises(ValueError, match="'monday' is not a weekday"):
        days_of("monday")


def test_a_calendar_of_holidays_that_does_not_exist_is_named() -> None:
    """A misspelt market is an error that says what would do."""
    with pytest.raises(ValueError, match="no holiday calendar named 'Ruritania'"):
        is_holiday("Ruritania", date(2024, 1, 1))


MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS)
def test_freshness_always_ends_after_the_stamp_and_within_three_weeks(as_of: datetime) -> None:
    """Whatever the day, a number is neither late at birth nor fresh for ever."""
    for calendar in (BANK, SAME_DAY, FORTS, ICE):
        assert as_of - timedelta(days=1) < calendar.fresh_until(as_of) < as_of + timedelta(days=21)


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_the_next_update_is_always_ahead(as_of: datetime, passed: timedelta) -> None:
    """Nobody is told to come back yesterday."""
    now = as_of + passed
    for calendar in (BANK, SAME_DAY, FORTS, ICE):
        upcoming = calendar.next_update(as_of, now)
        assert upcoming is None or upcoming >= now


@given(MOMENTS)
def test_the_publication_before_is_earlier_and_was_followed_by_this_one(day: datetime) -> None:
    """`previous` and `next_update` are each other's inverse on the Bank's tables."""
    published = BANK.due(day)
    table = datetime.combine(published.date() + timedelta(days=1), time(), MOSCOW)
    before = BANK.previous(table)
    assert before is not None
    assert before < table
    assert BANK.due(before) == published


@pytest.mark.parametrize("market", [*sorted(SURE), "XNYS", "GB", "UA"])
def test_a_book_is_what_the_library_gives_for_the_name(market: str) -> None:
    """It is read out of one file alone; and a start takes for sure that the shipped configuration's names are there."""
    for year in range(2019, 2027):
        book = getattr(holidays, market)(years=year)
        days = [date(year, 1, 1) + timedelta(days=day) for day in range(365)]
        assert [day for day in days if is_holiday(market, day)] == [day for day in days if day in book]


def test_the_years_that_are_at_hand_are_as_the_library_gives_them() -> None:
    """With a newer one that knows better, its lines go into ticker/calendars/books.py: they are what differs here."""
    made = [
        f"{market} {year} {' '.join(sorted(f'{day:%m%d}' for day in getattr(holidays, market)(years=year)))}"
        for market in sorted(SURE)
        for year in YEARS
    ]
    assert BOOKS.split("\n")[1:-1] == made


def test_a_start_reads_no_library_for_the_years_at_hand() -> None:
    """Sixty milliseconds and four megabytes, for days that are written down."""
    code = f"""
import sys
from datetime import date
from ticker.calendars.books import BOOKS
from ticker.calendars import SURE, is_holiday
assert is_holiday("RU", date(2024, 11, 4)) and not is_holiday("RU", date(2024, 11, 5))
assert all(is_holiday(market, date(year, 1, 1)) for market in SURE for year in {YEARS!r})
assert "holidays" not in sys.modules
assert is_holiday("RU", date({YEARS[0] - 1}, 11, 4))
assert "holidays" in sys.modules
"""
    subprocess.run((sys.executable, "-c", code), check=True)


def test_the_shipped_configuration_asks_the_library_nothing_at_a_start() -> None:
    """Its names are the sure ones."""
    calendars = load(shipped(), {}, {}).settings.calendars.values()
    assert {each.holidays for each in calendars} - {None} <= SURE
