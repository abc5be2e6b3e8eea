from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.support.answers import EUR, LIVE, NOON, USD
from tests.support.refusals import refused
from tests.support.upstreams import exact, prices
from ticker.quotes import PriceType, Reason, Tick
from ticker.sources.base import MOSCOW
from ticker.sources.moex import FX as ADAPTER
from ticker.sources.moex import parse

EVENING = datetime(2024, 11, 21, 18, 30, tzinfo=MOSCOW)
CLEARED = prices.moex_indicative(EVENING, {"USD": USD, "EUR": EUR, "JPY": Decimal("65.06")})
DEAD = {"SECID": "USD000UTSTOM", "LAST": Decimal("89.1"), "PREVDATE": "2024-06-11", "TRADINGSTATUS": "N"}


def with_cells(**cells: Any) -> bytes:  # noqa: ANN401 - any JSON
    """The board with other cells in its one row, in whichever block has that column."""
    answer = json.loads(LIVE["moex_fx"], parse_float=Decimal)
    for block in answer.values():
        for name in cells.keys() & set(block["columns"]):
            block["data"][0][block["columns"].index(name)] = cells[name]
    return exact.dumps(answer).encode()


def test_only_what_is_wanted_is_asked_for() -> None:
    """Pairs are indicative rates, securities are trades; a request for each of both at most."""
    rates, trades = ADAPTER.requests(["USD/RUB", "CNYRUB_TOM", "EUR/RUB"], NOON)
    assert rates.path == "/iss/statistics/engines/futures/markets/indicativerates/securities.json"
    assert trades.path == "/iss/engines/currency/markets/selt/boards/CETS/securities.json"
    assert trades.query["securities"] == "CNYRUB_TOM"
    assert ADAPTER.requests(["USD/RUB"], NOON) == [rates]
    assert ADAPTER.requests(["CNYRUB_TOM"], NOON) == [trades]


def test_a_trade_gives_the_last_price() -> None:
    """LAST at the board's time in Moscow, after the last price of the day before, whose date is told."""
    (yuan,) = parse(LIVE["moex_fx"]).ticks
    before = datetime(2024, 11, 21, tzinfo=MOSCOW)
    assert replace(yuan, market=None) == Tick(
        *("CNYRUB_TOM", Decimal("13.87"), "RUB", NOON, PriceType.LAST, 1, Decimal("13.81"), before),
        raw="13.87",
        date_inferred=True,
    )


def test_an_answer_after_midnight_holds_the_trade_of_the_day_before() -> None:
    """The board's time has no date: where it is later than the answer's it is yesterday's."""
    (yuan,) = parse(with_cells(SYSTIME="2024-11-22 00:05:04", TIME="23:49:59")).ticks
    assert yuan.as_of == datetime(2024, 11, 21, 23, 49, 59, tzinfo=MOSCOW)


@pytest.mark.parametrize("cells", [{"LAST": None}, {"LAST": 0}, {"PREVDATE": "2024-06-11"}, DEAD])
def test_a_market_that_stands_still_gives_nothing(cells: dict[str, Any]) -> None:
    """Dollar and euro have not been traded since 13 June 2024, and their rows stayed."""
    assert refused(parse, with_cells(**cells)) is Reason.FROZEN


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"BOARDID": "CNGD"}, Reason.SCHEMA),
        ({"FACEVALUE": 7}, Reason.UNIT),
        ({"PREVDATE": None}, Reason.SCHEMA),
        ({"SYSTIME": "12:00"}, Reason.SCHEMA),
        ({"LAST": "N/A"}, Reason.PARSE),
    ],
)
def test_another_row_is_refused(cells: dict[str, Any], reason: Reason) -> None:
    """Trades outside the order book, units that are none, times that are none, text for a price."""
    assert refused(parse, with_cells(**cells)) is reason


def test_a_price_for_a_hundred_says_so() -> None:
    """FACEVALUE is how many units the price is for."""
    (yuan,) = parse(with_cells(FACEVALUE=100)).ticks
    assert yuan.nominal == 100


