"""The day of a price that was told with a time of day alone, and what was settled before it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.support.timetables import moscow, session
from ticker.normalize import Origin, normalise
from ticker.quotes import Candidate, Contract, Instrument, PriceType, Tick

OIL = Instrument(symbol="OIL", base="BRENT", quote="USD", sources=("moex",))
FORTS = Origin("moex", "moex", session("moex_forts"), {"BRENT/USD": "BR"})


def candidate(as_of: datetime, now: datetime, kind: PriceType = PriceType.LAST) -> Candidate:
    """What a print of `as_of`, whose day was inferred, is at `now`."""
    tick = Tick(
        *("BR", Decimal("61.20"), "USD", as_of, kind, 1, Decimal("60.50")),
        contract=Contract("BRG6", date(2026, 2, 2)),
        date_inferred=True,
    )
    found = normalise(OIL, FORTS, [tick], now)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("told", "now", "true"),
    [
        # The last trading day of 2025 is 30.12.; 1. and 2.01.2026 are closed.
        ("2026-01-02T23:49:58", "2026-01-03T11:00", "2025-12-30T23:49:58"),
        ("2026-01-01T23:49:58", "2026-01-02T11:00", "2025-12-30T23:49:58"),
        # 7.01.2026 is closed, 6.01. is not although the country rests.
        ("2026-01-07T12:00:00", "2026-01-08T08:30", "2026-01-06T12:00:00"),
        # 8.03.2026 is a Sunday without a session, 7.03. a Saturday without one.
        ("2026-03-08T15:00:00", "2026-03-09T08:30", "2026-03-06T15:00:00"),
        ("2026-01-06T12:00:00", "2026-01-06T12:15", "2026-01-06T12:00:00"),
        # At ten to midnight of a day of rest the last print of the evening before has an hour that has just passed.
        ("2026-01-07T23:49:58", "2026-01-07T23:55", "2026-01-06T23:49:58"),
        ("2026-01-06T23:49:58", "2026-01-07T00:10", "2026-01-06T23:49:58"),
    ],
)
def test_a_time_of_day_is_of_the_last_day_that_traded(told: str, now: str, true: str) -> None:
    """The answer infers the last possible day; the exchange's calendar knows on which of them there was trading."""
    assert candidate(moscow(told), moscow(now)).as_of == moscow(true)


def test_what_was_just_printed_proves_that_the_market_trades() -> None:
    """On a day that no calendar knows: a print of a quarter of an hour ago is of today."""
    found = candidate(moscow("2026-03-08T15:00:00"), moscow("2026-03-08T15:15"))
    assert found.as_of == moscow("2026-03-08T15:00:00")


@pytest.mark.parametrize(
    ("printed", "settled"),
    [
        ("2025-11-20T12:00", "2025-11-19"),
        ("2025-11-20T20:00", "2025-11-20"),  # an evening counts to the next day, and follows that day's clearing
        ("2025-11-22T12:00", "2025-11-21"),  # a Saturday counts to Monday
        ("2025-11-24T12:00", "2025-11-21"),
        ("2026-01-05T12:00", "2025-12-30"),
        ("2026-04-14T20:00", "2026-04-13"),  # since 23.03.2026 an evening counts to its own day
    ],
)
def test_the_settlement_before_is_of_its_true_day(printed: str, settled: str) -> None:
    """Of the trading day before the one that the print counts to: -5.2 % were told as +0.14 % "since Thursday"."""
    found = candidate(moscow(printed), moscow(printed) + timedelta(minutes=15))
    assert found.previous == Decimal("60.50")
    assert found.previous_as_of is not None
    assert f"{found.previous_as_of.astimezone(moscow(printed).tzinfo):%Y-%m-%d}" == settled
