"""The day of a price that was told with a time of day alone, and what was settled before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.support.timetables import moscow, session
from ticker.normalize import Origin, normalise
from ticker.quotes import Candidate, Contract, Instrument, MarketData, Neighbour, PriceType, Tick

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
        # A weekend has no evening: Friday's last print stands on Sunday and on Monday morning.
        ("2024-11-23T23:49:58", "2024-11-24T12:00", "2024-11-22T23:49:58"),
        ("2026-04-12T23:49:58", "2026-04-13T07:00", "2026-04-10T23:49:58"),
        ("2026-04-12T17:30:00", "2026-04-13T07:00", "2026-04-12T17:30:00"),
        ("2026-04-12T18:59:59", "2026-04-12T21:00", "2026-04-12T18:59:59"),
        # A holiday with the hours of a weekend: in its evening, and the morning after, the last print is of 18:59.
        ("2026-06-12T18:59:59", "2026-06-13T08:00", "2026-06-12T18:59:59"),
        ("2026-06-12T23:49:58", "2026-06-13T08:00", "2026-06-11T23:49:58"),
        # 1.11.2025 was a working Saturday, traded like any other day, and the Sunday after it was closed.
        ("2025-11-01T21:30:00", "2025-11-01T21:45", "2025-11-01T21:30:00"),
        ("2025-11-02T23:49:58", "2025-11-03T07:00", "2025-11-01T23:49:58"),
        # On the weekend of 22.11.2025 the exchange worked on its systems.
        ("2025-11-23T23:49:58", "2025-11-24T07:00", "2025-11-21T23:49:58"),
        # At ten to midnight of a day of rest the last print of the evening before has an hour that has just passed.
        ("2026-01-07T23:49:58", "2026-01-07T23:55", "2026-01-06T23:49:58"),
        ("2026-01-06T23:49:58", "2026-01-07T00:10", "2026-01-06T23:49:58"),
    ],
)
def test_a_time_of_day_is_of_the_last_day_that_traded(told: str, now: str, true: str) -> None:
    """The answer infers the last possible day; the exchange's calendar knows on which of them there was trading."""
    assert candidate(moscow(told), moscow(now)).as_of == moscow(true)


def test_the_next_month_is_of_the_same_day() -> None:
    """It stands in the same answer, under a time of day as well."""
    told = moscow("2024-11-24T23:49:58")
    beside = Neighbour(Contract("BRH6", date(2026, 3, 2)), Decimal("61.60"), told)
    tick = Tick(
        *("BR", Decimal("61.20"), "USD", told, PriceType.LAST),
        contract=Contract("BRG6", date(2026, 2, 2)),
        market=MarketData(neighbour=beside),
        date_inferred=True,
    )
    found = normalise(OIL, FORTS, [tick], moscow("2024-11-25T07:00"))
    assert found is not None
    assert found.market_data.neighbour == replace(beside, as_of=moscow("2024-11-22T23:49:58"))


@pytest.mark.parametrize(
    ("told", "now", "before", "true"),
    [
        # 9.01.2026 was traded although the country rested; 10. and 11.01. are a weekend.
        ("2026-01-09T18:59:59", "2026-01-09T20:00", "2026-01-08", "2026-01-09T18:59:59"),
        ("2026-01-11T18:59:59", "2026-01-12T09:00", "2026-01-08", "2026-01-09T18:59:59"),
        ("2026-05-11T18:59:59", "2026-05-12T03:00", "2026-05-08", "2026-05-11T18:59:59"),
        ("2025-11-01T12:00:00", "2025-11-01T12:15", "2025-10-31", "2025-11-01T12:00:00"),
        ("2025-11-03T18:59:59", "2025-11-04T20:00", "2025-11-01", "2025-11-03T18:59:59"),
        ("2026-06-12T18:59:59", "2026-06-12T20:00", "2026-06-10", "2026-06-11T18:59:59"),
        ("2024-11-24T18:59:58", "2024-11-25T07:00", "2024-11-21", "2024-11-22T18:59:58"),
        # Halted on Thursday, 13.06.2024: every new day's answer has its own SYSTIME, and the same PREVDATE.
        ("2024-06-13T11:30:00", "2024-06-13T12:00", "2024-06-11", "2024-06-13T11:30:00"),
        ("2024-06-20T11:30:00", "2024-06-20T12:00", "2024-06-11", "2024-06-13T11:30:00"),
        # 5.01.2026 was the first day traded after 30.12.2025.
        ("2026-01-05T18:59:59", "2026-01-05T20:00", "2025-12-30", "2026-01-05T18:59:59"),
    ],
)
def test_a_currency_was_last_traded_on_the_last_day_that_its_market_was_open(
    told: str, now: str, before: str, true: str
) -> None:
    """Moscow trades currencies on days on which Russia rests, and on a working Saturday; never on its weekends."""
    yuan = Instrument(symbol="CNY", base="CNY", quote="RUB", sources=("moex_fx",))
    origin = Origin("moex_fx", "moex", session("moex_fx"), {"CNY/RUB": "CNYRUB_TOM"})
    tick = Tick(
        *("CNYRUB_TOM", Decimal("11.52"), "RUB", moscow(told), PriceType.LAST, 1, Decimal("11.50")),
        previous_as_of=moscow(f"{before}T00:00"),
        date_inferred=True,
    )
    found = normalise(yuan, origin, [tick], moscow(now))
    assert found is not None
    assert found.as_of == moscow(true)


def test_what_was_just_printed_proves_that_the_market_trades() -> None:
    """On a day that no calendar knows: a print of a quarter of an hour ago is of today."""
    found = candidate(moscow("2026-03-08T15:00:00"), moscow("2026-03-08T15:15"))
    assert found.as_of == moscow("2026-03-08T15:00:00")


@pytest.mark.parametrize(
    ("printed", "settled"),
    [
        ("2025-11-20T12:00", "2025-11-19"),
        ("2025-11-20T20:00", "2025-11-20"),  # an evening counts to the next day, and follows that day's clearing
        ("2025-11-15T12:00", "2025-11-14"),  # a Saturday counts to Monday
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
