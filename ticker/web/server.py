"""The literal list of routes, and the application around them."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from aiohttp import web

from ticker.web import handlers, line
from ticker.web.context import CONTEXT, Context
from ticker.web.middlewares import counted, headed, problems

if TYPE_CHECKING:
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


def build(context: Context) -> web.Application:
    """The web application over `context`; it starts and stops nothing of its own."""
    app = web.Application(middlewares=[counted, headed, problems], client_max_size=1024)
    app[CONTEXT] = context
    app.add_routes([web.get(path, handler) for path, handler in ROUTES])
    app.router.add_get("/widget.css", _style)
    return app


_STYLE = files("ticker.web").joinpath("static", "widget.css").read_bytes()


async def _style(_request: web.Request) -> web.Response:
    headers = {"Content-Type": "text/css; charset=utf-8", "Cache-Control": "public, max-age=3600"}
    return web.Response(body=_STYLE, headers=headers)
