"""Around every handler: headers of every answer, errors as problems, limits and turns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler

from ticker.log import Log
from ticker.rendering.representation import HTML
from ticker.rendering.words import page_language
from ticker.web import parameters
from ticker.web.connections import check_framing
from ticker.web.context import CONTEXT
from ticker.web.headers import ALLOW
from ticker.web.limits import FairQueue
from ticker.web.problems import Problem, nearest_address, not_allowed, problem_response
from ticker.web.responses import OWN_FIELDS, apply_headers, route_of

log = Log(__name__)

FAIR_QUEUE = web.AppKey("fair_queue", FairQueue)
# Probes come from our own side and must not wait; nor must scrapers be turned away.
_PROBES = ("/healthz", "/readyz")
_UNLIMITED = (*_PROBES, "/metrics")
# Where people are, and where nothing is.
_PAGES = ("/", "/docs", "unknown")
# nginx's code for a client that closed the connection before it had an answer.
_CLIENT_CLOSED = 499
# What htmx tells with every request; a page of another host could not embed the widget by htmx otherwise.
# What htmx 2 and 4 send beside; a wildcard would do too, but not for every browser that reads news.
_HTMX = (
    "HX-Request, HX-Request-Type, HX-Current-URL, HX-Target, HX-Trigger, HX-Trigger-Name, HX-Boosted, HX-Prompt, "
    "HX-Source, HX-Preloaded, HX-History-Restore-Request"
)


@web.middleware
async def headed(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Put the headers of every answer on it, errors included, and answer the preflight."""
    answered = _preflight() if _is_preflight(request) else await handler(request)
    if not answered.prepared:
        apply_headers(request, answered, request.app[CONTEXT])
    return answered


@web.middleware
async def problems(request: web.Request, handler: Handler) -> web.StreamResponse:  # noqa: PLR0911 - a table of errors
    """Whatever goes wrong becomes a problem with a sentence; a fault of ours is logged and says no more than that."""
    say = partial(_said, request)
    try:
        check_framing(request)
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
        # The client has left and gets no answer. It is counted by nginx's code for it, and is no fault of ours.
        return web.Response(status=_CLIENT_CLOSED)
    except Exception:
        log.exception("request failed", path=request.path[:200])
        return say(Problem(500, "a fault of this service; it has been logged"))


@web.middleware
async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse with 429 who has asked too often; tell everybody else how much is left."""
    context = request.app[CONTEXT]
    limiter = context.limiter
    if not limiter.rate or request.path in _UNLIMITED or request.method == "OPTIONS":
        return await handler(request)
    left = limiter.take(limiter.client(request.remote, request.headers), context.clock())
    fields = request[OWN_FIELDS] = limiter.fields(left)
    if left < 0:
        wait = limiter.wait(left)
        fields["Retry-After"] = str(wait)
        raise Problem(429, f"more than {limiter.rate} requests a minute; ask again in {wait} s")
    return await handler(request)


@web.middleware
async def in_turn(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Begin when it is the client's turn; probes begin at once."""
    if request.path not in _PROBES:
        client = request.app[CONTEXT].limiter.client(request.remote, request.headers)
        await request.app[FAIR_QUEUE].wait(client)
    return await handler(request)


def _said(request: web.Request, problem: Problem, headers: Mapping[str, str] | None = None) -> web.Response:
    """The problem: as a page for a person who asked for a page, or for what there is not; else for programs."""
    context = request.app[CONTEXT]
    if route_of(request) not in _PAGES or "text/html" not in request.headers.get("Accept", ""):
        return problem_response(problem, headers, demo=context.demo)
    try:
        lang = page_language(parameters.language(request))
    except Problem:
        lang = page_language(context.server.default_language)
    title = "not_found" if problem.status == HTTPStatus.NOT_FOUND else "wrong"
    return web.Response(
        status=problem.status,
        body=context.renderer.site.problem(lang, title, problem.detail),
        headers={"Content-Type": HTML, "Cache-Control": "no-store", **(headers or {})},
    )


def _way(request: web.Request) -> str:
    """Where the reader may have wanted to go: a slash too many, another case, a letter amiss."""
    known = [resource.canonical for resource in request.app.router.resources()]
    return nearest_address(request.path[:80], known) or "GET /docs lists what there is"


def _is_preflight(request: web.Request) -> bool:
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers


def _preflight() -> web.Response:
    headers = {
        "Access-Control-Allow-Methods": ALLOW,
        "Access-Control-Allow-Headers": f"Accept, If-None-Match, If-Modified-Since, Last-Event-ID, {_HTMX}",
        "Access-Control-Max-Age": "86400",
    }
    return web.Response(status=204, headers=headers)
