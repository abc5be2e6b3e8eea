"""How fast the service starts and what it costs at rest: python -m tests.bench.start [ROUNDS] [REST].

From the start of the process to the first 200 of `/v1/quotes`, over a store that a former run has filled; beside it a
bare aiohttp application that answers one fixed JSON. Both on the first core, in turns. Then REST seconds in which no
reader asks: memory, and how much of a core is used (sources are polled and the board ages).
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from tests.support.upstream import NOON, Upstream

BARE = """
import sys
from aiohttp import web

async def quotes(request):
    return web.json_response({"version": 1, "quotes": []})

app = web.Application()
app.add_routes([web.get("/v1/quotes", quotes)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""
REQUEST = b"GET /v1/quotes HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n"
PATIENCE = 30.0
ROOT = Path(__file__).parents[2]


def free() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


@contextmanager
def started(command: Sequence[str], port: int) -> Iterator[tuple[int, float]]:
    """The process, and milliseconds until it answered 200."""
    began = time.monotonic()
    process = subprocess.Popen(
        (sys.executable, *command),
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: os.sched_setaffinity(0, {0}),  # noqa: PLW1509 - no threads here
    )
    try:
        while not answers(port):
            assert process.poll() is None
            assert time.monotonic() - began < PATIENCE
            time.sleep(0.002)
        yield process.pid, 1000 * (time.monotonic() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def answers(port: int) -> bool:
    """Whether the answer is 200."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as own:
            own.sendall(REQUEST)
            return own.recv(65_536).startswith(b"HTTP/1.1 200")
    except ConnectionError:
        return False


def spent(pid: int) -> float:
    """Milliseconds of a core that the process has had."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def resident(pid: int) -> float:
    """Megabytes that it holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def run(upstream: str, folder: Path, rounds: int, rest: float) -> None:
    """Print the table."""

    def ours(port: int) -> tuple[str, ...]:
        store = ("--store", f"sqlite:///{folder}/ticker.db", "--upstream", upstream, "--at", NOON.isoformat())
        return ("-m", "ticker", "serve", "--port", str(port), *store)

    def bare(port: int) -> tuple[str, ...]:
        return ("-c", BARE, str(port))

    with started(ours(port := free()), port):
        time.sleep(3)  # the store is filled
    rows: dict[str, list[tuple[float, float]]] = {"ours": [], "bare": []}
    for _ in range(rounds):
        for name, command in (("ours", ours), ("bare", bare)):
            with started(command(port := free()), port) as (pid, took):
                rows[name].append((took, spent(pid)))
    print(f"medians of {rounds} rounds")
    print(f"{'':8}{'first 200, ms':>16}{'cpu, ms':>12}{'at rest, MB':>14}{'idle, % of a core':>20}")
    found = {}
    for name, command in (("ours", ours), ("bare", bare)):
        with started(command(port := free()), port) as (pid, _):
            time.sleep(5)
            before = spent(pid)
            time.sleep(rest)
            idle = (spent(pid) - before) / (10 * rest)
            took, cpu = (median(column) for column in zip(*rows[name], strict=True))
            found[name] = (took, cpu, resident(pid), idle)
        print(f"{name:8}{found[name][0]:16.0f}{found[name][1]:12.0f}{found[name][2]:14.1f}{found[name][3]:20.2f}")
    ratios = [one / other for one, other in zip(found["ours"][:3], found["bare"][:3], strict=True)]
    print(f"{'ratio':8}{ratios[0]:16.2f}{ratios[1]:12.2f}{ratios[2]:14.2f}")


async def main() -> None:
    """Over an upstream in this process, on the other core."""
    given = [float(word) for word in sys.argv[1:]]
    rounds, rest = given + [15.0, 30.0][len(given) :]
    os.sched_setaffinity(0, {(os.cpu_count() or 1) - 1})
    with tempfile.TemporaryDirectory() as folder:
        async with Upstream() as upstream:
            upstream.trio(NOON.date(), now=NOON)
            await asyncio.to_thread(run, upstream.url, Path(folder), int(rounds), rest)


if __name__ == "__main__":
    asyncio.run(main())
