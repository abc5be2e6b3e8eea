"""The whole service with a store, over a local upstream and a clock that is set by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tests.support.patience import PATIENCE
from tests.support.running_service import Clock
from tests.support.timekeepers import timetable
from tests.support.upstream import NOON
from ticker.app import Service, compose
from ticker.settings.loader import load, shipped
from ticker.settings.models import Settings


@dataclass(frozen=True, slots=True)
class Kept:
    """A running service with a store."""

    service: Service
    clock: Clock
    client: TestClient[web.Request, web.Application]

    async def polled(self) -> None:
        """Ask every source once more and publish."""
        for source in self.service.poller.feeds:
            await self.service.poller.poll(source)

    async def written(self) -> None:
        """Wait until nothing is queued any more. Raises TimeoutError."""
        await self.until(lambda: self.service.store_writer.health.up and not self.service.store_writer.pending)

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until `true` is. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while not true():  # noqa: ASYNC110 - a store's thread has no event to wait for
                await asyncio.sleep(0.01)

    async def get(self, path: str, **headers: str) -> Any:  # noqa: ANN401 - whatever JSON holds
        """The JSON at `path`."""
        async with self.client.get(path, headers=headers) as answer:
            return await answer.json(content_type=None)

    async def metric(self, line: str) -> float:
        """The value of the metric that is written as `line`."""
        async with self.client.get("/metrics") as answer:
            text = await answer.text()
        return next(float(each.rpartition(" ")[2]) for each in text.splitlines() if each.startswith(f"{line} "))

    async def becomes(self, line: str, value: float) -> None:
        """Wait until the metric is `value`: an exposition is made at most once a second. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            while await self.metric(line) != value:  # noqa: ASYNC110 - a page tells no event
                await asyncio.sleep(0.05)


def configured(store: str, **flags: object) -> Settings:
    """The shipped configuration with this store; every source is asked only when a test asks it to."""
    seldom = {f"sources.{source}.schedule": {"every": "9d"} for source in load(shipped(), {}, {}).settings.sources}
    return load(shipped(), {}, {**seldom, "store.url": store, **flags}).settings


@asynccontextmanager
async def joined(store: str, upstream: str, now: datetime = NOON, **flags: object) -> AsyncIterator[Kept]:
    """The service with its history in `store`, whether it polls or another does."""
    clock = Clock(now)
    service = compose(configured(store, **flags), upstream=upstream, now=clock, seed=1, stored=True)
    async with TestClient(TestServer(service.web())) as client:
        yield Kept(service, clock, client)


@asynccontextmanager
async def kept(store: str, upstream: str, now: datetime = NOON, **flags: object) -> AsyncIterator[Kept]:
    """The service with its history in `store`, polled once."""
    async with joined(store, upstream, now, **flags) as made:
        async with asyncio.timeout(PATIENCE):
            await made.service.poller._gate.begins()
            await timetable(made.service).answered()
        yield made
