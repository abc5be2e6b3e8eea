"""History under load: python -m tests.bench.history.

Ten years of daily tables for ten instruments and a year of five-minute oil in one file; then the real service over it,
asked for years and for days while other readers ask for the header. Prints a table.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from tests.bench.decade import DAY, configuration, filled, questions

READERS = 4
ALONE = 200
TARGETS = {"history of a year": 20.0, "at=": 5.0}


async def timed(session: aiohttp.ClientSession, paths: list[str]) -> list[float]:
    """Milliseconds of each, one after the other."""
    found = []
    for path in paths:
        began = time.perf_counter()
        async with session.get(path) as answer:
            await answer.read()
            assert answer.status == 200, (path, await answer.text())
        found.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.005)
    return sorted(found)


async def traffic(session: aiohttp.ClientSession, read: list[float]) -> None:
    """Readers of the header, some two hundred a second; how many milliseconds each waited."""
    while True:
        began = time.perf_counter()
        async with session.get("/v1/quotes") as answer:
            await answer.read()
        read.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.02)


def spent(process: int) -> float:
    """Milliseconds of processor time that the process has had, all threads."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e6


async def needed(session: aiohttp.ClientSession, process: int, paths: list[str]) -> list[float]:
    """Milliseconds of processor time that each takes while nobody else asks: what a quiet machine would need."""
    found = []
    for path in paths:
        before = spent(process)
        async with session.get(path) as answer:
            await answer.read()
        await asyncio.sleep(0.003)
        found.append(spent(process) - before)
    return found


def at(found: list[float], share: float) -> float:
    """The value that so many of `found` do not exceed."""
    return sorted(found)[int(len(found) * share)]


async def measure(folder: Path) -> None:
    """Fill, serve, ask, print."""
    now = datetime.now(UTC)
    file = filled(folder, now)
    (folder / "ticker.toml").write_text(f'[store]\nraw = "3650d"\n{configuration()}')
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(  # noqa: ASYNC220 - the same
        (
            *(sys.executable, "-m", "ticker", "serve", "--port", str(port), "--config", str(folder / "ticker.toml")),
            *("--store", f"sqlite:///{file}", "--upstream", "http://127.0.0.1:9"),
        ),
        stderr=subprocess.DEVNULL,
    )
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            await listening(session)
            print("| alone | processor ms p50 | p99 |\n| --- | --- | --- |")
            for name, paths in questions(now - DAY).items():
                took = await needed(session, process.pid, paths[:ALONE])
                print(f"| {name} | {at(took, 0.5):.1f} | {at(took, 0.99):.1f} |")
            read: list[float] = []
            readers = [asyncio.create_task(traffic(session, read)) for _ in range(READERS)]
            await asyncio.sleep(0.5)
            print(f"memory before {memory(process.pid)}")
            each = await alone(process.pid, read)
            print(
                "| asked beside 200 readers a second | p50 ms | p99 ms | processor ms | readers' p99 ms | p99 asked |"
            )
            print("| --- | --- | --- | --- | --- | --- |")
            for name, paths in questions(now).items():
                before, count = spent(process.pid), len(read)
                found = await timed(session, paths)
                mine, others = (spent(process.pid) - before - each * (len(read) - count)) / len(paths), read[count:]
                most = next((most for what, most in TARGETS.items() if name.startswith(what)), 0.0)
                figures = f"{at(found, 0.5):.1f} | {at(found, 0.99):.1f} | {mine:.1f} | {at(others, 0.99):.1f}"
                print(f"| {name} | {figures} | {most:.0f} |")
            for reader in readers:
                reader.cancel()
        print(f"memory after {memory(process.pid)}")
    finally:
        process.terminate()
        process.wait()


async def alone(process: int, read: list[float]) -> float:
    """What the traffic costs by itself: milliseconds of processor time a reader."""
    before, count = spent(process), len(read)
    await asyncio.sleep(3)
    print(f"readers alone: p99 {at(read[count:], 0.99):.1f} ms")
    return (spent(process) - before) / (len(read) - count)


def memory(process: int) -> str:
    """The process's resident memory."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(line.partition(":")[2].strip() for line in status.splitlines() if line.startswith("VmRSS"))


async def listening(session: aiohttp.ClientSession) -> None:
    """Wait until the service answers."""
    async with asyncio.timeout(60):
        while True:
            try:
                async with session.get("/healthz"):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(measure(Path(place)))
