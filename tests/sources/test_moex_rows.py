"""What a part of the futures board that nobody asked for may look like without harm to the rest."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.sources.test_moex import BOARD, DOLLAR, FRONT, NEXT, NOON, at, brent, front, with_cells
from tests.support.refusals import denied
from tests.support.upstreams import exact
from tests.support.upstreams import forts as writer
from ticker.quotes import Contract, Neighbour, PriceType, Reason
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
    found = parse(with_cells("SiZ4", **wound))
    assert list(found.ticks) == [brent(BOARD)]
    why = found.why_not("Si")
    assert why is not None
    assert why.reason in {Reason.PARSE, Reason.RANGE, Reason.SCHEMA}


def test_a_clock_gone_wrong_in_another_row_does_not_end_brent() -> None:
    """What day it is, the rows of an asset say of themselves."""
    assert brent(with_cells("SiZ4", SYSTIME="2199-01-01 00:00:00")) == brent(BOARD)


def test_before_the_first_settlement_of_a_day_yesterdays_is_no_news() -> None:
    """SETTLEPRICE repeats PREVSETTLEPRICE until something is settled: last night's number, and no change of 0.00 %."""
    tick = brent(with_cells("BRZ4", at("2024-11-25 09:05:00"), LAST=None, SETTLEPRICE=FRONT.previous, TIME=None))
    assert (tick.price, tick.price_type, tick.previous) == (FRONT.previous, PriceType.SETTLEMENT, None)
    assert tick.as_of == at("2024-11-22 18:50:00")


@pytest.mark.parametrize(
    ("system", "trade_date", "day"),
    [
        ("2024-11-23 00:30:00", "2024-11-25", 22),
        ("2024-11-24 12:00:00", "2024-11-25", 23),
        ("2024-11-25 07:00:00", "2024-11-25", 24),
        ("2024-11-25 07:00:00", "2024-11-24", 24),
        ("2024-11-25 07:00:00", "2024-11-22", 22),
    ],
)
def test_a_time_of_day_is_of_the_last_day_on_which_it_can_have_been(system: str, trade_date: str, day: int) -> None:
    """Weekends and holidays not considered: which of these days had an evening, the calendar knows."""
    body = with_cells("BRZ4", SYSTIME=system, TRADEDATE=trade_date, TIME="23:49:58")
    assert brent(body).as_of == at(f"2024-11-{day} 23:49:58")


@pytest.mark.parametrize("system", ["2024-11-23 19:15:00", "2024-11-24 12:00:00", "2024-11-25 08:00:00"])
@pytest.mark.parametrize("time", ["11:59:00", "18:59:58"])
def test_a_trade_of_a_weekend_session_is_of_its_day(system: str, time: str) -> None:
    """Since 2025 there are sessions on Saturday and Sunday, by day and to seven in the evening."""
    body = with_cells("BRZ4", SYSTIME=system, TRADEDATE="2024-11-23", TIME=time)
    assert brent(body).as_of == at(f"2024-11-23 {time}")


@pytest.mark.parametrize("before", [None, 0, Decimal("-37.63"), "n/a"])
def test_a_contract_without_a_settlement_before_has_no_change(before: Decimal | int | str | None) -> None:
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


def rows_of(board: bytes) -> dict[str, Any]:
    """The two blocks, to be changed."""
    answer: dict[str, Any] = json.loads(board, parse_float=Decimal)
    return answer


def written(answer: dict[str, Any]) -> bytes:
    """The board again."""
    return exact.dumps(answer).encode()


FAR = writer.Contract("BRG5", "BR-2.25", "BR", Decimal("72.90"), Decimal("72.00"), date(2025, 2, 3))
LAST_DAYS = {"2025": "2025-09-01", "2026": "2026-04-01"}  # of BRU5 and BRJ6
FOUR = writer.moex_forts(NOON, [FAR, NEXT, DOLLAR, FRONT])


