"""Several workers behind one address, as processes: what readers and upstreams notice of them, which is nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
import time
from contextlib import asynccontextmanager, closing
from itertools import pairwise
from typing import TYPE_CHECKING

import aiohttp

from tests.ops.process import Process, answers, running, samples, until
from tests.ops.world import turning, write
from tests.tree import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.ops.world import World

COUNT = 3
# As it is promised: a leader that dies is replaced within this.
REPLACED_SECONDS = 5.0
READERS = 4


@asynccontextmanager
async def workers(folder: Path, world: World) -> AsyncIterator[tuple[Process, aiohttp.ClientSession]]:
    """The service of three, all listening, one leading, its numbers usable; and a session that keeps no connection."""
    config = write(folder / "ticker.toml")
    environment = {"TICKER_SERVER__WORKERS": str(COUNT), "TICKER_STORE__URL": f"sqlite:///{folder}/ticker.db"}
    connector = aiohttp.TCPConnector(force_close=True, limit=0)
    async with (
        running(config, world.upstream.url, environment) as process,
        aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(5)) as session,
    ):
        await process.said("ticker serves", COUNT)
        await until(lambda: answers(session, f"{process.url}/readyz"))
        yield process, session


def turned(process: Process, role: str) -> list[int]:
    """The processes that have come to that role, in that order."""
    return [line["pid"] for line in process.lines if line["event"] == "replica turned" and line["role"] == role]


async def led_by_another(process: Process, before: int) -> float:
    """Wait until one more has come to lead than `before`; the seconds that took. Raises TimeoutError."""
    began = time.monotonic()
    async with asyncio.timeout(REPLACED_SECONDS), process.news:
        await process.news.wait_for(lambda: len(turned(process, "leads")) > before)
    return time.monotonic() - began


class Reader:
    """Asks again and again, each time on a new connection, whichever worker that comes to."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.versions: list[int] = []
        self.failures: list[str] = []
        self._session = session
        self._url = url

    async def quotes(self) -> None:
        """Note the version of each answer."""
        while True:
            try:
                async with self._session.get(f"{self._url}/v1/quotes") as answer:
                    self.versions.append((await answer.json())["version"])
            except (aiohttp.ClientError, TimeoutError) as error:
                self.failures.append(repr(error))
            await asyncio.sleep(0.002)

    async def events(self) -> None:
        """Note the id of the first event of each connection, as one who has had the last one."""
        while True:
            headers = {"Last-Event-ID": str(self.versions[-1])} if self.versions else {}
            try:
                async with self._session.get(f"{self._url}/v1/stream", headers=headers) as answer:
                    async for line in answer.content:
                        if line.startswith(b"id:"):
                            self.versions.append(int(line[3:]))
                            break
            except (aiohttp.ClientError, TimeoutError) as error:
                self.failures.append(repr(error))


@asynccontextmanager
async def reading(session: aiohttp.ClientSession, url: str) -> AsyncIterator[list[Reader]]:
    """Readers of quotes and one of events."""
    readers = [Reader(session, url) for _ in range(READERS)]
    tasks = [asyncio.create_task(each.quotes()) for each in readers[1:]]
    tasks.append(asyncio.create_task(readers[0].events()))
    try:
        yield readers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def grow(versions: list[int]) -> bool:
    """Whether none is lower than the one before."""
    return all(one <= other for one, other in pairwise(versions))


async def test_a_killed_leader_is_replaced_and_readers_notice_at_most_a_cut_connection(tmp_path: Path) -> None:
    """Kill -9 under reading: another polls within five seconds; no version goes back, whichever worker answers."""
    async with turning() as world, workers(tmp_path, world) as (process, session):
        async with reading(session, process.url) as readers:
            for _ in range(2):
                await more(readers[1], 50)
                leaders = turned(process, "leads")
                os.kill(leaders[-1], signal.SIGKILL)
                await led_by_another(process, len(leaders))
                await higher(readers[1])
        assert all(grow(reader.versions) for reader in readers)
        assert all(len(reader.failures) <= 2 for reader in readers), [reader.failures for reader in readers]
        assert len(set(readers[0].versions)) == len(readers[0].versions) > 2
        await process.said("ticker serves", COUNT + 2)
        async with session.get(f"{process.url}/readyz") as answer:
            assert answer.status == 200


async def more(reader: Reader, count: int) -> None:
    """Wait until it has had so many more answers."""
    wanted = len(reader.versions) + count

    async def had() -> bool:
        return len(reader.versions) >= wanted

    await until(had)


async def higher(reader: Reader) -> None:
    """Wait until it is told a newer version."""
    shown = reader.versions[-1]

    async def told() -> bool:
        return reader.versions[-1] > shown

    await until(told)


async def test_one_worker_polls_whoever_it_is(tmp_path: Path) -> None:
    """Upstreams are asked as often by three workers as by one."""
    async with turning() as world, workers(tmp_path, world) as (process, _):
        asked, began = len(world.upstream.hits("/cbr/")), time.monotonic()
        await world.upstream.seen("/cbr/", asked + 8)
        # Twice a second, to the nearest poll: by two of them it would be twice as often.
        assert time.monotonic() - began > 2.5
        assert len(turned(process, "leads")) == 1


