"""The demo's recording made anew: python -m tests.support.upstreams.record ticker/sample.

Four weeks of invented answers, a few a day, then eleven minutes in which everything is asked every two seconds; then
`ticker demo` begins these minutes again, and since every wave of the market has run through by then, nothing jumps.
The same files to the byte, whenever it is run.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

from aiohttp.test_utils import TestServer

from tests.support.upstreams.forts import MOSCOW
from tests.support.upstreams.server import build
from ticker import app
from ticker.cli.serve import DEMO_STARTS, demo_settings
from ticker.recording import HEAD, VERSION, Entry, Recorder, read, written

LAP, STEP = timedelta(minutes=11), timedelta(seconds=2)
DAYS = 28
HOURS = (10, 13, 16, 19, 22)
MARKETS = ("moex", "yahoo")
# Copies of a moving table are asked in the same breath; the rest says the same all day.
MOVING = ("cbr", "cbr_mirror", *MARKETS)
_BETWEEN = timedelta(milliseconds=100)
_DAY = timedelta(days=1)
# What an answer of a local server says of itself, and of the hour.
_KEPT = {"content-type", "cache-control"}


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = DEMO_STARTS

    def __call__(self) -> datetime:
        """The time it was set to."""
        return self.now


def moments(feeds: tuple[str, ...], lap: timedelta) -> Iterator[tuple[datetime, tuple[str, ...]]]:
    """When is asked, and who of `feeds`: everybody in the morning, the markets through the day, then what moves."""
    everybody = (*MOVING, *(each for each in feeds if each not in MOVING))
    for back in range(DAYS, 0, -1):
        day = (DEMO_STARTS - back * _DAY).date()
        if day.weekday() < 5:
            for hour in HOURS:
                yield datetime.combine(day, time(hour), MOSCOW), everybody if hour == HOURS[0] else MARKETS
    yield DEMO_STARTS - STEP, everybody
    for step in range(lap // STEP):
        yield DEMO_STARTS + step * STEP, MOVING


async def entries(lap: timedelta = LAP) -> list[Entry]:
    """The answers of all these moments, in order of time."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        async with TestServer(build(clock)) as upstream:
            url = str(upstream.make_url("/")).rstrip("/")
            service = app.compose(
                demo_settings("127.0.0.1", 0),
                upstream=url,
                now=clock,
                around=lambda fetcher, bases: Recorder(fetcher, Path(folder), bases, clock),
            )
            async with service.fetcher:
                for moment, sources in moments(tuple(service.poller.feeds), lap):
                    clock.now = moment
                    for source in sources:
                        await service.poller.poll(source)
                        clock.now += _BETWEEN
        return [_plain(entry) for entry in read(Path(folder)).entries]


def _plain(entry: Entry) -> Entry:
    """Without what differs from run to run."""
    kept = {name: value for name, value in entry.headers.items() if name.lower() in _KEPT}
    return replace(entry, took=0.1, headers=kept)


def packed(entries: list[Entry], source: str) -> bytes:
    """The file of one source: answers that are alike lie side by side, where gzip still sees the one before."""
    bodies: dict[tuple[str, str], bytes] = {}
    mine = [entry for entry in entries if entry.source == source]
    head = json.dumps({HEAD: VERSION, "at": mine[0].at.isoformat()}).encode() + b"\n"
    return gzip.compress(head + b"".join(written(entry, bodies) for entry in mine), 9, mtime=0)


def make(folder: Path) -> None:
    """Write the files."""
    made = asyncio.run(entries())
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.ndjson.gz"):
        file.unlink()
    for source in sorted({entry.source for entry in made}):
        file = folder / f"{DEMO_STARTS:%Y-%m-%d}-{source}.ndjson.gz"
        file.write_bytes(packed(made, source))


if __name__ == "__main__":
    make(Path(sys.argv[1]))