def test_indicative_rates_are_settlements() -> None:
    """Futures are cleared by them: no trade, and no central bank's. Pairs of unknown units are left out."""
    ticks = parse(CLEARED).ticks
    assert [(tick.symbol, tick.price) for tick in ticks] == [("USD/RUB", USD), ("EUR/RUB", EUR)]
    assert {(tick.price_type, tick.as_of, tick.currency) for tick in ticks} == {(PriceType.SETTLEMENT, EVENING, "RUB")}


def test_the_newer_of_two_clearings_counts() -> None:
    """An answer may hold both clearings of a day, in either order."""
    older = prices.moex_indicative(EVENING - timedelta(hours=5), {"USD": Decimal("99.5")})
    both = [json.loads(body, parse_float=Decimal)["securities"] for body in (CLEARED, older)]
    for first, second in (both, both[::-1]):
        block = {"columns": first["columns"], "data": first["data"] + second["data"]}
        found = {tick.symbol: tick.price for tick in parse(exact.dumps({"securities": block}).encode()).ticks}
        assert found["USD/RUB"] == USD


@pytest.mark.parametrize("body", [CLEARED.replace(b"/RUB", b"/XXX"), CLEARED.replace(b'"rate"', b'"price"')])
def test_other_rates_are_refused(body: bytes) -> None:
    """No pair of the rouble, or no rates: another answer."""
    assert refused(parse, body) is Reason.SCHEMA


def test_a_pair_that_stands_twice_is_refused() -> None:
    """Of two last prices nobody can say which is meant."""
    answer = json.loads(LIVE["moex_fx"], parse_float=Decimal)
    (row,) = answer["marketdata"]["data"]
    place = answer["marketdata"]["columns"].index("LAST")
    answer["marketdata"]["data"] = [row, [*row[:place], Decimal("13.88"), *row[place + 1 :]]]
    assert refused(parse, exact.dumps(answer).encode()) is Reason.SCHEMA


@pytest.mark.parametrize(("system", "day"), [("2024-11-23 00:05:00", 22), ("2024-11-24 12:00:00", 23)])
@pytest.mark.parametrize("status", ["T", "N"])
def test_a_time_of_day_is_of_the_last_day_on_which_it_can_have_been(system: str, status: str, day: int) -> None:
    """Weekends, holidays and halts not considered: the calendar knows the first day traded after PREVDATE."""
    body = with_cells(SYSTIME=system, TIME="18:59:58", PREVDATE="2024-11-21", TRADINGSTATUS=status)
    (yuan,) = parse(body).ticks
    assert yuan.as_of == datetime(2024, 11, day, 18, 59, 58, tzinfo=MOSCOW)
    assert (yuan.previous_as_of, yuan.date_inferred) == (datetime(2024, 11, 21, tzinfo=MOSCOW), True)


def test_a_trade_is_of_its_own_time_and_not_of_the_rows() -> None:
    """UPDATETIME goes on while nobody trades; TIME is when the last trade was."""
    body = with_cells(SYSTIME="2024-11-22 12:00:00", TIME="10:15:00", UPDATETIME="11:59:58")
    assert parse(body).ticks[0].as_of == datetime(2024, 11, 22, 10, 15, tzinfo=MOSCOW)


@pytest.mark.parametrize("system", ["2024-11-22 23:30:00", "2024-11-23 03:00:00"])
def test_a_night_is_no_halt(system: str) -> None:
    """Outside a session a row says N: its last price is the last price all the same."""
    (yuan,) = parse(with_cells(SYSTIME=system, TIME="18:59:58", TRADINGSTATUS="N")).ticks
    assert (yuan.price, yuan.as_of) == (Decimal("13.87"), datetime(2024, 11, 22, 18, 59, 58, tzinfo=MOSCOW))


def test_a_row_of_another_pair_costs_that_pair_alone() -> None:
    """The dollar's row of 2024 beside the yuan's, or one that is a cell short."""
    answer = json.loads(LIVE["moex_fx"], parse_float=Decimal)
    block = answer["marketdata"]
    (row,) = block["data"]
    place = block["columns"].index("SECID")
    for other in ([*row[:place], "USD000UTSTOM", *row[place + 1 :]], row[:-1]):
        block["data"] = [other, row]
        found = parse(exact.dumps(answer).encode())
        assert [tick.symbol for tick in found.ticks] == ["CNYRUB_TOM"]
        assert len(found.skipped) == 1
