from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import wounds
from tests.support.refusals import refused
from tests.support.upstreams import yahoo
from ticker.quotes import Candle, Contract, PriceType, Reason, Tick
from ticker.sources.yahoo import ADAPTER, brent_expiry, parse

NOON = datetime(2024, 11, 22, 9, tzinfo=UTC)
CHART = yahoo.yahoo_chart("BZ=F", "USD", Decimal("73.73"), NOON, Decimal("72.81"))
RECORDED = {
    "chart_GC=F_2025-02-20.json": ("GC=F", "2952.5", "USD", 1740051311),
    "chart_AAPL_weekend_1m_empty_2025-02-01.json": ("AAPL", "244.87", "USD", 1739998801),
    "chart_WSU.DE.json": ("WSU.DE", "38.9", "EUR", None),
    "chart_BTC-USD_2025-02-20.json": ("BTC-USD", "97208.17", "USD", None),
}
REFUSED = {"quoteSummary_404_ADH.json": Reason.SCHEMA, "429_body_too_many_requests.txt": Reason.RATE_LIMITED}


def changed(old: str, new: str) -> bytes:
    """The chart with the first `old` replaced."""
    assert old.encode() in CHART
    return CHART.replace(old.encode(), new.encode(), 1)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_chart_gives_its_price(payloads: Path, name: str) -> None:
    """Symbol, price, currency and trade time are those of `meta`, also where the candles are missing."""
    symbol, price, currency, seconds = RECORDED[name]
    (tick,) = parse((payloads / "yahoo" / name).read_bytes()).ticks
    assert (tick.symbol, tick.price, tick.currency) == (symbol, Decimal(price), currency)
    assert seconds is None or tick.as_of == datetime.fromtimestamp(seconds, UTC)


def test_the_close_before_another_range_is_not_yesterdays(payloads: Path) -> None:
    """The gold chart was asked for 2020: its chartPreviousClose of 1519.5 belongs to that range."""
    (tick,) = parse((payloads / "yahoo" / "chart_GC=F_2025-02-20.json").read_bytes()).ticks
    assert tick.previous is None


@pytest.mark.parametrize("name", REFUSED)
def test_a_recorded_error_is_refused(payloads: Path, name: str) -> None:
    """The envelope of an error and the text of a 429 are refused by name."""
    assert refused(parse, (payloads / "yahoo" / name).read_bytes()) is REFUSED[name]


def test_a_chart_as_documented() -> None:
    """The last price of the future, exactly, with yesterday's close."""
    (tick,) = parse(CHART).ticks
    assert replace(tick, market=None) == Tick(
        "BZ=F", Decimal("73.73"), "USD", NOON, PriceType.LAST, previous=Decimal("72.81"), raw="73.73"
    )
    assert tick.market is not None
    assert (tick.market.low, tick.market.high) == (Decimal("72.81"), Decimal("73.73"))


def test_each_symbol_is_asked_for_one_day() -> None:
    """One chart a symbol, of one day: only then is chartPreviousClose yesterday's."""
    found = [(request.path, request.query["range"]) for request in ADAPTER.requests(["RUB=X", "a/../b?c"], NOON)]
    assert found == [("/v8/finance/chart/RUB=X", "1d"), ("/v8/finance/chart/a%2F..%2Fb%3Fc", "1d")]


def test_the_previous_close_of_a_longer_range_is_ignored() -> None:
    """Of a month's chart `previousClose` alone is yesterday's, and often it is not there."""
    month = changed('"range":"1d"', '"range":"1mo"').replace(b'"previousClose":72.81', b'"previousClose":72.90')
    assert [tick.previous for tick in parse(month).ticks] == [Decimal("72.90")]
    assert [tick.previous for tick in parse(month.replace(b'"previousClose":72.90', b'"x":1')).ticks] == [None]


@pytest.mark.parametrize(
    "text", [b"Too Many Requests", b"Edge: Too Many Requests", b"Too Many Requests\r\n", b"too many requests."]
)
def test_a_refusal_in_plain_text_is_a_rate_limit(text: bytes) -> None:
    """It comes with other statuses than 429 as well."""
    assert refused(parse, text) is Reason.RATE_LIMITED


