"""What a part of the futures board that nobody asked for may look like without harm to the rest."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.sources.test_moex import BOARD, DOLLAR, FRONT, NEXT, NOON, at, brent, front, with_cells
from ticker.quotes import PriceType, Reason, SourceError
from ticker.sources.moex import parse

WOUNDS: list[dict[str, Any]] = [
    {"LAST": "n/a"},
    {"LAST": Decimal(-1)},
    {"SYSTIME": "now"},
    {"LASTTRADEDATE": None},
    {"TRADEDATE": "soon"},
]


@pytest.mark.parametrize("wound", WOUNDS, ids=lambda wound: "=".join(map(str, *wound.items())))
def test_a_cell_of_another_asset_costs_that_asset_alone(wound: dict[str, Any]) -> None:
    """The dollar's future is wounded: Brent is read as if nothing were, and the fault has its name."""
    with pytest.raises(SourceError) as caught:
        parse(with_cells("SiZ4", **wound))
    assert caught.value.reason in {Reason.PARSE, Reason.RANGE, Reason.SCHEMA}
    assert list(caught.value.besides) == [brent(BOARD)]


def test_a_clock_gone_wrong_in_another_row_does_not_end_brent() -> None:
    """What day it is, the rows of an asset say of themselves."""
    assert brent(with_cells("SiZ4", SYSTIME="2199-01-01 00:00:00")) == brent(BOARD)


def test_before_the_first_settlement_of_a_day_yesterdays_is_no_news() -> None:
    """SETTLEPRICE repeats PREVSETTLEPRICE until something is settled: last night's number, and no change of 0.00 %."""
    tick = brent(with_cells("BRZ4", at("2024-11-25 09:05:00"), LAST=None, SETTLEPRICE=FRONT.previous, TIME=None))
    assert (tick.price, tick.price_type, tick.previous) == (FRONT.previous, PriceType.SETTLEMENT, None)
    assert tick.as_of == at("2024-11-22 18:50:00")


@pytest.mark.parametrize(
    ("system", "trade_date"),
    [
        ("2024-11-23 00:30:00", "2024-11-25"),
        ("2024-11-24 12:00:00", "2024-11-25"),
        ("2024-11-25 07:00:00", "2024-11-25"),
        ("2024-11-25 07:00:00", "2024-11-24"),
        ("2024-11-25 07:00:00", "2024-11-22"),
    ],
)
def test_fridays_last_trade_stays_fridays_over_the_weekend(system: str, trade_date: str) -> None:
    """Whatever date the row bears meanwhile: nobody trades on the evening of a Saturday or a Sunday."""
    body = with_cells("BRZ4", SYSTIME=system, TRADEDATE=trade_date, TIME="23:49:58")
    assert brent(body).as_of == at("2024-11-22 23:49:58")


@pytest.mark.parametrize("system", ["2024-11-23 19:15:00", "2024-11-24 12:00:00", "2024-11-25 08:00:00"])
@pytest.mark.parametrize("time", ["11:59:00", "18:59:58"])
def test_a_trade_of_a_weekend_session_is_of_its_day(system: str, time: str) -> None:
    """Since 2025 there are sessions on Saturday and Sunday, by day and to seven in the evening."""
    body = with_cells("BRZ4", SYSTIME=system, TRADEDATE="2024-11-23", TIME=time)
    assert brent(body).as_of == at(f"2024-11-23 {time}")


@pytest.mark.parametrize("before", [None, 0, Decimal("-37.63")])
def test_a_contract_without_a_settlement_before_has_no_change(before: Decimal | int | None) -> None:
    """On its first day nothing was settled before, after a day below zero nothing that a change is measured by."""
    tick = brent(with_cells("BRZ4", PREVSETTLEPRICE=before))
    assert (tick.price, tick.previous) == (FRONT.last, None)


def test_the_names_of_this_file_are_those_of_the_board() -> None:
    """The wounded asset is another one than Brent, and expires on a day that is not its."""
    assert (DOLLAR.asset, NEXT.asset, FRONT.expires) == ("Si", "BR", date(2024, 12, 2))
    assert NOON.date() < FRONT.expires


@pytest.mark.parametrize(
    ("now", "last_trade", "contract"),
    [
        ("2024-12-02 18:40:00", "18:25:00", "BRZ4"),
        ("2024-12-02 19:15:00", "18:49:00", "BRZ4"),
        ("2024-12-02 20:00:00", "18:49:00", "BRF5"),
        ("2024-12-02 20:00:00", "19:45:00", "BRZ4"),  # as long as it trades it speaks
        ("2024-12-02 09:20:00", "23:49:00", "BRZ4"),
        ("2024-11-29 20:00:00", "18:49:00", "BRZ4"),
    ],
)
def test_on_the_evening_of_its_last_day_a_contract_has_ended(now: str, last_trade: str, contract: str) -> None:
    """The evening session is the next day's: there the following contract trades and the expired one stands still."""
    assert front(with_cells("BRZ4", at(now), TIME=last_trade)) == contract
