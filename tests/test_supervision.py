"""What runs in the background: restarted with growing pauses, counted, and heard to be alive."""

import asyncio

import pytest

from tests.support.captured_logs import heard
from tests.support.patience import PATIENCE
from ticker.supervision import Supervisor, in_thread


class Timer:
    """A clock in seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_pauses_grow_up_to_five_seconds_and_begin_anew_after_a_good_time() -> None:
    """A task that fails at once is not restarted in a loop, and one that failed last week waits half a second."""
    timer = Timer()
    supervisor = Supervisor(timer)
    assert [supervisor.failed("x", ValueError("no")) for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    timer.now += 60
    assert supervisor.is_up("x")
    assert supervisor.failed("x", ValueError("no")) == 0.5
    assert supervisor.tasks["x"].restarts == 7


def test_what_fails_for_a_minute_is_hopeless_and_what_recovers_is_not() -> None:
    """One fault is no reason to restart the process; a minute of them is."""
    timer = Timer()
    supervisor = Supervisor(timer)
    for _ in range(12):
        supervisor.failed("x", ValueError("no"))
        timer.now += 5
    assert (supervisor.hopeless(60), supervisor.is_up("x")) == (["x"], False)
    timer.now += 10
    assert (supervisor.hopeless(60), supervisor.is_up("x")) == ([], True)


def test_who_is_silent_is_found_by_a_clock_that_nobody_sets() -> None:
    """Only who beats can be missed."""
    timer = Timer()
    supervisor = Supervisor(timer)
    supervisor.beat("replica")
    timer.now += 61
    assert supervisor.hopeless(60) == ["replica"]
    supervisor.beat("replica")
    assert supervisor.hopeless(60) == []


async def test_a_task_that_raises_is_begun_anew_and_one_that_returns_is_not() -> None:
    """The fault is said with the name of the task."""
    runs: list[int] = []

    async def work() -> None:
        runs.append(len(runs))
        if len(runs) < 2:
            raise MemoryError("no room")

    supervisor = Supervisor()
    with heard() as log:
        async with asyncio.timeout(PATIENCE):
            await supervisor.run("x", work)
    assert runs == [0, 1]
    assert supervisor.tasks["x"].restarts == 1
    assert [(line["task"], line["error"]) for line in log] == [("x", "MemoryError: no room")]


async def test_a_thread_tells_what_ended_it() -> None:
    """Even what is no Exception."""

    def die() -> None:
        raise SystemExit("gone")

    with pytest.raises(SystemExit, match="gone"):
        await in_thread("x", die)