@pytest.mark.parametrize(
    "cells",
    [
        {"LASTTRADEDATE": None},
        {"LASTTRADEDATE": "soon"},
        {"LAST": "n/a"},
        {"SYSTIME": None},
        {"SYSTIME": "2199-01-01 00:00:00"},
        {"TRADEDATE": "soon"},
        {"TIME": "25:00:00"},
        {"PREVSETTLEPRICE": "n/a"},
        {"LAST": None, "SETTLEPRICE": None, "PREVSETTLEPRICE": None},
    ],
)
@pytest.mark.parametrize("code", ["BRF5", "BRG5"])
def test_a_cell_of_a_later_month_costs_that_month_alone(code: str, cells: dict[str, Any]) -> None:
    """The front contract speaks; the month after it bears no witness."""
    answer = rows_of(FOUR)
    for block in answer.values():
        for row in block["data"]:
            if row[0] == code:
                for name in cells.keys() & set(block["columns"]):
                    row[block["columns"].index(name)] = cells[name]
    tick = brent(written(answer))
    assert (tick.price, tick.contract) == (FRONT.last, Contract("BRZ4", date(2024, 12, 2)))
    assert tick.as_of == brent(FOUR).as_of


@pytest.mark.parametrize("code", ["BRF5", "BRG5", "SiZ4"])
@pytest.mark.parametrize("block", ["securities", "marketdata"])
@pytest.mark.parametrize("how", ["short", "long", "gone", "twice", "no list"])
def test_a_row_of_another_contract_costs_that_contract_alone(code: str, block: str, how: str) -> None:
    """A cell too few, a cell too many, no row, one row twice, a row that is none."""
    answer = rows_of(FOUR)
    rows = answer[block]["data"]
    (place,) = (place for place, row in enumerate(rows) if row[0] == code)
    row = rows[place]
    rows[place : place + 1] = {
        "short": [row[:-1]],
        "long": [[*row, 0]],
        "gone": [],
        "twice": [row, row],
        "no list": [{"SECID": code}],
    }[how]
    found = parse(written(answer))
    tick = next(each for each in found.ticks if each.symbol == "BR")
    assert replace(tick, market=None) == replace(brent(FOUR), market=None)
    assert bool(found.skipped) == (how != "gone" or code == "SiZ4")


@pytest.mark.parametrize("block", ["securities", "marketdata"])
@pytest.mark.parametrize("how", ["short", "gone", "differs"])
def test_brent_does_not_step_to_the_next_month_in_silence(block: str, how: str) -> None:
    """Without a row of the front contract, or with two that differ, Brent is not known: the next month is another."""
    answer = rows_of(FOUR)
    rows = answer[block]["data"]
    (place,) = (place for place, row in enumerate(rows) if row[0] == "BRZ4")
    row = rows[place]
    rows[place : place + 1] = {"short": [row[:-1]], "gone": [], "differs": [row, [*row[:-1], "other"]]}[how]
    assert denied(parse, written(answer), "BR") is Reason.SCHEMA


@pytest.mark.parametrize(("now", "gone"), [("2024-11-22 12:00:00", "BRZ4"), ("2024-12-03 12:00:00", "BRF5")])
def test_brent_does_not_step_over_a_contract_that_is_in_neither_block(now: str, gone: str) -> None:
    """Brent in Moscow expires on the first trading day of every month: one of 3 January is not November's front."""
    months = [("BRH5", date(2025, 3, 3)), ("BRJ5", date(2025, 4, 1)), ("BRK5", date(2025, 5, 2))]
    later = [replace(FAR, secid=code, expires=day) for code, day in months]
    board = [each for each in (FRONT, NEXT, FAR, *later) if each.secid != gone]
    assert denied(parse, writer.moex_forts(at(now), board), "BR") is Reason.SCHEMA


def test_a_board_of_few_months_may_begin_with_a_later_one() -> None:
    """Two contracts are no list of all: the first of them is the front one."""
    assert front(writer.moex_forts(NOON, [FAR, NEXT])) == "BRF5"


def test_a_contract_of_yesterday_may_linger_in_one_block() -> None:
    """Not listed any more, and without a time of today: it has expired."""
    board = writer.moex_forts(at("2024-12-03 12:00:00"), [NEXT, FRONT])
    answer = rows_of(board)
    answer["securities"]["data"] = [row for row in answer["securities"]["data"] if row[0] != "BRZ4"]
    place = answer["marketdata"]["columns"].index("SYSTIME")
    for row in answer["marketdata"]["data"]:
        row[place] = "2024-12-02 23:59:00" if row[0] == "BRZ4" else row[place]
    assert front(written(answer)) == "BRF5"


