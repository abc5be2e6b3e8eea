"""The whole service on a free port of this machine, over a local upstream and a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tests.support.patience import PATIENCE
from tests.support.timekeepers import timetable
from tests.support.upstream import NOON, Upstream
from ticker.app import Service, compose
from ticker.quotes import Snapshot, Status
from ticker.settings.loader import load, shipped
from ticker.settings.models import Settings
from ticker.web.connections import Bounds
from ticker.web.listener import Listener


class Front(TestServer):
    """The application behind the listener that it has in production."""

    async def _make_runner(self, **_options: Any) -> Listener:  # noqa: ANN401 - aiohttp's own
        return Listener(self.app, Bounds(1000), shutdown_timeout=0.2)


class Clock:
    """A clock that shows `now` until it is set to another moment."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True)
class Served:
    """A running service, its clock, and a client that takes no coding unless told to and inflates nothing."""

    service: Service
    clock: Clock
    client: TestClient[web.Request, web.Application]

    async def shows(self, wanted: Callable[[Snapshot], bool]) -> Snapshot:
        """Wait until the board shows what is `wanted`. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            async for snapshot in self.service.board.updates(-1):
                if wanted(snapshot):
                    return snapshot
        raise AssertionError("the board was closed")

    async def ready(self) -> Snapshot:
        """Wait until no quote is unavailable and every source has been asked."""
        snapshot = await self.shows(lambda seen: seen.status is not Status.UNAVAILABLE)
        await self.polled()
        return snapshot

    async def polled(self) -> None:
        """Wait until the first poll of every source has ended."""
        async with asyncio.timeout(PATIENCE):
            await timetable(self.service).answered()
            while self.service.store_writer.pending:  # noqa: ASYNC110 - a store's thread has no event to wait for
                await asyncio.sleep(0.01)


def trio(flags: Mapping[str, Any]) -> Settings:
    """The shipped trio over its first four sources, whatever else the shipped configuration has learned to ask."""
    feeds = {"USD": ["cbr", "cbr_mirror"], "EUR": ["cbr", "cbr_mirror"], "OIL": ["moex", "yahoo"]}
    own: dict[str, Any] = {f"instruments.{symbol}.sources": sources for symbol, sources in feeds.items()}
    own |= {f"instruments.{symbol}.fallbacks": [] for symbol in feeds}
    return load(shipped(), {}, {**own, **flags}).settings.model_copy(update={"checks": {}})


@asynccontextmanager
async def serving(
    upstream: str, *, flags: Mapping[str, Any] | None = None, file: Path | None = None, demo: bool = False
) -> AsyncIterator[Served]:
    """The service of the shipped configuration, or of `file`, with `flags` over it."""
    clock = Clock()
    settings = load(file, {}, flags or {}).settings if file else trio(flags or {})
    service = compose(settings, upstream=upstream, now=clock, demo=demo, seed=1)
    plain = {"Accept-Encoding": "identity"}
    async with TestClient(Front(service.web()), headers=plain, auto_decompress=False) as client:
        yield Served(service, clock, client)


@asynccontextmanager
async def answered(**options: Any) -> AsyncIterator[Served]:  # noqa: ANN401 - those of `serving`
    """The trio of 22 November 2024 at noon in Moscow, every source answered once."""
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url, **options) as served:
            await served.ready()
            yield served
