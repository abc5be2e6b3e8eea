"""Which requests are not believed although the parser took them: another reader may see other bounds in their bytes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.http_exceptions import BadHttpMethod, LineTooLong

from ticker.web.limits import network_of
from ticker.web.middlewares import ALLOW, dress, not_allowed
from ticker.web.problems import Problem, response

if TYPE_CHECKING:
    from ticker.web.context import Context
    from ticker.web.listener import Doors


# RFC 3986, 3.2: a registered name or an address, and a port. It decides nothing here; caches go by it.
_HOST = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]{0,255}")


def check(request: web.BaseRequest) -> None:
    """Raise a Problem for a version or a Host that there is not, and for HTTP/1.0 in chunks (RFC 9112, 3.2 and 6.1)."""
    if not HttpVersion10 <= request.version <= HttpVersion11:
        raise Problem(505, f"this is HTTP/{request.version.major}.{request.version.minor}; ask by HTTP/1.1")
    if request.version < HttpVersion11 and "Transfer-Encoding" in request.headers:
        raise Problem(400, "HTTP/1.0 has no Transfer-Encoding; ask by HTTP/1.1")
    if not _HOST.fullmatch(request.headers.get("Host", "")):
        raise Problem(400, "the Host of the request is no host")


def believed(request: web.BaseRequest) -> bool:
    """Whether `check` raises nothing."""
    try:
        check(request)
    except Problem:
        return False
    return True


def last(request: web.BaseRequest) -> bool:
    """Whether the connection ends with this answer: no route reads a body, so nothing behind one is a request."""
    return request.body_exists or not HttpVersion10 <= request.version <= HttpVersion11


# What a listener allows a connection: how it may be framed, and how long it may dawdle.


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
    """One client's connection, from which no more is taken than a well-formed request."""

    def __init__(self, doors: Doors, loop: asyncio.AbstractEventLoop, context: Context, bounds: Bounds) -> None:
        super().__init__(doors, loop=loop, keepalive_timeout=bounds.idle, **_ALLOWED)
        self._context = context
        self.patience, self._whole = bounds.patience, bounds.whole
        self._heard = 0
        self._begun: asyncio.TimerHandle | None = None
        self._wire: asyncio.Transport | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The beginning."""
        self._wire = cast("asyncio.Transport", transport)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Bytes: as many as a request may have, and no more before it is complete."""
        before = self._request_count
        super().data_received(data)
        if self._request_count != before:
            self._heard = 0
            self._complete()
            return
        self._heard += len(data)
        if self._heard > _MOST_BYTES:
            self.drop()
        elif self._begun is None:
            self._begun = self._loop.call_later(self._whole, self.drop)

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
        """What is no HTTP gets a problem that no cache keeps (else one bad request poisons an address for all).

        It is counted and not logged: who sends it would write our log.
        """
        if status >= 500:  # noqa: PLR2004 - a fault of ours, not of the request
            return super().handle_error(request, status, exc, message)
        other = _OTHER_METHOD.search(str(exc)) if isinstance(exc, BadHttpMethod) else None
        if other:
            return refusal(request, Problem(405, not_allowed(other[1], ALLOW)), self._context, {"Allow": ALLOW})
        long = isinstance(exc, LineTooLong)
        what = "a line of the request is longer than 8190 bytes" if long else "this is no HTTP/1.1 request (RFC 9112)"
        return refusal(request, Problem(status, what), self._context)

    def pause_writing(self) -> None:
        """The reader takes nothing."""
        super().pause_writing()
        self._hurry()

    def resume_writing(self) -> None:
        """The reader has gone on."""
        super().resume_writing()
        self._forget()

    def force_close(self) -> None:
        """Nothing more is read; what was written is still to be taken."""
        super().force_close()
        if self._wire is not None and self._wire.get_write_buffer_size():
            self._hurry()

    def connection_lost(self, exc: BaseException | None) -> None:
        """The end, whoever made it."""
        super().connection_lost(exc)
        self._complete()
        self._forget()
        self._wire = None

    def drop(self) -> None:
        """End it now, with whatever was still to be sent."""
        if self._wire is not None:
            self._wire.abort()

    def _complete(self) -> None:
        if self._begun is not None:
            self._begun.cancel()
            self._begun = None

    def _hurry(self) -> None:
        self._forget()
        self._unread = self._loop.call_later(self.patience, self.drop)

    def _forget(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None


def refusal(
    request: web.BaseRequest, problem: Problem, context: Context, headers: Mapping[str, str] | None = None
) -> web.Response:
    """The last answer of a connection, to what is no request that a route could be told of."""
    answered = response(problem, headers, demo=context.demo)
    dress(request, answered, context)
    answered.force_close()
    context.traffic.requests["unknown", "other", problem.status] += 1
    return answered
