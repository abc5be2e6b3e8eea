"""The one task that tells the readers of `/v1/stream`: one body a view, made once and written to every connection.

A reader costs its connection and a few words here: aiohttp has sent the headers and let go of it. Nobody has a queue.
Who has not taken what was written is passed over, and told the newest once it has.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, TypeVar

from aiohttp import web

from ticker.log import Log
from ticker.web.reader import Channel, Event, Reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from ticker.render import View
    from ticker.web.context import Context

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


class Broadcast:
    """Everyone who listens, by what they want to be told."""

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
        reader.beat(channel.frame(b"retry: %d\n\n" % _RETRY))
        if self._ended:
            reader.end(_goodbye(0))
        else:
            self._renew(channel)
            reader.tell(channel.newest)

    async def living(self, _app: web.Application) -> AsyncIterator[None]:
        """The life of the task, as a context of the application that it serves."""
        task = asyncio.create_task(self._run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_FINISH):
                await self._nobody.wait()
        for reader in self.everyone():
            reader.drop()

    async def _run(self) -> None:
        """Tell everyone every snapshot until the board closes, and a comment where none came for a while."""
        told = self._context.board.latest.version
        updates = self._context.board.updates(told)
        try:
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
        finally:
            self._end()

    async def _publish(self) -> None:
        for channel in tuple(self._channels.values()):
            self._renew(channel)
            # Also where somebody who joined has renewed it meanwhile: who has it is not told again.
            await _in_turns(channel, Reader.tell, channel.newest)

    async def _beat(self) -> None:
        for channel in tuple(self._channels.values()):
            await _in_turns(channel, Reader.beat, channel.frame(b":\n\n"))

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
    return b"retry: %d\n: the service stops\n\n" % (_RETRY + number * 7 % _RETRY_SPREAD)


BROADCAST = web.AppKey("broadcast", Broadcast)
