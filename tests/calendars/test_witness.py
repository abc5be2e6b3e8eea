"""The shipped calendars held against those who know markets independently of us, from 2015 to 2027.

Where they differ, the difference is listed with who is right and how that is known. A newer edition of a witness that
learns something turns these tests red: then a file or a list here wants an edit.
"""

import re
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path

import exchange_calendars
import pytest

from tests.support.timetables import MOSCOW, publication, session

DAYS = [date(2015, 1, 1) + timedelta(days=day) for day in range(4748)]
WEEKDAYS = [day for day in DAYS if day.weekday() < 5]
pytestmark = pytest.mark.filterwarnings("ignore:Series.values returning")  # the witness's own, of pandas
PAYLOADS = Path(__file__).parents[3] / "shared" / "payloads"


def days(*texts: str) -> set[date]:
    """The days that "2026-02-23 05-01" names: a year once, then months and days."""
    found: set[date] = set()
    for text in texts:
        year, *rest = text.split()
        found.update(date.fromisoformat(f"{year}-{each}") for each in rest)
    return found


# XMOS believes that what falls on a weekend is made up for on the Monday, and does not know that the exchange has
# opened on most holidays since 2025: the exchange's announcements (../shared/SOURCES.md) are right.
XMOS_BELIEVES_CLOSED = days("2025 02-24 03-10", "2026 02-23 03-09 05-01 05-11 06-12 11-04")
# Of 2027 nothing is announced: the weekday's rule stands until it is.
XMOS_GUESSES = days("2027 01-04 02-23 03-08 05-03 05-10 06-14 11-04 12-31")
# Days of mourning of the New York Stock Exchange: futures traded, with an early close.
MOURNING = days("2018 12-05", "2025 01-09")


@cache
def witness(name: str) -> exchange_calendars.ExchangeCalendar:
    """An exchange's calendar over the years of the test."""
    return exchange_calendars.get_calendar(name, start="2015-01-01", end="2027-12-31")


@cache
def closed(name: str) -> frozenset[date]:
    """The weekdays on which the witness has no session."""
    opened = {session.date() for session in witness(name).sessions}
    return frozenset(day for day in WEEKDAYS if day not in opened)


def test_the_moscow_exchange_rests_when_the_witness_says_so() -> None:
    """Every weekday of thirteen years, but for the holidays on which it has come to trade."""
    rests = {day for day in WEEKDAYS if not session("moex_forts").sessions(day)}
    assert closed("XMOS") - rests == XMOS_BELIEVES_CLOSED | XMOS_GUESSES
    assert rests <= closed("XMOS")


@pytest.mark.parametrize("name", ["IEPA", "CMES"])
def test_brent_abroad_rests_when_its_two_exchanges_say_so(name: str) -> None:
    """ICE and CME, weekday for weekday."""
    rests = {day for day in WEEKDAYS if not session("ice_brent").sessions(day)}
    assert closed(name) - rests == MOURNING
    assert rests <= closed(name)


@pytest.mark.parametrize("name", ["IEPA", "CMES"])
def test_brent_abroad_closes_early_whenever_one_of_its_exchanges_does(name: str) -> None:
    """At one in the afternoon in New York or before; never the other way round, since a print proves an open market."""
    early = {day.date() for day in witness(name).early_closes}
    assert early
    for day in sorted(early):
        assert session("ice_brent").sessions(day)[-1].closes.time() <= time(13), day


def test_brent_abroad_is_never_called_open_while_the_exchange_rests() -> None:
    """Each hour of its own sessions lies within those of ICE as the witness has them."""
    told = witness("IEPA")
    for day in DAYS:
        for each in session("ice_brent").sessions(day):
            if day in MOURNING or each.opens.weekday() == 6:  # the witness opens Sunday at twenty as on other days
                continue
            opens, closes = (told.session_open(day.isoformat()), told.session_close(day.isoformat()))
            assert opens.to_pydatetime() <= each.opens < each.closes <= closes.to_pydatetime(), day


