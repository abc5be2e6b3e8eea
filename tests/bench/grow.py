"""What grows with what is asked of the service: python -m tests.bench.grow [TABLE …].

The tables are instruments, languages, history and clients. A row a size, each in a process of its own: processor time
(which a busy machine does not lengthen), memory beside that of the same process before; and the growth of each against
the growth of the size.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

from babel import Locale, localedata

from tests.bench.sse import ask, listen, ours, process, resident
from tests.support.served_board import NOON, live
from tests.support.upstreams import formats
from tests.support.upstreams.valutes import VALUTES
from ticker.app import compose
from ticker.fetch import Answer, Call
from ticker.quotes import PriceType
from ticker.rendering.renderer import View
from ticker.settings.loader import load, shipped
from ticker.storage import of_url
from ticker.storage.base import Row
from ticker.storage.history import TimeRange

Found = dict[str, float]
AGAIN = 15
DAY = timedelta(days=1)


def spent(what: Callable[[], object], times: int = AGAIN) -> float:
    """Milliseconds of a core that `what` takes, the median of several."""
    found = []
    for _ in range(times):
        began = time.process_time()
        what()
        found.append(1000 * (time.process_time() - began))
    return median(found)


class Table:
    """Answers every request with the Bank's table of the day; the dollar moves with each."""

    def __init__(self) -> None:
        self.asked = 0

    async def get(self, call: Call, /) -> Answer:
        """The table."""
        self.asked += 1
        rates = {each.code: each.value / each.nominal for each in VALUTES}
        return Answer(
            call.url, 200, {}, formats.cbr_daily(NOON.date(), rates | {"USD": 100 + Decimal(self.asked) / 1000})
        )


def instruments(size: int) -> Found:
    """The board: `size` instruments of one table, so that a poll changes each."""
    before, codes = resident(), [each.code for each in VALUTES]
    tables = {f"{codes[i % len(codes)]}{i}": codes[i % len(codes)] for i in range(size)}
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        for symbol, code in tables.items():
            file.write(f'[instruments.{symbol}]\nbase = "{code}"\nquote = "RUB"\nsources = ["cbr", "nbk"]\n')
        file.flush()
        config = load(Path(file.name), {}, {}).settings
    service = compose(config, upstream="http://upstream", now=lambda: NOON)
    service.poller._fetcher = Table()  # type: ignore[assignment]
    renderer, board, context = service.context.renderer, service.board, service.context
    poll = spent(lambda: asyncio.run(service.poller.poll("cbr")))
    assert all(quote.price for quote in board.latest.quotes)

    def made(kind: str) -> Callable[[], object]:
        # Another language each time: none is kept ready.
        langs = iter(
            ["en", "ru", "de", "fr", "es", "it", "pt", "pl", "tr", "ja", "ko", "zh", "ar", "he", "hi", "en-GB"]
        )
        return lambda: renderer.render(board.latest, View(kind, (), next(langs)))

    for kind in ("quotes", "widget"):
        spent(made(kind))  # the languages are read
    service.poller.publish(NOON)
    board.put(board.latest.follow(board.latest.quotes, NOON + DAY), NOON)
    found = {
        "poll ms": poll,
        "publish ms": spent(lambda: service.poller.publish(NOON)),
        "board of now ms": spent(lambda: board.current(NOON + DAY)),
        "JSON ms": spent(made("quotes")),
        "widget ms": spent(made("widget")),
        "scrape ms": spent(lambda: context.exposition.scrape("")),
        "JSON kB": len(renderer.render(board.latest, View("quotes")).body) / 1000,
    }
    gc.collect()
    return found | {"memory MB": (resident() - before) / 1e6}


def languages(size: int) -> Found:
    """One board, told in so many languages: the first time in each, and at the next version."""
    known = [each for each in localedata.locale_identifiers() if each.isalpha()][:size]
    tags = [str(Locale.parse(each)) for each in known]
    served = live()
    board, renderer = served.context.board, served.context.renderer
    renderer.render(board.latest, View("widget"))
    before = resident()

    def all_of_them() -> None:
        for tag in tags:
            for kind in ("quotes", "widget"):
                renderer.render(board.latest, View(kind, (), tag))

    first = spent(all_of_them, 1)
    served.put({"USD": "101.5"})
    return {
        "first ms each": first / size,
        "next version ms each": spent(all_of_them, 1) / size,
        "kept ms each": spent(all_of_them) / size,
        "memory MB": (resident() - before) / 1e6,
    }


