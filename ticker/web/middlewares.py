"""Around every handler: counting, CORS, security headers, and errors as problems."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler

from ticker.log import Log
from ticker.web import connections
from ticker.web.context import CONTEXT
from ticker.web.limits import FIELDS
from ticker.web.problems import Problem, nearest_address, response

if TYPE_CHECKING:
    from ticker.web.context import Context


log = Log(__name__)

METHODS = ("GET", "HEAD", "OPTIONS")
# What every route answers; those of the metrics too.
ALLOW = ", ".join(METHODS)
_LEFT = 499
_EXPOSED = ("ETag", "Last-Modified", "Link", "RateLimit", "RateLimit-Policy", "Retry-After", "Ticker-Demo")
_SECURITY = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Server": "market-ticker"}
_CLOSED = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
}
# Numbers for everybody: also for a page that isolates itself (COEP) and takes them by <script>, <link> and <img>.
_RESOURCE, _SHARED = "Cross-Origin-Resource-Policy", "cross-origin"
# What htmx tells with every request; a page of another host could not embed the widget by htmx otherwise.
_HTMX = "HX-Request, HX-Current-URL, HX-Target, HX-Trigger, HX-Trigger-Name, HX-Boosted, HX-Prompt"


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count the answer by route pattern; what no route knows is one pattern, so that scanning adds no series."""
    context = request.app[CONTEXT]
    # Not the loop's clock: uvloop's stands still while a handler runs.
    traffic, began = context.traffic, perf_counter()
    answered = await handler(request)
    took = perf_counter() - began
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "unknown"
    method = request.method if request.method in METHODS else "other"
    traffic.note(route, method, answered.status, took)
    if context.access_log:
        # Neither who asked nor what was in the headers: a log of readers is a liability.
        path = request.path_qs[:200]
        log.info("request", method=method, path=path, route=route, code=answered.status, seconds=round(took, 6))
    if context.process_health.draining or connections.last(request):
        answered.force_close()
    return answered


@web.middleware
async def headed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The headers of every answer, errors included; the preflight is answered here."""
    answered = _preflight(request) if _is_preflight(request) else await handler(request)
    if not answered.prepared:
        dress(request, answered, request.app[CONTEXT])
    return answered


def policy(origin: str | None, allowed: tuple[str, ...], *, demo: bool) -> dict[str, str]:
    """What `dress` puts on an answer whose handler has no policy of its own, to a request from `origin`."""
    plain = {**_SECURITY, **_CLOSED, _RESOURCE: _SHARED, **_cors(origin, allowed)}
    return plain | {"Ticker-Demo": "true"} if demo else plain


def dress(request: web.BaseRequest, answered: web.StreamResponse, context: Context) -> None:
    """Put CORS and security headers on an answer; a policy that its handler gave it stays."""
    answered.headers.update(_SECURITY)
    if "Content-Security-Policy" not in answered.headers:
        answered.headers.update(_CLOSED)
    answered.headers.setdefault(_RESOURCE, _SHARED)
    answered.headers.update(_cors(request.headers.get("Origin"), context.cors_origins))
    vary = answered.headers.get("Vary", "")
    if "*" not in context.cors_origins and "Origin" not in vary.split(", "):
        answered.headers["Vary"] = ", ".join(filter(None, (vary, "Origin")))
    answered.headers.update(request.get(FIELDS, {}))
    if context.demo:
        answered.headers["Ticker-Demo"] = "true"


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:  # noqa: PLR0911 - a table of errors
    """Whatever goes wrong becomes a problem with a sentence; a fault of ours is logged and says no more than that."""
    say = partial(response, demo=request.app[CONTEXT].demo)
    try:
        connections.check(request)
        return await handler(request)
    except Problem as problem:
        return say(problem)
    except web.HTTPMethodNotAllowed as error:
        allow = ", ".join(sorted({*error.allowed_methods, "OPTIONS"}))
        if request.method == "OPTIONS":
            return web.Response(status=204, headers={"Allow": allow})
        return say(Problem(405, not_allowed(request.method, allow)), {"Allow": allow})
    except web.HTTPNotFound:
        if (request.method, request.path) == ("OPTIONS", "*"):  # the service as a whole (RFC 9110, 9.3.7)
            return web.Response(status=204, headers={"Allow": ALLOW})
        return say(Problem(404, f"nothing at {request.path[:80]!r}; {_way(request)}"))
    except web.HTTPException as error:
        return say(Problem(error.status, error.reason))
    except ConnectionResetError:
        # Nobody gets this answer: the client has left. It is counted by nginx's word for it, and no fault of ours.
        return web.Response(status=_LEFT)
    except Exception:
        log.exception("request failed", path=request.path[:200])
        return say(Problem(500, "a fault of this service; it has been logged"))


def not_allowed(method: str, allow: str) -> str:
    """What a reader is told who asks by another method than those that are allowed."""
    return f"{method[:20]} is not allowed here; use {allow}"


def _way(request: web.Request) -> str:
    """Where the reader may have wanted to go: a slash too many, another case, a letter amiss."""
    known = [resource.canonical for resource in request.app.router.resources()]
    return nearest_address(request.path[:80], known) or "GET /docs lists what there is"


def _is_preflight(request: web.Request) -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def _preflight(_request: web.Request) -> web.Response:
    headers = {
        "Access-Control-Allow-Methods": ALLOW,
        "Access-Control-Allow-Headers": f"Accept, If-None-Match, If-Modified-Since, Last-Event-ID, {_HTMX}",
        "Access-Control-Max-Age": "86400",
    }
    return web.Response(status=204, headers=headers)


def _cors(origin: str | None, allowed: tuple[str, ...]) -> dict[str, str]:
    """Never the origin reflected unless it is on the list (Fetch, 3.2.3)."""
    shown = "*" if "*" in allowed else origin if origin in allowed else None
    if shown is None:
        return {}
    return {
        "Access-Control-Allow-Origin": shown,
        "Access-Control-Expose-Headers": ", ".join(_EXPOSED),
    }
