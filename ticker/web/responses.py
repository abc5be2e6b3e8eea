"""Answering a request with a representation: one place that decides 412, 304 and 200, and one that sends the bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from time import time
from types import MappingProxyType

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter

from ticker.quotes import Snapshot
from ticker.rendering.representation import Representation
from ticker.web.context import CONTEXT, Context
from ticker.web.headers import (
    CHOSEN,
    Freshness,
    cross_origin,
    demand,
    freshness,
    lines,
    preferred_coding,
    security,
    status_of,
)
from ticker.web.response_cache import CachedResponse, cached_response, changed_at

# Fields that are the request's own, put on its answer whatever that is, errors included: what is left of a limit.
OWN_FIELDS = web.RequestKey("own_fields", dict[str, str])
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Prewritten(web.StreamResponse):
    """An answer whose bytes exist already. Only what its connection needs to be told is put in when it is sent."""

    def __init__(self, each: CachedResponse, status: int, opening: bytes) -> None:
        # The base class would prepare headers and a body still to be written, a tenth of the whole answer's time.
        self._status = status
        self._each = each
        self._opening = opening
        self._keep_alive: bool | None = None

    @property
    def prepared(self) -> bool:
        """True: no field can be added any more."""
        return True

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Send it."""
        keep_alive = self._keep_alive = request.keep_alive and self._keep_alive is not False
        fields = request.get(OWN_FIELDS)
        extra = b"" if fields is None else lines(fields)
        if not keep_alive:
            extra += b"Connection: close\r\n"
        elif request.version < HttpVersion11:
            extra += b"Connection: keep-alive\r\n"
        whole = self._each.message(self._opening, self._status, with_body=request.method != "HEAD", extra=extra)
        writer = request.writer
        await writer.write(whole)
        await writer.drain()
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: everything has been sent."""


def respond(
    request: web.Request,
    made: Representation,
    until: datetime,
    fields: Mapping[str, str] = _NOTHING,
    *,
    valid_until: datetime | None = None,
) -> web.StreamResponse:
    """Answer with a representation that cannot change before `until`.

    `fields` are the handler's own, which replace ours of the same name. Raises a Problem (412).
    """
    context = request.app[CONTEXT]
    told = freshness(made.modified, context.clock(), until, valid_until)
    told = Freshness({name: fields.get(name, value) for name, value in told.fields.items()}, told.changes_at)
    own = {name: value for name, value in fields.items() if name not in told.fields}
    return _sent(request, _response_of(request, made, own), told)


def respond_current(
    request: web.Request,
    snapshot: Snapshot,
    made: Representation,
    fields: Mapping[str, str] = _NOTHING,
    *,
    hour: datetime | None = None,
) -> web.StreamResponse:
    """Answer with a representation cut from a board that was the present one just now, and keep it in the cache.

    With `hour`, it holds in that hour alone. Raises a Problem (412).
    """
    context = request.app[CONTEXT]
    each, cache = _response_of(request, made, fields, changed_at(snapshot)), context.cache
    epoch = cache.epoch()
    if epoch.snapshot is not snapshot or hour not in {None, epoch.hour}:
        # Time has passed it by since it was asked for: it is an answer like any other, but is not given again.
        now = context.clock()
        return _sent(request, each, freshness(each.modified, now, now, now))
    cache.keep(target_of(request), variant_of(request, context), each)
    return _sent(request, each, None)


def target_of(request: web.BaseRequest) -> bytes:
    """The target as it came."""
    return request.raw_path.encode("utf-8", "surrogateescape")


def variant_of(request: web.BaseRequest, context: Context) -> str:
    """The key of what the client prefers."""
    headers = request.headers
    return context.cache.variant(headers.get("Accept"), headers.get("Accept-Encoding"), headers.get("Accept-Language"))


def apply_headers(request: web.BaseRequest, answered: web.StreamResponse, context: Context) -> None:
    """Put CORS and security headers on an answer that is not cached; a policy that its handler gave it stays."""
    headers = answered.headers
    headers.update(security(headers))
    headers.update(cross_origin(request.headers.get("Origin"), context.server.cors_origins))
    if "*" not in context.server.cors_origins:
        headers["Vary"] = ", ".join(filter(None, (headers.get("Vary", ""), "Origin")))
    headers.update(request.get(OWN_FIELDS, {}))
    if context.demo:
        headers["Ticker-Demo"] = "true"


def _response_of(
    request: web.Request, made: Representation, fields: Mapping[str, str], modified: datetime | None = None
) -> CachedResponse:
    context, chosen = request.app[CONTEXT], request.get(CHOSEN, {})
    varies = sorted(["Accept-Encoding", *chosen, *([] if "*" in context.server.cors_origins else ["Origin"])])
    own = security({"Vary": ", ".join(varies), **fields})
    coding = preferred_coding(request.headers.get("Accept-Encoding", ""), made.codings)
    return cached_response(route_of(request), made, coding, own, shared=all(chosen.values()), modified=modified)


def _sent(request: web.Request, each: CachedResponse, told: Freshness | None) -> web.StreamResponse:
    """The answer to this request; without `told` it is one of the present epoch."""
    cache, headers = request.app[CONTEXT].cache, request.headers
    demand(each.etag, each.modified, headers.get("If-Match"), headers.get("If-Unmodified-Since"))
    tags, since, origin = headers.get("If-None-Match"), headers.get("If-Modified-Since"), headers.get("Origin")
    if told is None:
        return Prewritten(*cache.decide(each, origin, tags, since))
    status = status_of(each.etag, each.modified, tags, since)
    return Prewritten(each, status, cache.openings.opening(status, told, int(time()), origin, shared=each.shared))


def route_of(request: web.BaseRequest) -> str:
    """The pattern of the route that answers; what no route knows is one pattern, so that scanning adds no series."""
    resource = request.match_info.route.resource if isinstance(request, web.Request) else None
    return resource.canonical if resource is not None else "unknown"
