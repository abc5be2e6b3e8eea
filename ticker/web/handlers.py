"""One small function a route: read the parameters, name the view, answer."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from aiohttp import web

from ticker.quotes import Status
from ticker.render import STYLES, View, encoder
from ticker.web import forms, parameters, past
from ticker.web.context import CONTEXT
from ticker.web.current import current
from ticker.web.negotiation import varied
from ticker.web.problems import Problem, fragment_safe, nearest
from ticker.web.readiness import readiness

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticker.quotes import Snapshot

# The timetable runs something every second; after a minute without, nothing will ever be polled again.
_PATIENCE = timedelta(minutes=1)
# What the Glance dashboard asks of an extension.
_GLANCE = {"Widget-Title": "Market ticker", "Widget-Content-Type": "html"}


async def quotes(request: web.Request) -> web.StreamResponse:
    """`GET /v1/quotes`: all quotes of the snapshot."""
    parameters.only(request, ("symbols", "lang", "at", *forms.MANY))
    snapshot = await past.snapshot(request)
    view = View(
        "quotes", parameters.symbols(request, snapshot), parameters.language(request), form=forms.form_of(request)
    )
    return await _answer(request, snapshot, view, formats=True)


async def quote(request: web.Request) -> web.StreamResponse:
    """`GET /v1/quotes/{symbol}`: one of them."""
    parameters.only(request, ("lang", "at", *forms.ONE))
    snapshot = await past.snapshot(request)
    symbol = request.match_info["symbol"]
    if snapshot.get(symbol) is None:
        known = [quote.symbol for quote in snapshot.quotes]
        detail = f"no instrument {symbol[:40]!r}; {nearest(symbol, known)}"
        raise Problem(404, detail, parameter="symbol", allowed=known)
    view = View("quote", (symbol,), parameters.language(request), form=forms.form_of(request))
    return await _answer(request, snapshot, view, formats=True)


@fragment_safe
async def widget(request: web.Request) -> web.StreamResponse:
    """`GET /widget`: the HTML fragment."""
    parameters.only(request, ("symbols", "lang", "style", "at"))
    style = parameters.one_of(request, "style", STYLES, "plain")
    snapshot = await past.snapshot(request)
    now = request.app[CONTEXT].clock()
    stale = any(quote.status is Status.STALE for quote in snapshot.quotes) and "at" not in request.query
    hour = now.replace(minute=0, second=0, microsecond=0) if stale else None
    view = View("widget", parameters.symbols(request, snapshot), parameters.language(request), style, hour)
    return await _answer(request, snapshot, view, fields=_GLANCE)


async def healthz(request: web.Request) -> web.Response:
    """`GET /healthz`: 200 while the process is worth keeping; 503 where only a restart would mend it."""
    stalled = request.app[CONTEXT].vitals.stalled(_PATIENCE)
    return _state(request, {"status": "timetable stalled" if stalled else "alive"}, 503 if stalled else 200)


async def readyz(request: web.Request) -> web.Response:
    """`GET /readyz`: 200 only with a usable value for every instrument marked required, and while not draining."""
    context = request.app[CONTEXT]
    state = readiness(context.snapshot(), context.health, draining=context.vitals.draining)
    return _state(request, state, 200 if state["status"] == "ready" else 503)


async def metrics(request: web.Request) -> web.Response:
    """`GET /metrics`: Prometheus or OpenMetrics text."""
    context = request.app[CONTEXT]
    body, content_type = context.metrics(request.headers.get("Accept", ""))
    return web.Response(
        body=body, headers={"Content-Type": content_type, "Cache-Control": "no-store", "Vary": "Accept"}
    )


async def _answer(
    request: web.Request,
    snapshot: Snapshot,
    view: View,
    *,
    formats: bool = False,
    fields: Mapping[str, str] = MappingProxyType({}),
) -> web.StreamResponse:
    """`formats` where `Accept` may choose one; `fields` are what every answer of the route carries."""
    if "at" not in request.query:
        return current(request, snapshot, view, fields, formats=formats and "format" not in request.query)
    response = await past.stood(request, snapshot, view)
    response.headers.update(fields)
    return varied(request, response) if formats else response


def _state(request: web.Request, state: dict[str, object], status: int) -> web.Response:
    if request.app[CONTEXT].demo:
        state["demo"] = True
    body = encoder.line(state)
    return web.Response(
        status=status, body=body, headers={"Content-Type": "application/json", "Cache-Control": "no-store"}
    )
