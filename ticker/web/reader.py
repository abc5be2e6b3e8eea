"""One reader of `/v1/stream`, from the moment its headers are sent: a connection, and what it was last told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from ticker.web.connections import PATIENCE
from ticker.web.limits import network_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from ticker.render import View

# Bytes that may wait for one reader in the kernel: a dozen events, not the megabytes Linux would give.
_WAITING = 16_384
_LAST_CHUNK = b"0\r\n\r\n"


class Event(NamedTuple):
    """A version of the board as one view shows it, ready to be written."""

    version: int
    chunk: bytes


class Channel:
    """Readers of the same bytes: one view, in the chunks of HTTP/1.1 or as they are for HTTP/1.0."""

    __slots__ = ("framed", "newest", "readers", "view")

    def __init__(self, view: View, *, framed: bool) -> None:
        self.view = view
        self.framed = framed
        self.newest = Event(0, b"")
        self.readers: dict[Reader, None] = {}  # in the order in which they came

    def frame(self, body: bytes) -> bytes:
        """`body` as it is written to the readers (RFC 9112, 7.1)."""
        return b"%x\r\n%b\r\n" % (len(body), body) if self.framed else body


class Reader(asyncio.Protocol):
    """Takes the connection over from aiohttp; `left` is called once, when it is gone."""

    __slots__ = ("_channel", "_left", "_stuck_since", "_transport", "_version")

    def __init__(self, channel: Channel, version: int, left: Callable[[Channel], None]) -> None:
        """`version` is the one that the reader has."""
        self._channel = channel
        self._version = version
        self._left = left
        self._stuck_since: float | None = None

    def take(self, request: web.Request) -> None:
        """Be from now on the one who hears of the request's connection; to aiohttp it is as if it were gone."""
        served, transport = request.protocol, request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        self._transport = transport
        # At once paused when anything waits here, and resumed when nothing does.
        transport.set_write_buffer_limits(high=0)
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WAITING)
        transport.set_protocol(self)
        served.transport = None
        served.connection_lost(None)
        self._channel.readers[self] = None

    def tell(self, event: Event) -> None:
        """Write an event that is new to the reader, unless it has yet to take an earlier one."""
        if event.version > self._version and self.ready():
            self._version = event.version
            self._transport.write(event.chunk)

    def beat(self, comment: bytes) -> None:
        """Write what keeps the connection open, where nothing else waits to be taken."""
        if self.ready():
            self._transport.write(comment)

    def ready(self) -> bool:
        """Whether all that was written is taken; who takes nothing for too long is let go."""
        if self._stuck_since is None:
            return True
        if monotonic() - self._stuck_since > PATIENCE:
            self.drop()
        return False

    def end(self, words: bytes) -> None:
        """Write the last words and hang up once they are taken."""
        self._transport.write(self._channel.frame(words) + (_LAST_CHUNK if self._channel.framed else b""))
        self._transport.close()

    def drop(self) -> None:
        """Cut the connection: an answer that has begun cannot become a problem, but its reader may come back."""
        self._transport.abort()
        self._leave()

    @property
    def network(self) -> str:
        """Who is at the other end."""
        peer = self._transport.get_extra_info("peername")
        return network_of(peer[0]) if peer else ""

    def pause_writing(self) -> None:
        """Something waits here."""
        self._stuck_since = monotonic()

    def resume_writing(self) -> None:
        """All is taken: now the newest, however many there were in between."""
        self._stuck_since = None
        self.tell(self._channel.newest)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """The end, whoever made it."""
        self._leave()

    def _leave(self) -> None:
        if self in self._channel.readers:
            del self._channel.readers[self]
            self._left(self._channel)
