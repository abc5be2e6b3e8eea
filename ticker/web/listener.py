"""How a listener answers: from the cache or by the application, each answer counted once; and how many it lets in."""

from __future__ import annotations

import re
from collections import defaultdict
from time import perf_counter

from aiohttp import web

from ticker.log import Log
from ticker.web import fast_path
from ticker.web.connections import Bounds, Connection, refusal
from ticker.web.context import CONTEXT, Context
from ticker.web.fast_path import FastPath
from ticker.web.framing import is_last, is_well_formed
from ticker.web.headers import METHODS
from ticker.web.problems import Problem
from ticker.web.responses import Prewritten, route_of, target_of, variant_of
from ticker.web.stream import BROADCAST, Broadcast, Reader

log = Log(__name__)

# Conditions that only a handler's own answer can meet.
_UNCACHED = ("Expect", "If-Match", "If-Unmodified-Since")
# What a request may be traced by, as it is logged: https://www.w3.org/TR/trace-context/, and what proxies call theirs.
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


class ConnectionLimiter(web.Server):
    """Answers requests, and lets in as many connections as its bounds allow.

    When there are more, the client that holds the most loses its oldest.
    """

    def __init__(self, made: web.Server, context: Context, bounds: Bounds, streams: Broadcast | None) -> None:
        """`streams` has taken connections over; they count as well. Without it nothing is answered from the cache."""
        super().__init__(self._answer, request_factory=made.request_factory)
        self._streams = streams
        self._bounds = bounds
        self._application = made.request_handler
        self._context = context
        self._leaving: set[web.RequestHandler] = set()

    def __call__(self) -> Connection:
        """A connection for a new client."""
        streams = self._context.traffic.streams if self._streams else 0
        if len(self.connections) - len(self._leaving) + streams >= self._bounds.most:
            self._make_room()
        fast = self._streams is not None and self._context.fast_path_closed is None
        return (FastPath if fast else Connection)(self, self._loop, self._context, self._bounds)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """Forget one that is gone."""
        self._leaving.discard(handler)
        super().connection_lost(handler, exc)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        began, context = perf_counter(), self._context
        found = self._cached(request)
        if found is not None:
            route, answered = found
        else:
            answered = await self._applied(request)
            route = route_of(request)
        took = perf_counter() - began  # not by the loop's clock: uvloop's stands still while a handler runs
        method = request.method if request.method in METHODS else "other"
        context.traffic.count(route, method, answered.status, took)
        if context.access_log:
            _log(request, route, method, answered.status, took)
        if context.process_health.draining or is_last(request):
            answered.force_close()
        return answered

    def _cached(self, request: web.BaseRequest) -> tuple[str, web.StreamResponse] | None:
        """The answer of the present epoch to the same request; None where the application has to be asked."""
        context, headers = self._context, request.headers
        if self._streams is None or context.limiter.rate or request.method not in {"GET", "HEAD"}:
            return None
        if any(name in headers for name in _UNCACHED) or not is_well_formed(request):
            return None
        found = context.cache.answer(
            target_of(request),
            variant_of(request, context),
            headers.get("Origin"),
            headers.get("If-None-Match"),
            headers.get("If-Modified-Since"),
        )
        return None if found is None else (found[0].route, Prewritten(*found))

    async def _applied(self, request: web.BaseRequest) -> web.StreamResponse:
        """What the application answers; what aiohttp refuses before it gets there is a problem too (`Expect`)."""
        try:
            return await self._application(request)
        except web.HTTPException as error:
            return refusal(request, Problem(error.status, error.reason), self._context)

    def _make_room(self) -> None:
        """Drop several at once, so that a flood costs a look at everybody only now and then."""
        held: defaultdict[str, list[Connection | Reader]] = defaultdict(list)
        for reader in self._streams.everyone() if self._streams else ():
            held[reader.network].append(reader)
        for each in self.connections:
            if isinstance(each, Connection) and each not in self._leaving:
                held[each.network].append(each)
        greediest = max(held.values(), key=len, default=[])
        for one in greediest[: max(1, min(len(greediest) // 2, self._bounds.most // 16))]:
            if isinstance(one, Connection):
                self._leaving.add(one)
            one.drop()


class Listener(web.AppRunner):
    """Runs `app` behind a `ConnectionLimiter`."""

    def __init__(self, app: web.Application, bounds: Bounds, *, shutdown_timeout: float) -> None:
        super().__init__(app, shutdown_timeout=shutdown_timeout)
        self._bounds = bounds

    async def _make_server(self) -> web.Server:
        made, context, streams = await super()._make_server(), self.app[CONTEXT], self.app.get(BROADCAST)
        if streams is not None:
            fast_path.announce(context.fast_path_closed)
        return ConnectionLimiter(made, context, self._bounds, streams)


def _log(request: web.BaseRequest, route: str, method: str, code: int, took: float) -> None:
    """One line of the access log: neither who asked nor their headers, since a log of readers is a liability."""
    traced = {
        "traceparent": _matching(_TRACEPARENT, request.headers.get("traceparent")),
        "request_id": _matching(_REQUEST_ID, request.headers.get("X-Request-Id")),
    }
    told = {name: value for name, value in traced.items() if value is not None}
    path = request.path_qs[:200]
    log.info("request", method=method, path=path, route=route, code=code, seconds=round(took, 6), **told)


def _matching(pattern: re.Pattern[str], text: str | None) -> str | None:
    return text if text is not None and pattern.fullmatch(text) else None
