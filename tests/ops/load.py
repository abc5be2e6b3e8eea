"""Readers: they ask as fast or as often as they are told, and remember everything that went wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp


@dataclass
class Load:
    """What a number of readers saw: answers, failures, numbers that were missing, and seconds each answer took."""

    answers: int = 0
    refused: int = 0
    failures: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, session: aiohttp.ClientSession, url: str, rest: float) -> None:
        """Ask `url` (of /v1/quotes) until told to stop, `rest` seconds between two questions."""
        while not self.stop.is_set():
            began = time.perf_counter()
            try:
                await self._ask(session, url)
            except aiohttp.ClientConnectorError:
                # Nobody listens any more: a balancer would ask elsewhere, and so do we.
                self.refused += 1
                return
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            self.seconds.append(time.perf_counter() - began)
            if rest:
                await asyncio.sleep(rest)

    async def _ask(self, session: aiohttp.ClientSession, url: str) -> None:
        async with session.get(url) as response:
            answer = await response.json()
            if response.status != 200:
                self.failures.append(f"{response.status} {answer}")
                return
        self.lost += [f"{quote['symbol']} {quote['reason']}" for quote in answer["quotes"] if quote["price"] is None]
        self.answers += 1


@asynccontextmanager
async def readers(url: str, count: int, rest: float = 0.0) -> AsyncIterator[Load]:
    """`count` readers of `url`/v1/quotes, each on connections it keeps; awaited at the end."""
    load = Load()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        tasks = [asyncio.create_task(load.read(session, f"{url}/v1/quotes", rest)) for _ in range(count)]
        try:
            yield load
        finally:
            load.stop.set()
            await asyncio.gather(*tasks)