def test_on_the_evening_of_its_last_day_the_front_contract_may_be_gone() -> None:
    """From then on the next one trades alone."""
    answer = rows_of(writer.moex_forts(at("2024-12-02 20:00:00"), [FAR, NEXT, FRONT]))
    answer["marketdata"]["data"] = [row for row in answer["marketdata"]["data"] if row[0] != "BRZ4"]
    assert front(written(answer)) == "BRF5"


def test_the_next_contract_tells_the_calendar_spread() -> None:
    """Its last price, when, and what it was settled at: with the front one's the spread then and now."""
    market = brent(FOUR).market
    assert market is not None
    assert market.neighbour == Neighbour(
        Contract("BRF5", date(2025, 1, 3)), Decimal("73.29"), brent(FOUR).as_of, Decimal("72.40")
    )


def test_the_row_bears_witness_to_its_own_price() -> None:
    """What the exchange says of the day beside the price, for whoever checks it."""
    market = brent(
        with_cells("BRZ4", BID=Decimal("73.69"), OFFER=Decimal("73.71"), LASTTOPREVPRICE=Decimal("1.22"))
    ).market
    assert market is not None
    assert (market.bid, market.offer) == (Decimal("73.69"), Decimal("73.71"))
    assert (market.low, market.high) == (Decimal("72.81"), Decimal("73.70"))
    assert (market.previous_price, market.change_from_previous) == (Decimal("72.81"), Decimal("1.22"))
    assert market.previous_settlement == Decimal("72.81")


@pytest.mark.parametrize("cell", [None, "n/a", 0, -1, [], True])
def test_a_witness_that_cannot_be_read_costs_no_price(cell: object) -> None:
    """BID, LOW and the like only bear witness."""
    names = ("BID", "OFFER", "LOW", "HIGH", "PREVPRICE")
    cells: dict[str, Any] = dict.fromkeys(names, cell)
    tick = brent(with_cells("BRZ4", **cells))
    assert replace(tick, market=None) == replace(brent(BOARD), market=None)
    assert tick.market is not None
    assert (tick.market.bid, tick.market.low) == (None, None)


@pytest.mark.parametrize(
    ("system", "trade_date", "as_of"),
    [
        # A Sunday session since August 2025 counts to Monday: on Monday morning its last print is Sunday's.
        ("2025-08-25 08:00:00", "2025-08-25", "2025-08-24 17:30:00"),
        ("2025-08-24 18:00:00", "2025-08-25", "2025-08-24 17:30:00"),
        ("2025-08-24 09:00:00", "2025-08-25", "2025-08-23 17:30:00"),
        # Since 23.03.2026 an evening counts to its own day.
        ("2026-03-24 08:00:00", "2026-03-23", "2026-03-23 17:30:00"),
    ],
)
def test_a_print_is_never_of_the_future(system: str, trade_date: str, as_of: str) -> None:
    """Whatever day trades are counted to: a print is of the last day on which its time can have been."""
    body = with_cells("BRZ4", at(system), TRADEDATE=trade_date, TIME="17:30:00", LASTTRADEDATE=LAST_DAYS[system[:4]])
    assert brent(body).as_of == at(as_of)


@pytest.mark.parametrize(
    ("system", "trade_date", "settled"),
    [
        ("2026-03-20 12:00:00", "2026-03-20", "2026-03-19 18:50:00"),
        ("2026-03-23 12:00:00", "2026-03-23", "2026-03-20 18:50:00"),
        ("2026-03-24 12:00:00", "2026-03-24", "2026-03-23 23:50:00"),
        ("2026-03-24 20:00:00", "2026-03-24", "2026-03-23 23:50:00"),
        ("2026-03-28 12:00:00", "2026-03-30", "2026-03-27 23:50:00"),
    ],
)
def test_since_march_2026_a_day_is_settled_when_it_ends(system: str, trade_date: str, settled: str) -> None:
    """One session without pauses: the settlement before is that of the evening before."""
    cells: dict[str, Any] = {"LAST": None, "SETTLEPRICE": None, "LASTTRADEDATE": LAST_DAYS[system[:4]]}
    body = with_cells("BRZ4", at(system), TRADEDATE=trade_date, **cells)
    assert brent(body).as_of == at(settled)
