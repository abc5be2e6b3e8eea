"""One small function a route: read the parameters, name the view, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import simplejson
from aiohttp import web

from ticker.quotes import Status
from ticker.render import STYLES, View
from ticker.web import parameters, past
from ticker.web.answers import answer
from ticker.web.context import CONTEXT
from ticker.web.problems import Problem, fragment_safe, nearest

if TYPE_CHECKING:
    from ticker.quotes import Snapshot

# What the Glance dashboard asks of an extension.
_GLANCE = {"Widget-Title": "Market ticker", "Widget-Content-Type": "html"}


async def quotes(request: web.Request) -> web.Response:
    """`GET /v1/quotes`: all quotes of the snapshot."""
    parameters.only(request, ("symbols", "lang", "at"))
    snapshot = await past.snapshot(request)
    view = View("quotes", parameters.symbols(request, snapshot), parameters.language(request))
    return await _answer(request, snapshot, view)


async def quote(request: web.Request) -> web.Response:
    """`GET /v1/quotes/{symbol}`: one of them."""
    parameters.only(request, ("lang", "at"))
    snapshot = await past.snapshot(request)
    symbol = request.match_info["symbol"]
    if snapshot.get(symbol) is None:
        known = [quote.symbol for quote in snapshot.quotes]
        detail = f"no instrument {symbol[:40]!r}; {nearest(symbol, known)}"
        raise Problem(404, detail, parameter="symbol", allowed=known)
    return await _answer(request, snapshot, View("quote", (symbol,), parameters.language(request)))


@fragment_safe
async def widget(request: web.Request) -> web.Response:
    """`GET /widget`: the HTML fragment."""
    parameters.only(request, ("symbols", "lang", "style", "at"))
    style = parameters.one_of(request, "style", STYLES, "plain")
    snapshot = await past.snapshot(request)
    view = View("widget", parameters.symbols(request, snapshot), parameters.language(request), style)
    response = await _answer(request, snapshot, view)
    response.headers.update(_GLANCE)
    return response


async def healthz(request: web.Request) -> web.Response:
    """`GET /healthz`: the process answers."""
    return _state(request, {"status": "alive"}, 200)


async def readyz(request: web.Request) -> web.Response:
    """`GET /readyz`: 200 only with a usable value for every instrument marked required."""
    snapshot = request.app[CONTEXT].snapshot()
    missing = [q.symbol for q in snapshot.quotes if q.instrument.required and q.status is Status.UNAVAILABLE]
    instruments = {q.symbol: {"status": q.status, "reason": q.reason} for q in snapshot.quotes}
    state: dict[str, object] = {
        "status": "not ready" if missing else "ready",
        "missing": missing,
        "instruments": instruments,
    }
    return _state(request, state, 503 if missing else 200)


async def metrics(request: web.Request) -> web.Response:
    """`GET /metrics`: Prometheus or OpenMetrics text."""
    body, content_type = request.app[CONTEXT].metrics(request.headers.get("Accept", ""))
    return web.Response(body=body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})


async def _answer(request: web.Request, snapshot: Snapshot, view: View) -> web.Response:
    context = request.app[CONTEXT]
    if "at" in request.query:
        return await past.stood(request, snapshot, view)
    now = context.clock()
    return answer(request, context.renderer.render(snapshot, view), now, context.board.next_change(now))


def _state(request: web.Request, state: dict[str, object], status: int) -> web.Response:
    if request.app[CONTEXT].demo:
        state["demo"] = True
    body = (simplejson.dumps(state) + "\n").encode()
    return web.Response(
        status=status, body=body, headers={"Content-Type": "application/json", "Cache-Control": "no-store"}
    )
