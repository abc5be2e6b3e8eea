"""Answering with the board as it stands: what is on the shelf, else what a handler has made, which goes there."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from ticker.web import framing
from ticker.web.answers import demand, freshness, not_modified, sent, vary
from ticker.web.context import CONTEXT
from ticker.web.ready import modified, ready, response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp import web

    from ticker.quotes import Snapshot
    from ticker.render import View
    from ticker.web.context import Context
    from ticker.web.ready import Ready
    from ticker.web.shelf import Moment

_METHODS = ("GET", "HEAD")


def found(request: web.BaseRequest, context: Context) -> web.StreamResponse | None:
    """What is ready for the request, counted; None where the application has to be asked."""
    began, shelf, headers = perf_counter(), context.shelf, request.headers
    if not shelf.usable or request.method not in _METHODS or not framing.believed(request):
        return None
    if "Expect" in headers or "If-Match" in headers or "If-Unmodified-Since" in headers:
        return None
    moment = shelf.present(context.clock)
    each = shelf.find(_target(request), _wishes(request, context))
    if each is None:
        return None
    answered = _answered(request, context, moment, each)
    context.traffic.note(each.route, request.method, answered.status, perf_counter() - began)
    return answered


def current(
    request: web.Request, snapshot: Snapshot, view: View, fields: Mapping[str, str], *, formats: bool
) -> web.StreamResponse:
    """The view of a board that was the present one just now, on the shelf from here on.

    `fields` are those of the route; with `formats`, `Accept` had a say in the format.
    """
    context, now = request.app[CONTEXT], request.app[CONTEXT].clock()
    shelf, made = context.shelf, context.renderer.render(snapshot, view)
    moment, wishes = shelf.moment(now), _wishes(request, context)
    varied = ["Accept"] if formats else []
    varied += [vary(request)] + (["Origin"] if "*" not in context.cors_origins else [])
    fields = {"Vary": ", ".join(varied), **fields}
    if moment.snapshot is not snapshot or view.hour not in {None, moment.hour}:
        # Time has passed it by since it was asked for: an answer like any other, but none to be repeated.
        return sent(request, made, {**freshness(made.modified, now, now)[0], **fields})
    each = ready(_route(request), made, wishes.split()[1], fields)
    if shelf.usable:
        shelf.keep(_target(request), wishes, each)
    return _answered(request, context, moment, each)


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else ""


def _answered(request: web.BaseRequest, context: Context, moment: Moment, each: Ready) -> web.StreamResponse:
    origin = context.shelf.origins.get(request.headers.get("Origin"))
    demand(request, each.etag, moment.snapshot.generated_at)
    status = 304 if not_modified(request, each.etag, moment.snapshot.generated_at) else 200
    if status == 304:  # noqa: PLR2004
        whole = context.shelf.unmodified(moment, origin, each)
    else:
        whole = modified(context.shelf.opening(moment, origin, status), each, body=request.method == "GET")
    last = context.vitals.draining or framing.last(request)
    return response(request, status, whole, last=last, more=bool(context.limiter.rate))


def _target(request: web.BaseRequest) -> bytes:
    return request.raw_path.encode("utf-8", "surrogateescape")


def _wishes(request: web.BaseRequest, context: Context) -> str:
    headers = request.headers
    return context.shelf.wishes(headers.get("Accept"), headers.get("Accept-Encoding"), headers.get("Accept-Language"))
