"""Who makes the tail: python -m tests.bench.tail [ROUNDS].

At saturation a request waits for the turn of the loop that is under way, and for whatever stops the process; wrk cannot
tell the two apart. Here each server notes how much processor time every turn of its loop takes: that is its own part,
which no neighbour can lengthen by stopping it. The loop never sleeps for it, and turns of less than 10 µs, which had
nothing to answer, are left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

import uvloop
from aiohttp import web

from tests.bench import serve
from tests.bench.load import Load, Server, free_port
from tests.bench.peers import Answer, hello, ours

FAST, HELLO = "ticker, fast path", "aiohttp + uvloop"
# Seconds: a turn below has had nothing to answer.
_IDLE = 10e-6


async def noted(turns: list[float]) -> None:
    """Note every turn of the loop until the process is told to end; the loop never sleeps meanwhile."""
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asyncio.current_task().cancel)  # type: ignore[union-attr]
    last = time.thread_time()
    with contextlib.suppress(asyncio.CancelledError):
        while True:
            await asyncio.sleep(0)
            last, before = time.thread_time(), last
            turns.append(last - before)


async def served(kind: str, port: int, answer: Path) -> None:
    """One of the two servers; at its end it tells of its turns."""
    if kind == FAST:
        await ours.started(port, fast=True)
    else:
        runner = web.AppRunner(hello.app(Answer.read(answer)), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
    gc.freeze()
    turns: list[float] = []
    await noted(turns)
    busy = sorted(each for each in turns if each > _IDLE)
    cells = [1e6 * busy[min(int(len(busy) * part), len(busy) - 1)] for part in (0.5, 0.99, 0.999, 1)]
    print(f"{kind:24}{len(turns):9}", *(f"{each:9.0f}" for each in cells), flush=True)


def main() -> None:
    """Measure and print."""
    if len(sys.argv) > 2:
        uvloop.run(served(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
        return
    rounds, loads = int(sys.argv[1]) if len(sys.argv) > 1 else 3, dict[str, list[Load]]()
    print(f"{'processor time, µs':24}{'turns':>9}", *(f"{each:>9}" for each in ("median", "99 %", "99.9 %", "longest")))
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "answer.json"
        serve.answer().write(file)
        for _ in range(rounds):
            for kind in (FAST, HELLO):
                command = [sys.executable, "-m", "tests.bench.tail", kind, str(port := free_port()), str(file)]
                with Server(command, port, file) as server:
                    loads.setdefault(kind, []).append(server.burst("/v1/quotes/USD", {}, 2))
    for kind, each in loads.items():
        middle = [statistics.median(getattr(load, what) for load in each) for what in ("rate", "p50", "p99")]
        print(f"{kind:24}{middle[0]:9.0f} requests/s, by wrk's clock p50 {middle[1]:.2f} ms, p99 {middle[2]:.2f} ms")


if __name__ == "__main__":
    main()
