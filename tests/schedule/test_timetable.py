from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from tests.schedule.plans import EVERY, HOUR, MINUTE, Standing, cadence, plan
from ticker.scheduling import Timetable


@dataclass(slots=True)
class Polls:
    """Sources that a timetable polls, and what it did; a gate that is not set holds a poll where it is."""

    done: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    planned: int = 0
    set_by: timedelta = timedelta(0)
    standings: dict[str, Standing] = field(default_factory=lambda: {"a": Standing(), "b": Standing()})
    bell: asyncio.Condition = field(default_factory=asyncio.Condition)
    all_planned: asyncio.Event = field(default_factory=asyncio.Event)
    gates: dict[str, asyncio.Event] = field(default_factory=lambda: {"a": asyncio.Event(), "b": asyncio.Event()})

    def timetable(self, every: timedelta) -> Timetable:
        plans = {source: plan(cadence(every=every, jitter=timedelta(0))) for source in "ab"}
        return Timetable(plans, self.poll, self.standings.__getitem__, lambda _: 1, self.clock, self.note)

    def clock(self) -> datetime:
        """The true time, unless the clock was set."""
        return clock() + self.set_by

    def note(self) -> None:
        self.planned += 1
        if self.planned == len(self.standings):
            self.all_planned.set()

    async def poll(self, source: str) -> None:
        async with self.bell:
            self.done.append(source)
            self.bell.notify_all()
        try:
            await self.gates[source].wait()
        finally:
            for _ in range(9):  # to close a connection takes some turns of the loop
                await asyncio.sleep(0)
            self.ended.append(source)

    async def count(self, source: str, times: int) -> None:
        async with self.bell:
            await asyncio.wait_for(self.bell.wait_for(lambda: self.done.count(source) >= times), 10)


def clock() -> datetime:
    """The true time."""
    return datetime.now(UTC)


@pytest.fixture
def polls() -> Polls:
    """Make sources whose polls end at once."""
    made = Polls()
    made.gates["a"].set()
    made.gates["b"].set()
    return made


async def test_the_first_poll_is_at_once_and_then_by_plan(polls: Polls) -> None:
    """No timer is waited for at the start; afterwards each source is polled again and again."""
    timetable = polls.timetable(timedelta(milliseconds=20))
    timetable.start()
    await polls.count("a", 3)
    await polls.count("b", 3)
    await timetable.stop()
    assert polls.done[:2] == ["a", "b"]
    assert polls.planned >= 4


async def test_everybody_can_see_when_a_source_is_polled_next(polls: Polls) -> None:
    """The plan stands in the source's health as soon as a poll has ended."""
    timetable = polls.timetable(HOUR)
    began = clock()
    timetable.start()
    await asyncio.wait_for(polls.all_planned.wait(), 10)
    await timetable.stop()
    for standing in polls.standings.values():
        assert standing.next_poll is not None
        assert began + HOUR <= standing.next_poll <= clock() + HOUR


async def test_a_source_that_hangs_keeps_no_other_waiting(polls: Polls) -> None:
    """Each source has its own pace, and never two polls at once."""
    polls.gates["a"].clear()
    timetable = polls.timetable(timedelta(milliseconds=10))
    timetable.start()
    await polls.count("b", 4)
    assert polls.done.count("a") == 1
    polls.gates["a"].set()
    await polls.count("a", 2)
    await timetable.stop()


async def test_stop_ends_first_polls_that_hang(polls: Polls) -> None:
    """When stop returns no poll is under way any more."""
    for gate in polls.gates.values():
        gate.clear()
    timetable = polls.timetable(HOUR)
    timetable.start()
    await polls.count("b", 1)
    async with asyncio.timeout(5):
        await timetable.stop()
    assert sorted(polls.ended) == ["a", "b"]


async def test_stop_ends_later_polls_too(polls: Polls) -> None:
    """Polls that the timer began have ended as well when stop returns: what they use is closed next."""
    timetable = polls.timetable(timedelta(milliseconds=10))
    timetable.start()
    await polls.count("b", 1)
    polls.gates["b"].clear()
    await polls.count("b", polls.done.count("b") + 1)
    async with asyncio.timeout(5):
        await timetable.stop()
    assert polls.ended.count("b") == polls.done.count("b")