def history(size: int) -> Found:
    """So many years of two daily tables and of oil by the hour."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    prices = [Decimal(7000 + i * 37 % 999) / 100 for i in range(999)]

    def row(symbol: str, source: str, kind: PriceType, at: datetime, i: int) -> Row:
        return Row(symbol, source, source, kind, at, prices[i % 999], at, at, archived=True)

    rows = [row("OIL", "moex", PriceType.LAST, now - timedelta(hours=i), i) for i in range(size * 365 * 24)]
    for symbol in ("USD", "EUR"):
        days = (now.replace(hour=0) - DAY * i for i in range(size * 365))
        rows += [row(symbol, "cbr", PriceType.FIXING, at, i) for i, at in enumerate(days)]
    with tempfile.TemporaryDirectory() as folder:
        store = of_url(f"sqlite:///{folder}/ticker.db")
        store.open()
        began = time.process_time()
        for start in range(0, len(rows), 20_000):
            store.write(rows[start : start + 20_000], {})
        written = 1e6 * (time.process_time() - began) / len(rows)
        store.close()
        del rows
        return asyncio.run(_asked(folder, now)) | {
            "write µs a row": written,
            "file MB": sum(each.stat().st_size for each in Path(folder).iterdir()) / 1e6,
        }


async def _asked(folder: str, now: datetime) -> Found:
    gc.collect()
    before = resident()
    config = load(shipped(), {}, {"store.url": f"sqlite:///{folder}/ticker.db", "store.raw": "36500d"}).settings
    service = compose(config, upstream="http://127.0.0.1:9", stored=True)
    keeping, past = asyncio.create_task(service.store_writer.run()), service.context.history
    boards, lines = [], []
    for back in range(2, 2 + AGAIN * 5):
        began = time.process_time()
        await past.board(now - timedelta(hours=37 * back))
        boards.append(1000 * (time.process_time() - began))
        ask = TimeRange("OIL", now - DAY * back - DAY * 30, now - DAY * back, "1d", 1000)
        began = time.process_time()
        await past.line(ask, lambda line: line)
        lines.append(1000 * (time.process_time() - began))
    service.store_writer.stop()
    await keeping
    return {
        "board of a moment ms": median(boards),
        "a month's line ms": median(lines),
        "memory MB": (resident() - before) / 1e6,
    }


def clients(size: int) -> Found:
    """So many readers of the stream, and one update after the other."""
    server, listener = process(0, ours), process(1, listen, size)
    port, before = server.recv(), ask(server, None)[0]
    ask(listener, port)
    memory, rows = (ask(server, None)[0] - before) / 1e6, []
    for step in range(2 + AGAIN):
        cpu = ask(server, None)[1]
        began = ask(server, step)
        arrivals = sorted(1000 * (moment - began) for moment in ask(listener, port))
        rows.append((1000 * (ask(server, None)[1] - cpu), median(arrivals), arrivals[-1 - size // 100]))
    listener.send(None)
    cpu, middle, late = (median(column) for column in zip(*rows[2:], strict=True))
    return {"update ms": cpu, "median ms": middle, "p99 ms": late, "memory MB": memory}


SIZES: dict[str, tuple[Callable[[int], Found], tuple[int, ...]]] = {
    "instruments": (instruments, (3, 30, 300)),
    "languages": (languages, (2, 20, 200)),
    "history": (history, (1, 3, 10)),
    "clients": (clients, (1, 100, 10_000)),
}


def _alone(name: str, size: int, pipe: Any) -> None:  # noqa: ANN401 - multiprocessing's own
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    pipe.send(SIZES[name][0](size))


def main() -> None:
    """The tables asked for, or all."""
    for name in sys.argv[1:] or SIZES:
        rows = []
        for size in SIZES[name][1]:
            here, there = multiprocessing.Pipe()
            child = multiprocessing.get_context("spawn").Process(target=_alone, args=(name, size, there))
            child.start()
            rows.append((size, here.recv()))
            child.join()
        print(f"| {name} | {' | '.join(rows[0][1])} |\n|{' ---: |' * (1 + len(rows[0][1]))}")
        for size, found in rows:
            print(f"| {size} | {' | '.join(f'{value:.3g}' for value in found.values())} |", flush=True)
        (least, few), (most, many) = rows[0], rows[-1]
        growth = (f"×{many[key] / few[key]:.3g}" if few[key] > 0 else "" for key in few)
        print(f"| ×{most / least:.3g} | {' | '.join(growth)} |\n", flush=True)


if __name__ == "__main__":
    main()
