"""One client asks for the dear, as fast as it can: what do the header's readers feel? python -m tests.bench.floods.

`rate_limit` is off, as shipped. Over ten years of history a flood of one kind of question after the other, `FLOODERS`
connections that ask again at once, from a process of its own; beside it 100 header reads a second. Rounds with and
without the flood take turns; printed are the medians of the rounds' p50 and p99, and how much the flood got.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median, quantiles

from tests.bench.decade import configuration, filled
from tests.bench.load import free_port

FLOODERS, ROUNDS, SECONDS, EVERY = 64, 5, 2.0, 0.01
HEADER = b"GET /v1/quotes?lang=en HTTP/1.1\r\nHost: localhost\r\n\r\n"
TAGS = [
    "ar",
    "bg",
    "cs",
    "da",
    "de",
    "el",
    "en",
    "es",
    "et",
    "fa",
    "fi",
    "fr",
    "he",
    "hi",
    "hr",
    "hu",
    "id",
    "it",
    "ja",
    "ko",
    "lt",
    "lv",
    "nl",
    "pl",
    "pt",
    "ro",
    "ru",
    "sk",
    "sl",
    "sr",
    "sv",
    "th",
    "tr",
    "uk",
    "vi",
    "zh",
]
STYLES = ("plain", "change", "sparkline")
SYMBOLS = ("USD", "EUR", "CNY", "GBP", "JPY", "TRY", "KZT", "BYN", "CHF", "OIL")


def day(number: int) -> str:
    """One of ten years' days."""
    return f"{datetime.now(UTC) - timedelta(days=number * 37 % 3600 + 10):%Y-%m-%d}"


def some(number: int) -> str:
    """Some symbols in some order, nearly never the same twice."""
    return ",".join(random.Random(number).sample(SYMBOLS, 5))  # noqa: S311 - reproducible


DEAR: dict[str, Callable[[int], str]] = {
    "history, raw": lambda n: f"/v1/quotes/OIL/history?from={day(n)}&limit=1000",
    "history, csv by day": lambda n: f"/v1/quotes/USD/history?from={day(n)}&interval=1d&format=csv&limit=1000",
    "at=": lambda n: f"/v1/quotes?at={day(n)}T10:{n % 60:02}:{n // 60 % 60:02}Z",
    "picture": lambda n: f"/sparkline/OIL.svg?days={n % 31 + 1}&lang={TAGS[n % len(TAGS)]}",
    "convert": lambda n: f"/v1/convert?amount={n}.5&from=USD&to=EUR",
    "docs": lambda n: f"/docs?lang={TAGS[n % len(TAGS)]}",
    "page": lambda n: f"/?symbols={some(n)}&lang={TAGS[n % len(TAGS)]}",
    "widget, cold": lambda n: f"/widget?symbols={some(n)}&lang={TAGS[n % len(TAGS)]}&style={STYLES[n % 3]}",
    "languages": lambda n: f"/widget?lang={TAGS[n % len(TAGS)]}-{chr(65 + n // 26 % 26)}{chr(65 + n % 26)}",
    "not there": lambda n: f"/{n}/there",
    "header": lambda _: "/v1/quotes?lang=en",
    "metrics": lambda _: "/metrics",
}  # fmt: skip


async def flood(port: int, kind: str, seconds: float) -> None:
    """Ask on `FLOODERS` connections until the time is over; print how many answers came."""
    numbers, ends, answers = count(random.randrange(10**6)), time.monotonic() + seconds, 0  # noqa: S311 - no secret

    async def one() -> None:
        nonlocal answers
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < ends:
            writer.write(f"GET {DEAR[kind](next(numbers))} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length: ")[2].partition(b"\r")[0]))
            answers += 1
        writer.close()

    await asyncio.gather(*(one() for _ in range(FLOODERS)))
    print(answers)


async def read(port: int, seconds: float) -> tuple[float, float]:
    """Milliseconds that a reader of the header waits: in the middle, and the hundredth worst."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    ends, took = time.monotonic() + seconds, []
    while time.monotonic() < ends:
        began = time.perf_counter()
        writer.write(HEADER)
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]))
        took.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(EVERY)
    writer.close()
    return median(took), quantiles(took, n=100)[98]


async def measured(port: int, kind: str) -> None:
    """One row of the table."""
    alone, beside, answers = [], [], []
    for _ in range(ROUNDS):
        alone.append(await read(port, SECONDS / 2))
        command = [sys.executable, "-m", "tests.bench.floods", "--flood", str(port), kind, str(SECONDS + 1)]
        child = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
        await asyncio.sleep(0.7)
        beside.append(await read(port, SECONDS - 0.5))
        answers.append(int((await child.communicate())[0]) / (SECONDS + 1))
    figures = [median(row[i] for row in rows) for rows in (alone, beside) for i in (0, 1)]
    print(f"{kind:20} {median(answers):7.0f} " + " ".join(f"{each:8.2f}" for each in figures), flush=True)


async def measure(folder: Path, kinds: list[str]) -> None:
    """Fill, serve, flood, print."""
    file, port = filled(folder, datetime.now(UTC)), free_port()
    (folder / "ticker.toml").write_text(f'[store]\nraw = "3650d"\n{configuration()}')
    flags = ["--config", str(folder / "ticker.toml"), "--store", f"sqlite:///{file}", "--port", str(port)]
    command = [sys.executable, "-m", "ticker", "serve", *flags, "--upstream", "http://127.0.0.1:9"]
    service = subprocess.Popen(command, stderr=subprocess.DEVNULL)  # noqa: ASYNC220 - once
    try:
        await asyncio.sleep(8)
        print(f"{'flood of':20} {'a second':>7} p50 alone p99 alone p50 beside p99 beside (ms)")
        for kind in kinds or DEAR:
            await measured(port, kind)
    finally:
        service.terminate()
        service.wait(30)


def main() -> None:
    """The table, or the flood itself."""
    if sys.argv[1:2] == ["--flood"]:
        asyncio.run(flood(int(sys.argv[2]), sys.argv[3], float(sys.argv[4])))
        return
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), sys.argv[1:]))


if __name__ == "__main__":
    main()
