"""kill -9 under polling and reading. KILLS=200 for the whole measure."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from tests.storage.rows import SERIES
from tests.support.patience import PATIENCE
from tests.support.upstream import Upstream
from tests.support.upstreams.market import table_in_force

KILLS = int(os.environ.get("KILLS", "6"))
OFTEN = '{ every = "200ms", jitter = "0s" }'


def start(file: Path, upstream: str) -> tuple[subprocess.Popen[bytes], str]:
    """The service on a port of its own, its market source asked five times a second; and where it listens."""
    often = {"TICKER_SOURCES__MOEX__SCHEDULE": OFTEN, "TICKER_SOURCES__MOEX__BUDGET": "36000"}
    arguments = ("serve", "--port", "0", "--upstream", upstream, "--store", f"sqlite:///{file}")
    process = subprocess.Popen(
        (sys.executable, "-m", "ticker", *arguments),
        env={**os.environ, **often},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if b"ticker serves" in line:
            return process, str(json.loads(line)["url"])
    raise AssertionError("the service has ended before it served")


def kept(file: Path) -> tuple[dict[str, Any] | None, set[tuple[str, str]]]:
    """What a killed run left, which is whole: the last snapshot committed, and every row of oil."""
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = connection.execute("SELECT as_of, price FROM quotes WHERE symbol = ?", (SERIES["OIL"],)).fetchall()
    connection.close()
    return committed(file), {(str(as_of), price) for as_of, price in rows}


def committed(file: Path) -> dict[str, Any] | None:
    """The last snapshot committed, in a whole file, whether or not a service goes on writing."""
    with sqlite3.connect(file.with_name(f"{file.name}-shared")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        text = connection.execute("SELECT text FROM editions WHERE part = 'quotes'").fetchone()
    connection.close()
    return json.loads(text[0]) if text else None


def known(file: Path) -> bool:
    """Whether the last snapshot committed has a price of oil."""
    last = committed(file)
    return last is not None and last["quotes"]["OIL"]["price"] is not None


def fill(upstream: Upstream, turn: int) -> None:
    """Prices of this very moment, never twice the same."""
    now = datetime.now(UTC)
    brent = Decimal(70) + Decimal(turn % 400) / 100
    upstream.trio(table_in_force(now), brent=str(brent), now=now)


async def passing(upstream: Upstream, turn: int) -> int:
    """Let the market move once; the number of the turn that it is now."""
    fill(upstream, turn + 1)
    await asyncio.sleep(0.05)
    return turn + 1


async def first_answer(session: aiohttp.ClientSession, url: str) -> Any:  # noqa: ANN401 - JSON
    """The first thing the new process says."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                async with session.get(url) as answer:
                    return await answer.json()
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.01)


async def reading(session: aiohttp.ClientSession, url: str, reported: set[tuple[str, str]]) -> None:
    """Read history as it grows, and remember what it reported as stored."""
    since = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    while True:
        try:
            async with session.get(f"{url}/v1/quotes/OIL/history?from={since}&limit=5000&format=ndjson") as answer:
                points = [json.loads(line, parse_float=str) for line in (await answer.text()).splitlines() if answer.ok]
        except aiohttp.ClientError:
            return
        micros = [int(datetime.fromisoformat(point["as_of"]).timestamp()) * 1_000_000 for point in points]
        reported.update((str(at), point["price"]) for at, point in zip(micros, points, strict=True))


async def test_killed_at_random_nothing_reported_is_lost_and_every_start_serves_at_once(tmp_path: Path) -> None:
    """The first answer after a kill is the last snapshot committed, all sources hanging; every row read is kept."""
    file, dice, reported, turn = tmp_path / "ticker.db", random.Random(9), set[tuple[str, str]](), 0  # noqa: S311
    at_once = 0
    async with Upstream() as upstream, aiohttp.ClientSession() as session:
        for kill in range(KILLS):
            left = kept(file)[0] if kill else None
            hanging = kill % 2 == 1
            upstream.fail("/", "hang") if hanging else upstream.heal("/")
            process, url = await asyncio.to_thread(start, file, upstream.url)
            try:
                shown = await first_answer(session, f"{url}/v1/quotes")
                assert left is None or shown["version"] >= left["version"]
                if left is not None and hanging:
                    before = left["quotes"]["OIL"]["price"]
                    assert shown["quotes"][2]["price"] == (None if before is None else float(before))
                    at_once += before is not None
                reader = asyncio.create_task(reading(session, url, reported))
                had = len(reported)
                # Until the reader has seen a row of this turn, and then for a random while: the kill falls anywhere.
                async with asyncio.timeout(PATIENCE):
                    while not hanging and (len(reported) == had or not known(file)):
                        turn = await passing(upstream, turn)
                for _ in range(dice.randrange(4 if hanging else 20)):
                    turn = await passing(upstream, turn)
            finally:
                process.kill()
                process.communicate()
            await reader
            assert reported <= kept(file)[1]
    assert len(reported) >= KILLS // 2  # a new one at least in each turn in which the sources answer
    assert at_once == KILLS // 2  # each turn in which they hang begins with a number
    print(f"{KILLS} kills, {len(reported)} rows reported, none lost; {at_once} starts served at once")  # noqa: T201
