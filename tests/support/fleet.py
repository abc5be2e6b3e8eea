"""Replicas as processes over one Redis, each by a link of its own, a market that moves, and a reader at each."""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import aiohttp
import simplejson

from tests.ops.process import Process, running, samples
from tests.support.network_link import Link, link
from tests.support.patience import PATIENCE
from tests.support.project_files import ROOT
from tests.support.redis_servers import Server
from tests.support.upstream import Upstream
from tests.support.upstreams.market import table_in_force

# The exchange is asked each second, the other market as often as its budget lets it.
SETTINGS = {
    "TICKER_SOURCES__MOEX__SCHEDULE": '{ every = "1s", jitter = "0s" }',
    "TICKER_SOURCES__MOEX__BUDGET": "36000",
    "TICKER_SOURCES__YAHOO__SCHEDULE": '{ every = "1s", jitter = "0s" }',
    "TICKER_SOURCES__YAHOO__BUDGET": "60",
}
SCARCE, BUDGET = "/yahoo", 60


@dataclass(slots=True)
class Seen:
    """What one reader has been shown: when, which version, and Brent with its moment."""

    at: list[float] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)
    oil: list[tuple[str, str] | None] = field(default_factory=list)

    def forget(self) -> None:
        """Begin anew."""
        for kept in (self.at, self.versions, self.oil):
            kept.clear()


@dataclass(slots=True)
class Replica:
    """One process, its way to Redis, and what its reader saw. `stack` is its life."""

    way: Link
    seen: Seen
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    process: Process | None = None
    url: str = ""
    metrics: str = ""
    since: float = 0.0
    asleep: bool = False


