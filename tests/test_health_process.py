import asyncio
import time
from datetime import timedelta

from tests.support.captured_logs import heard
from tests.support.patience import PATIENCE
from ticker.health import BLOCKED_SECONDS, ProcessHealth


def test_a_refused_configuration_is_remembered_until_a_good_one_comes() -> None:
    """The time is that of the configuration in force."""
    process_health = ProcessHealth()
    since = process_health.reloaded_at
    process_health.reloaded("prot: no such key")
    assert (process_health.reload_error, process_health.reloaded_at) == ("prot: no such key", since)
    process_health.reloaded()
    assert process_health.reload_error is None
    assert process_health.reloaded_at > since


def test_a_timetable_that_runs_nothing_has_stalled() -> None:
    """By the time the machine has been running, whatever its clock is set to."""
    process_health = ProcessHealth()
    assert not process_health.stalled(timedelta(minutes=1))
    process_health.timetable_ran_at -= timedelta(hours=5)
    assert not process_health.stalled(timedelta(minutes=1))
    process_health.ran -= 120
    assert process_health.stalled(timedelta(minutes=1))
    process_health.timetable_ran()
    assert not process_health.stalled(timedelta(minutes=1))


def test_blocking_is_said_when_it_begins() -> None:
    """Once, not at every look; every look is counted."""
    process_health = ProcessHealth()
    with heard() as said:
        for lag in (0.0, BLOCKED_SECONDS, 3.0, 0.01, 1.0):
            process_health.lagged(lag)
    assert [line["seconds"] for line in said] == [BLOCKED_SECONDS, 1.0]
    assert sum(process_health.lag.counts) == 5


async def test_a_blocked_loop_is_measured() -> None:
    """Whoever holds the loop is seen by the watch."""
    process_health = ProcessHealth()
    watch = asyncio.create_task(process_health.watch(0.01))
    await asyncio.sleep(0)
    time.sleep(0.2)  # noqa: ASYNC251 - this is what it is about
    async with asyncio.timeout(PATIENCE):
        while not sum(process_health.lag.counts):  # noqa: ASYNC110 - the watch rings no bell
            await asyncio.sleep(0)
    watch.cancel()
    assert process_health.lag.total > 0.1
