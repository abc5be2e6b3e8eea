"""What strangers' parameters cost: python -m tests.bench.variants [REQUESTS].

The service as a process on the first core, warm, and ten thousand targets: every order of the symbols, three styles,
two hundred languages. First the answers of some 290 targets in languages that nobody has asked for, each alone: what
the process has run for it, in the median and at worst. Then one target over and over, all of them once, and again and
again until REQUESTS (a million) are answered: processor time a request, and memory.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

import uvloop
from babel import localedata

from tests.bench.start import free, resident, spent, started
from tests.support.upstream import NOON, Upstream

ASKING = 16
SYMBOLS = ("USD", "EUR", "OIL")


class Reader(asyncio.Protocol):
    """Asks for one target after the other on one connection; notes how long each took."""

    def __init__(self, targets: Iterator[str], took: list[float]) -> None:
        self.targets, self.took = targets, took
        self.done = asyncio.get_running_loop().create_future()
        self.missing, self.head, self.began = 0, b"", 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        """The next, or the end."""
        target = next(self.targets, None)
        if target is None:
            self.done.set_result(None)
            self.transport.close()
            return
        self.began = time.perf_counter()
        self.transport.write(f"GET {target} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if not self.missing:
            self.head += data
            head, end, body = self.head.partition(b"\r\n\r\n")
            if not end:
                return
            assert head.startswith(b"HTTP/1.1 200"), head
            self.missing = int(head.lower().partition(b"\r\ncontent-length:")[2].split(b"\r\n")[0])
            self.head, data = b"", body
        self.missing -= len(data)
        if not self.missing:
            self.took.append(time.perf_counter() - self.began)
            self.ask()


def variants() -> list[str]:
    """Ten thousand targets, in an order that jumps about."""
    orders = [",".join(each) for n in (1, 2, 3) for each in itertools.permutations(SYMBOLS, n)]
    langs = [each for each in localedata.locale_identifiers() if each.isalpha()][:200]
    json = [f"/v1/quotes?symbols={order}&lang={lang}" for order in orders for lang in langs]
    styles = ("plain", "change", "sparkline")
    html = [
        f"/widget?symbols={order}&lang={lang}&style={style}" for order in orders for lang in langs for style in styles
    ]
    everything = json + html
    return [everything[i * 7919 % len(everything)] for i in range(min(10_000, len(everything)))]


async def asked(port: int, targets: Sequence[str]) -> list[float]:
    """Ask for all of them; seconds of each, sorted."""
    loop, each, took = asyncio.get_running_loop(), iter(targets), list[float]()
    readers = [(await loop.create_connection(lambda: Reader(each, took), "127.0.0.1", port))[1] for _ in range(ASKING)]
    await asyncio.gather(*(reader.done for reader in readers))
    return sorted(took)


def run(port: int, pid: int, total: int) -> None:
    """Print the table."""
    targets = variants()
    passes = {"one target": ["/v1/quotes"] * 20_000, "each the first time": targets, "each again": targets}
    print(f"{'':22}{'requests':>10}{'cpu µs each':>14}{'p50 ms':>9}{'p99 ms':>9}{'memory MB':>12}")
    uvloop.run(asked(port, ["/v1/quotes?lang=en", "/widget?lang=en"] * 20))
    _firsts(port, pid)
    count = 0

    def row(name: str, batch: Sequence[str]) -> None:
        before = spent(pid)
        took = uvloop.run(asked(port, batch))
        cpu = 1000 * (spent(pid) - before) / len(batch)
        middle, late = 1000 * took[len(took) // 2], 1000 * took[len(took) * 99 // 100]
        print(f"{name:22}{len(batch):10}{cpu:14.1f}{middle:9.2f}{late:9.2f}{resident(pid):12.1f}", flush=True)

    for name, batch in passes.items():
        row(name, batch)
        count += len(batch)
    while count < total:
        row("all, again and again", targets * 10)
        count += 10 * len(targets)


def _firsts(port: int, pid: int) -> None:
    """What the first answer in a language costs: one in three of the locales that no variant is in."""
    names = [each.replace("_", "-") for each in localedata.locale_identifiers() if "_" in each][::3]
    costs = []
    with socket.create_connection(("127.0.0.1", port), timeout=5) as own:
        for n, name in enumerate(names):
            target = (f"/v1/quotes?lang={name}", f"/widget?lang={name}")[n % 2]
            before = spent(pid)
            own.sendall(f"GET {target} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
            assert own.recv(65_536).startswith(b"HTTP/1.1 200")
            time.sleep(0.002)  # until it waits again
            costs.append(spent(pid) - before)
    costs.sort()
    print(f"first in a language, alone: {median(costs):.2f} ms of cpu, the dearest of {len(costs)}: {costs[-1]:.2f} ms")


async def main() -> None:
    """Over an upstream in this process."""
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    os.sched_setaffinity(0, {(os.cpu_count() or 1) - 1})
    with tempfile.TemporaryDirectory() as folder:
        async with Upstream() as upstream:
            upstream.trio(NOON.date(), now=NOON)
            port = free()
            store = ("--store", f"sqlite:///{Path(folder)}/ticker.db", "--upstream", upstream.url)
            command = ("-m", "ticker", "serve", "--port", str(port), *store, "--at", NOON.isoformat())
            with started(command, port) as (pid, _):
                await asyncio.sleep(3)
                await asyncio.to_thread(run, port, pid, total)


if __name__ == "__main__":
    asyncio.run(main())
