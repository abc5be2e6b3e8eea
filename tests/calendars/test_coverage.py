"""Somebody should look before what is known of a market's days ends."""

from datetime import date, time, timedelta

import pytest

from tests.support.timetables import MOSCOW, calendar, moscow
from ticker.calendars import Publication, coverage_warnings, covered_until, ending_soon

EXCHANGE = {"moex_forts": calendar("moex_forts")}


@pytest.mark.parametrize(
    ("now", "ends"), [("2026-11-01T12:00", False), ("2026-11-02T00:00", False), ("2026-11-02T00:01", True)]
)
def test_sixty_days_before_the_year_ends_the_next_one_should_be_known(now: str, ends: bool) -> None:  # noqa: FBT001 - the expected answer
    """The exchange's days of 2026 are known to their last midnight."""
    assert covered_until(EXCHANGE["moex_forts"]) == moscow("2027-01-01")
    assert bool(ending_soon(EXCHANGE, moscow(now))) is ends


def test_the_warning_says_which_calendar_until_when_and_what_to_do() -> None:
    """One sentence each."""
    (told,) = coverage_warnings(EXCHANGE, moscow("2026-11-27"))
    assert told == (
        "calendar moex_forts: what is known of its days ends with 2026-12-31, later ones are judged by their weekday: "
        "add the announced exceptions and a later covered_until to calendars/moex_forts.toml"
    )


def test_a_calendar_without_holidays_needs_no_facts() -> None:
    """A file a day has nothing that could end."""
    daily = Publication(zone=MOSCOW, at=time(0), days="mon-sun", grace=timedelta(hours=1))
    assert covered_until(daily) is None
    assert coverage_warnings({"daily": daily}, moscow("2040-01-01")) == []


def test_what_ended_long_ago_is_still_told() -> None:
    """A service that nobody looks after."""
    bank = Publication(zone=MOSCOW, at=time(16), covered_until=date(2024, 12, 31))
    assert [*ending_soon({"bank": bank}, moscow("2026-01-01"))] == ["bank"]
