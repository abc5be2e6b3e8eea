"""The facts agree with what the announcements say, date by date."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from tests.world.facts import bank, fixings, moex, nymex
from tests.world.world import Market, front_abroad, moment


@pytest.mark.parametrize(
    ("day", "table"),
    [
        ("2024-12-28", "2024-12-28"),
        ("2024-12-29", "2024-12-29"),
        ("2025-01-09", "2024-12-29"),
        ("2025-01-10", "2025-01-10"),
        ("2025-12-31", "2025-12-31"),
        ("2026-01-12", "2025-12-31"),
        ("2026-01-13", "2026-01-13"),
        ("2020-04-06", "2020-03-28"),
        ("2020-04-07", "2020-04-07"),
        ("2026-03-02", "2026-02-28"),
        ("2026-04-26", "2026-04-25"),
    ],
)
def test_the_table_in_force_is_the_one_that_was_announced(day: str, table: str) -> None:
    """On working Saturdays, over New Year and in the week of the decree the Bank's dates are those of SOURCES."""
    assert bank.in_force(date.fromisoformat(day)) == date.fromisoformat(table)


@pytest.mark.parametrize("name", ["DECEMBER_2014", "MARCH_2020", "DECREE_2020", "MARCH_2022", "JUNE_2024",
                                  "NOVEMBER_2024", "DECEMBER_2024", "NEW_YEAR_2026", "MARCH_2026",
                                  "DISPUTE"])  # fmt: skip
def test_every_recorded_table_is_one_that_the_days_call_for(name: str) -> None:
    """Each table of the fixings appeared on a working day, for the day after it, and none between is missing."""
    tables = getattr(fixings, name)
    days = [date.fromisoformat(day) for _, day, _, _ in tables]
    expected = [each.day for each in bank.settings(days[0] - bank.DAY, days[-1] - bank.DAY)]
    assert days == expected
    assert all(datetime.fromisoformat(at).date() + bank.DAY == day for (at, *_), day in zip(tables, days, strict=True))


@pytest.mark.parametrize(
    ("when", "trades"),
    [
        ("2025-03-12 08:49", False),
        ("2025-03-12 08:50", True),
        ("2025-03-12 14:02", False),
        ("2025-03-12 18:55", False),
        ("2025-03-12 23:49", True),
        ("2025-03-15 12:00", False),
        ("2026-01-05 12:00", True),
        ("2026-01-07 12:00", False),
        ("2026-01-25 12:00", True),
        ("2026-01-25 19:00", False),
        ("2026-01-11 12:00", False),
        ("2026-03-20 18:49", True),
        ("2026-03-20 20:00", False),
        ("2026-03-23 18:55", True),
        ("2026-05-01 12:00", True),
        ("2026-05-01 20:00", False),
        ("2026-12-31 12:00", False),
    ],
)
def test_the_exchange_trades_when_it_said_it_would(when: str, *, trades: bool) -> None:
    """Sessions, clearings, weekends and holidays of Moscow's futures are those of SOURCES."""
    day = moment(when).date()
    market = Market(moex.sessions(day, day), lambda _: Decimal(1), bank.DAY)
    assert market.in_session(moment(when)) is trades


def test_abroad_rests_on_its_own_holidays_only() -> None:
    """NYMEX trades through Russian holidays, shuts at noon on 24 December and stays shut on the 25th until evening."""
    spans = nymex.sessions(date(2025, 12, 22), date(2025, 12, 31))
    ends = [end.strftime("%d %H:%M") for _, end in spans]
    assert ends == ["22 17:00", "23 17:00", "24 13:30", "26 17:00", "29 17:00", "30 17:00", "31 13:30"]
    assert spans[3][0].strftime("%d %H:%M") == "25 18:00"


def test_the_contract_abroad_ends_a_day_before_the_one_in_moscow() -> None:
    """BR-6.26 ends on 1.06.2026 (SOURCES); its twin abroad, the July contract, on the last weekday of May."""
    assert front_abroad(date(2026, 5, 29)) == date(2026, 7, 1)
    assert front_abroad(date(2026, 5, 30)) == date(2026, 8, 1)
