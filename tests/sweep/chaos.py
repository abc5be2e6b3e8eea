"""Replicas under faults: `uv run python -m tests.sweep.chaos [SECONDS | --quick] [FAULT…]`, each for so long (30 s).

Two and three processes over SQLite and over Redis, a market that moves every second, and a reader at each process. A
fault is brought about every few seconds: `kill -9`, SIGSTOP, a clock that jumps by hours (libfaketime), no descriptor
left, no memory left (RLIMIT_AS, and a cgroup whose killer comes), names that nobody answers for, and all of it without
IPv4. Held against what the upstream has really said: no wrong number, no old one that is called fresh, no version that
goes back. It ends by itself and exits with 1 where anything was.

What failed is told and not judged: with libfaketime an answer takes ten times as long (18 ms instead of 2 at the median
of a busy machine, a second at most), and three such processes on two busy cores now and then let a reader wait for more
than its two seconds. No other error was seen under it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import resource
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
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
from tests.support.upstream import YAHOO, Upstream
from tests.support.upstreams.market import table_in_force

SECONDS, QUICK_SECONDS = 30.0, 8.0
SAY = Console(width=200, markup=False, highlight=False)
# Between two faults, how long one lasts, and one that waits for a name that is still known (aiohttp: ten seconds).
_PAUSE, _LASTS, _LONG = 4.0, 6.0, 14.0
# What is shown may be so much older than the newest that the upstream has said: asked each second, told at once, a
# lease and a beat for a new leader, five seconds for who is cut off, and the time-outs of a busy machine.
_LATE = 15.0
# Who shows a number of the last so many seconds has recovered; after so many it is given up.
_CURRENT, _PATIENCE = 3.0, 40.0
_MEGABYTE = 1 << 20
_LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
_CGROUPS = Path("/sys/fs/cgroup/memory")
# Where nobody answers for a name; the service itself asks there within its own mounts.
_SILENT = "127.0.0.53"
_NAME = "rates.example"
_SETTINGS = {
    "TICKER_SOURCES__MOEX__SCHEDULE": '{ every = "1s", jitter = "0s" }',
    "TICKER_SOURCES__MOEX__BUDGET": "36000",
    "TICKER_SOURCES__YAHOO__SCHEDULE": '{ every = "1s", jitter = "0s" }',
    "TICKER_SOURCES__YAHOO__BUDGET": "36000",
    "TICKER_SERVER__DRAIN": "0s",
}


@dataclass
class One:
    """A process of the service, and its place, which outlives it: `port`, `offset` of its clock, `hosts` it knows."""

    port: int
    offset: Path
    hosts: Path
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    process: Process | None = None
    asleep: bool = False
    # Its readers begin anew with each life: they are told by number which they are in.
    life: int = 0

    @property
    def pid(self) -> int:
        """Its process's number."""
        assert self.process is not None
        return self.process.child.pid