def test_a_consent_page_is_blocked() -> None:
    """Europe is asked for its consent instead of being answered."""
    assert refused(parse, b"<!DOCTYPE html><html lang=de><title>Yahoo</title>") is Reason.BLOCKED


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"regularMarketPrice":73.73', '"regularMarketPrice":null', Reason.SCHEMA),
        ('"regularMarketPrice":73.73', '"regularMarketPrice":NaN', Reason.PARSE),
        ('"regularMarketPrice":73.73', '"regularMarketPrice":1e999', Reason.PARSE),
        ('"regularMarketPrice":73.73', '"regularMarketPrice":-37.63', Reason.RANGE),
        ('"regularMarketPrice":73.73', '"regularMarketPrice":0', Reason.RANGE),
        ('"regularMarketPrice":73.73', '"regularMarketPrice":1,"regularMarketPrice":73.73', Reason.SCHEMA),
        ('"currency":"USD"', '"currency":null', Reason.SCHEMA),
        ('"symbol":"BZ=F"', '"symbol":""', Reason.SCHEMA),
        (f'"regularMarketTime":{NOON.timestamp():.0f}', '"regularMarketTime":null', Reason.SCHEMA),
        (f'"regularMarketTime":{NOON.timestamp():.0f}', '"regularMarketTime":0', Reason.SCHEMA),
        (f'"regularMarketTime":{NOON.timestamp():.0f}', '"regularMarketTime":-99999999999', Reason.SCHEMA),
        (f'"regularMarketTime":{NOON.timestamp():.0f}', f'"regularMarketTime":{"9" * 30}', Reason.SCHEMA),
        (f'"regularMarketTime":{NOON.timestamp():.0f}', f'"regularMarketTime":"{"9" * 9999}"', Reason.SCHEMA),
        ('"meta":', '"mate":', Reason.SCHEMA),
        ('"result":', '"results":', Reason.SCHEMA),
    ],
)
def test_a_wound_is_refused_by_name(old: str, new: str, reason: Reason) -> None:
    """Each way a chart can go wrong has its own reason, and none gives a number."""
    assert refused(parse, changed(old, new)) is reason


def test_an_unknown_symbol_is_refused() -> None:
    """The envelope of an error holds no result."""
    assert refused(parse, yahoo.yahoo_not_found("BZ=G")) is Reason.SCHEMA


@settings(max_examples=300)
@given(st.data())
def test_no_wound_gives_a_number_that_is_not_there(data: st.DataObject) -> None:
    """Mutated charts are refused by a SourceError or read as they are written."""
    body = data.draw(wounds.wounded(CHART))
    assert not wounds.invented(wounds.read(ADAPTER, body), body)


@pytest.mark.parametrize("close", [b"null", b"0", b"0.0", b"-37.63"])
def test_a_close_that_is_no_price_costs_the_change_alone(close: bytes) -> None:
    """Oil closed below zero once: the next day had a price, and no percentage."""
    body = yahoo.yahoo_chart("BZ=F", "USD", Decimal("73.73"), NOON, Decimal("72.81"), "FUTURE")
    (tick,) = parse(body.replace(b"72.81", close)).ticks
    assert (tick.price, tick.previous) == (Decimal("73.73"), None)


# Delivery month: last trading day, as ICE Futures Europe publishes it for Brent; of 2024 and 2025.
EXPIRIES = {
    "2024-12": "2024-10-31",
    "2025-01": "2024-11-29",
    "2025-02": "2024-12-30",
    "2025-03": "2025-01-31",
    "2025-04": "2025-02-28",
    "2025-08": "2025-06-30",
    "2025-11": "2025-09-30",
}


@pytest.mark.parametrize("month", EXPIRIES)
def test_a_contract_of_brent_ends_two_months_before_its_delivery(month: str) -> None:
    """On the last business day of the second month before; in December one day earlier."""
    assert brent_expiry(date.fromisoformat(f"{month}-01")) == date.fromisoformat(EXPIRIES[month])


@pytest.mark.parametrize(
    ("day", "symbol"),
    [
        ("2024-11-22", "BZF25.NYM"),
        ("2024-11-29", "BZF25.NYM"),
        ("2024-11-30", "BZG25.NYM"),
        ("2024-12-31", "BZH25.NYM"),
        ("2025-10-31", "BZZ25.NYM"),
        ("2025-11-01", "BZF26.NYM"),
    ],
)
def test_the_dated_contract_that_expires_next_bears_witness(day: str, symbol: str) -> None:
    """It is asked for beside the continuous one, and its absence is no failure."""
    moment = datetime.fromisoformat(f"{day}T15:00:00+00:00")
    asked, witness = ADAPTER.requests(["BZ=F"], moment)
    assert (asked.path, asked.optional) == ("/v8/finance/chart/BZ=F", False)
    assert (witness.path, witness.optional) == (f"/v8/finance/chart/{symbol}", True)


