"""Whose turn it is: of what is not ready one request is begun each time round the loop, and each client has its turn.

What has been answered before is sent where its bytes come in and waits for nobody (`express`, `current`). All that is
left takes milliseconds: a page, a language, an address that nobody has asked for yet. A hundred of them that come
together were begun together, and who asked for the header stood behind them all. In turns they stand behind one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from aiohttp import web

from ticker.web.context import CONTEXT
from ticker.web.limits import FREE

if TYPE_CHECKING:
    from aiohttp.typedefs import Handler


class Turns:
    """Lets the first in at once, and one more each time round the loop: the next client's, of each the oldest."""

    def __init__(self) -> None:
        self._taken = False
        self._lines: dict[str, deque[asyncio.Future[None]]] = {}

    async def wait(self, client: str) -> None:
        """Wait for the turn of `client`, where somebody has had one this time round."""
        loop = asyncio.get_running_loop()
        if not self._taken:
            self._taken = True
            loop.call_soon(self._next, loop)
            return
        mine = loop.create_future()
        self._lines.setdefault(client, deque()).append(mine)
        await mine

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        """Nobody left is nobody taken: whoever has hung up is passed over."""
        while self._lines:
            client = next(iter(self._lines))
            line = self._lines.pop(client)
            turn = line.popleft()
            if line:
                # Behind the others.
                self._lines[client] = line
            if not turn.done():
                turn.set_result(None)
                loop.call_soon(self._next, loop)
                return
        self._taken = False


TURNS = web.AppKey("turns", Turns)


@web.middleware
async def in_turn(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Begin when it is the client's turn; probes and scrapers begin at once."""
    context = request.app[CONTEXT]
    if request.path not in FREE:
        await request.app[TURNS].wait(context.limiter.client(request.remote, request.headers))
    return await handler(request)
