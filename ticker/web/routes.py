"""The literal list of routes, and the application around them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from aiohttp import web
from aiohttp.typedefs import Handler

from ticker.web import assets, handlers, history, openapi, pages
from ticker.web.context import CONTEXT, Context
from ticker.web.limits import FairQueue
from ticker.web.middlewares import FAIR_QUEUE, headed, in_turn, limited, problems
from ticker.web.pages import CHARTS, Charts
from ticker.web.stream import BROADCAST, Broadcast, stream

ROUTES: tuple[tuple[str, Handler], ...] = (
    ("/", pages.page),
    ("/frame", pages.frame),
    ("/v1/quotes", handlers.quotes),
    ("/v1/quotes.json", partial(handlers.quotes, fixed="json")),
    ("/v1/quotes.csv", partial(handlers.quotes, fixed="csv")),
    ("/v1/quotes.ndjson", partial(handlers.quotes, fixed="ndjson")),
    ("/v1/quotes/{symbol}", handlers.quote),
    ("/v1/quotes/{symbol}/history", history.history),
    ("/v1/history", history.histories),
    ("/v1/history.csv", partial(history.histories, fixed="csv")),
    ("/v1/history.ndjson", partial(history.histories, fixed="ndjson")),
    ("/v1/quotes/{symbol}/evidence", history.evidence),
    ("/v1/corrections", history.corrections),
    ("/v1/corrections.atom", history.atom),
    ("/v1/convert", handlers.convert),
    ("/v1/instruments", handlers.instruments),
    ("/v1/sources", handlers.sources),
    ("/v1/openapi.json", openapi.openapi),
    ("/v1/stream", stream),
    ("/docs", pages.docs),
    ("/widget", handlers.widget),
    ("/sparkline/{symbol}.svg", history.picture),
    ("/card.png", pages.picture),
    ("/card/{symbol}.png", pages.picture),
    ("/feed.atom", pages.atom),
    ("/robots.txt", pages.robots),
    ("/llms.txt", pages.llms),
    ("/metrics", handlers.metrics),
    ("/healthz", handlers.healthz),
    ("/readyz", handlers.readyz),
)
# What the listener that is not public answers.
_OURS = ("/metrics", "/healthz", "/readyz")


def build(context: Context) -> web.Application:
    """The web application over `context`; it starts and stops nothing but who tells the streams."""
    routes = (*ROUTES, *assets.ROUTES)
    app = _application(context, [r for r in routes if context.server.metrics_port is None or r[0] != "/metrics"])
    app[BROADCAST] = Broadcast(context)
    app[CHARTS] = Charts()
    app.cleanup_ctx.append(app[BROADCAST].living)
    return app


def build_metrics(context: Context) -> web.Application:
    """The application of the listener that is not public: metrics, and the same health for whoever probes there."""
    return _application(context, [route for route in ROUTES if route[0] in _OURS])


def _application(context: Context, routes: Iterable[tuple[str, Handler]]) -> web.Application:
    app = web.Application(middlewares=[headed, problems, limited, in_turn], client_max_size=1024)
    app[CONTEXT] = context
    app[FAIR_QUEUE] = FairQueue()
    app.add_routes([web.get(path, handler) for path, handler in routes])
    for resource in app.router.resources():
        context.traffic.expect(resource.canonical)
    return app
