"""What stands in for every source during a drill: it answers in their formats, with invented numbers, as scripted.

Every number and document is written here; none was ever sent by a source.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ticker.fetch import Answer, Call, Fetching
from ticker.quotes import Reason, SourceError
from ticker.sources.cbr import IDS
from ticker.sources.yahoo import brent_expiry

MOSCOW, NEW_YORK = ZoneInfo("Europe/Moscow"), ZoneInfo("America/New_York")
# When the Bank registers the table of the next working day.
_PUBLISHED = time(15, 35)
# Trades are shown so late, as by both markets.
_DELAY = timedelta(minutes=15)
_SATURDAY = 5
_MONTHS = "FGHJKMNQUVXZ"
# Roubles for one unit, invented; a currency that is not here is worth ten.
ROUBLES = {"USD": 100.0, "EUR": 106.0, "CNY": 13.8, "GBP": 126.5, "CHF": 113.0, "JPY": 0.65, "KZT": 0.2, "BYN": 30.0}
BRENT = 73.5
PAGE = b"<!DOCTYPE html><html><head><title>Checking your browser</title></head><body>One moment</body></html>"
CONSENT = b"<!DOCTYPE html><html><head><title>Before you continue</title></head><body>We use cookies</body></html>"

# What becomes of one source's answer: other bytes, or an error that is raised.
Trouble = Callable[[bytes], bytes]


def fails(reason: Reason, detail: str, retry_after: timedelta | None = None) -> Trouble:
    """Give no answer."""

    def trouble(_body: bytes) -> bytes:
        raise SourceError(reason, detail, retry_after=retry_after)

    return trouble


def says(body: bytes) -> Trouble:
    """Answer `body` with status 200."""
    return lambda _body: body


def without_prices(body: bytes) -> bytes:
    """The exchange's board while nothing trades: its rows are there, their prices are not."""
    tree = json.loads(body)
    columns = tree["marketdata"]["columns"]
    halted = [columns.index(name) for name in ("LAST", "BID", "OFFER", "HIGH", "LOW", "OPEN", "SETTLEPRICE")]
    for row in tree["marketdata"]["data"]:
        for place in halted:
            row[place] = None
    return json.dumps(tree).encode()


TROUBLES: Mapping[str, Trouble] = {
    "guard page": says(PAGE),
    "consent page": says(CONSENT),
    "empty list": says(b"[]"),
    "no rows": says(b'{"securities": {}}'),
    "no prices": without_prices,
    "no such name": fails(Reason.DNS, "no such name"),
    "too many requests": fails(Reason.RATE_LIMITED, "Too Many Requests", timedelta(minutes=5)),
}


