"""Each writer is read back as the source's readers would read it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from tests.support.upstreams import formats, forts, listing, yahoo

DAY = date(2024, 11, 22)
BEFORE = date(2024, 11, 21)
NOON = datetime(2024, 11, 22, 12, tzinfo=forts.MOSCOW)
RATES = {"USD": Decimal("100.6798"), "EUR": Decimal("106.0762")}
PREVIOUS = {"USD": Decimal("100.2192"), "EUR": Decimal("105.8067")}


def daily(rates: dict[str, Decimal]) -> dict[str, dict[str, str]]:
    """Read the bank's table back: code -> column -> text."""
    root = ElementTree.fromstring(formats.cbr_daily(DAY, rates), forbid_dtd=True)
    return {row.findtext("CharCode", ""): {cell.tag: cell.text or "" for cell in row} for row in root}


def rows(body: bytes, block: str) -> list[dict[str, Any]]:
    """Read one block of the exchange's answer back: column -> value, row by row."""
    table = json.loads(body, parse_float=Decimal)[block]
    return [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]


def board(now: datetime = NOON) -> bytes:
    """Write the board of `now`, Brent at 73.70 after 72.81."""
    listed = listing.contracts(now.date(), Decimal("73.70"), Decimal("72.81"))
    return forts.moex_forts(now, listed)


def test_daily_is_windows_1251_and_says_so() -> None:
    """The daily table declares its encoding and holds to it, names in Cyrillic."""
    body = formats.cbr_daily(DAY, RATES)
    assert body.startswith(b'<?xml version="1.0" encoding="windows-1251"?><ValCurs Date="22.11.2024"')
    assert daily(RATES)["USD"]["Name"] == "Доллар США"


def test_daily_is_as_long_as_the_true_one() -> None:
    """The table has all 43 currencies, each once, with number and bank ID."""
    table = daily(RATES)
    assert len(table) >= 43
    assert table["JPY"]["NumCode"] == "392"
    assert len({row["NumCode"] for row in table.values()}) == len(table)


@pytest.mark.parametrize(
    ("code", "unit", "nominal", "value", "unit_rate"),
    [
        ("USD", "100.6798", "1", "100,6798", "100,6798"),
        ("USD", "100.0000", "1", "100,0000", "100"),
        ("JPY", "0.653421", "100", "65,3421", "0,653421"),
        ("VND", "0.00412811", "10000", "41,2811", "0,00412811"),
    ],
)
def test_daily_scales_by_the_nominal(code: str, unit: str, nominal: str, value: str, unit_rate: str) -> None:
    """A rate for one unit is shown for the nominal, and for one unit in VunitRate, with decimal commas."""
    row = daily({code: Decimal(unit)})[code]
    assert (row["Nominal"], row["Value"], row["VunitRate"]) == (nominal, value, unit_rate)


@given(st.decimals("0.0001", "99999", places=4))
def test_daily_keeps_every_rate_exactly(rate: Decimal) -> None:
    """Whatever the dollar costs, it can be read back to the last digit."""
    row = daily({"USD": rate})["USD"]
    assert Decimal(row["Value"].replace(",", ".")) == rate
    assert Decimal(row["VunitRate"].replace(",", ".")) == rate


def test_daily_refuses_a_currency_it_does_not_have() -> None:
    """A misspelt code is an error, not a row nobody reads."""
    with pytest.raises(ValueError, match="UDS"):
        formats.cbr_daily(DAY, {"UDS": Decimal(1)})


def test_dynamic_lists_one_record_a_table() -> None:
    """The history carries its range, and each record its nominal, value and unit rate."""
    body = formats.cbr_dynamic("R01820", [(BEFORE, 100, Decimal("49.3400")), (DAY, 100, Decimal("49.3473"))])
    root = ElementTree.fromstring(body, forbid_dtd=True)
    assert root.attrib == {
        "ID": "R01820",
        "DateRange1": "21.11.2024",
        "DateRange2": "22.11.2024",
        "name": "Foreign Currency Market Dynamic",
    }
    assert [record.get("Date") for record in root] == ["21.11.2024", "22.11.2024"]
    assert [record.findtext("Value") for record in root] == ["49,3400", "49,3473"]
    assert [record.findtext("VunitRate") for record in root] == ["0,4934", "0,493473"]


def test_dynamic_without_rows_needs_its_range() -> None:
    """A range without a table gives no records; without even a range there is nothing to write."""
    root = ElementTree.fromstring(formats.cbr_dynamic("R01235", [], (DAY, DAY)), forbid_dtd=True)
    assert len(root) == 0
    with pytest.raises(ValueError, match="span"):
        formats.cbr_dynamic("R01235", [])


def test_mirror_has_both_tables_and_escapes_its_slashes() -> None:
    """The mirror gives value and previous, its stamps in Moscow, its address protocol-relative."""
    body = formats.cbr_mirror(DAY, BEFORE, NOON.astimezone(UTC), RATES, PREVIOUS)
    assert rb'"PreviousURL": "\/\/www.cbr-xml-daily.ru\/archive\/2024\/11\/21\/daily_json.js"' in body
    document = json.loads(body, parse_float=Decimal)
    assert document["Date"] == "2024-11-22T11:30:00+03:00"
    assert document["PreviousDate"] == "2024-11-21T11:30:00+03:00"
    assert document["Timestamp"] == "2024-11-22T12:00:00+03:00"
    dollar = document["Valute"]["USD"]
    assert (dollar["Value"], dollar["Previous"]) == (RATES["USD"], PREVIOUS["USD"])


