"""Yahoo Finance, v8 chart: the last price of a future or a pair, one request a symbol.

`meta` alone is read: the candles may hold nulls or be missing on closed days. `chartPreviousClose` is the close before
the requested range, so it is yesterday's close only where the range is one day.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from ticker.quotes import PriceType, Reason, SourceError, Tick
from ticker.sources.adapter import Adapter, Request
from ticker.sources.base import as_json, brief, number, number_before, sane, schema


def requests(codes: Sequence[str]) -> Sequence[Request]:
    """One chart of one day for each of `codes`."""
    return [Request(f"/v8/finance/chart/{quote(code, safe='=')}", {"range": "1d", "interval": "1d"}) for code in codes]


def parse(body: bytes) -> Sequence[Tick]:
    """The one tick of a chart. Raises SourceError."""
    if body.strip() in {b"Too Many Requests", b"Edge: Too Many Requests"}:
        raise SourceError(Reason.RATE_LIMITED, body.strip().decode())
    meta = _meta(as_json(body))
    symbol, currency = str(meta.get("symbol") or ""), str(meta.get("currency") or "")
    if not symbol or not currency:
        raise schema("a chart that names neither symbol nor currency")
    price = number(meta.get("regularMarketPrice"), symbol)
    as_of = _moment(meta.get("regularMarketTime"), symbol)
    return [Tick(symbol, price, currency, as_of, PriceType.LAST, previous=_previous(meta, symbol))]


def _meta(answer: object) -> dict[str, Any]:
    chart = answer.get("chart") if isinstance(answer, dict) else None
    if not isinstance(chart, dict):
        raise schema(f"no chart: {brief(answer)}")
    results = chart.get("result")
    if not isinstance(results, list) or not results:
        raise schema(f"no result: {brief(chart.get('error'))}")
    meta = results[0].get("meta") if isinstance(results[0], dict) else None
    if not isinstance(meta, dict):
        raise schema("a chart without meta")
    return meta


def _previous(meta: dict[str, Any], symbol: str) -> Decimal | None:
    close = meta.get("chartPreviousClose") if meta.get("range") == "1d" else meta.get("previousClose")
    return number_before(close, symbol)


def _moment(value: object, symbol: str) -> datetime:
    try:
        return sane(datetime.fromtimestamp(int(str(value)), UTC), symbol)
    except (ValueError, OverflowError, OSError) as error:
        raise schema(f"{symbol}: regularMarketTime is no time: {str(value)[:40]!r}") from error


ADAPTER = Adapter(
    publisher="yahoo",
    base_url="https://query1.finance.yahoo.com",
    requests=requests,
    parse=parse,
    codes={"BRENT/USD": "BZ=F", "USD/RUB": "RUB=X", "EUR/RUB": "EURRUB=X"},
)
