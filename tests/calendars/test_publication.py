"""The Bank of Russia's tables, and others', by the dates of tables that were really published."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.timetables import HOUR, moscow, publication
from ticker.calendars.days import PublicationException
from ticker.calendars.publication import Publication

BANK, ECB, EIA = publication("cbr"), publication("ecb"), publication("eia")
EVERYBODY = (BANK, ECB, EIA, *map(publication, ("nbrb", "nbk", "cbu_uz", "open_er_api", "fawazahmed0")))

# The day on which a table was set, the date it carries, and the date of the next one: by the Bank's own archive.
TABLES = [
    ("2024-11-21", "2024-11-22", "2024-11-23"),
    ("2024-11-22", "2024-11-23", "2024-11-26"),  # a weekend
    ("2024-11-25", "2024-11-26", "2024-11-27"),
    ("2024-11-15", "2024-11-16", "2024-11-19"),
    ("2024-11-01", "2024-11-02", "2024-11-03"),  # 2 November 2024 was a working Saturday
    ("2024-11-02", "2024-11-03", "2024-11-06"),  # and 4 November a holiday
    ("2024-12-27", "2024-12-28", "2024-12-29"),
    ("2024-12-28", "2024-12-29", "2025-01-10"),  # a working Saturday before the New Year
    ("2025-01-09", "2025-01-10", "2025-01-11"),
    ("2025-12-30", "2025-12-31", "2026-01-13"),
    ("2026-01-12", "2026-01-13", "2026-01-14"),
    ("2026-02-27", "2026-02-28", "2026-03-03"),
    ("2020-03-06", "2020-03-07", "2020-03-11"),  # 9 March 2020 was a holiday
    ("2020-03-27", "2020-03-28", "2020-04-07"),  # a non-working week by decree
    ("2021-12-30", "2021-12-31", "2022-01-11"),
    ("2022-08-26", "2022-08-27", "2022-08-30"),
    ("2024-02-28", "2024-02-29", "2024-03-01"),  # a leap day
]


@pytest.mark.parametrize(("set_on", "dated", "following"), TABLES)
def test_a_table_is_in_force_from_its_date_until_the_next_ones(set_on: str, dated: str, following: str) -> None:
    """Its day begins at 00:00 in Moscow, and the last second before the next table's date is still its own."""
    table, until = moscow(dated), moscow(following)
    assert BANK.valid_until(table) == until
    assert BANK.fresh_until(table) == until
    assert BANK.following(table) == until
    assert BANK.previous(until) == table
    assert BANK.effective_from(table) == table
    assert BANK.is_publication_day(date.fromisoformat(set_on))


@pytest.mark.parametrize(("set_on", "dated", "following"), TABLES)
def test_a_table_is_due_at_four_in_the_afternoon_of_the_day_on_which_it_is_set(
    set_on: str, dated: str, following: str
) -> None:
    """Until then the table before is the newest; afterwards its successor is the following one."""
    due = moscow(f"{set_on}T16:00")
    assert BANK.latest(due) >= moscow(dated)
    before = BANK.previous(moscow(dated))
    assert before is not None
    assert BANK.due(before) == due
    assert BANK.due(moscow(dated)) == moscow(following) - 8 * HOUR


def test_a_missing_table_makes_tomorrow_unknown_and_not_today_old() -> None:
    """Operators hear of it four hours later; readers at the midnight at which it would have been in force."""
    friday = moscow("2024-11-22")
    assert not BANK.is_late(friday, moscow("2024-11-22T19:59"))
    assert BANK.is_late(friday, moscow("2024-11-22T20:00"))
    assert BANK.fresh_until(friday) == moscow("2024-11-23")
    assert not BANK.is_late(moscow("2024-11-23"), moscow("2024-11-25T19:59"))


def test_a_number_is_shown_until_its_greatest_age_after_its_validity() -> None:
    """A fortnight, counted from when the next table should have come into force."""
    assert BANK.usable_until(moscow("2024-12-29"), timedelta(days=14)) == moscow("2025-01-24")


def test_a_relay_that_drops_a_days_tables_is_not_late_with_them() -> None:
    """Frankfurter carries no table dated Saturday: on Sunday its newest is Friday's, stale and yet not late."""
    friday, sunday = moscow("2024-11-22"), moscow("2024-11-24T12:00")
    assert BANK.is_late(friday, sunday)
    assert not BANK.is_late(friday, sunday, carried="mon-fri")
    assert BANK.is_late(friday, moscow("2024-11-25T20:00"), carried="mon-fri")
    assert BANK.fresh_until(friday) < sunday
    daily = publication("ecb")
    assert not daily.is_late(friday, moscow("2025-11-22"), carried="sat-sun")


