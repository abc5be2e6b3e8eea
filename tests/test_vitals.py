import asyncio
import time
from datetime import timedelta

from tests.support.captured_logs import heard
from ticker.process_health import BLOCKED_SECONDS, Vitals


def test_a_refused_configuration_is_remembered_until_a_good_one_comes() -> None:
    """The time is that of the configuration in force."""
    vitals = Vitals()
    since = vitals.reloaded_at
    vitals.reloaded("prot: no such key")
    assert (vitals.reload_error, vitals.reloaded_at) == ("prot: no such key", since)
    vitals.reloaded()
    assert vitals.reload_error is None
    assert vitals.reloaded_at > since


def test_a_timetable_that_runs_nothing_has_stalled() -> None:
    """By the time the machine has been running, whatever its clock is set to."""
    vitals = Vitals()
    assert not vitals.stalled(timedelta(minutes=1))
    vitals.timetable_ran_at -= timedelta(hours=5)
    assert not vitals.stalled(timedelta(minutes=1))
    vitals.ran -= 120
    assert vitals.stalled(timedelta(minutes=1))
    vitals.timetable_ran()
    assert not vitals.stalled(timedelta(minutes=1))


def test_blocking_is_said_when_it_begins() -> None:
    """Once, not at every look; every look is counted."""
    vitals = Vitals()
    with heard() as said:
        for lag in (0.0, BLOCKED_SECONDS, 3.0, 0.01, 1.0):
            vitals.lagged(lag)
    assert [line["seconds"] for line in said] == [BLOCKED_SECONDS, 1.0]
    assert sum(vitals.lag.counts) == 5


async def test_a_blocked_loop_is_measured() -> None:
    """Whoever holds the loop is seen by the watch."""
    vitals = Vitals()
    watch = asyncio.create_task(vitals.watch(0.01))
    await asyncio.sleep(0)
    time.sleep(0.2)  # noqa: ASYNC251 - this is what it is about
    async with asyncio.timeout(10):
        while not sum(vitals.lag.counts):  # noqa: ASYNC110 - the watch rings no bell
            await asyncio.sleep(0)
    watch.cancel()
    assert vitals.lag.total > 0.1
