"""A stretch of network that can be cut, mended and made slow: a TCP port in front of another one on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_PIECE = 65536


class Link:
    """While it is cut nothing passes and nobody is told; what was under way arrives when it is mended, late."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self.delay = 0.0
        self._target = target
        self._whole = asyncio.Event()
        self._whole.set()
        self._passing: set[asyncio.Task[None]] = set()
        self._ends: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Let nothing pass from now on, in either direction."""
        self._whole.clear()

    def mend(self) -> None:
        """Let everything pass again."""
        self._whole.set()

    def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join a connection with the target, until either side ends it."""
        self._ends.add(writer)
        task = asyncio.create_task(self._join(reader, writer))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # nobody listens there: the connection is closed
            await self._whole.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
            self._ends.add(back)
            await asyncio.gather(self._pass(reader, back), self._pass(there, writer))
        writer.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until either side ends it; then the other side is told."""
        try:
            while piece := await reader.read(_PIECE):
                await asyncio.sleep(self.delay)
                await self._whole.wait()
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def end(self) -> None:
        """Break every connection off."""
        for each in self._ends:
            each.transport.abort()
        self.mend()
        await asyncio.gather(*self._passing)
        await asyncio.gather(*(each.wait_closed() for each in self._ends), return_exceptions=True)


@asynccontextmanager
async def link(target: int) -> AsyncIterator[Link]:
    """A link to `target`, on a port of its own."""
    made = Link(target)
    server = await asyncio.start_server(made.take, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await made.end()
