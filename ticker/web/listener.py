"""How many connections a listener lets in, and who goes when there are too many."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from aiohttp import web

from ticker.web.connections import Connection, refusal
from ticker.web.context import CONTEXT, Context
from ticker.web.fast_path import Express, known
from ticker.web.problems import Problem
from ticker.web.response_cache import found
from ticker.web.stream import BROADCAST, Broadcast

if TYPE_CHECKING:
    from ticker.web.connections import Bounds
    from ticker.web.stream import Reader


class Doors(web.Server):
    """Lets in as many connections as its bounds allow: then the client that holds the most loses its oldest."""

    def __init__(self, made: web.Server, context: Context, bounds: Bounds, streams: Broadcast | None) -> None:
        """`streams` has taken connections over; they count as well. Where there are any, there is a shelf."""
        self._lane = streams is not None and known()
        super().__init__(self._answer, request_factory=made.request_factory)
        self._streams = streams
        self._found = found if streams is not None else _nothing
        self._bounds = bounds
        self._handler = made.request_handler
        self._context = context
        self._leaving: set[web.RequestHandler] = set()

    def __call__(self) -> Connection:
        """A connection for who stands at the door."""
        streams = self._context.traffic.streams if self._streams else 0
        if len(self.connections) - len(self._leaving) + streams >= self._bounds.most:
            self._make_room()
        kind = Express if self._lane and self._context.express else Connection
        return kind(self, self._loop, self._context, self._bounds)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """What the application answers; what aiohttp refuses before it gets there is a problem too (`Expect`)."""
        try:
            return self._found(request, self._context) or await self._handler(request)
        except web.HTTPException as error:
            return refusal(request, Problem(error.status, error.reason), self._context)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """One is gone."""
        self._leaving.discard(handler)
        super().connection_lost(handler, exc)

    def _make_room(self) -> None:
        """Several at once, so that a flood costs a look at everybody only now and then."""
        held: defaultdict[str, list[Connection | Reader]] = defaultdict(list)
        for reader in self._streams.everyone() if self._streams else ():
            held[reader.network].append(reader)
        for each in self.connections:
            if isinstance(each, Connection) and each not in self._leaving:
                held[each.network].append(each)
        greediest = max(held.values(), key=len, default=[])
        for one in greediest[: max(1, min(len(greediest) // 2, self._bounds.most // 16))]:
            if isinstance(one, Connection):
                self._leaving.add(one)
            one.drop()


def _nothing(_request: web.BaseRequest, _context: Context) -> None:
    """The listener of the metrics has nothing on the shelf."""


class Listener(web.AppRunner):
    """Runs `app` behind `Doors`."""

    def __init__(self, app: web.Application, bounds: Bounds, *, shutdown_timeout: float) -> None:
        super().__init__(app, shutdown_timeout=shutdown_timeout)
        self._bounds = bounds

    async def _make_server(self) -> web.Server:
        return Doors(await super()._make_server(), self.app[CONTEXT], self._bounds, self.app.get(BROADCAST))
