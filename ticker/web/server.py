"""The literal list of routes, and the application around them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from ticker.web import assets, handlers, line, page
from ticker.web.context import CONTEXT, Context
from ticker.web.middlewares import counted, headed, problems
from ticker.web.stream import stream

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler

ROUTES: tuple[tuple[str, Handler], ...] = (
    ("/", page.page),
    ("/frame", page.frame),
    ("/v1/quotes", handlers.quotes),
    ("/v1/quotes/{symbol}", handlers.quote),
    ("/v1/quotes/{symbol}/history", line.history),
    ("/v1/stream", stream),
    ("/widget", handlers.widget),
    ("/sparkline/{symbol}.svg", line.picture),
    ("/metrics", handlers.metrics),
    ("/healthz", handlers.healthz),
    ("/readyz", handlers.readyz),
)


def build(context: Context) -> web.Application:
    """The web application over `context`; it starts and stops nothing of its own."""
    app = web.Application(middlewares=[counted, headed, problems], client_max_size=1024)
    app[CONTEXT] = context
    app.add_routes([web.get(path, handler) for path, handler in (*ROUTES, *assets.ROUTES)])
    return app


def serves(path: str) -> bool:
    """Whether there is a route of that pattern."""
    return path in dict(ROUTES)