@dataclass
class Run:
    """One arrangement: what was said upstream (price by moment), and what was wrong of what readers saw."""

    store: str
    fault: str
    host: str
    upstream: Upstream
    session: aiohttp.ClientSession
    replicas: list[One] = field(default_factory=list)
    said: dict[str, float] = field(default_factory=dict)
    asked: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    unmarked: list[str] = field(default_factory=list)
    back: list[str] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)

    @property
    def late(self) -> float:
        """Who leads and finds no name knows nothing newer: by the market's delay its number is on time for minutes."""
        return _LATE + (_LONG if self.fault == "DNS black hole" else 0)

    @property
    def awake(self) -> list[One]:
        """Those that run, as far as the fault lets them."""
        return [one for one in self.replicas if one.process is not None and not one.asleep]

    async def start(self, one: One) -> None:
        """Start it anew, and wait until it listens."""
        one.stack, one.life = AsyncExitStack(), one.life + 1
        environment = {**_SETTINGS, "TICKER_SERVER__PORT": str(one.port), "TICKER_STORE__URL": self.store}
        environment |= {"TICKER_SERVER__HOST": self.host}
        upstream, under = self.upstream.url, tuple[str, ...]()
        if self.fault == "clock jumps":
            environment |= {"LD_PRELOAD": str(_LIBRARY), "FAKETIME_TIMESTAMP_FILE": str(one.offset)}
            environment |= {"FAKETIME_CACHE_DURATION": "1"}
            environment |= {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        if self.fault == "DNS black hole":
            resolver = one.hosts.with_suffix(".resolv")
            resolver.write_text(f"nameserver {_SILENT}\n")
            mounts = f"mount --bind {one.hosts} /etc/hosts && mount --bind {resolver} /etc/resolv.conf"
            under = (needs("unshare"), "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh")
            upstream = upstream.replace("127.0.0.1", _NAME)
        one.process = await one.stack.enter_async_context(
            running(ROOT / "config" / "ticker.toml", upstream, environment, under=under, patience=2 * _PATIENCE)
        )

    async def market(self) -> None:
        """Move the price of oil every second, for ever."""
        while True:
            now = datetime.now(UTC).replace(microsecond=0)
            brent = f"{Decimal(7000 + int(now.timestamp()) % 200) / 100:.2f}"
            self.upstream.trio(table_in_force(now), brent=brent, now=now)
            self.said[brent] = time.monotonic()
            await asyncio.sleep(0.25)

    async def board(self, one: One) -> dict[str, object]:
        """What it says of the oil, with the version. Raises what aiohttp does."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        url, timeout = f"http://{host}:{one.port}/v1/quotes?symbols=OIL", aiohttp.ClientTimeout(total=2)
        async with self.session.get(url, timeout=timeout) as answer:
            found = simplejson.loads(await answer.text(), use_decimal=True)
        return {**found["quotes"][0], "version": found["version"]}

    async def read(self, one: One) -> None:
        """Ask it five times a second, for ever, and judge what it says."""
        version, life = 0, 0
        while True:
            await asyncio.sleep(0.2)
            before = one.life
            if one not in self.awake:
                continue
            try:
                quote = await self.board(one)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                if one in self.awake and one.life == before:
                    self.failures[type(error).__name__] += 1
                continue
            if one.life != before or one not in self.awake:
                continue
            self.asked += 1
            shown = int(str(quote["version"]))
            if life == one.life and shown < version:
                self.back.append(f"{one.port}: {version} -> {shown}")
            version, life = shown, one.life
            self._judge(one, quote)

    def _judge(self, one: One, quote: dict[str, object]) -> None:
        price, offset = quote["price"], one.offset.read_text()
        if price is None:
            return
        last = self.said.get(f"{price:.2f}")
        if last is None:
            self.wrong.append(f"{one.port}: {price}")
        elif quote["status"] == "fresh" and time.monotonic() - last > self.late:
            self.unmarked.append(f"{one.port}: {price}, {time.monotonic() - last:.0f} s old, clock {offset.strip()}")

    async def recovered(self, one: One, since: float) -> None:
        """Wait until it shows a number of these seconds, and note how long that took from the end of the fault on."""
        while (took := time.monotonic() - since) < _PATIENCE:
            with suppress(aiohttp.ClientError, TimeoutError, OSError):
                quote = await self.board(one)
                last = self.said.get(f"{quote['price']:.2f}", 0.0) if quote["price"] is not None else 0.0
                if quote["status"] == "fresh" and time.monotonic() - last < _CURRENT:
                    break
            await asyncio.sleep(0.05)
        self.recoveries.append(took)

    async def again(self, one: One) -> float:
        """Start anew one that has died; when that was."""
        assert one.process is not None
        one.process = None
        await one.stack.aclose()
        await asyncio.sleep(1)
        began = time.monotonic()
        await self.start(one)
        return began

    async def kill(self, one: One) -> float:
        """End it as `kill -9` does, and start it again after a moment."""
        assert one.process is not None
        one.process.child.kill()
        return await self.again(one)

    async def stop(self, one: One) -> float:
        """Let it hang, and go on."""
        assert one.process is not None
        one.asleep = True
        one.process.send(signal.SIGSTOP)
        await asyncio.sleep(_LASTS)
        one.process.send(signal.SIGCONT)
        began = time.monotonic()
        # What lay in its connections is answered in its first moment, by what it knew.
        await asyncio.sleep(0.5)
        one.asleep = False
        return began

    async def jump(self, one: One) -> float:
        """Set its clock by hours, and right again."""
        hours = random.choice([-5, -1, 1, 5])  # noqa: S311 - no secret
        _set(one.offset, timedelta(hours=hours))
        await asyncio.sleep(_LASTS)
        _set(one.offset, timedelta(0))
        return time.monotonic()

    async def no_descriptors(self, one: One) -> float:
        """Let it open nothing more, while every connection to the sources is lost."""
        with _limited(one.pid, resource.RLIMIT_NOFILE, 3):
            await self.upstream.stop()
            await self.upstream.start()
            await asyncio.sleep(_LASTS)
        return time.monotonic()

    async def no_memory(self, one: One) -> float:
        """Leave it eight megabytes, while a source sends what takes thirty."""
        with _limited(one.pid, resource.RLIMIT_AS, _size(one.pid) + 8 * _MEGABYTE):
            await self._swollen()
        return time.monotonic()

    async def killer(self, one: One) -> float:
        """Put it into a cgroup of eight megabytes of its own, while a source sends what takes thirty."""
        assert one.process is not None
        group = _CGROUPS / f"ticker-chaos-{one.pid}"
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(8 * _MEGABYTE))
        (group / "cgroup.procs").write_text(str(one.pid))
        try:
            await self._swollen()
            if one.process.child.returncode is None:
                (_CGROUPS / "cgroup.procs").write_text(str(one.pid))
                return time.monotonic()
            return await self.again(one)
        finally:
            group.rmdir()

    async def _swollen(self) -> None:
        until = time.monotonic() + _LASTS
        while time.monotonic() < until:
            self.upstream.answer(YAHOO, body=b'{"chart": "' + "\N{BAR CHART}".encode() + b"a" * 3_600_000 + b'"}')
            await asyncio.sleep(0.1)

    async def lost_names(self, one: One) -> float:
        """Let nobody answer for the sources' name, while every connection to them is lost."""
        one.hosts.write_text("127.0.0.1 localhost\n")
        await self.upstream.stop()
        await self.upstream.start()
        await asyncio.sleep(_LONG)
        one.hosts.write_text(f"127.0.0.1 localhost {_NAME}\n")
        return time.monotonic()


Fault = Callable[[Run, One], Awaitable[float]]
FAULTS: dict[str, Fault] = {
    "kill -9": Run.kill,
    "SIGSTOP": Run.stop,
    "clock jumps": Run.jump,
    "no descriptors": Run.no_descriptors,
    "RLIMIT_AS": Run.no_memory,
    "cgroup": Run.killer,
    "IPv6 only": Run.kill,
    "DNS black hole": Run.lost_names,
}


def _set(file: Path, offset: timedelta) -> None:
    new = file.with_suffix(".new")
    new.write_text(f"{offset.total_seconds():+.0f}\n")
    new.replace(file)


def _size(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return 1024 * int(status.partition("VmSize:")[2].split()[0])


@contextmanager
def _limited(pid: int, what: int, most: int) -> Iterator[None]:
    before = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (most, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, what, before)


async def chaos(store: str, count: int, name: str, seconds: float) -> Run:
    """So many replicas over `store` under one fault, again and again."""
    host = "::1" if name == "IPv6 only" else "127.0.0.1"
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ticker-chaos-")))
        upstream = await stack.enter_async_context(Upstream(host))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        deaf = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        if name == "DNS black hole":
            deaf.bind((_SILENT, 53))
        run = Run(store or f"sqlite:///{folder}/ticker.db", name, host, upstream, session)
        tasks = [asyncio.create_task(run.market())]
        for number in range(count):
            one = One(free_port(host), folder / f"offset{number}", folder / f"hosts{number}")
            _set(one.offset, timedelta(0))
            one.hosts.write_text(f"127.0.0.1 localhost {_NAME}\n")
            run.replicas.append(one)
            stack.push_async_callback(_end, one)
            await run.start(one)
        tasks += [asyncio.create_task(run.read(one)) for one in run.replicas]
        stack.callback(lambda: [task.cancel() for task in tasks])
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            await asyncio.sleep(_PAUSE)
            one = random.choice(run.replicas)  # noqa: S311 - no secret
            await run.recovered(one, await FAULTS[name](run, one))
        await asyncio.sleep(_PAUSE)
        return run


async def _end(one: One) -> None:
    if one.process is not None and one.asleep:
        with suppress(ProcessLookupError):
            one.process.send(signal.SIGCONT)
    await one.stack.aclose()


def able() -> dict[str, str]:
    """Why a fault cannot be brought about here, by its name."""
    root = os.geteuid() == 0
    return {
        name: why
        for name, can, why in (
            ("clock jumps", _LIBRARY.exists(), "no libfaketime"),
            ("cgroup", root and (_CGROUPS / "memory.limit_in_bytes").exists(), "no cgroup of the first version"),
            ("IPv6 only", Path("/proc/net/if_inet6").exists(), "no IPv6"),
            ("DNS black hole", root, "no right to mount"),
        )
        if not can
    }


def main() -> None:
    """A line an arrangement and fault."""
    asked, *chosen = sys.argv[1:] or [f"{SECONDS}"]
    seconds = QUICK_SECONDS if asked == "--quick" else float(asked)
    cannot = able()
    for name, why in cannot.items():
        SAY.print(f"{name}: cannot be brought about here: {why}")
    faults = [name for name in chosen or FAULTS if name not in cannot]
    bad = readings = 0
    head = ("store", "replicas", "fault", "asked", "failed", "wrong", "unmarked stale", "versions back")
    SAY.print(f"| {' | '.join(head)} | recovered after, median | at most |")
    SAY.print(f"| {' | '.join('---' for _ in range(len(head) + 2))} |")
    for kind, count, name in itertools.product(("sqlite", "redis"), (2, 3), faults):
        with ExitStack() as stack:
            url = ""
            if kind == "redis":
                needs("redis-server")
                url = stack.enter_context(redis_server()).fresh()
                url = url.replace("127.0.0.1", "[::1]") if name == "IPv6 only" else url
            run = asyncio.run(chaos(url, count, name, seconds))
        found = (*run.wrong, *run.unmarked, *run.back)
        failed = run.failures.total()
        lost = [f"not well again after {_PATIENCE:.0f} s"] * sum(each >= _PATIENCE for each in run.recoveries)
        # Who is not stopped answers: an arrangement without readings shows nothing.
        bad += len(found) + len(lost) + (failed > run.asked)
        readings += run.asked
        took = sorted(run.recoveries)
        counts = (run.asked, failed, len(run.wrong), len(run.unmarked), len(run.back))
        times = f"{took[len(took) // 2]:.1f} s | {took[-1]:.1f} s"
        SAY.print(f"| {kind} | {count} | {name} | {' | '.join(map(str, counts))} | {times} |")
        for each in (*found[:5], *lost, *(f"{why}: {times}" for why, times in run.failures.most_common(3))):
            SAY.print(f"  {each}")
    SAY.print(f"{bad} wrong, unmarked, backward or lost of what {readings} readings showed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
