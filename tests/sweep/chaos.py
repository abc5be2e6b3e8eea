"""Replicas under faults: `uv run python -m tests.sweep.chaos [SECONDS | --quick]`, each fault for so many seconds (30).

Two and three processes over SQLite and over Redis, a market that moves every second, and a reader at each process. A
fault is brought about every few seconds: `kill -9` and a new start, SIGSTOP, a clock that jumps by hours (libfaketime).
Held against what the upstream has really said: no wrong number, no old one that is called fresh, no version that goes
back. It ends by itself and exits with 1 where anything was.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import aiohttp
import simplejson
from rich.console import Console

from tests.ops.process import Process, running
from tests.support.programs import needs
from tests.support.project_files import ROOT
from tests.support.redis_servers import free_port, redis_server
from tests.support.upstream import Upstream
from tests.support.upstreams.market import table_in_force

SECONDS, QUICK_SECONDS = 30.0, 8.0
SAY = Console(width=200, markup=False, highlight=False)
# Between two faults, and how long one lasts.
_PAUSE, _LASTS = 4.0, 6.0
# What is shown may be so much older than the newest that the upstream has said: asked each second, told at once, a
# lease and a beat for a new leader, five seconds for who is cut off, and the time-outs of a busy machine.
_LATE = 15.0
_LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
_FAKED = Path(_LIBRARY).exists()
_SETTINGS = {
    "TICKER_SOURCES__MOEX__SCHEDULE": '{ every = "1s", jitter = "0s" }',
    "TICKER_SOURCES__MOEX__BUDGET": "36000",
    "TICKER_SERVER__DRAIN": "0s",
}


@dataclass
class One:
    """A process of the service, and its place: `port` and `offset` outlive it."""

    port: int
    offset: Path
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    process: Process | None = None
    asleep: bool = False
    # Its readers begin anew with each life: they are told by number which they are in.
    life: int = 0

    @property
    def url(self) -> str:
        """Where readers ask."""
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Run:
    """One arrangement: what was said upstream (price by moment), and what was wrong of what readers saw."""

    store: str
    # Whether the library that sets clocks is loaded: it makes every wait a slow one.
    jumps: bool
    upstream: Upstream
    session: aiohttp.ClientSession
    replicas: list[One] = field(default_factory=list)
    said: dict[str, float] = field(default_factory=dict)
    asked: int = 0
    failed: int = 0
    wrong: list[str] = field(default_factory=list)
    unmarked: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)

    @property
    def awake(self) -> list[One]:
        """Those that run, as far as the fault lets them."""
        return [one for one in self.replicas if one.process is not None and not one.asleep]

    async def start(self, one: One) -> None:
        """Start it anew, and wait until it shows a number."""
        one.stack, one.life, began = AsyncExitStack(), one.life + 1, time.monotonic()
        environment = {**_SETTINGS, "TICKER_SERVER__PORT": str(one.port), "TICKER_STORE__URL": self.store}
        if self.jumps:
            environment |= {"LD_PRELOAD": _LIBRARY, "FAKETIME_TIMESTAMP_FILE": str(one.offset)}
            environment |= {"FAKETIME_CACHE_DURATION": "1"}
            environment |= {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        one.process = await one.stack.enter_async_context(
            running(ROOT / "config" / "ticker.toml", self.upstream.url, environment)
        )
        self.recoveries.append(time.monotonic() - began)

    async def market(self) -> None:
        """Move the price of oil every second, for ever."""
        while True:
            now = datetime.now(UTC).replace(microsecond=0)
            brent = f"{Decimal(7000 + int(now.timestamp()) % 200) / 100:.2f}"
            self.upstream.trio(table_in_force(now), brent=brent, now=now)
            self.said.setdefault(brent, 0.0)
            self.said[brent] = time.monotonic()
            await asyncio.sleep(0.25)

    async def read(self, one: One) -> None:
        """Ask it five times a second, for ever, and judge what it says."""
        version, life = 0, 0
        while True:
            await asyncio.sleep(0.2)
            before = one.life
            if one not in self.awake:
                continue
            try:
                timeout = aiohttp.ClientTimeout(total=2)
                async with self.session.get(f"{one.url}/v1/quotes?symbols=OIL", timeout=timeout) as answer:
                    board = simplejson.loads(await answer.text(), use_decimal=True)
            except (aiohttp.ClientError, TimeoutError, OSError):
                self.failed += one in self.awake and one.life == before
                continue
            if one.life != before or one not in self.awake:
                continue
            self.asked += 1
            if life == one.life and board["version"] < version:
                self.back.append(f"{one.port}: {version} -> {board['version']}")
            version, life = board["version"], one.life
            self._judge(one, board["quotes"][0])

    def _judge(self, one: One, quote: dict[str, object]) -> None:
        price, offset = quote["price"], one.offset.read_text() if one.offset.exists() else "+0"
        if price is None:
            return
        last = self.said.get(f"{price:.2f}")
        if last is None:
            self.wrong.append(f"{one.port}: {price}")
        elif quote["status"] == "fresh" and time.monotonic() - last > _LATE:
            self.unmarked.append(f"{one.port}: {price}, {time.monotonic() - last:.0f} s old, clock {offset.strip()}")

    async def kill(self) -> None:
        """End one as `kill -9` does, and start it again after a moment."""
        one = random.choice(self.replicas)  # noqa: S311 - no secret
        assert one.process is not None
        process, one.process = one.process, None
        process.child.kill()
        await one.stack.aclose()
        await asyncio.sleep(1)
        await self.start(one)

    async def stop(self) -> None:
        """Let one hang, and go on."""
        one = random.choice(self.replicas)  # noqa: S311 - no secret
        assert one.process is not None
        one.asleep = True
        one.process.send(signal.SIGSTOP)
        await asyncio.sleep(_LASTS)
        one.process.send(signal.SIGCONT)
        # What lay in its connections is answered in its first moment, by what it knew.
        await asyncio.sleep(0.5)
        one.asleep = False

    async def jump(self) -> None:
        """Set the clock of one by hours, and right again."""
        one = random.choice(self.replicas)  # noqa: S311 - no secret
        hours = random.choice([-5, -1, 1, 5])  # noqa: S311 - no secret
        _set(one.offset, timedelta(hours=hours))
        await asyncio.sleep(_LASTS)
        _set(one.offset, timedelta(0))


def _set(file: Path, offset: timedelta) -> None:
    new = file.with_suffix(".new")
    new.write_text(f"{offset.total_seconds():+.0f}\n")
    new.replace(file)


async def chaos(store: str, count: int, fault: Callable[[Run], Awaitable[None]], seconds: float) -> Run:
    """So many replicas over `store` under one fault, again and again."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ticker-chaos-")))
        upstream = await stack.enter_async_context(Upstream())
        session = await stack.enter_async_context(aiohttp.ClientSession())
        run = Run(store or f"sqlite:///{folder}/ticker.db", fault is Run.jump, upstream, session)
        tasks = [asyncio.create_task(run.market())]
        for number in range(count):
            one = One(free_port(), folder / f"offset{number}")
            _set(one.offset, timedelta(0))
            run.replicas.append(one)
            stack.push_async_callback(_end, one)
            await run.start(one)
        run.recoveries.clear()
        tasks += [asyncio.create_task(run.read(one)) for one in run.replicas]
        stack.callback(lambda: [task.cancel() for task in tasks])
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await asyncio.sleep(_PAUSE)
            await fault(run)
        await asyncio.sleep(_PAUSE)
        return run


