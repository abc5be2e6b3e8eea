"""History under load: python -m tests.bench.history.

Ten years of daily tables for ten instruments and a year of five-minute oil in one file; then the real service over it,
asked for years and for days while other readers ask for the header. Prints a table.
"""

from __future__ import annotations

import asyncio
import random
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from ticker.quotes import PriceType
from ticker.stores import Row, of_url

if TYPE_CHECKING:
    from collections.abc import Iterator

CURRENCIES = ("USD", "EUR", "CNY", "GBP", "JPY", "TRY", "KZT", "BYN", "CHF")
DAY = timedelta(days=1)
ASKED = 400
READERS = 4
TARGETS = {"history of a year": 20.0, "at=": 5.0}


def daily(now: datetime) -> Iterator[Row]:
    """Ten years of tables, five a week."""
    for symbol in CURRENCIES:
        for back in range(3652, 0, -1):
            as_of = (now - back * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
            if as_of.weekday() < 5:
                price = Decimal(1_000_000 + random.randrange(99_999)) / 10_000  # noqa: S311 - not a secret
                yield Row(symbol, "cbr", "cbr", PriceType.FIXING, as_of, price, as_of, as_of, archived=True)


def oil(now: datetime) -> Iterator[Row]:
    """Ten years by the day from an archive, and a year by five minutes."""
    for back in range(3652, 0, -1):
        as_of = (now - back * DAY).replace(hour=0, minute=0, second=0, microsecond=0)
        price = Decimal(random.randrange(4000, 12000)) / 100  # noqa: S311 - the same
        yield Row("OIL", "fred", "eia", PriceType.FIXING, as_of, price, as_of, as_of, archived=True)
    for step in range(365 * 288, 0, -1):
        as_of = (now - step * timedelta(minutes=5)).replace(microsecond=0)
        price = Decimal(random.randrange(6000, 9000)) / 100  # noqa: S311 - the same
        before = Decimal("73.73")
        yield Row("OIL", "moex", "moex", PriceType.LAST, as_of, price, as_of, as_of, before, as_of - DAY, "BRZ4")


def configuration() -> str:
    """The trio's oil and nine currencies."""
    tables = [f'[instruments.{one}]\nbase = "{one}"\nquote = "RUB"\nsources = ["cbr"]\n' for one in CURRENCIES]
    tables.append('[instruments.OIL]\nbase = "BRENT"\nquote = "USD"\nsources = ["moex", "yahoo", "fred"]\n')
    return "".join(tables)


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


def at(found: list[float], share: float) -> float:
    """The value that so many of `found` do not exceed."""
    return sorted(found)[int(len(found) * share)]


def questions(now: datetime) -> dict[str, list[str]]:
    """What is asked, each time of another year or day, so that no cache answers."""
    dice = random.Random(7)  # noqa: S311 - the same

    def day(most: int = 3200) -> str:
        return f"{now - dice.randrange(400, most) * DAY:%Y-%m-%d}"

    def year(symbol: str, interval: str, back: int) -> str:
        first, last = now - (back + 365) * DAY, now - back * DAY
        query = f"from={first:%Y-%m-%d}&to={last:%Y-%m-%d}&interval={interval}"
        return f"/v1/quotes/{symbol}/history?{query}"

    some = [dice.choice(CURRENCIES) for _ in range(ASKED)]
    return {
        "history of a year, 1d, currency": [year(one, "1d", dice.randrange(3200)) for one in some],
        "history of a year, raw, currency": [year(one, "raw", dice.randrange(3200)) for one in some],
        "history of a year, 1d, oil by 5 minutes": [year("OIL", "1d", dice.randrange(1, 9)) for _ in some],
        "history of a year, 1h, oil, page of 1000": [year("OIL", "1h", dice.randrange(1, 9)) for _ in some],
        "history of a year, raw, oil, page of 1000": [year("OIL", "raw", dice.randrange(1, 9)) for _ in some],
        "at=, a day, ten instruments": [f"/v1/quotes?at={day()}" for _ in some],
        "at=, a moment in the year of 5 minutes": [
            f"/v1/quotes?at={now - dice.random() * 300 * DAY - 5 * DAY:%Y-%m-%dT%H:%M:%SZ}" for _ in some
        ],
        "at=, widget": [f"/widget?at={day()}" for _ in some],
        "at=, widget, the same day again": ["/widget?at=" + day(401)] * ASKED,
        "history of a year, 1d, the same again": [year("OIL", "1d", 5)] * ASKED,
    }


def filled(folder: Path, now: datetime) -> Path:
    """The store; prints its size."""
    file = folder / "ticker.db"
    store = of_url(f"sqlite:///{file}")
    store.open()
    began, rows = time.perf_counter(), [*daily(now), *oil(now)]
    for start in range(0, len(rows), 20_000):
        store.write(rows[start : start + 20_000], {})
    store.close()
    size = file.stat().st_size
    took = time.perf_counter() - began
    print(f"{len(rows)} rows, {size / 1e6:.1f} MB, {size / len(rows):.0f} bytes a row, written in {took:.1f} s")
    return file


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
