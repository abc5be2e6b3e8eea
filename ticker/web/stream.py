"""`GET /v1/stream`: Server-Sent Events. One body a view, made once and written to every connection.

A reader costs its connection and a few words here: aiohttp has sent the headers and let go of it. Nobody has a queue.
Who has not taken what was written is passed over, and told the newest once it has.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple, TypeVar

from aiohttp import web

from ticker.log import Log
from ticker.rendering.renderer import View
from ticker.web import parameters
from ticker.web.connections import Connection
from ticker.web.context import CONTEXT, Context
from ticker.web.limits import network_of
from ticker.web.responses import apply_headers

What = TypeVar("What")
log = Log(__name__)

# Seconds. Below the 60 after which proxies hang up on a silent connection.
HEARTBEAT = 15.0
# Milliseconds until a reader comes back; readers of a service that stops come back one after another.
_RETRY, _RETRY_SPREAD = 2_000, 5_000
# Seconds that readers have for the last words, before they are cut off.
_FINISH = 3.0
# Readers told in one go; requests are answered between two of them.
_AT_ONCE = 250
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
        """End, whoever ended it."""
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


class Broadcast:
    """Everyone who listens, by what they want to be told, and the one task that tells them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._channels: dict[tuple[View, bool], Channel] = {}
        self._nobody = asyncio.Event()
        self._nobody.set()
        self._ended = False

    def join(self, request: web.Request, view: View, since: int, *, framed: bool) -> None:
        """Take the request's connection over and tell its reader what is newer than `since`, from now on.

        Raises ConnectionResetError for a reader that left already.
        """
        channel = self._channels.get((view, framed)) or Channel(view, framed=framed)
        reader = Reader(channel, since, self._left)
        reader.take(request)
        self._channels[view, framed] = channel
        self._context.traffic.streams += 1
        self._nobody.clear()
        # No empty line of its own: some clients would take that for an event (httpx-sse, after any `retry` or `id`).
        reader.beat(channel.frame(b"retry: %d\n" % _RETRY))
        if self._ended:
            reader.end(_goodbye(0))
        else:
            self._renew(channel)
            reader.tell(channel.newest)

    async def living(self, _app: web.Application) -> AsyncIterator[None]:
        """The life of the task, as a context of the application that it serves."""
        task = asyncio.create_task(self._live())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FINISH):
                await self._nobody.wait()
        for reader in self.everyone():
            reader.drop()

    async def _live(self) -> None:
        try:
            await self._context.process_health.supervisor.run("stream", self._run)
        finally:
            self._end()

    async def _run(self) -> None:
        """Tell everyone every snapshot until the board closes, and a comment where none came for a while."""
        told = self._context.board.latest.version
        updates = self._context.board.updates(told)
        # What came between a fault and the restart.
        await self._publish()
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT):
                    told = (await anext(updates)).version
            except TimeoutError:
                await self._beat()
                updates = self._context.board.updates(told)
            except StopAsyncIteration:
                break
            else:
                await self._publish()

    async def _publish(self) -> None:
        for channel in tuple(self._channels.values()):
            self._renew(channel)
            # Also where somebody who joined has renewed it meanwhile: who has it is not told again.
            await _in_turns(channel, Reader.tell, channel.newest)

    async def _beat(self) -> None:
        for channel in tuple(self._channels.values()):
            await _in_turns(channel, Reader.beat, channel.frame(b":\n"))

    def _renew(self, channel: Channel) -> None:
        """Let the channel's newest be the board's; where it cannot be made its readers are told to come back."""
        snapshot = self._context.board.latest
        if channel.newest.version == snapshot.version:
            return
        try:
            body = self._context.renderer.render(snapshot, channel.view).body
        except Exception:
            log.exception("stream failed")
            for reader in tuple(channel.readers):
                reader.drop()
        else:
            channel.newest = Event(snapshot.version, channel.frame(body))

    def _left(self, channel: Channel) -> None:
        self._context.traffic.streams -= 1
        if not channel.readers:
            self._channels.pop((channel.view, channel.framed), None)
        if not self._channels:
            self._nobody.set()

    def _end(self) -> None:
        self._ended = True
        for number, reader in enumerate(self.everyone()):
            reader.end(_goodbye(number))

    def everyone(self) -> list[Reader]:
        """Who listens now; of one view who came first is first."""
        return [reader for channel in self._channels.values() for reader in channel.readers]


async def _in_turns(channel: Channel, say: Callable[[Reader, What], None], what: What) -> None:
    readers = tuple(channel.readers)
    for first in range(0, len(readers), _AT_ONCE):
        for reader in readers[first : first + _AT_ONCE]:
            say(reader, what)
        await asyncio.sleep(0)


def _goodbye(number: int) -> bytes:
    return b"retry: %d\n: the service stops\n" % (_RETRY + number * 7 % _RETRY_SPREAD)


BROADCAST = web.AppKey("broadcast", Broadcast)


_HEADERS = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store, no-transform",  # whoever compresses on the way would hold events back
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
    apply_headers(request, response, context)
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