async def test_a_leader_that_slept_through_its_lease_overwrites_nobody(tmp_path: Path) -> None:
    """It wakes as a follower: neither fence nor version of what is kept ever falls."""
    async with turning() as world, workers(tmp_path, world) as (process, session):
        (sleeper,) = turned(process, "leads")
        os.kill(sleeper, signal.SIGSTOP)
        try:
            kept = [edition(tmp_path)]
            await led_by_another(process, 1)
            await until(lambda: changed(tmp_path, kept, 3))
        finally:
            os.kill(sleeper, signal.SIGCONT)
        await until(lambda: changed(tmp_path, kept, 6))
        async with asyncio.timeout(REPLACED_SECONDS), process.news:
            await process.news.wait_for(lambda: sleeper in turned(process, "follows"))
        async with reading(session, process.url) as readers:
            await until(lambda: changed(tmp_path, kept, 8))
        assert len(kept) >= 8
        assert kept == sorted(kept)
        assert all(grow(reader.versions) for reader in readers)
        assert len(turned(process, "leads")) == 2


def edition(folder: Path) -> tuple[int, int]:
    """Fence and version of what is kept."""
    with closing(sqlite3.connect(f"file:{folder}/ticker.db-shared?mode=ro", uri=True)) as store:
        fence, version = store.execute("SELECT fence, version FROM editions WHERE part = 'quotes'").fetchone()
    return int(fence), int(version)


async def changed(folder: Path, kept: list[tuple[int, int]], count: int) -> bool:
    """Note what is kept, where it is another; whether there have been so many."""
    if (now := edition(folder)) != kept[-1]:
        kept.append(now)
    return len(kept) >= count


async def test_a_scrape_tells_what_all_have_counted(tmp_path: Path) -> None:
    """Whichever worker is scraped, also when one was killed in between: no request is forgotten or told twice."""
    counter = 'ticker_http_requests_total{code="200",method="GET",route="/v1/instruments"}'
    async with turning() as world, workers(tmp_path, world) as (process, session):
        for _ in range(60):
            async with session.get(f"{process.url}/v1/instruments") as answer:
                assert answer.status == 200
        for _ in range(6):
            told = await samples(session, process.metrics)
            assert told[counter] == 60
            assert told["ticker_leader"] == 1
        os.kill(turned(process, "follows")[-1], signal.SIGKILL)
        await process.said("ticker serves", COUNT + 1)
        for _ in range(6):
            assert (await samples(session, process.metrics))[counter] == 60


async def test_who_starts_the_workers_answers_for_them(tmp_path: Path) -> None:
    """SIGHUP reloads each of them, SIGTERM ends them all and then it, with 0."""
    async with turning() as world, workers(tmp_path, world) as (process, session):
        config = write(tmp_path / "ticker.toml", decimals=4)
        process.send(signal.SIGHUP)
        await process.said("configuration reloaded", COUNT)
        for _ in range(9):
            async with session.get(f"{process.url}/v1/instruments") as answer:
                assert (await answer.json())["instruments"][1]["decimals"] == 4
        async with running_beside(config, world, tmp_path, process.url) as second:
            assert await second.wait() == 1
        process.send(signal.SIGTERM)
        assert await process.ended() == 0
        assert not await answers(session, f"{process.url}/readyz")


async def test_where_the_first_worker_cannot_begin_none_does(tmp_path: Path) -> None:
    """A configuration that no service can be made of stops the start as it does with one process, with 2."""
    config = write(
        tmp_path / "ticker.toml", more='[sources.odd]\nadapter = "odd"\ncalendar = "daily"\nschedule.every = "1h"\n'
    )
    config.write_text(config.read_text().replace('"cbr_mirror"]', '"odd"]'))
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ticker", "serve", "--config", str(config), "--workers", "2", "--port", "0"),
        *("--store", f"sqlite:///{tmp_path}/ticker.db", "--upstream", "http://127.0.0.1:9"),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(REPLACED_SECONDS * 4):
        _, said = await child.communicate()
    assert child.returncode == 2
    assert b"sources.odd.adapter" in said


async def test_no_worker_outlives_who_started_it(tmp_path: Path) -> None:
    """Killed with -9 it can tell nobody anything; they end all the same, and with them their address."""
    async with turning() as world, workers(tmp_path, world) as (process, _):
        pids = {line["pid"] for line in process.lines if line["event"] == "ticker serves"}
        process.send(signal.SIGKILL)
        await process.ended()
        await until(lambda: gone(pids))


async def gone(pids: set[int]) -> bool:
    """Whether none of them runs any more."""
    return not any(map(runs, pids))


def runs(pid: int) -> bool:
    """Whether there is a process of that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@asynccontextmanager
async def running_beside(
    config: Path, world: World, folder: Path, url: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A second service on the same port."""
    environment = {
        **os.environ,
        "TICKER_SERVER__WORKERS": "2",
        "TICKER_SERVER__PORT": url.rpartition(":")[2],
        "TICKER_STORE__URL": f"sqlite:///{folder}/other.db",
    }
    command = (sys.executable, "-m", "ticker", "serve", "--config", str(config), "--upstream", world.upstream.url)
    child = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stderr=asyncio.subprocess.DEVNULL)
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