class Fleet:
    """The replicas; `session` asks them."""

    def __init__(self, upstream: Upstream, redis: Server, session: aiohttp.ClientSession) -> None:
        self.upstream = upstream
        self.redis = redis
        self.session = session
        self.replicas: list[Replica] = []
        # Seconds from the death of a leader to the next one's first word.
        self.takeovers: list[float] = []

    async def start(self, replica: Replica) -> None:
        """Start its process, and a reader of it."""
        place = f"redis://127.0.0.1:{replica.way.port}/0?timeout=500ms"
        environment = {**SETTINGS, "TICKER_STORE__URL": place}
        config = ROOT / "config" / "ticker.toml"
        replica.process = await replica.stack.enter_async_context(running(config, self.upstream.url, environment))
        replica.url, replica.metrics = replica.process.url, replica.process.metrics.removesuffix("/metrics")
        replica.since = time.monotonic()
        reader = asyncio.create_task(self._read(replica))
        replica.stack.callback(reader.cancel)

    async def kill(self, replica: Replica) -> None:
        """Kill it as `kill -9` does."""
        assert replica.process is not None
        replica.process.child.kill()
        await replica.stack.aclose()
        replica.process = None

    @property
    def alive(self) -> list[Replica]:
        """Those that run and are awake."""
        return [each for each in self.replicas if each.process is not None and not each.asleep]

    def sleep(self, replica: Replica) -> None:
        """Let it hang, as a machine that is suspended; to the others it is as one of another machine that died."""
        assert replica.process is not None
        replica.process.send(signal.SIGSTOP)
        replica.asleep = True

    def wake(self, replica: Replica) -> None:
        """Let it go on; its standstill was its own."""
        assert replica.process is not None
        replica.process.send(signal.SIGCONT)
        replica.asleep, replica.since = False, time.monotonic()

    async def market(self) -> None:
        """Move the price of oil each second, for ever."""
        while True:
            # Of one moment there is one price: another would be a correction of it.
            now = datetime.now(UTC).replace(microsecond=0)
            brent = Decimal(7000 + int(now.timestamp()) % 300) / 100
            self.upstream.trio(table_in_force(now), brent=str(brent), now=now)
            await asyncio.sleep(0.2)

    async def _read(self, replica: Replica) -> None:
        """Note every event of the stream as it comes."""
        with suppress(aiohttp.ClientError):
            timeout = aiohttp.ClientTimeout(total=None)
            async with self.session.get(f"{replica.url}/v1/stream", timeout=timeout) as stream:
                version = 0
                async for line in stream.content:
                    if line.startswith(b"id: "):
                        version = int(line[4:])
                    elif line.startswith(b"data: "):
                        self._note(replica.seen, version, line[6:])

    def _note(self, seen: Seen, version: int, data: bytes) -> None:
        quotes = simplejson.loads(data, use_decimal=True)["quotes"]
        oil = next(each for each in quotes if each["symbol"] == "OIL")
        seen.at.append(time.monotonic())
        seen.versions.append(version)
        seen.oil.append((oil["as_of"], str(oil["price"])) if oil["price"] is not None else None)

    async def leaders(self) -> list[Replica]:
        """Those that poll now, by their own word."""
        found = await asyncio.gather(*(samples(self.session, each.metrics) for each in self.alive))
        return [each for each, told in zip(self.alive, found, strict=True) if told["ticker_leader"] == 1]

    async def told(self, replica: Replica) -> dict[str, float]:
        """The replica's metrics."""
        return await samples(self.session, replica.metrics)

    async def one_leads(self, *, counted: bool = True) -> Replica:
        """Wait until exactly one does and, unless that is left out, counts all who live; which one."""
        async with asyncio.timeout(PATIENCE):
            while True:
                leaders = await self.leaders()
                if len(leaders) == 1:
                    replicas = (await self.told(leaders[0]))["ticker_replicas"]
                    if not counted or replicas == len(self.alive):
                        return leaders[0]
                await asyncio.sleep(0.02)

    async def together(self) -> None:
        """Wait until a version made from now on has been shown by every one of them."""
        floor = max((each.seen.versions[-1] for each in self.alive if each.seen.versions), default=0)
        async with asyncio.timeout(PATIENCE):
            while not set.intersection(*(self._since(each, floor) for each in self.alive)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    def _since(self, replica: Replica, floor: int) -> set[int]:
        return {version for version in replica.seen.versions if version > floor}

    def spreads(self, since: float) -> list[float]:
        """Of each version that all showed after `since`: the seconds between the first reader and the last."""
        shown: dict[int, list[float]] = {}
        for each in self.alive:
            for at, version in zip(each.seen.at, each.seen.versions, strict=True):
                if at >= since:
                    shown.setdefault(version, []).append(at)
        return [max(at) - min(at) for at in shown.values() if len(at) == len(self.alive)]

    def standstill(self, since: float) -> float:
        """The longest time from one version to the next that a reader saw after `since`, where nobody was killed."""
        through = [each.seen for each in self.alive if each.since < since]
        spans = [[since, *(at for at in seen.at if at >= since), time.monotonic()] for seen in through]
        return max(after - before for each in spans for before, after in itertools.pairwise(each))

    def steps_back(self) -> int:
        """How often a reader was shown a lower version than before; it must be never."""
        pairs = [itertools.pairwise(each.seen.versions) for each in self.replicas]
        return sum(after < before for each in pairs for before, after in each)

    async def lost(self) -> set[tuple[str, str]]:
        """Numbers of oil that a reader was shown and the common history does not tell."""
        served = {oil for each in self.replicas for oil in each.seen.oil if oil is not None}
        since = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
        url = f"{self.alive[0].url}/v1/quotes/OIL/history?from={since}&limit=5000&format=ndjson"
        async with self.session.get(url) as answer:
            rows = [simplejson.loads(line, use_decimal=True) for line in (await answer.text()).splitlines()]
        kept = Counter((row["as_of"], str(row["price"])) for row in rows)
        return served - set(kept)

    async def kept(self) -> bool:
        """Wait until history tells every number that was shown so far; whether it does."""
        shown = {oil for each in self.replicas for oil in each.seen.oil if oil is not None}
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while shown & await self.lost():  # noqa: ASYNC110 - the event is in other processes
                    await asyncio.sleep(0.1)
                return True
        return False

    def asked(self, prefix: str = SCARCE) -> int:
        """How often the upstream was asked there."""
        return len(self.upstream.hits(prefix))


@asynccontextmanager
async def fleet(redis: Server, count: int) -> AsyncIterator[Fleet]:
    """So many replicas over `redis`, all started, one of them polling."""
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(Upstream())
        session = await stack.enter_async_context(aiohttp.ClientSession())
        made = Fleet(upstream, redis, session)
        moving = asyncio.create_task(made.market())
        stack.callback(moving.cancel)
        for _ in range(count):
            way = await stack.enter_async_context(link(redis.port))
            made.replicas.append(Replica(way, Seen()))
        for each in made.replicas:
            stack.push_async_callback(_end, each)
            await made.start(each)
        await made.one_leads()
        # What one has shown before the others were there is known to it and to Redis only, and dies with both.
        for each in made.replicas:
            each.seen.forget()
        yield made


async def _end(replica: Replica) -> None:
    await replica.stack.aclose()