async def _end(one: One) -> None:
    if one.process is not None and one.asleep:
        with suppress(ProcessLookupError):
            one.process.send(signal.SIGCONT)
    await one.stack.aclose()


def main() -> None:
    """A line an arrangement and fault."""
    asked = sys.argv[1] if len(sys.argv) > 1 else f"{SECONDS}"
    seconds = QUICK_SECONDS if asked == "--quick" else float(asked)
    faults = {"kill -9": Run.kill, "SIGSTOP": Run.stop, "clock jumps": Run.jump}
    if not _FAKED:
        del faults["clock jumps"]
        SAY.print("no libfaketime here: clocks do not jump")
    bad = readings = 0
    SAY.print("| store | replicas | fault | asked | failed | wrong | unmarked stale | versions back | restart, worst |")
    SAY.print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind, count, (name, fault) in itertools.product(("sqlite", "redis"), (2, 3), faults.items()):
        with ExitStack() as stack:
            url = ""
            if kind == "redis":
                needs("redis-server")
                url = stack.enter_context(redis_server()).fresh()
            run = asyncio.run(chaos(url, count, fault, seconds))
        found = (*run.wrong, *run.unmarked, *run.back)
        # Who is not stopped answers: an arrangement without readings shows nothing.
        bad += len(found) + (run.failed > run.asked)
        readings += run.asked
        slowest = f"{max(run.recoveries):.1f} s" if run.recoveries else ""
        counts = (run.asked, run.failed, len(run.wrong), len(run.unmarked), len(run.back))
        SAY.print(f"| {kind} | {count} | {name} | {' | '.join(map(str, counts))} | {slowest} |")
        for each in found[:5]:
            SAY.print(f"  {each}")
    SAY.print(f"{bad} wrong, unmarked or backward of what {readings} readings showed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