def test_mirror_and_bank_agree_row_for_row() -> None:
    """Mirror and bank give the same nominal, number and value for every currency."""
    mirror = formats.cbr_mirror(DAY, BEFORE, NOON, RATES, PREVIOUS)
    mirrored = json.loads(mirror, parse_float=Decimal)["Valute"]
    for code, row in daily(RATES).items():
        assert Decimal(row["Value"].replace(",", ".")) == mirrored[code]["Value"]
        assert (row["Nominal"], row["NumCode"]) == (str(mirrored[code]["Nominal"]), mirrored[code]["NumCode"])


def test_forts_keeps_the_digits_of_a_price() -> None:
    """A price of 73.70 is written 73.70, for the front month of Brent and at the settlement before."""
    body = board()
    assert b'"BRZ4","RFUD",73.69,73.71,0.02,72.81,73.70,72.81,73.70,' in body
    front = rows(body, "securities")[0]
    assert (front["SECID"], front["SHORTNAME"], front["PREVSETTLEPRICE"]) == (
        "BRZ4",
        "BR-12.24",
        Decimal("72.81"),
    )
    assert (front["DECIMALS"], front["MINSTEP"], front["LASTTRADEDATE"]) == (2, Decimal("0.01"), "2024-12-02")


def test_forts_lists_months_of_brent_among_other_assets() -> None:
    """Four months of Brent stand on the board, the front one by far the most held, and other assets."""
    listed = rows(board(), "securities")
    brent = [row for row in listed if row["ASSETCODE"] == "BR"]
    assert [row["SECID"] for row in brent] == ["BRZ4", "BRF5", "BRG5", "BRH5"]
    assert {row["SECID"] for row in listed} > {"SiZ4", "RIZ4", "GDZ4"}
    interest = [row["OPENPOSITION"] for row in rows(board(), "marketdata")][:4]
    assert interest == sorted(interest, reverse=True)
    assert interest[0] > 5 * interest[1]


def test_forts_is_fifteen_minutes_late_in_moscow_time() -> None:
    """Trades are a quarter of an hour older than SYSTIME, no later than the close; Friday evening's count to Monday."""
    market = rows(board(datetime(2024, 11, 22, 21, 5, 4, tzinfo=UTC)), "marketdata")[0]
    assert market["SYSTIME"] == "2024-11-23 00:05:04"
    assert (market["TRADEDATE"], market["TIME"], market["UPDATETIME"]) == (
        "2024-11-25",
        "23:49:59",
        "23:49:59",
    )


def test_forts_shows_a_contract_nobody_traded() -> None:
    """Without a trade LAST is null and nothing is made up in its place."""
    idle = forts.Contract("BRZ4", "BR-12.24", "BR", None, Decimal("72.81"), DAY)
    market = rows(forts.moex_forts(NOON, [idle]), "marketdata")[0]
    assert market["LAST"] is None
    assert market["VOLTODAY"] == 0


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_the_front_month_is_never_expired(day: date) -> None:
    """On any day the listed Brent still trades, in successive months, the first five weeks at most."""
    brent = [contract for contract in listing.contracts(day, Decimal(70), Decimal(70)) if contract.asset == "BR"]
    expiries = [contract.expires for contract in brent]
    assert day <= expiries[0] <= day + timedelta(days=35)
    assert expiries == sorted(set(expiries))
    assert all(expiry.weekday() < 5 for expiry in expiries)


def test_yahoo_chart_has_the_price_twice_and_its_time_in_seconds() -> None:
    """The chart gives price, time and the close before in `meta`, and the same day as a candle."""
    body = yahoo.yahoo_chart("BZ=F", "USD", Decimal("73.70"), NOON, Decimal("72.81"), "FUTURE")
    assert b'"regularMarketPrice":73.70,' in body
    result = json.loads(body, parse_float=Decimal)["chart"]["result"][0]
    meta = result["meta"]
    assert (meta["symbol"], meta["currency"], meta["instrumentType"]) == ("BZ=F", "USD", "FUTURE")
    assert (meta["regularMarketTime"], meta["chartPreviousClose"]) == (1732266000, Decimal("72.81"))
    period = meta["currentTradingPeriod"]["regular"]
    assert period["start"] <= meta["regularMarketTime"] <= period["end"]
    assert result["timestamp"] == [1732266000]
    assert result["indicators"]["quote"][0]["close"] == [Decimal("73.70")]


def test_yahoo_knows_currencies_and_says_what_it_does_not_list() -> None:
    """A pair is an instrument of type CURRENCY; an unknown symbol gives the error envelope."""
    body = yahoo.yahoo_chart("RUB=X", "RUB", Decimal("100.6798"), NOON, Decimal("100.2192"), "CURRENCY")
    assert json.loads(body)["chart"]["result"][0]["meta"]["exchangeName"] == "CCY"
    assert json.loads(yahoo.yahoo_not_found("NO"))["chart"]["result"] is None
