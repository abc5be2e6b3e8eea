"""Tasks and threads that die in silence: every surface says so, nothing old is fresh, and all comes back."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.patience import PATIENCE
from tests.support.stored_service import Kept, joined, kept
from tests.support.timekeepers import timetable
from tests.support.upstream import DAY, Upstream
from ticker.replicas.lease import Replica
from ticker.storage.base import Lease, Shared

SYMBOLS = ("USD", "EUR", "OIL")
BRACKETS = "update editions set version = version + 9, text = replace(hex(zeroblob(50000)), '0', '[')"


@asynccontextmanager
async def two(folder: Path, upstream: Upstream) -> AsyncIterator[tuple[Kept, Kept]]:
    """The one who polls, and one who follows it, over one SQLite file."""
    url = f"sqlite:///{folder}/ticker.db"
    async with AsyncExitStack() as stack:
        leader = await stack.enter_async_context(kept(url, upstream.url))
        follower = await stack.enter_async_context(joined(url, upstream.url))
        await follower.until(lambda: version(follower) == version(leader))
        await follower.until(lambda: not follower.service.context.process_health.leads)
        yield leader, follower


def version(of: Kept) -> int:
    """What its board shows."""
    return of.service.board.latest.version


def oil(of: Kept) -> str:
    """The price of oil on its board."""
    return str(of.service.board.latest.get("OIL").price)  # type: ignore[union-attr]


def replica(of: Kept) -> Replica:
    """Its part that listens."""
    assert of.service.coordinator is not None
    return of.service.coordinator._replica


def restarts(of: Kept, task: str) -> int:
    """How often its task has failed."""
    found = of.service.context.process_health.supervisor.tasks.get(task)
    return 0 if found is None else found.restarts


class Dying:
    """A store in which to claim costs more memory than there is, while `dies`; everything else it hands on."""

    def __init__(self, store: Shared) -> None:
        self.dies = False
        self._store = store

    def claim(self, name: str, holder: str, ttl: float) -> Lease:
        """Fail as a machine without memory does."""
        if self.dies:
            raise MemoryError("no room for a lease")
        return self._store.claim(name, holder, ttl)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - the store's own
        return getattr(self._store, name)


async def stale(of: Kept) -> bool:
    """Whether JSON, fragment, metrics and readiness all say that nothing there is fresh."""
    board = await of.get("/v1/quotes")
    ready = await of.get("/readyz")
    async with of.client.get("/widget") as answer:
        fragment = await answer.text()
    gauges = [await of.metric(f'ticker_quote_status{{status="stale",symbol="{symbol}"}}') for symbol in SYMBOLS]
    told = [(each["status"], each["reason"]) for each in board["quotes"]]
    assert all(each["price"] is not None for each in board["quotes"])
    each_says = (
        set(told) == {("stale", "frozen")},
        fragment.count('data-status="stale"') >= len(SYMBOLS) and 'data-status="fresh"' not in fragment,
        gauges == [1.0] * len(SYMBOLS),
        {each["reason"] for each in ready["instruments"].values()} == {"frozen"},
    )
    return all(each_says)


async def test_a_follower_whose_thread_dies_shows_nothing_as_fresh_and_recovers(
    tmp_path: Path, upstream: Upstream
) -> None:
    """Without memory to listen the numbers stay, marked within seconds; as soon as there is some they are new."""
    async with two(tmp_path, upstream) as (leader, follower):
        assert not await stale(follower)
        dying = Dying(replica(follower)._store)
        replica(follower)._store = dying
        dying.dies = True
        async with asyncio.timeout(PATIENCE):
            while not await stale(follower):  # noqa: ASYNC110 - the event is in a thread that is dead
                await asyncio.sleep(0.1)
        assert restarts(follower, "replica") >= 1
        assert await follower.metric('ticker_task_restarts_total{task="replica"}') >= 1
        assert await follower.metric('ticker_task_up{task="replica"}') == 0
        assert (await follower.get("/healthz"))["status"] == "alive"
        upstream.trio(DAY, brent="74.01")
        await leader.polled()
        dying.dies = False
        await follower.until(lambda: oil(follower) == "74.01")
        await follower.until(lambda: not replica(follower).cut_off)
        assert {each["status"] for each in (await follower.get("/v1/quotes"))["quotes"]} == {"fresh"}


@pytest.mark.parametrize(
    "spoilt",
    [
        pytest.param("update leases set ends = 'x'", id="ends"),
        pytest.param("update leases set fence = 'x'", id="fence"),
        pytest.param("update leases set holder = x'00ff'", id="holder"),
        pytest.param("update editions set version = 'x'", id="version"),
        pytest.param("update editions set version = 9223372036854775807", id="last version"),
        pytest.param("update leases set fence = 9223372036854775807", id="last fence"),
        pytest.param("update editions set text = 'x'", id="text"),
        pytest.param(BRACKETS, id="brackets"),
        pytest.param("update replicas set ends = 'x'", id="replicas"),
        pytest.param("delete from leases", id="no lease"),
    ],
)
async def test_what_another_program_writes_into_the_shared_file_stops_nobody(
    tmp_path: Path, upstream: Upstream, spoilt: str
) -> None:
    """The next number of whoever polls is shown by who follows, whatever stood there."""
    async with two(tmp_path, upstream) as (leader, follower):
        with closing(sqlite3.connect(tmp_path / "ticker.db-shared", timeout=5)) as file, file:
            file.execute(spoilt)
        for brent in ("74.01", "74.22"):
            upstream.trio(DAY, brent=brent)
            await leader.polled()
            await follower.until(lambda b=brent: oil(follower) == b)  # type: ignore[misc]
        assert not await stale(follower)
        assert (await follower.get("/healthz"))["status"] == "alive"


async def test_a_leader_whose_loop_hangs_lets_go_of_the_lease(tmp_path: Path, upstream: Upstream) -> None:
    """A thread that goes on claiming would keep everybody from polling."""
    async with two(tmp_path, upstream) as (leader, follower):
        # The thread finds that nothing it says is heard.
        replica(leader)._ping = lambda: None  # type: ignore[method-assign]
        await follower.until(lambda: follower.service.context.process_health.leads)


async def test_a_leader_who_cannot_tell_what_it_finds_is_no_leader(tmp_path: Path, upstream: Upstream) -> None:
    """What waits for five seconds to be told is told by another one."""
    async with two(tmp_path, upstream) as (leader, follower):
        replica(leader)._untold_for = lambda: 6.0
        await follower.until(lambda: follower.service.context.process_health.leads)


async def test_a_store_that_breaks_in_an_unknown_way_is_written_to_again(tmp_path: Path, upstream: Upstream) -> None:
    """The fault is counted, and what was found meanwhile is kept."""
    async with kept(f"sqlite:///{tmp_path}/ticker.db", upstream.url) as service:
        await service.written()
        written = service.service.store_writer.store
        flush, faults = type(written).open, list[int]()

        def once() -> bool:
            if not faults:
                faults.append(1)
                raise MemoryError("no room for a row")
            return flush(written)

        written.open = once  # type: ignore[method-assign]
        upstream.trio(DAY, brent="74.01")
        await service.polled()
        await service.written()
        assert restarts(service, "store") == 1
        history = await service.get("/v1/quotes/OIL/history?from=2024-11-22")
        assert [each["price"] for each in history["points"]] == [74.01]


async def test_a_stream_goes_on_after_a_fault_of_who_tells_it(tmp_path: Path, upstream: Upstream) -> None:
    """Its readers stay, and get the newest."""
    async with kept(f"sqlite:///{tmp_path}/ticker.db", upstream.url) as service:
        async with service.client.get("/v1/stream") as stream:
            await stream.content.readline()
            board = service.service.board
            bell, board._bell = board._bell, asyncio.Event()
            # Whoever waits for the board is told that it broke.
            for waiter in bell._waiters:
                waiter.set_exception(MemoryError("no room for an event"))
            upstream.trio(DAY, brent="74.01")
            await service.polled()
            async with asyncio.timeout(PATIENCE):
                async for line in stream.content:
                    if b"74.01" in line:
                        break
        assert restarts(service, "stream") == 1


async def test_a_poll_that_nobody_makes_is_planned_anew(tmp_path: Path, upstream: Upstream) -> None:
    """A timer that was lost is found by a clock that nobody sets."""
    async with kept(f"sqlite:///{tmp_path}/ticker.db", upstream.url) as service:
        made = timetable(service.service)
        made._scheduler.remove_all_jobs()
        made._rings["moex"] = time.monotonic() - 60
        await service.until(lambda: made._scheduler.get_job("moex") is not None or made.polls("moex"))
