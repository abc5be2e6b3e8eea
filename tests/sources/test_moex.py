from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import wounds
from tests.support.answers import LIVE
from tests.support.refusals import denied, refused
from tests.support.upstreams import exact
from tests.support.upstreams import forts as writer
from ticker.quotes import Contract, PriceType, Reason, Tick
from ticker.sources.base import MOSCOW, as_json
from ticker.sources.moex import ADAPTER, parse, parse_futures

NOON = datetime(2024, 11, 22, 12, tzinfo=MOSCOW)
FRONT = writer.Contract("BRZ4", "BR-12.24", "BR", Decimal("73.70"), Decimal("72.81"), date(2024, 12, 2))
NEXT = writer.Contract("BRF5", "BR-1.25", "BR", Decimal("73.29"), Decimal("72.40"), date(2025, 1, 3))
DOLLAR = writer.Contract("SiZ4", "Si-12.24", "Si", Decimal(101_250), Decimal(100_900), date(2024, 12, 19))
BOARD = writer.moex_forts(NOON, [NEXT, DOLLAR, FRONT])
REFUSED = {
    "empty_history.xml": Reason.PARSE,
    "panychek_forts_market_security.json": Reason.SCHEMA,
    "panychek_selt_market_security.json": Reason.SCHEMA,
    "panychek_security_search.json": Reason.SCHEMA,
    "panychek_selt_market_security_market_data.json": Reason.SCHEMA,  # currencies: another market
}


def brent(body: bytes) -> Tick:
    """The tick of Brent."""
    return next(tick for tick in parse(body).ticks if tick.symbol == "BR")


def front(body: bytes) -> str | None:
    """The code of the contract that Brent's tick is of."""
    contract = brent(body).contract
    return contract.code if contract else None


def with_cells(contract: str, now: datetime = NOON, **cells: Any) -> bytes:  # noqa: ANN401 - any JSON
    """The board of `now` with other cells in the rows of `contract`, in whichever block has that column."""
    answer = json.loads(writer.moex_forts(now, [NEXT, DOLLAR, FRONT]), parse_float=Decimal)
    for block in ("securities", "marketdata"):
        columns = answer[block]["columns"]
        for row in answer[block]["data"]:
            if row[0] == contract:
                for name in cells.keys() & set(columns):
                    row[columns.index(name)] = cells[name]
    return exact.dumps(answer).encode()


def at(text: str) -> datetime:
    """A Moscow time."""
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW)


def test_the_recorded_board_gives_its_future(payloads: Path) -> None:
    """LAST at TIME of TRADEDATE in Moscow, after the settlement before; the dollar's future is for a thousand."""
    body = (payloads / "moex" / "panychek_forts_market_security_market_data.json").read_bytes()
    expected = Tick(
        "Si",
        Decimal(58358),
        "RUB",
        at("2017-09-22 12:30:04"),
        PriceType.LAST,
        1000,
        Decimal(58889),
        contract=Contract("SiZ7", date(2017, 12, 21)),
        raw="58358",
        date_inferred=True,
    )
    (tick,) = parse(body).ticks
    assert replace(tick, market=None) == expected
    assert tick.market is not None
    assert (tick.market.low, tick.market.high) == (Decimal(58346), Decimal(58883))
    assert tick.market.change_from_previous == Decimal("-0.9")


@pytest.mark.parametrize("name", REFUSED)
def test_another_answer_of_the_exchange_is_refused(payloads: Path, name: str) -> None:
    """A description, a search, another market or an empty history holds no future, and gives no number."""
    body = (payloads / "moex" / name).read_bytes()
    assert refused(lambda: parse_futures(as_json(body))) is REFUSED[name]


def test_each_code_is_asked_for_on_its_own_market() -> None:
    """Brent on the futures board, the yuan in the currency market; one answer tells itself from the other."""
    markets = {code: [r.path.split("/")[3] for r in ADAPTER.requests([code], NOON)] for code in ("BR", "CNYRUB_TOM")}
    assert markets == {"BR": ["futures"], "CNYRUB_TOM": ["currency"]}
    assert len(ADAPTER.requests(["BR", "CNYRUB_TOM", "USD/RUB"], NOON)) == 3
    assert {tick.symbol for tick in parse(LIVE["moex_fx"]).ticks} >= {"CNYRUB_TOM"}


