"""What the sources send, byte by byte: writers of the formats that SOURCES describes, from plain values.

The banks' tables are written by the project's own sample writers; the two markets' here, since a market that rests, a
contract that is not traded and a number that contradicts its neighbours cannot be told to the samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.upstreams import banks, formats
from tests.support.upstreams.exact import dumps
from tests.support.upstreams.forts import MARKETDATA, SECURITIES

MOSCOW = ZoneInfo("Europe/Moscow")
NEW_YORK = ZoneInfo("America/New_York")
CENT = Decimal("0.01")
FOUR = Decimal("0.0001")

cbr_dynamic, frankfurter = formats.cbr_dynamic, banks.frankfurter


@lru_cache(64)
def cbr_daily(day: date, usd: Decimal, eur: Decimal) -> bytes:
    """The Bank's table of `day`."""
    return formats.cbr_daily(day, {"USD": usd, "EUR": eur})


def cbr_mirror(
    day: date, before: date, hour: datetime, usd: tuple[Decimal, Decimal], eur: tuple[Decimal, Decimal]
) -> bytes:
    """The mirror's table of `day` and of the one `before`; each rate with its previous one."""
    # Written once for all hours: it is the hour alone that the mirror changes while it has nothing new.
    return _mirror(day, before, usd, eur).replace(_HOUR, f"{hour.astimezone(MOSCOW):%Y-%m-%dT%H}".encode())


_NEVER = datetime(1900, 1, 1, tzinfo=MOSCOW)
_HOUR = b"1900-01-01T00"


@lru_cache(64)
def _mirror(day: date, before: date, usd: tuple[Decimal, Decimal], eur: tuple[Decimal, Decimal]) -> bytes:
    told, was = ({"USD": usd[place], "EUR": eur[place]} for place in (0, 1))
    return formats.cbr_mirror(day, before, _NEVER, told, was)


@lru_cache(256)
def foreign(bank: str, day: date, usd: Decimal, eur: Decimal) -> bytes:
    """The table of another central bank (`nbrb`, `nbk`, `cbu_uz`, `ecb`) with these roubles for one unit."""
    write = {"nbrb": banks.nbrb, "nbk": banks.nbk, "cbu_uz": banks.cbu_uz, "ecb": banks.ecb}[bank]
    return write(day, banks.roubles(usd, eur))


@lru_cache(64)
def open_er_api(at: datetime, usd: Decimal, eur: Decimal) -> bytes:
    """The free service's middle rates as of `at`, with these roubles for one unit."""
    return banks.open_er_api(at, banks.roubles(usd, eur))


@lru_cache(64)
def fawazahmed0(day: date, usd: Decimal, eur: Decimal) -> bytes:
    """The free service's table of `day`, with these roubles for one unit."""
    return banks.fawazahmed0(day, banks.roubles(usd, eur))


@dataclass(frozen=True, slots=True)
class Row:
    """One contract on the futures board; prices in US dollars a barrel, `at` the last trade, None where none today."""

    code: str
    name: str
    expires: date
    last: Decimal | None
    at: datetime | None
    previous: Decimal
    opened: Decimal
    trade_date: date
    interest: int = 10_000
    asset: str = "BR"
    # What a source says wrong of one cell, by column.
    cells: tuple[tuple[str, object], ...] = ()
    in_marketdata: bool = True


@lru_cache(64)
def forts(now: datetime, rows: tuple[Row, ...]) -> bytes:
    """The board RFUD as sent at `now`: naive Moscow times, a trade's TIME without its date."""
    here = now.astimezone(MOSCOW)
    blocks = {
        "securities": _block(SECURITIES, [{**_security(row), **dict(row.cells)} for row in rows]),
        "marketdata": _block(
            MARKETDATA, [{**_traded(row, here), **dict(row.cells)} for row in rows if row.in_marketdata]
        ),
    }
    return dumps(blocks).encode()


def _block(columns: str, rows: list[dict[str, object]]) -> dict[str, object]:
    names = columns.split()
    return {"columns": names, "data": [[row.get(name) for name in names] for row in rows]}


def _security(row: Row) -> dict[str, object]:
    return {
        "SECID": row.code,
        "BOARDID": "RFUD",
        "SHORTNAME": row.name,
        "SECNAME": f"Фьючерсный контракт {row.name}",
        "PREVSETTLEPRICE": row.previous,
        "DECIMALS": 2,
        "MINSTEP": CENT,
        "LASTTRADEDATE": f"{row.expires}",
        "LASTDELDATE": f"{row.expires}",
        "SECTYPE": row.asset,
        "LATNAME": row.name,
        "ASSETCODE": row.asset,
        "PREVOPENPOSITION": row.interest,
        "LOTVOLUME": 10,
        "HIGHLIMIT": (row.previous * Decimal("1.1")).quantize(CENT),
        "LOWLIMIT": (row.previous * Decimal("0.9")).quantize(CENT),
        "LASTSETTLEPRICE": row.previous,
        "PREVPRICE": row.previous,
    }


