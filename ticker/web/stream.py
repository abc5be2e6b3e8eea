"""`GET /v1/stream`: Server-Sent Events (HTML, 9.2). The request is read here; `broadcast` tells its reader the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiohttp import web

from ticker.render import View
from ticker.web import parameters
from ticker.web.broadcast import BROADCAST
from ticker.web.context import CONTEXT
from ticker.web.middlewares import dress

if TYPE_CHECKING:
    from ticker.web.context import Context

_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back until a buffer is full
}
# Milliseconds: how far two machines' clocks may be apart.
_AHEAD = 2_000
_VERSION = re.compile(r"[0-9]{1,16}")


async def stream(request: web.Request) -> web.StreamResponse:
    """Every snapshot as an event `quotes` whose `id` is its version, from the newest on."""
    parameters.only(request, ("symbols", "lang"))
    context = request.app[CONTEXT]
    view = View("event", parameters.symbols(request, context.snapshot()), parameters.language(request))
    response = web.StreamResponse(headers=_HEADERS)
    dress(request, response, context)
    response.force_close()  # no other request is read from a connection that has become a stream
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    framed = "Transfer-Encoding" in response.headers
    request.app[BROADCAST].join(request, view, _since(request, context), framed=framed)
    return response


def _since(request: web.Request, context: Context) -> int:
    """The version the reader has, by `Last-Event-ID`; 0 for none, for nonsense, and for one no board can have yet.

    Versions follow the clock: a reader may bring a newer one than is known here from another replica, and must not be
    told an older one.
    """
    text = request.headers.get("Last-Event-ID", "")
    version = int(text) if _VERSION.fullmatch(text) else 0
    newest = max(context.board.latest.version, int(context.clock().timestamp() * 1000) + _AHEAD)
    return version if version <= newest else 0
