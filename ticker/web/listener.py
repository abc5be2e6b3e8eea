"""How a listener answers: from the cache or by the application, each answer counted once; and how many it lets in."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import re
import socket
import struct
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from time import perf_counter

from aiohttp import web

from ticker.log import Log
from ticker.web import fast_path
from ticker.web.connections import Bounds, Connection, is_last, is_well_formed, refusal
from ticker.web.context import CONTEXT, Context
from ticker.web.fast_path import FastPath
from ticker.web.headers import METHODS
from ticker.web.problems import Problem
from ticker.web.responses import Prewritten, route_of, target_of, variant_of
from ticker.web.stream import BROADCAST, Broadcast, Reader

log = Log(__name__)

# Conditions that only a handler's own answer can meet.
_UNCACHED = ("Expect", "If-Match", "If-Unmodified-Since")
# What a request may be traced by, as it is logged: https://www.w3.org/TR/trace-context/, and what proxies call theirs.
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")


class ConnectionLimiter(web.Server):
    """Answers requests, and lets in as many connections as its bounds allow.

    When there are more, the client that holds the most loses its oldest.
    """

    def __init__(self, made: web.Server, context: Context, bounds: Bounds, streams: Broadcast | None) -> None:
        """`streams` has taken connections over; they count as well. Without it nothing is answered from the cache."""
        super().__init__(self._answer, request_factory=made.request_factory)
        self._streams = streams
        self._bounds = bounds
        self._application = made.request_handler
        self._context = context
        self._leaving: set[web.RequestHandler] = set()

    def __call__(self) -> Connection:
        """A connection for a new client."""
        streams = self._context.traffic.streams if self._streams else 0
        if len(self.connections) - len(self._leaving) + streams >= self._bounds.most:
            self._make_room()
        fast = self._streams is not None and self._context.fast_path_closed is None
        return (FastPath if fast else Connection)(self, self._loop, self._context, self._bounds)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """Forget one that is gone."""
        self._leaving.discard(handler)
        super().connection_lost(handler, exc)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        began, context = perf_counter(), self._context
        found = self._cached(request)
        if found is not None:
            route, answered = found
        else:
            answered = await self._applied(request)
            route = route_of(request)
        took = perf_counter() - began  # not by the loop's clock: uvloop's stands still while a handler runs
        method = request.method if request.method in METHODS else "other"
        context.traffic.count(route, method, answered.status, took)
        if context.server.access_log:
            _log(request, route, method, answered.status, took)
        if context.process_health.draining or is_last(request):
            answered.force_close()
        return answered

    def _cached(self, request: web.BaseRequest) -> tuple[str, web.StreamResponse] | None:
        """The answer of the present epoch to the same request; None where the application has to be asked."""
        context, headers = self._context, request.headers
        if self._streams is None or context.limiter.rate or request.method not in {"GET", "HEAD"}:
            return None
        if any(name in headers for name in _UNCACHED) or not is_well_formed(request):
            return None
        found = context.cache.answer(
            target_of(request),
            variant_of(request, context),
            headers.get("Origin"),
            headers.get("If-None-Match"),
            headers.get("If-Modified-Since"),
        )
        return None if found is None else (found[0].route, Prewritten(*found))

    async def _applied(self, request: web.BaseRequest) -> web.StreamResponse:
        """What the application answers; what aiohttp refuses before it gets there is a problem too (`Expect`)."""
        try:
            return await self._application(request)
        except web.HTTPException as error:
            return refusal(request, Problem(error.status, error.reason), self._context)

    def _make_room(self) -> None:
        """Drop several at once, so that a flood costs a look at everybody only now and then."""
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


class Listener(web.AppRunner):
    """Runs `app` behind a `ConnectionLimiter`."""

    def __init__(self, app: web.Application, bounds: Bounds, *, shutdown_timeout: float) -> None:
        super().__init__(app, shutdown_timeout=shutdown_timeout)
        self._bounds = bounds

    async def _make_server(self) -> web.Server:
        made, context, streams = await super()._make_server(), self.app[CONTEXT], self.app.get(BROADCAST)
        if streams is not None:
            fast_path.announce(context.fast_path_closed)
        return ConnectionLimiter(made, context, self._bounds, streams)


def _log(request: web.BaseRequest, route: str, method: str, code: int, took: float) -> None:
    """One line of the access log: neither who asked nor their headers, since a log of readers is a liability."""
    traced = {
        "traceparent": _matching(_TRACEPARENT, request.headers.get("traceparent")),
        "request_id": _matching(_REQUEST_ID, request.headers.get("X-Request-Id")),
    }
    told = {name: value for name, value in traced.items() if value is not None}
    path = request.path_qs[:200]
    log.info("request", method=method, path=path, route=route, code=code, seconds=round(took, 6), **told)


def _matching(pattern: re.Pattern[str], text: str | None) -> str | None:
    return text if text is not None and pattern.fullmatch(text) else None


# Listening sockets, and how they end without resetting a connection.
#
# Closing a listening socket resets every connection that its kernel has accepted and its process has not. Where
# several processes share one port (SO_REUSEPORT), those readers would have been served by a neighbour. So a process
# that ends first refuses new handshakes, accepts what is left, and only then closes.


# How many connections wait to be accepted while the loop is busy.
_BACKLOG = 1024
# Seconds for handshakes that have begun: a round trip to most readers, and many to a proxy. A client whose SYN is
# dropped meanwhile sends it again after one second (RFC 6298, 2.1), and a neighbour answers it.
_HANDSHAKES = 0.2
# Seconds in which a connection that was accepted last gets its first answer.
_FIRST_ANSWERS = 2.0
_LOOK = 0.01
_SO_ATTACH_FILTER = 26  # Linux, asm-generic/socket.h; Python's `socket` does not have it
# Classic BPF over a segment, from its TCP header on: one with SYN set is dropped, everything else passes.
_NO_SYN = (
    (0x30, 0, 0, 13),  # load the byte of the flags
    (0x45, 0, 1, 0x02),  # SYN?
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # pass
)


def bind(host: str, port: int, *, reuse_port: bool) -> list[socket.socket]:
    """A bound socket for each address that `host` names. With port 0, all of them have the same free one.

    Raises OSError where an address is in use, or none of them is one of this machine's.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    missing: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        try:
            made = _bound(family, kind, protocol, (address[0], port, *address[2:]), reuse_port=reuse_port)
        except OSError as error:
            if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                _close(bound)
                # Which of several addresses it was, `error` does not say.
                raise OSError(error.errno, f"{error.strerror}: {address[0]} port {port}") from None
            missing = error  # as ::1 for `localhost` on a machine without IPv6
        else:
            port = made.getsockname()[1]
            bound.append(made)
    if missing is not None and not bound:
        raise missing
    return bound