@dataclass
class World(Fetching):
    """The upstreams at the moment of `clock`, the true one; `sources` are the adapters by base address.

    `troubles` are by adapter. `last_table` is the date after which the Bank publishes none; `resumes` when it does
    again. `reissued` are wrong rates by which the Bank replaces today's; `nominals` other nominals of its rows.
    `trades` is when the exchange's last trade was, None while it trades; `extra` are further contracts on its board.
    """

    clock: Callable[[], datetime]
    sources: Mapping[str, str]
    troubles: dict[str, Trouble] = field(default_factory=dict)
    last_table: date | None = None
    resumes: date | None = None
    reissued: dict[str, float] = field(default_factory=dict)
    nominals: dict[str, int] = field(default_factory=dict)
    mirror_stands_at: date | None = None
    trades: datetime | None = None
    extra: tuple[tuple[str, date, float], ...] = ()
    asked: list[str] = field(default_factory=list)

    async def get(self, call: Call, /) -> Answer:
        """The answer of whoever is asked. Raises SourceError as scripted, and for a source that has no part in it."""
        base = max((base for base in self.sources if call.url.startswith(base)), key=len, default="")
        adapter = self.sources.get(base, "")
        self.asked.append(adapter)
        write = _WRITERS.get(adapter)
        trouble = self.troubles.get(adapter) or self.troubles.get("*")
        if write is None:
            if trouble is not None:
                trouble(b"")
            raise SourceError(Reason.CONNECT, "has no part in a drill")
        body = write(self, call.url.removeprefix(base), call.query)
        return Answer(call.url, 200, {}, trouble(body) if trouble is not None else body)

    @staticmethod
    def plays(adapter: str) -> bool:
        """Whether a source that is read so has a part in drills."""
        return adapter in _WRITERS

    def rates(self, table: date) -> dict[str, float]:
        """The true rates in the Bank's table of that date, roubles for one unit."""
        drift = 1 + 0.004 * math.sin(table.toordinal() * 0.7)
        return {code: round(ROUBLES.get(code, 10.0) * drift, 4) for code in IDS}

    def newest_table(self) -> date:
        """The date of the newest table that the Bank has registered, before its holidays or after."""
        here = self.clock().astimezone(MOSCOW)
        day = here.date()
        if here.time() >= _PUBLISHED and here.weekday() < _SATURDAY:
            day += timedelta(days=1)
        return self.table_on(day)

    def table_on(self, day: date) -> date:
        """The date of the table that is in force on `day`: of Tuesday to Saturday each has one."""
        if self.last_table and day > self.last_table and (self.resumes is None or day < self.resumes):
            day = self.last_table
        return day - timedelta(days={6: 1, 0: 2}.get(day.weekday(), 0))

    def brent(self, at: datetime) -> float:
        """The true price of the front contract, US dollars a barrel."""
        return round(BRENT + 0.4 * math.sin(at.timestamp() // 600 / 3), 2)


def _cbr(world: World, path: str, query: Mapping[str, str]) -> bytes:
    asked = query.get("date_req") or path.partition("date_req=")[2].replace("%2F", "/")
    newest = world.newest_table()
    day = world.table_on(datetime.strptime(asked, "%d/%m/%Y").date()) if asked else newest  # noqa: DTZ007 - a day
    rates = world.rates(day) | (
        world.reissued if day >= world.table_on(world.clock().astimezone(MOSCOW).date()) else {}
    )
    rows = "".join(_row(code, rate, world.nominals.get(code, 1)) for code, rate in rates.items())
    return f'<?xml version="1.0" encoding="windows-1251"?><ValCurs Date="{day:%d.%m.%Y}">{rows}</ValCurs>'.encode()


def _row(code: str, rate: float, nominal: int) -> str:
    value, unit = f"{rate * nominal:.4f}".replace(".", ","), f"{rate:.6f}".replace(".", ",")
    cells = (
        f"<CharCode>{code}</CharCode><Nominal>{nominal}</Nominal><Value>{value}</Value><VunitRate>{unit}</VunitRate>"
    )
    return f'<Valute ID="{IDS[code]}">{cells}</Valute>'


def _mirror(world: World, _path: str, _query: Mapping[str, str]) -> bytes:
    day = world.mirror_stands_at or world.newest_table()
    before = world.table_on(day - timedelta(days=1))
    now, then = world.rates(day), world.rates(before)
    table = {
        code: {"ID": IDS[code], "CharCode": code, "Nominal": 1, "Value": rate, "Previous": then[code]}
        for code, rate in now.items()
    }
    return json.dumps(
        {"Date": f"{day}T11:30:00+03:00", "PreviousDate": f"{before}T11:30:00+03:00", "Valute": table}
    ).encode()


def _frankfurter(world: World, _path: str, query: Mapping[str, str]) -> bytes:
    day, base = world.newest_table(), query.get("base", "USD")
    # A relay knows no table of a Saturday.
    day -= timedelta(days=1 if day.weekday() == _SATURDAY else 0)
    return json.dumps([{"date": f"{day}", "base": base, "quote": "RUB", "rate": world.rates(day).get(base)}]).encode()


def _ecb(world: World, _path: str, _query: Mapping[str, str]) -> bytes:
    day = (world.clock() - timedelta(hours=15)).date()
    day -= timedelta(days=max(0, day.weekday() - 4))
    rates = world.rates(world.table_on(day))
    rows = "".join(
        f'<Cube currency="{code}" rate="{rates["EUR"] / rate:.4f}"/>' for code, rate in rates.items() if code != "EUR"
    )
    return (
        '<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" '
        f'xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref"><Cube><Cube time="{day}">{rows}</Cube></Cube>'
        "</gesmes:Envelope>"
    ).encode()


def _forts(world: World, _path: str, _query: Mapping[str, str]) -> bytes:
    here = world.clock().astimezone(MOSCOW)
    at = (world.trades or here - _DELAY).astimezone(MOSCOW)
    price, contracts, month = world.brent(at), list(world.extra), here.date().replace(day=1)
    while len(contracts) < 3 + len(world.extra):
        expires = month + timedelta(days={5: 2, 6: 1}.get(month.weekday(), 0))
        if expires > here.date():
            far = 0.4 * (len(contracts) - len(world.extra))
            contracts.append((f"BR{_MONTHS[month.month - 1]}{month.year % 10}", expires, round(price - far, 2)))
        month = (month + timedelta(days=32)).replace(day=1)
    securities = [
        {"SECID": code, "BOARDID": "RFUD", "SHORTNAME": code, "ASSETCODE": "BR", "DECIMALS": 2, "MINSTEP": 0.01}
        | {"LASTTRADEDATE": f"{expires}", "LASTDELDATE": f"{expires}", "PREVSETTLEPRICE": BRENT, "PREVPRICE": BRENT}
        | {"PREVOPENPOSITION": 500_000, "LASTSETTLEPRICE": BRENT, "SECTYPE": "BR", "LOTVOLUME": 10, "LATNAME": code}
        for code, expires, _ in contracts
    ]
    market = [
        {"SECID": code, "BOARDID": "RFUD", "LAST": last, "BID": last - 0.01, "OFFER": last + 0.01, "OPEN": last}
        | {"HIGH": max(last, BRENT) + 1, "LOW": min(last, BRENT) - 1, "OPENPOSITION": 500_000, "VOLTODAY": 90_000}
        | {"SETTLEPRICE": last, "UPDATETIME": f"{at:%H:%M:%S}", "TIME": f"{at:%H:%M:%S}", "TRADEDATE": f"{at:%Y-%m-%d}"}
        | {"SYSTIME": f"{here:%Y-%m-%d %H:%M:%S}", "LASTTOPREVPRICE": round((last / BRENT - 1) * 100, 2)}
        for code, _, last in contracts
    ]
    return json.dumps({"securities": block(securities), "marketdata": block(market)}).encode()


def block(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows as the exchange writes them: the names once, and values by place."""
    columns = list(rows[0])
    return {"columns": columns, "data": [[row[name] for name in columns] for row in rows]}


def _yahoo(world: World, path: str, _query: Mapping[str, str]) -> bytes:
    symbol, at = path.rpartition("/")[2].replace("%3D", "="), world.clock() - _DELAY
    price, month = world.brent(at), world.clock().astimezone(NEW_YORK).date().replace(day=1)
    while brent_expiry(month) < world.clock().date():
        month = (month + timedelta(days=32)).replace(day=1)
    stamps = [int(at.timestamp()) // 60 * 60 - 60 * back for back in range(60, 0, -1)]
    closes = [world.brent(datetime.fromtimestamp(stamp, MOSCOW)) for stamp in stamps]
    meta = {"currency": "USD", "symbol": symbol, "instrumentType": "FUTURE", "regularMarketPrice": price}
    meta |= {"regularMarketTime": int(at.timestamp()), "shortName": f"Brent Crude Oil Last Day {month:%b %y}"}
    meta |= {"regularMarketDayHigh": price + 1, "regularMarketDayLow": price - 1, "regularMarketVolume": 20_000}
    meta |= {"chartPreviousClose": BRENT, "previousClose": BRENT, "exchangeTimezoneName": "America/New_York"}
    quote = {"open": closes, "high": closes, "low": closes, "close": closes, "volume": [1] * len(closes)}
    found = {"meta": meta, "timestamp": stamps, "indicators": {"quote": [quote]}}
    return json.dumps({"chart": {"result": [found], "error": None}}).encode()


_WRITERS: Mapping[str, Callable[[World, str, Mapping[str, str]], bytes]] = {
    "cbr": _cbr,
    "cbr_mirror": _mirror,
    "frankfurter": _frankfurter,
    "ecb": _ecb,
    "moex": _forts,
    "yahoo": _yahoo,
}
