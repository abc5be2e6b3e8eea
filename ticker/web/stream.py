"""`GET /v1/stream`: Server-Sent Events (HTML, 9.2). A reader is one task and no queue: a slow one gets the newest."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from ticker.render import View
from ticker.web import parameters
from ticker.web.context import CONTEXT
from ticker.web.middlewares import dress

if TYPE_CHECKING:
    from ticker.web.context import Context

log = structlog.get_logger(__name__)

_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back until a buffer is full
}
# Seconds. Below the 60 after which proxies hang up on a silent connection.
HEARTBEAT = 15.0
# Seconds after which a reader that takes nothing is let go; it may come back.
PATIENCE = 60.0
# Bytes in the kernel and bytes here that may wait for one reader: a dozen events, not the megabytes Linux would give.
_WAITING = 16_384
# Milliseconds until a reader comes back; readers of a service that stops come back one after another.
_RETRY, _RETRY_SPREAD = 2_000, 5_000
_VERSION = re.compile(r"[0-9]{1,16}")


async def stream(request: web.Request) -> web.StreamResponse:
    """Every snapshot as an event `quotes` whose `id` is its version, from the newest on."""
    parameters.only(request, ("symbols", "lang"))
    context = request.app[CONTEXT]
    view = View("event", parameters.symbols(request, context.snapshot()), parameters.language(request))
    response = web.StreamResponse(headers=_HEADERS)
    dress(request, response, context)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    _bound(request.transport)
    context.traffic.streams += 1
    try:
        await _tell(response, context, view, _since(request, context))
    except ConnectionError:
        pass  # the reader left
    except Exception as error:
        # An answer that has begun cannot become a problem: a broken connection tells the reader to come back.
        if not isinstance(error, TimeoutError):
            log.exception("stream failed")
        if request.transport is not None:
            request.transport.abort()
    finally:
        context.traffic.streams -= 1
    return response


async def _tell(response: web.StreamResponse, context: Context, view: View, since: int) -> None:
    """Send what is newer than `since` until the board closes; a comment now and then keeps the connection open."""
    await _write(response, f"retry: {_RETRY}\n\n".encode())
    updates = context.board.updates(since)
    while True:
        try:
            async with asyncio.timeout(HEARTBEAT):
                snapshot = await anext(updates)
        except TimeoutError:
            await _write(response, b":\n\n")
            updates = context.board.updates(since)
            continue
        except StopAsyncIteration:
            break
        since = snapshot.version
        # The same bytes for every reader of the view: made once a version, kept by the renderer.
        await _write(response, context.renderer.render(snapshot, view).body)
    pause = _RETRY + context.traffic.streams * 7 % _RETRY_SPREAD
    await _write(response, f"retry: {pause}\n: the service stops\n\n".encode())


async def _write(response: web.StreamResponse, chunk: bytes) -> None:
    async with asyncio.timeout(PATIENCE):
        await response.write(chunk)


def _since(request: web.Request, context: Context) -> int:
    """The version the reader has, by `Last-Event-ID`; 0 for none, for nonsense, and for one this board never had."""
    text = request.headers.get("Last-Event-ID", "")
    version = int(text) if _VERSION.fullmatch(text) else 0
    return version if version <= context.board.latest.version else 0


def _bound(transport: asyncio.Transport | None) -> None:
    """Keep what waits for a reader small, so that a slow one is shown the newest soon after it reads again."""
    if transport is None:
        return
    transport.set_write_buffer_limits(high=_WAITING)
    own = transport.get_extra_info("socket")
    with contextlib.suppress(OSError):
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WAITING)
