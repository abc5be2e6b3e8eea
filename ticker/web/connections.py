"""Which requests are refused although the parser took them: another reader may see other bounds in their bytes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, cast

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.http_exceptions import BadHttpMethod, LineTooLong

from ticker.web.context import Context
from ticker.web.headers import ALLOW
from ticker.web.limits import network_of
from ticker.web.problems import Problem, not_allowed, problem_response
from ticker.web.responses import apply_headers

# RFC 3986, 3.2: a registered name or an address, and a port. It decides nothing here; caches go by it.
_HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]{0,255}")


def check_framing(request: web.BaseRequest) -> None:
    """Raise a Problem for a version or a Host that there is not, and for HTTP/1.0 in chunks (RFC 9112, 3.2 and 6.1)."""
    if not HttpVersion10 <= request.version <= HttpVersion11:
        raise Problem(505, f"this is HTTP/{request.version.major}.{request.version.minor}; ask by HTTP/1.1")
    if request.version < HttpVersion11 and "Transfer-Encoding" in request.headers:
        raise Problem(400, "HTTP/1.0 has no Transfer-Encoding; ask by HTTP/1.1")
    if not _HOST.fullmatch(request.headers.get("Host", "")):
        raise Problem(400, "the Host of the request is no host")


def is_well_formed(request: web.BaseRequest) -> bool:
    """Whether `check_framing` raises nothing."""
    try:
        check_framing(request)
    except Problem:
        return False
    return True


def is_last(request: web.BaseRequest) -> bool:
    """Whether the connection ends with this answer, since what follows may not be read as the client means it.

    No route reads a body, so nothing behind one is a request; after `Upgrade` a client may speak another protocol.
    """
    strange = not HttpVersion10 <= request.version <= HttpVersion11
    return request.body_exists or strange or "Upgrade" in request.headers


# What a listener allows a connection: how large a request may be, and how long it may take.

# Bytes of a request that is not complete, and of a body that nobody reads.
_MOST_BYTES = 32_768
_ALLOWED: dict[str, Any] = {
    "max_line_size": 8190,
    "max_field_size": 8190,
    "max_headers": 64,
    # Nobody reads a body here: it is neither inflated nor waited for.
    "auto_decompress": False,
    "lingering_time": 0.5,
    "access_log": None,
}
_HEAD_END = b"\r\n\r\n"
# A request line of HTTP/1.1 with a method that aiohttp's parser has never heard of, as its error quotes it.
_OTHER_METHOD = re.compile(r"b['\"]([A-Za-z0-9!#$%&*+.^_`|~-]{1,40}) [!-~]+ HTTP/1\.[01]['\"]")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a listener allows: `most` connections, and of each one, in seconds.

    `idle` is for the next request, from the last answer to its last byte: longer than the 60 of the proxies in front of
    us. `whole` is for a request from its first bytes to its last, `patience` for taking what was written.
    """

    most: int
    idle: float = 75.0
    whole: float = 20.0
    patience: float = 60.0


class Connection(web.RequestHandler):
    """One client's connection, from which no more is taken than well-formed requests."""

    def __init__(self, server: web.Server, loop: asyncio.AbstractEventLoop, context: Context, bounds: Bounds) -> None:
        super().__init__(server, loop=loop, keepalive_timeout=bounds.idle, **_ALLOWED)
        self._context = context
        self.patience, self._whole = bounds.patience, bounds.whole
        self._unfinished_bytes = 0
        self._whole_timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None
        self._wire: asyncio.Transport | None = None
        # Whether the request has come after which the client promised to send no other.
        self._last_heard = False
        self._half_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._wire = cast("asyncio.Transport", transport)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Take the bytes head by head: what comes after a request with `Connection: close` is not read."""
        for piece in _heads(data):
            if self._last_heard:
                return
            self._take(piece)

    def _take(self, data: bytes) -> None:
        before = self._request_count
        super().data_received(data)
        if self._request_count != before:
            self._unfinished_bytes = 0
            self._complete()
            self._last_heard = bool(self._messages) and getattr(self._messages[-1][0], "should_close", False)
            return
        self._unfinished_bytes += len(data)
        if self._unfinished_bytes > _MOST_BYTES:
            self.drop()
        elif self._whole_timer is None:
            self._whole_timer = self._loop.call_later(self._whole, self.drop)

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio asks whether to stay open; aiohttp never does
        """Answer what has come whole before the end: a client that sends no more may still read."""
        self._half_closed = True
        idle = self._request_count == 0 or (self._waiter is not None and not self._waiter.done())
        return not idle

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the answer; after the last one that a half-closed client waits for, close."""
        sent = await super().finish_response(request, resp, start_time)
        if self._half_closed and not self._messages:
            self.close()
        return sent

    @property
    def unanswered(self) -> bool:
        """Whether it is open and its first request has not come yet."""
        return self._wire is not None and self._request_count == 0

    @property
    def network(self) -> str:
        """Who is at the other end."""
        peer = self._wire.get_extra_info("peername") if self._wire else None
        return network_of(peer[0]) if peer else ""

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer what is no HTTP with a problem that no cache keeps (else one bad request poisons an address for all).

        It is counted and not logged: who sends it would write our log.
        """
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:  # a fault of ours, not of the request
            return super().handle_error(request, status, exc, message)
        other = _OTHER_METHOD.search(str(exc)) if isinstance(exc, BadHttpMethod) else None
        if other:
            problem, headers = Problem(405, not_allowed(other[1], ALLOW)), {"Allow": ALLOW}
        elif isinstance(exc, LineTooLong):
            problem, headers = Problem(status, "a line of the request is longer than 8190 bytes"), {}
        else:
            problem, headers = Problem(status, "this is no HTTP/1.1 request (RFC 9112)"), {}
        self._context.traffic.count("unknown", "other", problem.status, 0.0)
        return refusal(request, problem, self._context, headers)

    def pause_writing(self) -> None:
        """Note that the reader takes nothing."""
        super().pause_writing()
        self._limit_unread()

    def resume_writing(self) -> None:
        """Note that the reader has gone on."""
        super().resume_writing()
        self._forget_unread()

    def force_close(self) -> None:
        """Read nothing more; what was written is still to be taken."""
        super().force_close()
        if self._wire is not None and self._wire.get_write_buffer_size():
            self._limit_unread()

    def connection_lost(self, exc: BaseException | None) -> None:
        """End, whoever ended it."""
        super().connection_lost(exc)
        self._complete()
        self._forget_unread()
        self._wire = None

    def drop(self) -> None:
        """End it now, with whatever was still to be sent."""
        if self._wire is not None:
            self._wire.abort()

    def _complete(self) -> None:
        if self._whole_timer is not None:
            self._whole_timer.cancel()
            self._whole_timer = None

    def _limit_unread(self) -> None:
        self._forget_unread()
        self._unread_timer = self._loop.call_later(self.patience, self.drop)

    def _forget_unread(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None


def refusal(
    request: web.BaseRequest, problem: Problem, context: Context, headers: Mapping[str, str] | None = None
) -> web.Response:
    """The last answer of a connection, to what is no request that a route could be told of."""
    answered = problem_response(problem, headers, demo=context.demo)
    apply_headers(request, answered, context)
    answered.force_close()
    return answered


def _heads(data: bytes) -> Iterator[bytes]:
    """The bytes, cut behind each empty line: where one request may end and the next begin."""
    start, end = 0, data.find(_HEAD_END) + len(_HEAD_END)
    while len(_HEAD_END) <= end < len(data):
        yield data[start:end]
        start, end = end, data.find(_HEAD_END, end) + len(_HEAD_END)
    yield data[start:]
