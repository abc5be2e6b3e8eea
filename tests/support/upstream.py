"""A real upstream on the loopback for tests: it answers what it is told, counts the calls, and can misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import TracebackType
from typing import Self

from aiohttp import web
from multidict import CIMultiDictProxy

from tests.support import misbehaviour
from tests.support.upstreams import formats, forts, listing, yahoo
from tests.support.upstreams.market import table_before

DAY = date(2024, 11, 22)
# The dollar, the euro and the oil of the table before, and of the settlement before, as a mirror tells them.
BEFORE = {DAY: ("100.2192", "105.8067", "72.81"), date(2024, 11, 23): ("100.6798", "106.0762", "72.81")}
NOON = datetime(2024, 11, 22, 12, tzinfo=forts.MOSCOW)
CBR = "/cbr/scripts/XML_daily.asp"
MIRROR = "/cbr_mirror/daily_json.js"
MOEX = "/moex/iss/engines/futures/markets/forts/boards/RFUD/securities.json"
YAHOO = "/yahoo/v8/finance/chart/BZ=F"


@dataclass(frozen=True, slots=True)
class Hit:
    """One request the upstream saw."""

    method: str
    path_qs: str
    headers: CIMultiDictProxy[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one path answers."""

    body: bytes
    status: int
    headers: Mapping[str, str]


class Listening:
    """A server of a test on a port of this machine, for `async with`; `stop` and `start` keep the port."""

    host = "127.0.0.1"
    port = 0

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end; the same before and after a restart."""
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen."""
        raise NotImplementedError

    async def stop(self) -> None:
        """Close every connection and listen no more."""
        raise NotImplementedError


class Upstream(Listening):
    """A local server for `async with`; a path nobody set answers 404."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self._answers: dict[str, Answer] = {}
        self._failures: dict[str, misbehaviour.Failure] = {}
        self._hits: list[Hit] = []
        self._arrival = asyncio.Condition()
        self._stopping = asyncio.Event()
        self._transports: set[asyncio.Transport] = set()
        self._runner: web.ServerRunner | None = None

    async def start(self) -> None:
        """Listen; after a `stop` on the same port again."""
        self._stopping.clear()
        self._runner = web.ServerRunner(web.Server(self._handle, handler_cancellation=True), shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Close every connection: from here to the next `start` a connection is refused."""
        self._stopping.set()
        for transport in self._transports:
            transport.abort()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def answer(
        self,
        path: str,
        *,
        body: bytes = b"",
        content_type: str = "application/json",
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Set what `path` answers, of any query or, where `path` has a query itself, of exactly that one.

        An ETag or Last-Modified among `headers` is honoured: a request that names it gets 304.
        """
        self._answers[path] = Answer(body, status, {"Content-Type": content_type, **(headers or {})})

    def answer_of(self, path: str) -> Answer:
        """What `path` answers while it is well. Raises KeyError where nothing was set."""
        return self._answers[path]

    def fail(self, prefix: str, how: str) -> None:
        """Let every path under `prefix` misbehave, as `misbehaviour` names it; the longest prefix wins.

        Raises KeyError for another name.
        """
        self._failures[prefix] = misbehaviour.parse(how)

    def heal(self, prefix: str) -> None:
        """End the misbehaviour set for exactly `prefix`, if there is one."""
        self._failures.pop(prefix, None)

    def hits(self, prefix: str = "/") -> list[Hit]:
        """List the requests seen under `prefix`, oldest first."""
        return [hit for hit in self._hits if hit.path_qs.startswith(prefix)]

    async def seen(self, prefix: str = "/", count: int = 1) -> list[Hit]:
        """Wait until `count` requests under `prefix` have come, and list them."""
        async with self._arrival:
            await self._arrival.wait_for(lambda: len(self.hits(prefix)) >= count)
        return self.hits(prefix)

    def trio(
        self,
        date: date = DAY,
        usd: Decimal | str = "100.6798",
        eur: Decimal | str = "106.0762",
        brent: Decimal | str = "73.73",
        now: datetime = NOON,
        *,
        previous: tuple[str, str, str] | None = None,
    ) -> None:
        """Set what `cbr`, `cbr_mirror`, `moex` and `yahoo` answer: the table of `date`, the oil as of `now`.

        Rates are roubles for one unit, `brent` US dollars a barrel, `previous` the three before them
        (by default those of the days around `DAY`).
        """
        rates = {"USD": Decimal(usd), "EUR": Decimal(eur)}
        usd_before, eur_before, brent_before = map(Decimal, previous or BEFORE.get(date, BEFORE[DAY]))
        before = {"USD": usd_before, "EUR": eur_before}
        oil = Decimal(brent)
        board = listing.contracts(now.astimezone(forts.MOSCOW).date(), oil, brent_before)
        mirror = formats.cbr_mirror(date, table_before(date), now, rates, before)
        chart = yahoo.yahoo_chart("BZ=F", "USD", oil, now, brent_before, "FUTURE")
        self.answer(CBR, body=formats.cbr_daily(date, rates), content_type="text/xml; charset=windows-1251")
        self.answer(MIRROR, body=mirror, content_type="application/javascript; charset=utf-8")
        self.answer(MOEX, body=forts.moex_forts(now, board), content_type="application/json; charset=utf-8")
        self.answer(YAHOO, body=chart, content_type="application/json;charset=utf-8")

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        async with self._arrival:
            self._hits.append(Hit(request.method, request.path_qs, request.headers))
            self._arrival.notify_all()
        transport = request.transport
        assert transport is not None, "the client left before its request was read"
        self._transports.add(transport)
        try:
            return await self._respond(request)
        finally:
            self._transports.discard(transport)

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = self._answers.get(request.path_qs) or self._answers.get(request.path)
        prefixes = [prefix for prefix in self._failures if request.path.startswith(prefix)]
        if prefixes:
            failure = self._failures[max(prefixes, key=len)]
            return await failure(request, answer.body if answer else b"{}", self._stopping)
        if answer is None:
            return web.Response(status=404, text="nothing here")
        if _unchanged(request, answer):
            return web.Response(status=304, headers=answer.headers)
        return web.Response(body=answer.body, status=answer.status, headers=answer.headers)


def _unchanged(request: web.BaseRequest, answer: Answer) -> bool:
    pairs = (("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since"))
    return any(name in answer.headers and request.headers.get(asked) == answer.headers[name] for name, asked in pairs)