def test_an_overdue_publication_gives_the_next_regular_time() -> None:
    """What is due next never lies in the past; while a table is being waited for it may come at any moment."""
    assert BANK.next_update(moscow("2024-11-20"), moscow("2024-11-22T12:00")) == moscow("2024-11-22T16:00")
    assert BANK.next_update(moscow("2024-11-20"), moscow("2024-11-22T17:00")) is None
    assert BANK.next_update(moscow("2024-11-20"), moscow("2024-11-22T20:01")) == moscow("2024-11-25T16:00")
    assert BANK.next_update(moscow("2024-11-23"), moscow("2024-11-22T17:00")) == moscow("2024-11-25T16:00")
    assert BANK.next_update(moscow("2024-12-29"), moscow("2024-12-31")) == moscow("2025-01-09T16:00")


def test_tomorrows_table_can_exist_and_the_day_afters_cannot() -> None:
    """The newest honest date is tomorrow's."""
    now = moscow("2024-11-21T18:00")
    assert moscow("2024-11-22") <= BANK.latest(now)
    assert moscow("2024-11-23T00:01") > BANK.latest(now)


def test_a_decree_is_one_dated_exception() -> None:
    """The same bank without the file's exception is due on the Monday that became a day off; with it a week later."""
    plain = Publication(zone=BANK.zone, at=time(16), grace=4 * HOUR, holidays="RU", lead=1)
    friday = moscow("2020-03-28")
    assert plain.fresh_until(friday) == moscow("2020-03-31")
    decree = PublicationException(first=date(2020, 3, 30), last=date(2020, 4, 3), closed=True)
    told = Publication(zone=BANK.zone, at=time(16), grace=4 * HOUR, holidays="RU", lead=1, exceptions=(decree,))
    assert told.fresh_until(friday) == moscow("2020-04-07")
    assert told.due(friday) == moscow("2020-04-06T16:00")


def test_an_exception_can_open_a_day_too_and_the_later_one_holds() -> None:
    """A Saturday that becomes a working day, and a correction of a correction."""
    saturday = date(2027, 3, 6)
    opened = PublicationException(dates=(saturday,), closed=False)
    closed = PublicationException(dates=(saturday,), closed=True)
    for exceptions, expected in (((opened,), True), ((opened, closed), False), ((closed, opened), True)):
        bank = Publication(zone=BANK.zone, at=time(16), holidays="RU", lead=1, exceptions=exceptions)
        assert bank.is_publication_day(saturday) is expected


def test_a_table_dated_the_same_day_counts_from_its_hour() -> None:
    """Good Friday and Easter Monday have no table of the European Central Bank: Thursday's lasts until Tuesday."""
    thursday = datetime(2026, 4, 2, tzinfo=ECB.zone)
    tuesday = datetime(2026, 4, 7, tzinfo=ECB.zone)
    assert ECB.effective_from(thursday) == thursday + 16 * HOUR
    assert ECB.previous(thursday) == datetime(2026, 4, 1, tzinfo=ECB.zone)
    assert ECB.valid_until(thursday) == tuesday + 16 * HOUR
    assert ECB.fresh_until(thursday) == tuesday + 19 * HOUR
    assert ECB.next_update(thursday, thursday + 17 * HOUR) == tuesday + 16 * HOUR


def test_a_weeks_prices_come_on_wednesday() -> None:
    """The EIA's batch of Wednesday 18.11.2026 reaches to Monday and is followed a week later."""
    monday = datetime(2026, 11, 16, tzinfo=EIA.zone)
    assert EIA.due(monday) == datetime(2026, 11, 25, 13, tzinfo=EIA.zone)
    assert EIA.latest(datetime(2026, 11, 18, 15, tzinfo=EIA.zone)) >= monday


def test_the_dates_of_a_week_are_tuesday_to_saturday() -> None:
    """What the Bank's own archive lists."""
    dates = [date(2026, 3, 3), date(2026, 3, 4), date(2026, 3, 5), date(2026, 3, 6), date(2026, 3, 7)]
    assert BANK.effective_dates(date(2026, 3, 1), date(2026, 3, 9)) == dates


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"days": "monday"}, "'monday' is not a weekday"),
        ({"holidays": "Ruritania"}, "no holiday calendar named 'Ruritania'"),
        ({"grace": timedelta(hours=-1)}, "grace is not negative"),
        ({"lead": 2}, "lead = 2 is not between -31 and 1"),
    ],
)
def test_a_publication_that_cannot_be_is_refused(change: dict[str, object], complaint: str) -> None:
    """Each with what would do."""
    given: dict[str, object] = {"zone": BANK.zone, "at": time(16), **change}
    with pytest.raises(ValueError, match=complaint):
        Publication(**given)  # type: ignore[arg-type]  # the change is of any field


MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2035, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_the_questions_agree_with_each_other(as_of: datetime, passed: timedelta) -> None:
    """Whatever the day: a number is not late at birth, nothing is due in the past, and before is before."""
    now = as_of + passed
    for each in EVERYBODY:
        table = each.previous(now)
        assert table is not None
        assert each.effective_from(table) < each.valid_until(table) <= each.fresh_until(table)
        assert not each.is_late(each.following(table), each.valid_until(table))
        assert each.valid_until(table) < table + timedelta(days=28)
        assert each.previous(each.following(table)) == table
        upcoming = each.next_update(as_of, now)
        assert upcoming is None or upcoming >= now