async def test_a_source_can_be_asked_before_its_turn(polls: Polls) -> None:
    """A doubt is settled by asking at once."""
    timetable = polls.timetable(HOUR)
    timetable.start()
    await asyncio.wait_for(polls.all_planned.wait(), 10)
    timetable.poll_now("b")
    await polls.count("b", 2)
    await timetable.stop()
    assert polls.done == ["a", "b", "b"]


@pytest.mark.parametrize(
    "standing", [Standing(in_a_row=1), Standing(retry_at=datetime.max.replace(tzinfo=UTC)), Standing()]
)
async def test_no_hurry_overrides_failure_wait_or_budget(polls: Polls, standing: Standing) -> None:
    """Who fails, asked us to stay away or has had its hour's requests is asked at its turn."""
    timetable = polls.timetable(HOUR)
    timetable.start()
    await asyncio.wait_for(polls.all_planned.wait(), 10)
    before = polls.standings["b"].next_poll
    standing.next_poll = before
    polls.standings["b"] = standing
    if standing == Standing(next_poll=before):
        timetable.budgets.plans["b"].note(clock(), EVERY.budget)
    timetable.poll_now("b")
    await timetable.stop()
    assert (polls.done, standing.next_poll) == (["a", "b"], before)


async def test_a_poll_under_way_is_not_hurried(polls: Polls) -> None:
    """Never two polls of one source at once."""
    polls.gates["b"].clear()
    timetable = polls.timetable(HOUR)
    timetable.start()
    await polls.count("b", 1)
    timetable.poll_now("b")
    assert polls.standings["b"].next_poll is None
    await timetable.stop()
    assert polls.done.count("b") == 1


async def test_a_plain_job_runs_again_and_again(polls: Polls) -> None:
    """Ageing goes on while nobody polls."""
    timetable = polls.timetable(HOUR)
    ticked, enough = list[int](), asyncio.Event()

    def job() -> None:
        ticked.append(1)
        if len(ticked) == 3:
            enough.set()

    timetable.start()
    timetable.every(0.02, job)
    await asyncio.wait_for(enough.wait(), 10)
    await timetable.stop()


async def test_a_job_that_fails_runs_again(polls: Polls) -> None:
    """One bad second is not the end of ageing."""
    timetable, ticked, enough = polls.timetable(HOUR), list[int](), asyncio.Event()

    def job() -> None:
        ticked.append(1)
        if len(ticked) == 2:
            enough.set()
        raise ValueError("once")

    timetable.start()
    timetable.every(0.02, job)
    await asyncio.wait_for(enough.wait(), 10)
    await timetable.stop()


async def test_a_clock_set_back_makes_nobody_wait_longer(polls: Polls) -> None:
    """The moments that are waited for, the upstream's own among them, go back too; the hour's requests stay spent."""
    timetable = polls.timetable(HOUR)
    timetable.start()
    await asyncio.wait_for(polls.all_planned.wait(), 10)
    standing, plan = polls.standings["a"], timetable.budgets.plans["a"]
    before, waiting = standing.next_poll, clock() + timedelta(days=1)
    standing.retry_at = waiting
    assert before is not None
    assert not timetable.clock_was_set()
    polls.set_by = -5 * HOUR
    assert timetable.clock_was_set()
    await timetable.stop()
    after = standing.next_poll
    assert after is not None
    assert abs(before - 5 * HOUR - after) < MINUTE
    assert abs(waiting - 5 * HOUR - standing.retry_at) < MINUTE
    assert len(plan.asked) == 1
    assert plan.asked[0] <= polls.clock()


async def test_a_clock_set_forward_makes_what_is_due_begin(polls: Polls) -> None:
    """As after a machine has slept: what is overdue is asked at once, what the upstream asked for stays."""
    timetable = polls.timetable(HOUR)
    timetable.start()
    await asyncio.wait_for(polls.all_planned.wait(), 10)
    polls.set_by = 2 * HOUR
    assert timetable.clock_was_set()
    await polls.count("b", 2)
    await timetable.stop()
