"""Oil from assessors and dealers, currencies from the exchange: one writer for each format, values in, bytes out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from tests.support.upstreams.exact import dumps
from tests.support.upstreams.forts import MOSCOW


def fred(series: str, days: Mapping[date, Decimal | None]) -> bytes:
    """Write fredgraph.csv, oldest first; a day without a price has an empty cell."""
    rows = [f"{day},{'' if price is None else price}" for day, price in days.items()]
    return "\n".join([f"observation_date,{series}", *rows, ""]).encode()


def eia(series: str, days: Mapping[date, Decimal]) -> bytes:
    """Write the spot prices of API v2, newest first, US dollars a barrel, values as strings."""
    rows = [
        {"period": f"{day}", "series": series, "value": f"{price}", "units": "$/BBL"}
        for day, price in sorted(days.items(), reverse=True)
    ]
    return dumps({"response": {"total": f"{len(rows)}", "frequency": "daily", "data": rows}}).encode()


def alphavantage(name: str, days: Mapping[date, Decimal | None]) -> bytes:
    """Write a commodity's series, newest first; a day without a price has a point."""
    rows = [
        {"date": f"{day}", "value": "." if price is None else f"{price}"}
        for day, price in sorted(days.items(), reverse=True)
    ]
    return dumps({"name": name, "interval": "daily", "unit": "dollars per barrel", "data": rows}).encode()


def twelvedata(symbol: str, price: Decimal, previous: Decimal, at: datetime) -> bytes:
    """Write /quote of one pair as of `at` (aware)."""
    stamp = int(at.timestamp())
    return dumps(
        {
            "symbol": symbol,
            "name": symbol,
            "exchange": "demo",
            "datetime": f"{at:%Y-%m-%d}",
            "timestamp": stamp,
            "last_quote_at": stamp,
            "close": f"{price}",
            "previous_close": f"{previous}",
            "is_market_open": True,
        }
    ).encode()


def moex_indicative(at: datetime, rates: Mapping[str, Decimal]) -> bytes:
    """Write the indicative rates of the evening clearing at `at` (aware), roubles for one unit."""
    here = at.astimezone(MOSCOW)
    rows = [[f"{here:%Y-%m-%d}", f"{here:%H:%M:%S}", f"{code}/RUB", rate, "vk"] for code, rate in rates.items()]
    columns = ["tradedate", "tradetime", "secid", "rate", "clearing"]
    return dumps({"securities": {"columns": columns, "data": rows}}).encode()


def moex_selt(now: datetime, last: Decimal | None, previous: Decimal, previous_day: date) -> bytes:
    """Write the board CETS with the yuan alone, as sent at `now` (aware); `last` is None where nobody traded."""
    here = now.astimezone(MOSCOW)
    about = {
        "SECID": "CNYRUB_TOM",
        "BOARDID": "CETS",
        "SHORTNAME": "CNYRUB_TOM",
        "DECIMALS": 4,
        "FACEVALUE": 1,
        "PREVDATE": f"{previous_day}",
        "FACEUNIT": "CNY",
        "PREVPRICE": previous,
        "CURRENCYID": "RUB",
    }
    market = {
        "LAST": last,
        "TRADINGSTATUS": "T" if last else "N",
        "UPDATETIME": f"{here:%H:%M:%S}",
        "BOARDID": "CETS",
        "SECID": "CNYRUB_TOM",
        "TIME": f"{here:%H:%M:%S}",
        "SYSTIME": f"{here:%Y-%m-%d %H:%M:%S}",
    }
    return dumps({"securities": _one(about), "marketdata": _one(market)}).encode()


def moex_cbr(day: date, usd: Decimal, eur: Decimal) -> bytes:
    """Write the exchange's copy of the Bank of Russia's rates in force on `day`."""
    row = {
        "CBRF_USD_LAST": usd,
        "CBRF_USD_LASTCHANGEPRCNT": 0,
        "CBRF_USD_TRADEDATE": f"{day}",
        "CBRF_EUR_LAST": eur,
        "CBRF_EUR_LASTCHANGEPRCNT": 0,
        "CBRF_EUR_TRADEDATE": f"{day}",
    }
    return dumps({"cbrf": _one(row)}).encode()


def _one(row: Mapping[str, object]) -> dict[str, object]:
    return {"columns": list(row), "data": [list(row.values())]}
