"""The routes of the sample upstreams beside the Bank, its mirror, the futures board and Yahoo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from aiohttp import web

from tests.support.upstreams import banks, prices
from tests.support.upstreams.forts import MOSCOW
from tests.support.upstreams.market import Market, Numbers, table_in_force

_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}
_XML: Final = {"Content-Type": "text/xml"}
_CSV: Final = {"Content-Type": "text/csv"}
_DAY: Final = timedelta(days=1)
_SATURDAY: Final = 5
_FOUR: Final = Decimal("0.0001")
_YUAN: Final = Decimal("13.87")
_LAG: Final = timedelta(days=3)  # how late assessments of oil are published
_MOST: Final = 800  # days of history one answer gives


def routes(clock: Callable[[], datetime], market: Market) -> list[web.RouteDef]:
    """List the routes, each under the id of its source; `clock` gives aware times."""
    demo = _Others(clock, market)
    iss = "/iss/statistics/engines"
    return [
        web.get("/frankfurter/v2/rates", demo.frankfurter),
        web.get("/ecb/stats/eurofxref/eurofxref-daily.xml", demo.ecb),
        web.get("/ecb/service/data/EXR/D..EUR.SP00.A", demo.ecb_history),
        web.get("/nbrb/exrates/rates", demo.nbrb),
        web.get("/nbk/rss/get_rates.cfm", demo.nbk),
        web.get("/cbu_uz/en/arkhiv-kursov-valyut/json/", demo.cbu_uz),
        web.get(r"/cbu_uz/en/arkhiv-kursov-valyut/json/all/{date:\d{4}-\d\d-\d\d}/", demo.cbu_uz),
        web.get("/open_er_api/v6/latest/USD", demo.open_er_api),
        web.get("/fawazahmed0/npm/{package:@fawazahmed0/currency-api@.+}/v1/currencies/usd.min.json", demo.fawazahmed0),
        web.get("/fred/graph/fredgraph.csv", demo.fred),
        web.get("/eia/v2/petroleum/pri/spt/data/", demo.eia),
        web.get("/alphavantage/query", demo.alphavantage),
        web.get("/twelvedata/quote", demo.twelvedata),
        web.get(f"/{{_:moex|moex_fx}}{iss}/futures/markets/indicativerates/securities.json", demo.indicative),
        web.get("/{_:moex|moex_fx}/iss/engines/currency/markets/selt/boards/CETS/securities.json", demo.selt),
        web.get(f"/moex_cbr{iss}/currency/markets/selt/rates.json", demo.moex_cbr),
    ]


class _Others:
    def __init__(self, clock: Callable[[], datetime], market: Market) -> None:
        self._clock = clock
        self._market = market

    async def frankfurter(self, request: web.Request) -> web.Response:
        base, day = request.query.get("base", ""), _weekday(table_in_force(self._clock()))
        if request.query.get("providers") != "CBR" or base not in {"USD", "EUR"}:
            return _json(b'{"status":404,"message":"not found"}', 404)
        rates = self._shown() if day == table_in_force(self._clock()) else self._fixed(day)
        return _json(banks.frankfurter(day, base, rates[base]))

    async def ecb(self, _: web.Request) -> web.Response:
        day = _weekday((self._clock().astimezone(UTC) - timedelta(hours=15)).date())
        return web.Response(body=banks.ecb(day, self._fixed(day)), headers=_XML)

    async def ecb_history(self, request: web.Request) -> web.Response:
        days = _days(request.query.get("startPeriod"), request.query.get("endPeriod"), self._clock())
        return web.Response(body=banks.ecb_history({day: self._fixed(day) for day in days}), headers=_CSV)

    async def nbrb(self, request: web.Request) -> web.Response:
        asked = _date(request.query.get("ondate"))
        return _json(banks.nbrb(asked or self._today(), self._fixed(asked) if asked else self._shown()))

    async def nbk(self, request: web.Request) -> web.Response:
        day = _date("-".join(reversed(request.query.get("fdate", "").split(".")))) or self._today()
        rates = self._shown() if day >= self._today() else self._fixed(day)
        return web.Response(body=banks.nbk(day, rates), headers=_XML)

    async def cbu_uz(self, request: web.Request) -> web.Response:
        asked = _date(request.match_info.get("date"))
        return _json(banks.cbu_uz(asked or self._today(), self._fixed(asked) if asked else self._shown()))

    async def open_er_api(self, _: web.Request) -> web.Response:
        day = self._clock().astimezone(UTC).date()
        return _json(banks.open_er_api(datetime.combine(day, time(0, 0, 31), UTC), self._shown()))

    async def fawazahmed0(self, request: web.Request) -> web.Response:
        asked = _date(request.match_info["package"].rpartition("@")[2])
        day = asked or self._clock().astimezone(UTC).date()
        return _json(banks.fawazahmed0(day, self._fixed(day) if asked else self._shown()))

    async def fred(self, request: web.Request) -> web.Response:
        days = _days(request.query.get("cosd"), request.query.get("coed"), self._clock() - _LAG)
        body = prices.fred(request.query.get("id", ""), {day: self._assessed(day) for day in days})
        return web.Response(body=body, headers=_CSV)

    async def eia(self, request: web.Request) -> web.Response:
        days = _days(request.query.get("start"), request.query.get("end"), self._clock() - _LAG)
        return _json(prices.eia("RBRTE", {day: self._assessed(day) for day in days}))

    async def alphavantage(self, _: web.Request) -> web.Response:
        days = _days(None, None, self._clock() - _LAG)
        return _json(prices.alphavantage("Crude Oil Prices Brent", {day: self._assessed(day) for day in days}))

    async def twelvedata(self, request: web.Request) -> web.Response:
        now = self._clock()
        numbers = self._market.at(now)
        cross = [(eur / usd).quantize(_FOUR) for eur, usd in _both(numbers)]
        pair = {
            "XBR/USD": (numbers.brent, numbers.brent_previous),
            "USD/RUB": (numbers.usd, numbers.usd_previous),
            "EUR/RUB": (numbers.eur, numbers.eur_previous),
            "EUR/USD": (cross[0], cross[1]),
        }.get(request.query.get("symbol", ""))
        if pair is None:
            return _json(b'{"code":404,"message":"symbol not found","status":"error"}', 404)
        return _json(prices.twelvedata(request.query["symbol"], *pair, now - timedelta(minutes=1)))

    async def indicative(self, _: web.Request) -> web.Response:
        day = _weekday((self._clock().astimezone(MOSCOW) - timedelta(hours=18, minutes=30)).date())
        numbers = self._fixed(day)
        at = datetime.combine(day, time(18, 30), MOSCOW)
        return _json(prices.moex_indicative(at, {code: numbers[code] for code in ("USD", "EUR", "CNY")}))

    async def selt(self, _: web.Request) -> web.Response:
        now = self._clock()
        return _json(prices.moex_selt(now - timedelta(minutes=15), _YUAN, _YUAN, _weekday(now.date() - _DAY)))

    async def moex_cbr(self, _: web.Request) -> web.Response:
        now = self._clock()
        numbers = self._market.at(now)
        return _json(prices.moex_cbr(table_in_force(now), numbers.usd, numbers.eur))

    def _today(self) -> date:
        return self._clock().astimezone(MOSCOW).date()

    def _shown(self) -> Mapping[str, Decimal]:
        numbers = self._market.at(self._clock())
        return banks.roubles(numbers.usd, numbers.eur)

    def _fixed(self, day: date) -> Mapping[str, Decimal]:
        return banks.roubles(*self._market.fixing(day))

    def _assessed(self, day: date) -> Decimal:
        return self._market.at(datetime.combine(day + _DAY, time(12), MOSCOW)).brent_previous


def _both(numbers: Numbers) -> list[tuple[Decimal, Decimal]]:
    return [(numbers.eur, numbers.usd), (numbers.eur_previous, numbers.usd_previous)]


def _json(body: bytes, status: int = 200) -> web.Response:
    return web.Response(body=body, status=status, headers=_JSON)


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _weekday(day: date) -> date:
    while day.weekday() >= _SATURDAY:
        day -= _DAY
    return day


def _days(since: str | None, until: str | None, now: datetime) -> list[date]:
    """The working days asked for, two months where nothing was, none after `now`."""
    last = min(_date(until) or now.date(), now.date())
    first = max(_date(since) or last - timedelta(days=60), last - timedelta(days=_MOST))
    days = (first + _DAY * step for step in range((last - first).days + 1))
    return [day for day in days if day.weekday() < _SATURDAY]