def test_a_board_as_documented() -> None:
    """The front contract's last price in dollars a barrel, as old as the exchange's delay makes it."""
    shown = NOON - timedelta(minutes=15)
    price, before = Decimal("73.70"), Decimal("72.81")
    expected = Tick(
        *("BR", price, "USD", shown, PriceType.LAST, 1, before),
        contract=Contract("BRZ4", date(2024, 12, 2)),
        raw="73.70",
        date_inferred=True,
    )
    assert replace(brent(BOARD), market=None) == expected
    assert str(brent(BOARD).price) == "73.70"


def test_columns_are_found_by_name() -> None:
    """Their order differs from market to market and has changed over the years."""
    answer = json.loads(BOARD, parse_float=Decimal)
    for block in answer.values():
        block["columns"].reverse()
        for row in block["data"]:
            row.reverse()
    assert parse(exact.dumps(answer).encode()) == parse(BOARD)


@pytest.mark.parametrize(("day", "contract"), [("2024-11-22", "BRZ4"), ("2024-12-02", "BRZ4"), ("2024-12-03", "BRF5")])
def test_the_front_contract_rolls_at_its_expiry(day: str, contract: str) -> None:
    """The contract that expires next speaks up to its last day, the following one from the day after."""
    assert front(writer.moex_forts(at(f"{day} 12:00:00"), [NEXT, DOLLAR, FRONT])) == contract


def test_when_every_contract_has_expired_there_is_no_price() -> None:
    """A board that nobody keeps any more is another table."""
    assert refused(parse, writer.moex_forts(at("2025-01-04 12:00:00"), [NEXT, FRONT])) is Reason.SCHEMA


def test_an_expired_contract_whose_time_stands_still_is_not_the_front() -> None:
    """A row's SYSTIME stops with its trading: only the newest one of the board says what day it is."""
    body = with_cells("BRZ4", at("2024-12-03 12:00:00"), SYSTIME="2024-12-02 23:59:00", TRADEDATE="2024-12-02")
    assert front(body) == "BRF5"


@pytest.mark.parametrize(
    ("cells", "price", "kind"),
    [
        ({}, "73.70", PriceType.LAST),
        ({"LAST": None}, "73.70", PriceType.SETTLEMENT),
        ({"LAST": 0}, "73.70", PriceType.SETTLEMENT),
        ({"LAST": None, "SETTLEPRICE": None}, "72.81", PriceType.SETTLEMENT),
    ],
)
def test_without_a_trade_the_settlement_speaks_as_one(cells: dict[str, Any], price: str, kind: PriceType) -> None:
    """LAST, else SETTLEPRICE, else PREVSETTLEPRICE; a settlement is never passed off as a trade."""
    tick = brent(with_cells("BRZ4", **cells))
    assert (tick.price, tick.price_type) == (Decimal(price), kind)


@pytest.mark.parametrize(
    ("now", "traded", "settled"),
    [
        ("2024-11-22 12:00:00", "2024-11-22", "2024-11-21"),
        ("2024-11-21 20:00:00", "2024-11-22", "2024-11-21"),  # the evening session is already tomorrow's
        ("2024-11-22 20:00:00", "2024-11-25", "2024-11-22"),
        ("2024-11-25 09:30:00", "2024-11-25", "2024-11-22"),
    ],
)
def test_the_settlement_before_is_as_old_as_it_is(now: str, traded: str, settled: str) -> None:
    """PREVSETTLEPRICE is the number of the last working day's evening clearing, not of this minute."""
    tick = brent(with_cells("BRZ4", at(now), LAST=None, SETTLEPRICE=None, TRADEDATE=traded))
    assert (tick.as_of, tick.previous) == (at(f"{settled} 18:50:00"), None)


@pytest.mark.parametrize(
    ("now", "settled"),
    [
        ("2024-11-22 12:00:00", "2024-11-21"),
        ("2024-11-22 18:55:00", "2024-11-22"),
        ("2024-11-25 08:52:00", "2024-11-22"),
    ],
)
def test_a_settlement_is_of_its_clearing_whatever_time_the_row_bears(now: str, settled: str) -> None:
    """TIME is a minute ago, and nobody has traded: the number is last evening's, and old in an open session."""
    tick = brent(with_cells("BRZ4", at(now), LAST=None, TIME=now[11:16] + ":00", TRADEDATE=now[:10]))
    assert (tick.price, tick.price_type) == (Decimal("73.70"), PriceType.SETTLEMENT)
    assert tick.as_of == at(f"{settled} 18:50:00")


def test_without_a_price_of_the_front_contract_brent_is_not_known() -> None:
    """The next month's is another price, and stepping to it in silence would be a move that nobody has made."""
    body = with_cells("BRZ4", LAST=None, SETTLEPRICE=None, PREVSETTLEPRICE=None)
    assert denied(parse, body, "BR") is Reason.SCHEMA