EASTER = {
    *(date(2015, 4, 5), date(2016, 3, 27), date(2017, 4, 16), date(2018, 4, 1), date(2019, 4, 21), date(2020, 4, 12)),
    *(date(2021, 4, 4), date(2022, 4, 17), date(2023, 4, 9), date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5)),
    date(2027, 3, 28),
}


def test_the_european_central_bank_publishes_on_target_days() -> None:
    """TARGET rests on New Year, Good Friday, Easter Monday, 1 May and at Christmas for two days."""
    bank = publication("ecb")
    for day in DAYS:
        rests = (
            day.weekday() >= 5
            or (day.month, day.day) in {(1, 1), (5, 1), (12, 25), (12, 26)}
            or day + timedelta(days=2) in EASTER
            or day - timedelta(days=1) in EASTER
        )
        assert bank.is_publication_day(day) is not rests, day


def test_the_bank_of_russia_rests_on_what_the_labour_code_names() -> None:
    """1 to 8 January, 23 February, 8 March, 1 and 9 May, 12 June and 4 November never are working days."""
    bank, named = publication("cbr"), {(2, 23), (3, 8), (5, 1), (5, 9), (6, 12), (11, 4)}
    for day in DAYS:
        if (day.month, day.day) in named or (day.month == 1 and day.day <= 8):
            assert not bank.is_publication_day(day), day


# The production calendar of the Russian government: transferred days off on weekdays, and working Saturdays.
DAYS_OFF = days(
    "2019 05-02 05-03 05-10",
    "2020 05-04 05-05 06-24 07-01",
    "2021 11-05 12-31",
    "2022 03-07 05-03 05-10",
    "2023 02-24 05-08",
    "2024 04-29 04-30 05-10 12-30 12-31",
    "2025 05-02 05-08 06-13 11-03 12-31",
    "2026 01-09 12-31",
)
WORKING_SATURDAYS = days(
    "2018 04-28 06-09 12-29", "2021 02-20", "2022 03-05", "2024 04-27 11-02 12-28", "2025 11-01", "2027 02-20"
)


def test_the_bank_of_russia_follows_the_transfers_of_days_off() -> None:
    """A table is set on a working Saturday, and none on the weekday that became a day off instead."""
    bank = publication("cbr")
    assert [day for day in sorted(DAYS_OFF) if bank.is_publication_day(day)] == []
    weekends = {day for day in DAYS if day.year >= 2018 and day.weekday() >= 5 and bank.is_publication_day(day)}
    assert weekends == WORKING_SATURDAYS


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the recordings are not here")
def test_every_recorded_table_has_a_date_that_the_calendar_gives() -> None:
    """The Bank's own tables and its mirror's, and the rows of its archive."""
    bank, seen = publication("cbr"), 0
    for file in sorted((PAYLOADS / "cbr").glob("XML_d*.xml")):
        head = file.read_bytes().decode("cp1251")
        for day, month, year in re.findall(r'<(?:ValCurs|Record) Date="(\d\d)[./](\d\d)[./](\d{4})"', head):
            dated = date(int(year), int(month), int(day))
            assert dated in bank.effective_dates(dated, dated), file.name
            seen += 1
    for file in sorted((PAYLOADS / "cbr_xml_daily").glob("*.js*")):
        text = file.read_text(encoding="utf-8", errors="replace")
        dated, before, stamped = re.findall(r'"(?:Date|PreviousDate|Timestamp)": *"([^"]+)"', text)[:3]
        table = datetime.combine(date.fromisoformat(dated[:10]), time(), MOSCOW)
        assert bank.previous(table) == datetime.combine(date.fromisoformat(before[:10]), time(), MOSCOW), file.name
        now = datetime.fromisoformat(stamped)
        assert table <= bank.latest(now), file.name
        assert now < bank.fresh_until(table), file.name
        seen += 1
    assert seen >= 12
