"""The sample upstreams as one local server: /<source id>/<the source's own path>, numbers that move."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from aiohttp import web

from tests.support.upstreams import formats, forts, listing, yahoo
from tests.support.upstreams.market import Market, Numbers, table_before, table_in_force, table_of, table_published
from tests.support.upstreams.others import routes
from tests.support.upstreams.valutes import VALUTES, Valute

_NO_CACHE: Final = {
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Expires": "-1",
    "Vary": "Accept-Encoding",
}
_DAILY: Final = {**_NO_CACHE, "Content-Type": "text/xml; charset=windows-1251"}
_DYNAMIC: Final = {**_NO_CACHE, "Content-Type": "application/xml; charset=windows-1251"}
_SCRIPT: Final = {"Content-Type": "application/javascript; charset=utf-8", "Access-Control-Allow-Origin": "*"}
_ISS: Final = {"Content-Type": "application/json; charset=utf-8"}
_CHART: Final = {
    "Content-Type": "application/json;charset=utf-8",
    "Cache-Control": "public, max-age=10, stale-while-revalidate=20",
    "Vary": "Origin,Accept-Encoding",
}
_TRADED: Final = timedelta(seconds=3)
_MINUTES: Final = 20
_MIRRORED: Final = time(17)  # when the mirror has looked at the Bank's table of tomorrow
_SPREAD: Final = Decimal("1.0007")  # two venues never print quite the same barrel
_LONGEST: Final = 3660  # days of history one answer gives
_OLDEST: Final = date(1992, 7, 1)  # the bank's tables go back no further
_IDS: Final = {valute.id: valute for valute in VALUTES}


def build(clock: Callable[[], datetime], seed: int = 1) -> web.Application:
    """Build the server over `clock` (aware times); one `seed` gives one number for one moment, every time."""
    market = Market(seed)
    demo = _Demo(clock, market)
    app = web.Application()
    app.add_routes(routes(clock, market))
    app.add_routes(
        [
            web.get("/cbr/scripts/XML_daily.asp", demo.cbr_daily),
            web.get("/cbr/scripts/XML_dynamic.asp", demo.cbr_dynamic),
            web.get("/cbr_mirror/daily_json.js", demo.mirror),
            web.get(r"/cbr_mirror/archive/{date:\d{4}/\d\d/\d\d}/daily_json.js", demo.mirror_archive),
            web.get("/moex/iss/engines/futures/markets/forts/boards/RFUD/securities.json", demo.forts),
            web.get("/yahoo/v8/finance/chart/{symbol}", demo.chart),
        ]
    )
    return app


class _Demo:
    def __init__(self, clock: Callable[[], datetime], market: Market) -> None:
        self._clock = clock
        self._market = market
        self._said: Numbers | None = None

    async def cbr_daily(self, request: web.Request) -> web.Response:
        now = self._clock()
        asked = request.query.get("date_req")
        day = _day(asked) if asked else table_published(now)
        if day is None:
            return web.Response(body=formats.CBR_REFUSAL, headers=_DAILY)
        table = min(table_of(day), table_published(now))
        self._said = self._market.at(now)
        return web.Response(body=formats.cbr_daily(table, self._rates(table, now)), headers=_DAILY)

    async def cbr_dynamic(self, request: web.Request) -> web.Response:
        now = self._clock()
        since, until = (_day(request.query.get(name, "")) for name in ("date_req1", "date_req2"))
        valute = _IDS.get(request.query.get("VAL_NM_RQ", ""))
        if since is None or until is None or valute is None or not 0 <= (until - since).days < _LONGEST:
            return web.Response(body=formats.CBR_REFUSAL, headers=_DYNAMIC)
        tables = _tables(since, min(until, table_published(now)))
        rows = [(date, valute.nominal, self._value(valute, date, now)) for date in tables]
        return web.Response(body=formats.cbr_dynamic(valute.id, rows, (since, until)), headers=_DYNAMIC)

    async def mirror(self, _: web.Request) -> web.Response:
        """The mirror says what the Bank said last, as mirrors do; a copy never has a number of its own."""
        now = self._clock()
        return web.Response(body=self._mirrored(table_published(now, _MIRRORED), now, now), headers=_SCRIPT)

    async def mirror_archive(self, request: web.Request) -> web.Response:
        now = self._clock()
        table = _day("/".join(reversed(request.match_info["date"].split("/"))))
        if table is None or table != table_of(table) or table > table_published(now, _MIRRORED):
            raise web.HTTPNotFound
        evening = datetime.combine(table, time(23), forts.MOSCOW)
        return web.Response(body=self._mirrored(table, now, min(evening, now)), headers=_SCRIPT)

    async def forts(self, _: web.Request) -> web.Response:
        now = self._clock()
        # The price of the last trade that free data shows, a quarter of an hour ago.
        numbers = self._market.at(forts.last_print(now.astimezone(forts.MOSCOW) - forts.DELAY))
        board = listing.contracts(now.astimezone(forts.MOSCOW).date(), numbers.brent, numbers.brent_previous)
        return web.Response(body=forts.moex_forts(now, board), headers=_ISS)

    async def chart(self, request: web.Request) -> web.Response:
        now, symbol = self._clock(), request.match_info["symbol"]
        # The price is that of the moment told beside it, and so among the minutes of the same answer.
        traded = now - _TRADED if symbol.endswith("=X") else yahoo.last_print(now - _TRADED)
        listed = _listed(self._market.at(traded), now).get(symbol)
        if listed is None:
            return web.Response(body=yahoo.yahoo_not_found(symbol), status=404, headers=_CHART)
        currency, price, close, kind = listed
        minutes = self._minutes(symbol, traded, now) if request.query.get("interval") == "1m" else []
        body = yahoo.yahoo_chart(symbol, currency, price, traded, close, kind, minutes)
        return web.Response(body=body, headers=_CHART)

    def _minutes(self, symbol: str, traded: datetime, now: datetime) -> list[tuple[datetime, Decimal | None]]:
        """The candles of the last minutes up to the last trade; the real ones are of the whole day."""
        this = traded.replace(second=0, microsecond=0)
        begun = (this - timedelta(minutes=back) for back in range(_MINUTES, -1, -1))
        closes = ((at, min(at + timedelta(minutes=1), traded)) for at in begun)
        return [(at, _listed(self._market.at(close), now)[symbol][1]) for at, close in closes]

    def _rates(self, table: date, now: datetime) -> Mapping[str, Decimal]:
        # The demo's number moves by day; once tomorrow's table is out, today's stands.
        if table == table_in_force(now) == table_published(now):
            numbers = self._said or self._market.at(now)
            return {"USD": numbers.usd, "EUR": numbers.eur}
        usd, eur = self._market.fixing(table)
        return {"USD": usd, "EUR": eur}

    def _value(self, valute: Valute, table: date, now: datetime) -> Decimal:
        rate = self._rates(table, now).get(valute.code)
        return valute.value if rate is None else rate * valute.nominal

    def _mirrored(self, table: date, now: datetime, stamp: datetime) -> bytes:
        before = table_before(table)
        return formats.cbr_mirror(table, before, stamp, self._rates(table, now), self._rates(before, now))


def _dated(expires: date) -> str:
    """The symbol of the contract abroad that ends on the last working days before Moscow's, which ends on `expires`.

    It ends in the second month before that of its delivery, Moscow's on the first working day after.
    """
    month = (expires.replace(day=1) + timedelta(days=32)).replace(day=1)
    return f"BZ{'FGHJKMNQUVXZ'[month.month - 1]}{month:%y}.NYM"


def _day(text: str) -> date | None:
    try:
        day = datetime.strptime(text, "%d/%m/%Y").replace(tzinfo=forts.MOSCOW).date()
    except ValueError:
        return None
    return day if day >= _OLDEST else None


def _tables(since: date, until: date) -> list[date]:
    days = (since + timedelta(days=step) for step in range((until - since).days + 1))
    return [day for day in days if day == table_of(day)]


def _listed(numbers: Numbers, now: datetime) -> Mapping[str, tuple[str, Decimal, Decimal, str]]:
    """What is charted, as of `now`: pairs, Brent's front month, and the dated contracts that end with Moscow's."""

    def beside(price: Decimal) -> Decimal:
        return (price * _SPREAD).quantize(price)

    board = listing.contracts(now.astimezone(forts.MOSCOW).date(), numbers.brent, numbers.brent_previous)
    dated = {
        _dated(each.expires): ("USD", beside(each.last), each.previous, "FUTURE")
        for each in board
        if each.asset == "BR" and each.last is not None
    }
    return {
        **dated,
        "BZ=F": ("USD", beside(numbers.brent), numbers.brent_previous, "FUTURE"),
        "RUB=X": ("RUB", beside(numbers.usd), numbers.usd_previous, "CURRENCY"),
        "EURRUB=X": ("RUB", beside(numbers.eur), numbers.eur_previous, "CURRENCY"),
    }


@asynccontextmanager
async def listening(clock: Callable[[], datetime]) -> AsyncIterator[str]:
    """Every source's stand-in on a port of this machine; gives its address."""
    runner = web.AppRunner(build(clock), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
