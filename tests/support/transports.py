"""Connections without a network: a protocol on a transport that only remembers, driven for as long as it has to say."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from tests.support.served_board import Live, live
from ticker.web.connections import Bounds
from ticker.web.listener import Listener
from ticker.web.response_cache import ResponseCache
from ticker.web.routes import build

# Turns of the loop after which a server that says nothing waits for more.
TURNS = 14
_DATE = re.compile(rb"\r\nDate: [^\r]*\r\n")


class Wire(asyncio.Transport):
    """What a protocol has written, and whether it has hung up."""

    def __init__(self) -> None:
        super().__init__({})
        self.written = bytearray()
        self.closed = False
        self.aborted = False

    def write(self, data: Any) -> None:  # noqa: ANN401 - any buffer
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = self.aborted = True

    def pause_reading(self) -> None:
        """Whoever feeds a wire looks at what comes back first."""

    def resume_reading(self) -> None:
        """The same."""

    def get_write_buffer_size(self) -> int:
        """Everything is taken at once."""
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """There is no buffer."""

    def said(self) -> tuple[bytes, bool]:
        """What was written since the last time, with every Date the same; and whether the connection is open."""
        written, self.written = bytes(self.written), bytearray()
        return _DATE.sub(b"\r\nDate: today\r\n", written), not self.closed


class Connection:
    """One connection to a server."""

    def __init__(self, server: Callable[[], RequestHandler]) -> None:
        self.wire = Wire()
        self.protocol = server()
        self.protocol.connection_made(self.wire)

    def feed(self, data: bytes) -> None:
        """Bytes come in."""
        if not self.wire.closed:
            self.protocol.data_received(data)

    def end(self) -> None:
        """The client leaves."""
        self.protocol.connection_lost(None)


class Service:
    """An application over a board of its own, on connections without a network; with its fast path and cache or not."""

    def __init__(self, now: Callable[[], datetime], *, cached: bool, fast: bool, **flags: Any) -> None:  # noqa: ANN401
        self.live: Live = live(clock=now, **flags)
        self.context = self.live.context
        if not cached:
            origins = self.context.server.cors_origins
            self.context.cache = ResponseCache(self.context.board, origins, now, demo=self.context.demo, max_bytes=0)
        if not fast:
            self.close_fast_path()
        self.runner = Listener(build(self.context), Bounds(1000), shutdown_timeout=0.1)

    def close_fast_path(self) -> None:
        """Let aiohttp answer everything from now on."""
        self.context.fast_path_closed = "a test has closed it"

    async def start(self) -> None:
        """Get ready for connections."""
        await self.runner.setup()

    async def stop(self) -> None:
        """Close what is open."""
        await self.runner.cleanup()

    def connect(self) -> Connection:
        """A new connection."""
        server = self.runner.server
        assert isinstance(server, web.Server)
        return Connection(server)


async def quiet(turns: int = TURNS) -> None:
    """Let everybody who has something to say say it."""
    for _ in range(turns):
        await asyncio.sleep(0)
