"""Yahoo's v8 chart: one day of one symbol."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from tests.support.upstreams.exact import dumps

_VENUES: Final = {
    "FUTURE": {
        "exchangeName": "NYM",
        "fullExchangeName": "NY Mercantile",
        "gmtoffset": -18000,
        "timezone": "EST",
        "exchangeTimezoneName": "America/New_York",
        "priceHint": 2,
    },
    "CURRENCY": {
        "exchangeName": "CCY",
        "fullExchangeName": "CCY",
        "gmtoffset": 0,
        "timezone": "GMT",
        "exchangeTimezoneName": "Europe/London",
        "priceHint": 4,
    },
}
_DAY: Final = 86_400
_NEW_YORK: Final = ZoneInfo("America/New_York")
_SIX: Final = time(18)


def yahoo_chart(
    symbol: str,
    currency: str,
    price: Decimal,
    at: datetime,
    previous_close: Decimal,
    instrument_type: str = "FUTURE",
    minutes: Sequence[tuple[datetime, Decimal | None]] = (),
) -> bytes:
    """Write the chart of range=1d: `price` in `currency` as of `at` (aware), whole seconds.

    `instrument_type` is "FUTURE" or "CURRENCY"; another raises KeyError. `minutes` are the candles of interval=1m, by
    their beginning and close, None where nobody traded; without any it is the chart of interval=1d.
    """
    traded = int(at.timestamp())
    meta = {
        "currency": currency,
        "symbol": symbol,
        "instrumentType": instrument_type,
        "regularMarketTime": traded,
        "hasPrePostMarketData": False,
        "regularMarketPrice": price,
        "regularMarketDayHigh": max(price, previous_close),
        "regularMarketDayLow": min(price, previous_close),
        "regularMarketVolume": 0 if instrument_type == "CURRENCY" else 21_450,
        "shortName": symbol,
        "chartPreviousClose": previous_close,
        "previousClose": previous_close,
        **_VENUES[instrument_type],
        "currentTradingPeriod": _periods(instrument_type, traded),
        "dataGranularity": "1m" if minutes else "1d",
        "range": "1d",
        "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
    }
    candles = {"timestamp": [traded], "indicators": _candle(price, previous_close)}
    result = {"meta": meta, **(_candles(minutes) if minutes else candles)}
    return dumps({"chart": {"result": [result], "error": None}}).encode()


def last_print(moment: datetime) -> datetime:
    """When the last trade of Brent abroad up to `moment` was: Sunday to Friday, 18:00 in New York; holidays apart."""
    here = moment.astimezone(_NEW_YORK)
    rests = {4: here.time() >= _SIX, 5: True, 6: here.time() < _SIX}.get(here.weekday(), False)
    if not rests:
        return moment
    friday = here.date() - timedelta(days=here.weekday() - 4)
    return datetime.combine(friday, _SIX, _NEW_YORK) - timedelta(seconds=1)


def yahoo_not_found(symbol: str) -> bytes:
    """Write the envelope that comes with status 404 for a symbol Yahoo does not list."""
    error = {"code": "Not Found", "description": f"no chart for {symbol}"}
    return dumps({"chart": {"result": None, "error": error}}).encode()


def _candle(price: Decimal, opened: Decimal) -> dict[str, object]:
    prices = {"open": [opened], "high": [max(price, opened)], "low": [min(price, opened)], "close": [price]}
    return {"quote": [{**prices, "volume": [0]}], "adjclose": [{"adjclose": [price]}]}


def _candles(minutes: Sequence[tuple[datetime, Decimal | None]]) -> dict[str, object]:
    closes = [close for _, close in minutes]
    prices = {"open": closes, "high": closes, "low": closes, "close": closes, "volume": [0] * len(closes)}
    return {"timestamp": [int(at.timestamp()) for at, _ in minutes], "indicators": {"quote": [prices]}}


def _periods(instrument_type: str, traded: int) -> dict[str, object]:
    venue = _VENUES[instrument_type]
    offset = int(str(venue["gmtoffset"]))
    start = (traded + offset) // _DAY * _DAY - offset
    end = start + _DAY - 60
    bounds = {"pre": (start, start), "regular": (start, end), "post": (end, end)}
    zone = {"timezone": venue["timezone"], "gmtoffset": offset}
    return {name: {**zone, "start": since, "end": until} for name, (since, until) in bounds.items()}
