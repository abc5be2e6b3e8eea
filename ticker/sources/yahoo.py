"""Yahoo Finance, v8 chart: the last price of a future or a pair, one request a symbol, with the minutes of the day.

`meta` says the price. The candles may hold nulls or be missing on closed days; they only bear witness to what was paid
at the minute of another market's price. `chartPreviousClose` is the close before the requested range, so it is
yesterday's close only where the range is one day.

Beside Brent's continuous future the dated contract that expires next is asked for, to be compared with the contract of
another exchange that expires with it. Its absence is no failure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from ticker.quotes import Candle, Contract, MarketData, PriceType, Reason, SourceError, Tick
from ticker.sources.base import (
    Adapter,
    Extract,
    Request,
    as_json,
    brief,
    number,
    optional_number,
    raw_of,
    sane,
    schema,
)

NEW_YORK = ZoneInfo("America/New_York")
_TOO_MANY = b"too many requests"
_MONTHS = "FGHJKMNQUVXZ"
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATED = re.compile(rf"(?P<root>[A-Z]{{1,3}})(?P<letter>[{_MONTHS}])(?P<year>\d\d)\.[A-Z]{{3}}")
_NAMED = re.compile(rf"\b(?P<month>{'|'.join(_NAMES)}) (?P<year>\d\d)$")
_DAY = timedelta(days=1)
_SATURDAY = 5
_DECEMBER = 12
# A day's: whose chart tells another past than it told is caught at it for as long as the chart reaches back.
_MINUTES = 1440


def requests(codes: Sequence[str], now: datetime) -> Sequence[Request]:
    """One chart of one day for each of `codes`, and one of the dated contract of Brent."""
    witnesses = [next_contract(now.astimezone(NEW_YORK).date()).code] if "BZ=F" in codes else []
    return [*(_chart(code) for code in codes), *(_chart(code, optional=True) for code in witnesses)]


def parse(body: bytes) -> Extract:
    """The one tick of a chart. Raises SourceError."""
    if body.strip().lower().removeprefix(b"edge:").strip().startswith(_TOO_MANY):
        raise SourceError(Reason.RATE_LIMITED, "Too Many Requests")
    result = _result(as_json(body))
    meta = result.get("meta")
    if not isinstance(meta, dict):
        raise schema("a chart without meta")
    symbol, currency = meta.get("symbol"), meta.get("currency")
    if not isinstance(symbol, str) or not isinstance(currency, str) or not symbol or not currency:
        raise schema("a chart that names neither symbol nor currency")
    price, as_of = number(meta.get("regularMarketPrice"), symbol), _moment(meta.get("regularMarketTime"), symbol)
    return Extract(
        (
            Tick(
                symbol=symbol,
                price=price,
                currency=currency,
                as_of=as_of,
                price_type=PriceType.LAST,
                previous=None if _rolled(symbol, as_of) else _previous(meta),
                contract=_contract(symbol, meta.get("shortName")),
                market=MarketData(
                    low=optional_number(meta.get("regularMarketDayLow")),
                    high=optional_number(meta.get("regularMarketDayHigh")),
                    candles=_candles(result),
                ),
                raw=raw_of(meta.get("regularMarketPrice")),
            ),
        )
    )


def next_contract(today: date) -> Contract:
    """The contract of Brent that expires next, on `today` or after."""
    month = today.replace(day=1)
    while (expires := brent_expiry(month)) < today:
        month = _after(month)
    return Contract(f"BZ{_MONTHS[month.month - 1]}{month:%y}.NYM", expires)


def brent_expiry(delivery: date) -> date:
    """The last trading day of the contract for the month of `delivery`, but for holidays in London.

    The last business day of the second month before (ICE Futures Europe, Brent Crude Futures; NYMEX BZ follows it); in
    December the one before that, since trading never ends on the day before New Year's.
    """
    day = (delivery.replace(day=1) - _DAY).replace(day=1) - _DAY
    day = _working(day)
    return _working(day - _DAY) if day.month == _DECEMBER else day


def _rolled(symbol: str, as_of: datetime) -> bool:
    """Whether the close before was that of a month of Brent that expired with it: a trade date begins at 18:00."""
    before = _working((as_of.astimezone(NEW_YORK) + timedelta(hours=6)).date() - _DAY)
    return symbol == "BZ=F" and next_contract(before).expires == before


def _working(day: date) -> date:
    while day.weekday() >= _SATURDAY:
        day -= _DAY
    return day


def _after(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def _chart(code: str, *, optional: bool = False) -> Request:
    query = {"range": "1d", "interval": "1m"}
    return Request(f"/v8/finance/chart/{quote(code, safe='=')}", query, optional=optional)


def _contract(symbol: str, name: object) -> Contract | None:
    """The contract of a dated symbol; of a continuous one the month that its name ends with, where it does."""
    dated = _DATED.fullmatch(symbol)
    if dated:
        root, month = dated["root"], _MONTHS.index(dated["letter"]) + 1
    else:
        named = _NAMED.search(name) if isinstance(name, str) and symbol.endswith("=F") else None
        if not named:
            return None
        dated, root, month = named, symbol.removesuffix("=F"), _NAMES.index(named["month"]) + 1
    delivery = date(2000 + int(dated["year"]), month, 1)
    code = symbol if not symbol.endswith("=F") else f"{root}{_MONTHS[month - 1]}{dated['year']}"
    return Contract(code, brent_expiry(delivery) if root == "BZ" else None)


def _result(answer: object) -> dict[str, Any]:
    chart = answer.get("chart") if isinstance(answer, dict) else None
    if not isinstance(chart, dict):
        raise schema(f"no chart: {brief(answer)}")
    results = chart.get("result")
    if not isinstance(results, list) or not results or not isinstance(results[0], dict):
        raise schema(f"no result: {brief(chart.get('error'))}")
    return results[0]


def _previous(meta: dict[str, Any]) -> Decimal | None:
    close = meta.get("chartPreviousClose") if meta.get("range") == "1d" else meta.get("previousClose")
    return optional_number(close)


def _moment(value: object, symbol: str) -> datetime:
    try:
        return sane(datetime.fromtimestamp(int(str(value)), UTC), symbol)
    except (ValueError, OverflowError, OSError) as error:
        raise schema(f"{symbol}: regularMarketTime is no time: {str(value)[:40]!r}") from error


def _candles(result: dict[str, Any]) -> tuple[Candle, ...]:
    """The minutes that have a close, oldest first, each once: the last entry is the price of now, in one of them."""
    meta, stamps, indicators = result.get("meta"), result.get("timestamp"), result.get("indicators")
    quotes = indicators.get("quote") if isinstance(indicators, dict) else None
    closes = quotes[0].get("close") if isinstance(quotes, list) and quotes and isinstance(quotes[0], dict) else None
    if not isinstance(meta, dict) or meta.get("dataGranularity") != "1m":
        return ()
    if not isinstance(stamps, list) or not isinstance(closes, list) or len(stamps) != len(closes):
        return ()
    found: dict[datetime, Decimal] = {}
    for stamp, close in list(zip(stamps, closes, strict=True))[-_MINUTES:]:
        if isinstance(stamp, Decimal) and isinstance(close, Decimal) and close > 0:
            with suppress(SourceError):
                found[_moment(stamp, "timestamp").replace(second=0)] = close
    return tuple(Candle(minute, found[minute]) for minute in sorted(found))


ADAPTER = Adapter(
    publisher="yahoo",
    base_url="https://query1.finance.yahoo.com",
    requests=requests,
    parse=parse,
    codes={"BRENT/USD": "BZ=F", "USD/RUB": "RUB=X", "EUR/RUB": "EURRUB=X"},
)