@pytest.mark.parametrize(
    ("system", "trade_date", "time", "as_of"),
    [
        ("2024-11-21 20:15:00", "2024-11-22", "20:00:00", "2024-11-21 20:00:00"),
        ("2024-11-22 20:15:00", "2024-11-25", "20:00:00", "2024-11-22 20:00:00"),
        ("2024-11-22 00:04:00", "2024-11-22", "23:49:00", "2024-11-21 23:49:00"),
        ("2024-11-22 09:15:00", "2024-11-22", "09:00:00", "2024-11-22 09:00:00"),
        ("2024-11-22 12:00:00", "2024-11-20", "11:45:00", "2024-11-20 11:45:00"),
    ],
)
def test_the_evening_session_bears_the_next_days_date(system: str, trade_date: str, time: str, as_of: str) -> None:
    """A trade is never later than the answer that tells of it, and an old trade date stays old."""
    body = with_cells("BRZ4", SYSTIME=system, TRADEDATE=trade_date, TIME=time)
    assert brent(body).as_of == at(as_of)


def test_another_board_is_not_read() -> None:
    """A security can stand on two boards at once: only the main one's rows count."""
    answer = json.loads(BOARD, parse_float=Decimal)
    for block in answer.values():
        columns = block["columns"]
        for row in [row for row in block["data"] if row[0] == "BRZ4"]:
            other = [*row]
            other[columns.index("BOARDID")] = "RFUX"
            for name in {"LAST", "SETTLEPRICE", "PREVSETTLEPRICE"} & set(columns):
                other[columns.index(name)] = Decimal(1)
            block["data"] = [other, *block["data"], other]
    assert brent(exact.dumps(answer).encode()) == brent(BOARD)


@pytest.mark.parametrize(
    "body",
    [
        b'{"error": "Error while acquiring data."}',
        b"{}",
        b"[]",
        b"null",
        b'"securities"',
        b'{"securities": {}, "marketdata": {}}',
        b'{"securities": {"columns": ["SECID"], "data": []}, "marketdata": {"columns": ["SECID"], "data": []}}',
        b'{"securities": {"columns": ["SECID"], "data": [["BRZ4", 1]]}, "marketdata": {"columns": [], "data": []}}',
        b'{"securities": {"columns": [["SECID"], "SECID"], "data": []}, "marketdata": {}}',
        writer.moex_forts(NOON, []),
        writer.moex_forts(NOON, [writer.Contract("XXZ4", "XX-12.24", "XX", Decimal(1), Decimal(1), NOON.date())]),
    ],
)
def test_an_answer_without_a_price_is_refused(body: bytes) -> None:
    """An error with status 200, empty blocks outside sessions, another asset: no quote and a `schema` failure."""
    assert refused(parse, body) is Reason.SCHEMA


def test_a_page_of_the_exchange_is_blocked() -> None:
    """A wrong route answers HTML with status 200."""
    assert refused(parse, b"<!DOCTYPE html>\n<html><head>") is Reason.BLOCKED


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"LAST": Decimal(-1)}, Reason.RANGE),
        ({"LAST": "0"}, Reason.RANGE),
        ({"LAST": "n/a"}, Reason.PARSE),
        ({"LAST": True}, Reason.SCHEMA),
        ({"LAST": [73]}, Reason.SCHEMA),
        ({"SYSTIME": "now"}, Reason.SCHEMA),
        ({"SYSTIME": "0001-01-01 00:00:00"}, Reason.SCHEMA),
        ({"TIME": "25:00:00"}, Reason.SCHEMA),
        ({"TRADEDATE": "9999-12-31"}, Reason.SCHEMA),
        ({"LASTTRADEDATE": None}, Reason.SCHEMA),
        ({"SECID": "BRF5"}, Reason.SCHEMA),  # a contract twice
    ],
)
def test_a_wound_is_refused_by_name(cells: dict[str, Any], reason: Reason) -> None:
    """Each way a row can go wrong has its own reason, and none gives a number."""
    assert denied(parse, with_cells("BRZ4", **cells), "BR") is reason


@settings(max_examples=300)
@given(st.data())
def test_no_wound_gives_a_number_that_is_not_there(data: st.DataObject) -> None:
    """Mutated boards are refused by a SourceError or read as they are written."""
    body = data.draw(wounds.wounded(BOARD))
    assert not wounds.invented(wounds.read(ADAPTER, body), body)
