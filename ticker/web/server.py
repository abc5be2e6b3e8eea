"""The literal list of routes, and the application around them."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from aiohttp import web

from ticker.health import Histogram
from ticker.web import handlers, line
from ticker.web.context import CONTEXT, Context
from ticker.web.middlewares import SECONDS, counted, headed, problems

if TYPE_CHECKING:
    from collections.abc import Collection

    from aiohttp.typedefs import Handler

ROUTES: tuple[tuple[str, Handler], ...] = (
    ("/", handlers.page),
    ("/v1/quotes", handlers.quotes),
    ("/v1/quotes/{symbol}", handlers.quote),
    ("/v1/quotes/{symbol}/history", line.history),
    ("/widget", handlers.widget),
    ("/sparkline/{symbol}.svg", line.picture),
    ("/metrics", handlers.metrics),
    ("/healthz", handlers.healthz),
    ("/readyz", handlers.readyz),
)
# What the listener that is not public answers.
_OURS = ("/metrics", "/healthz", "/readyz")
# What a route is known to answer: these series exist at 0, so that the first error is already a rise.
_CODES = (200, 304, 500)


def build(context: Context) -> web.Application:
    """The web application over `context`; it starts and stops nothing of its own."""
    app = _application(context, [path for path, _ in ROUTES if context.metrics_here or path != "/metrics"])
    app.router.add_get("/widget.css", _style)
    return _counting(app, context)


def build_metrics(context: Context) -> web.Application:
    """The application of the listener that is not public: metrics, and the same health for whoever probes there."""
    return _counting(_application(context, _OURS), context)


def _counting(app: web.Application, context: Context) -> web.Application:
    for resource in app.router.resources():
        context.traffic.durations.setdefault(resource.canonical, Histogram(SECONDS))
        for code in _CODES:
            context.traffic.requests.setdefault((resource.canonical, "GET", code), 0)
    return app


def _application(context: Context, paths: Collection[str]) -> web.Application:
    app = web.Application(middlewares=[counted, headed, problems], client_max_size=1024)
    app[CONTEXT] = context
    app.add_routes([web.get(path, handler) for path, handler in ROUTES if path in paths])
    return app


_STYLE = files("ticker.web").joinpath("static", "widget.css").read_bytes()


async def _style(_request: web.Request) -> web.Response:
    headers = {"Content-Type": "text/css; charset=utf-8", "Cache-Control": "public, max-age=3600"}
    return web.Response(body=_STYLE, headers=headers)
