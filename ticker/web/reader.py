"""One reader of `/v1/stream`, from the moment its headers are sent: a connection, and what it was last told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, NamedTuple

from ticker.web.connections import Connection
from ticker.web.limits import network_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from ticker.render import View

# Seconds in which what was written is to be taken, where the listener says nothing of it.
_PATIENCE = 60.0
# Bytes that may wait for one reader in the kernel: a dozen events, not the megabytes Linux would give.
_WAITING = 16_384
# Bytes that a reader may say, to whom nobody listens any more.
_TALK = 8_192
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

    __slots__ = ("_channel", "_heard", "_left", "_patience", "_transport", "_unread", "_version")

    def __init__(self, channel: Channel, version: int, left: Callable[[Channel], None]) -> None:
        """`version` is the one that the reader has."""
        self._channel = channel
        self._version = version
        self._left = left
        self._heard = 0
        self._unread: asyncio.TimerHandle | None = None

    def take(self, request: web.Request) -> None:
        """Be from now on the one who hears of the request's connection; to aiohttp it is as if it were gone."""
        served, transport = request.protocol, request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        self._transport = transport
        self._patience = served.patience if isinstance(served, Connection) else _PATIENCE
        # At once paused when anything waits here, and resumed when nothing does.
        transport.set_write_buffer_limits(high=0)
        with contextlib.suppress(OSError):
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WAITING)
        transport.set_protocol(self)
        served.transport = None
        served.connection_lost(None)
        # Where too many requests stood in line aiohttp has stopped to listen: nobody would hear that the reader left.
        transport.resume_reading()
        self._channel.readers[self] = None

    def tell(self, event: Event) -> None:
        """Write an event that is new to the reader, unless it has yet to take an earlier one."""
        if event.version > self._version and self._unread is None:
            self._version = event.version
            self._transport.write(event.chunk)

    def beat(self, comment: bytes) -> None:
        """Write what keeps the connection open, where nothing else waits to be taken."""
        if self._unread is None:
            self._transport.write(comment)

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

    def data_received(self, data: bytes) -> None:
        """Nothing more can be asked here; who goes on and on is let go."""
        self._heard += len(data)
        if self._heard > _TALK:
            self.drop()

    def pause_writing(self) -> None:
        """Something waits here; who takes nothing for too long is let go."""
        self._unread = asyncio.get_running_loop().call_later(self._patience, self.drop)

    def resume_writing(self) -> None:
        """All is taken: now the newest, however many there were in between."""
        self._forget()
        self.tell(self._channel.newest)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """The end, whoever made it."""
        self._leave()

    def _forget(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _leave(self) -> None:
        self._forget()
        if self in self._channel.readers:
            del self._channel.readers[self]
            self._left(self._channel)