async def listen(runner: web.AppRunner, sockets: Sequence[socket.socket]) -> None:
    """Let `runner`, which has been set up, answer on `sockets`."""
    for each in sockets:
        await web.SockSite(runner, each, backlog=_BACKLOG).start()


async def hand_over(runner: web.AppRunner, sockets: Sequence[socket.socket]) -> None:
    """Stop accepting on `sockets`, which others listen on as well, without resetting a connection.

    Returns when every connection that was accepted has had an answer, or the time for it is over.
    """
    server = runner.server
    if server is None:
        return
    for each in sockets:
        _drop_handshakes(each)
    await asyncio.sleep(_HANDSHAKES)
    loop = asyncio.get_running_loop()
    for each in sockets:
        for connection in _accepted(each):
            await loop.connect_accepted_socket(server, connection)
    for site in list(runner.sites):
        await site.stop()
    with suppress(TimeoutError):
        async with asyncio.timeout(_FIRST_ANSWERS):
            # aiohttp does not tell when the last connection has gone.
            while any(getattr(each, "unanswered", False) for each in server.connections):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK)


def _bound(family: int, kind: int, protocol: int, address: tuple[object, ...], *, reuse_port: bool) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            # An IPv4 address has a socket of its own.
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.settimeout(0)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def _close(sockets: Sequence[socket.socket]) -> None:
    for each in sockets:
        each.close()


def _drop_handshakes(listening: socket.socket) -> None:
    """Let the kernel ignore whoever begins to connect; on another system than Linux they go on being accepted."""
    code = b"".join(struct.pack("HBBI", *each) for each in _NO_SYN)
    room = ctypes.create_string_buffer(code)
    program = struct.pack("HP", len(_NO_SYN), ctypes.addressof(room))
    with suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def _accepted(listening: socket.socket) -> Iterator[socket.socket]:
    """Every connection that the kernel has accepted and the loop has not."""
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:  # none is left
            return
        connection.settimeout(0)
        yield connection