def _traded(row: Row, here: datetime) -> dict[str, object]:
    last, at = row.last, row.at and row.at.astimezone(MOSCOW)
    seen = [price for price in (row.opened, last) if price is not None]
    told: dict[str, object] = {
        "SECID": row.code,
        "BOARDID": "RFUD",
        "SYSTIME": f"{here:%Y-%m-%d %H:%M:%S}",
        "TRADEDATE": f"{row.trade_date}",
        "OPENPOSITION": row.interest,
        "SETTLEPRICE": last or row.previous,
        "UPDATETIME": f"{(at or here):%H:%M:%S}",
        "VOLTODAY": 0,
        "NUMTRADES": 0,
    }
    if last is None or at is None:
        return told
    return told | {
        "LAST": last,
        "TIME": f"{at:%H:%M:%S}",
        "OPEN": row.opened,
        "HIGH": max(seen),
        "LOW": min(seen),
        "BID": last - CENT,
        "OFFER": last + CENT,
        "SPREAD": 2 * CENT,
        "QUANTITY": 3,
        "VOLTODAY": row.interest // 3,
        "NUMTRADES": row.interest // 9,
        "LASTTOPREVPRICE": ((last / row.previous - 1) * 100).quantize(CENT),
        "LASTCHANGE": Decimal(0),
        "LASTCHANGEPRCNT": Decimal(0),
        "SETTLETOPREVSETTLE": last - row.previous,
        "SETTLETOPREVSETTLEPRC": ((last / row.previous - 1) * 100).quantize(CENT),
    }


def selt(now: datetime, code: str, last: Decimal | None, at: datetime, previous: Decimal, day_before: date) -> bytes:
    """The currency board CETS with one pair: TIME is the last trade's, UPDATETIME the row's own and goes on."""
    here, traded = now.astimezone(MOSCOW), at.astimezone(MOSCOW)
    about = "SECID BOARDID SHORTNAME PREVPRICE FACEVALUE DECIMALS PREVDATE CURRENCYID STATUS"
    market = "SECID BOARDID LAST WAPRICE TRADINGSTATUS UPDATETIME TIME SYSTIME"
    row = {
        "SECID": code, "BOARDID": "CETS", "SHORTNAME": code, "PREVPRICE": previous, "FACEVALUE": 1, "DECIMALS": 4,
        "PREVDATE": f"{day_before}", "CURRENCYID": "RUB", "STATUS": "A", "LAST": last, "WAPRICE": last,
        "TRADINGSTATUS": "T", "UPDATETIME": f"{here - timedelta(minutes=15):%H:%M:%S}", "TIME": f"{traded:%H:%M:%S}",
        "SYSTIME": f"{here:%Y-%m-%d %H:%M:%S}",
    }  # fmt: skip
    return dumps({"securities": _block(about, [row]), "marketdata": _block(market, [row])}).encode()


def chart(
    symbol: str,
    price: Decimal,
    at: datetime,
    before: Decimal,
    candles: Sequence[tuple[datetime, Decimal | None]] = (),
    query: dict[str, Any] | None = None,
) -> bytes:
    """Yahoo's chart of a future in US dollars: `price` at `at`, yesterday's close, and the candles that were asked."""
    stamp, asked = int(at.timestamp()), query or {}
    meta = {
        "currency": "USD",
        "symbol": symbol,
        "exchangeName": "NYM",
        "fullExchangeName": "NY Mercantile",
        "instrumentType": "FUTURE",
        "firstTradeDate": 1185768000,
        "regularMarketTime": stamp,
        "hasPrePostMarketData": False,
        "gmtoffset": int((at.astimezone(NEW_YORK).utcoffset() or timedelta()).total_seconds()),
        "timezone": at.astimezone(NEW_YORK).tzname(),
        "exchangeTimezoneName": "America/New_York",
        "regularMarketPrice": price,
        "regularMarketDayHigh": max(price, before),
        "regularMarketDayLow": min(price, before),
        "regularMarketVolume": 21_450,
        "shortName": f"Brent Crude Oil Last Day Financ {symbol}",
        "chartPreviousClose": before,
        "previousClose": before,
        "priceHint": 2,
        "dataGranularity": asked.get("interval", "1d"),
        "range": asked.get("range", "1d"),
        "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
    }
    rows = candles or ((at, price),)
    closes = [close for _, close in rows]
    quote = dict.fromkeys(("open", "high", "low", "close"), closes) | {"volume": [0] * len(closes)}
    stamps = [int(when.timestamp()) for when, _ in rows]
    result = {"meta": meta, "timestamp": stamps, "indicators": {"quote": [quote]}}
    return dumps({"chart": {"result": [result], "error": None}}).encode()


def fred(days: Sequence[tuple[date, Decimal | None]]) -> bytes:
    """fredgraph.csv of Brent's spot price, a missing day empty."""
    lines = [f"{day},{'' if price is None else price}" for day, price in days]
    return "\n".join(["observation_date,DCOILBRENTEU", *lines, ""]).encode()


def http_date(moment: datetime) -> str:
    """A moment as headers write it."""
    return f"{moment.astimezone(UTC):%a, %d %b %Y %H:%M:%S} GMT"
