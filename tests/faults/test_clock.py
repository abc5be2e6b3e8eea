"""The machine's clock is set, forwards and back, under a running process (libfaketime)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from tests.faults.faces import Faces, look
from tests.ops.process import Process, answers, running, until
from tests.ops.world import turning, write
from tests.support.programs import missing, needs
from tests.support.upstreams.forts import MOSCOW


@dataclass(frozen=True, slots=True)
class Hands:
    """The hands of the clock that a process sees; they are the true ones until they are set."""

    file: Path

    def put(self, offset: str) -> None:
        """Set the clock so far from the true time: "-1h", "+3d", "+0"."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(f"{offset}\n")
        fresh.replace(self.file)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a process needs to see them: its wall clock only, as when a clock is set."""
        needs("faketime")
        found = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        if not found:
            missing("no libfaketimeMT.so.1 in /usr/lib; Debian's package faketime has it")
        return {
            "LD_PRELOAD": str(found[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }


@pytest.fixture
def hands(tmp_path: Path) -> Hands:
    """The clock of a process to come."""
    made = Hands(tmp_path / "faketime")
    made.put("+0")
    return made


class Looker:
    """Looks at one process again and again."""

    def __init__(self, session: aiohttp.ClientSession, process: Process) -> None:
        self._session = session
        self._process = process

    async def ready(self) -> None:
        """Wait until every number is there."""
        await until(lambda: answers(self._session, f"{self._process.url}/readyz"))

    async def look(self) -> Faces:
        """What it says now."""
        return await look(self._session, self._process.url, self._process.metrics)

    async def status(self, symbol: str, wanted: str) -> bool:
        """Whether the quote has that status."""
        async with self._session.get(f"{self._process.url}/v1/quotes/{symbol}") as response:
            return bool((await response.json())["status"] == wanted)

    async def polls(self) -> float:
        """How often its fastest source was asked."""
        async with self._session.get(f"{self._process.metrics}/metrics") as response:
            text = await response.text()
        return next(float(line.split()[1]) for line in text.splitlines() if 'polls_total{source="moex"}' in line)

    async def polled(self, times: int = 3) -> None:
        """Wait until it was asked so many times more."""
        wanted = await self.polls() + times

        async def reached() -> bool:
            return await self.polls() >= wanted

        await until(reached)


@pytest.mark.programs
async def test_set_back_by_hours_polling_goes_on(tmp_path: Path, hands: Hands) -> None:
    """What waits for a moment waits no longer than it would have; the last numbers stay until then."""
    # By a clock on which five hours ago it is the same day in Moscow, and the same table in force.
    ahead = timedelta(hours=6) if datetime.now(MOSCOW).hour < 6 else timedelta(0)
    hours = ahead // timedelta(hours=1)
    hands.put(f"+{hours}h")
    async with turning(ahead) as world, aiohttp.ClientSession() as session:
        async with running(write(tmp_path / "t.toml"), world.upstream.url, hands.environment) as process:
            looker = Looker(session, process)
            await looker.ready()
            before = (await looker.look()).numbers
            hands.put(f"{hours - 5:+d}h")
            await looker.polled()
            world.frozen = True
            after = await looker.look()
            assert after.numbers["USD"] == before["USD"]
            assert after.ready == 200
            hands.put(f"+{hours}h")
            world.frozen = False
            await looker.polled()
            await until(lambda: looker.status("OIL", "fresh"))


@pytest.mark.programs
async def test_set_forward_by_days_the_numbers_are_old_and_young_again_when_it_is_right(
    tmp_path: Path, hands: Hands
) -> None:
    """By the clock there is, they are stale or gone, and said so; polling goes on, and the right clock mends it all."""
    async with turning() as world, aiohttp.ClientSession() as session:
        async with running(write(tmp_path / "t.toml"), world.upstream.url, hands.environment) as process:
            looker = Looker(session, process)
            await looker.ready()
            hands.put("+3d")
            await until(lambda: looker.status("OIL", "unavailable"))
            await looker.polled()
            hands.put("+0")
            await until(lambda: looker.status("OIL", "fresh"))
            assert (await looker.look()).ready == 200


@pytest.mark.programs
async def test_set_back_by_hours_it_goes_on_leading_over_its_store(tmp_path: Path, hands: Hands) -> None:
    """The thread that holds the lease waits as before, though libfaketime refuses some ways to sleep."""
    store = {"TICKER_STORE__URL": f"sqlite:///{tmp_path}/t.db"}
    async with turning() as world, aiohttp.ClientSession() as session:
        async with running(write(tmp_path / "t.toml"), world.upstream.url, {**hands.environment, **store}) as process:
            looker = Looker(session, process)
            await looker.ready()
            hands.put("-5h")
            await looker.polled(12)
            assert process.count("task failed, it is restarted") == 0