def test_a_dated_contract_says_when_it_ends() -> None:
    """By its own symbol; a continuous one by the month in its name, where there is one."""
    dated = parse(yahoo.yahoo_chart("BZF25.NYM", "USD", Decimal("73.73"), NOON, Decimal("72.81"))).ticks[0]
    assert dated.contract == Contract("BZF25.NYM", date(2024, 11, 29))
    named = parse(changed('"shortName":"BZ=F"', '"shortName":"Brent Crude Oil Last Day Jan 25"')).ticks[0]
    assert named.contract == Contract("BZF25", date(2024, 11, 29))
    assert parse(CHART).ticks[0].contract is None


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        # The month of July ended on Friday 29.05.2026; Monday's trade date begins on Sunday at 18:00 New York.
        ("2026-05-29T16:30-04:00", True),
        ("2026-05-31T18:05-04:00", False),
        ("2026-06-01T16:59-04:00", False),
        ("2026-06-01T18:05-04:00", True),
    ],
)
def test_the_close_of_a_month_that_has_ended_is_none_of_the_next(moment: str, *, told: bool) -> None:
    """The continuous symbol goes on to another contract and tells the old one's close: no change across the two."""
    at = datetime.fromisoformat(moment)
    for symbol, close in (("BZ=F", Decimal("72.81") if told else None), ("BZQ26.NYM", Decimal("72.81"))):
        (tick,) = parse(yahoo.yahoo_chart(symbol, "USD", Decimal("73.73"), at, Decimal("72.81"))).ticks
        assert tick.previous == close


def test_the_minutes_of_the_day_are_told() -> None:
    """Each minute that has a close, oldest first; holes and other granularities tell nothing."""
    minutes = [NOON - timedelta(minutes=back) for back in (3, 2, 1)]
    closes = [Decimal("73.70"), None, Decimal("73.73")]
    body = yahoo.yahoo_chart(
        "BZ=F", "USD", Decimal("73.73"), NOON, Decimal("72.81"), minutes=list(zip(minutes, closes, strict=True))
    )
    (tick,) = parse(body).ticks
    assert tick.market is not None
    assert tick.market.candles == (Candle(minutes[0], Decimal("73.70")), Candle(minutes[2], Decimal("73.73")))
    (daily,) = parse(body.replace(b'"dataGranularity":"1m"', b'"dataGranularity":"1d"')).ticks
    assert daily.market is not None
    assert daily.market.candles == ()


def test_a_minute_stands_once_whatever_a_chart_repeats() -> None:
    """The last entry is the price of now under its own second, and may be the twin of the one before it."""
    last = NOON.replace(second=0)
    minutes = [
        (last, Decimal("73.71")),
        (last - timedelta(minutes=1), Decimal("73.70")),
        (last, Decimal("73.71")),
        (last + timedelta(seconds=41), Decimal("73.73")),
    ]
    (tick,) = parse(yahoo.yahoo_chart("BZ=F", "USD", Decimal("73.73"), NOON, Decimal("72.81"), minutes=minutes)).ticks
    assert tick.market is not None
    assert tick.market.candles == (
        Candle(last - timedelta(minutes=1), Decimal("73.70")),
        Candle(last, Decimal("73.73")),
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"timestamp":[', '"timestamp":[1,'),
        ('"indicators":', '"x":'),
        ('"timestamp":', '"x":'),
        ('"close":[', '"close":["?",'),
    ],
)
def test_minutes_that_cannot_be_read_cost_no_price(old: str, new: str) -> None:
    """On closed days they are not even there."""
    body = yahoo.yahoo_chart(
        "BZ=F", "USD", Decimal("73.73"), NOON, Decimal("72.81"), minutes=[(NOON, Decimal("73.73"))]
    )
    assert old.encode() in body
    (tick,) = parse(body.replace(old.encode(), new.encode(), 1)).ticks
    assert tick.price == Decimal("73.73")
    assert tick.market is not None
    assert tick.market.candles == ()
