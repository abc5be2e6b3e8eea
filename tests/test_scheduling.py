"""The scheduler of the polls: its plans by the day, and its timers in real time."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.patience import PATIENCE
from ticker.scheduling import Plan, PollScheduler, check_cron
from ticker.settings.models import Schedule

MOSCOW: Final = ZoneInfo("Europe/Moscow")
NOW: Final = datetime(2024, 11, 22, 12, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)


def schedule(**fields: Any) -> Schedule:  # noqa: ANN401 - any field of a schedule
    """A schedule in Moscow, without jitter unless it is given."""
    return Schedule(**{"zone": MOSCOW, "jitter": timedelta(0), **fields})


EVERY: Final = schedule(every=MINUTE, jitter=timedelta(seconds=10))


@dataclass(slots=True)
class State:
    """How a source fares, as far as a plan asks."""

    in_a_row: int = 0
    retry_at: datetime | None = None
    next_poll: datetime | None = None


def plan(how_often: Schedule, budget: int = 120, seed: int = 1) -> Plan:
    """A plan with its own luck."""
    return Plan(how_often, budget, Random(seed))  # noqa: S311 - jitter, not a secret


BANK = schedule(cron=("*/10 15-19 * * mon-fri", "7 * * * *"))


def at(text: str) -> datetime:
    """A Moscow time."""
    return datetime.fromisoformat(text).replace(tzinfo=MOSCOW)


@pytest.mark.parametrize(
    ("now", "following"),
    [
        ("2024-11-22 14:30:00", "2024-11-22 15:00:00"),
        ("2024-11-22 15:00:00", "2024-11-22 15:07:00"),
        ("2024-11-22 15:07:30", "2024-11-22 15:10:00"),
        ("2024-11-22 19:51:00", "2024-11-22 20:07:00"),
        ("2024-11-23 15:00:00", "2024-11-23 15:07:00"),  # Saturday: once an hour
        ("2024-11-23 15:08:00", "2024-11-23 16:07:00"),
    ],
)
def test_the_bank_is_asked_often_when_its_table_is_due(now: str, following: str) -> None:
    """Several cron lines go together, each in the source's own zone."""
    assert plan(BANK).next(at(now), State(), 1) == at(following)
    assert plan(BANK).next(at(now).astimezone(UTC), State(), 1) == at(following)


def test_a_market_is_asked_every_so_often() -> None:
    """An interval counts from the end of the poll before."""
    assert plan(schedule(every=MINUTE)).next(NOW, State(), 1) == NOW + MINUTE


def test_a_poll_at_its_own_minute_is_not_repeated() -> None:
    """The next time of a cron line is after now, also where now is that very second."""
    each_minute = plan(schedule(cron=("* * * * *",)))
    assert each_minute.next(NOW, State(), 1) == NOW + MINUTE
    # Where a timer rang a little early by the service's clock, that minute is not asked for twice.
    early = NOW - timedelta(milliseconds=5)
    assert each_minute.next(early, State(next_poll=NOW), 1) == NOW + MINUTE


@given(st.integers())
def test_regular_polls_are_spread_by_jitter(seed: int) -> None:
    """Never before the regular time, never later than the jitter allows."""
    when = plan(EVERY, seed=seed).next(NOW, State(), 1)
    assert NOW + MINUTE <= when <= NOW + MINUTE + EVERY.jitter


@given(st.integers(), st.integers(1, 5000))
def test_after_a_failure_it_comes_again_sooner(seed: int, failures: int) -> None:
    """Full jitter: at least a second, at most the doubled wait, its limit, or the regular time, whichever is first."""
    hourly = schedule(every=HOUR)
    wait = plan(hourly, 720, seed).next(NOW, State(in_a_row=failures), 1) - NOW
    doubled = timedelta(seconds=5) * 2 ** min(failures - 1, 20)
    assert timedelta(seconds=1) <= wait <= min(doubled, timedelta(minutes=15))


def test_the_waits_of_many_are_spread_over_the_whole_span() -> None:
    """Replicas that failed together do not come back together."""
    hourly = schedule(every=HOUR)
    waits = [plan(hourly, seed=seed).next(NOW, State(in_a_row=30), 1) - NOW for seed in range(200)]
    assert min(waits) < timedelta(minutes=1)
    assert max(waits) > timedelta(minutes=14)


def test_back_off_never_makes_it_later_than_usual() -> None:
    """A source that is asked every minute is asked every minute, failing or not."""
    waits = {plan(EVERY, seed=seed).next(NOW, State(in_a_row=40), 1) - NOW for seed in range(100)}
    assert max(waits) <= MINUTE + EVERY.jitter


@pytest.mark.parametrize("minutes", [0.1, 5, 60, 1440])
def test_what_the_upstream_asks_for_is_obeyed(minutes: float) -> None:
    """Neither cadence nor back-off comes before Retry-After has passed."""
    asked = NOW + minutes * MINUTE
    for seed in range(20):
        assert plan(EVERY, seed=seed).next(NOW, State(in_a_row=1, retry_at=asked), 1) >= asked


@given(
    budget=st.integers(1, 12),
    cost=st.integers(1, 3),
    seed=st.integers(),
    polls=st.lists(st.tuples(st.booleans(), st.integers(0, 30), st.integers(0, 90)), min_size=1, max_size=60),
)
def test_the_budget_of_an_hour_is_never_exceeded(
    budget: int, cost: int, seed: int, polls: list[tuple[bool, int, int]]
) -> None:
    """Whatever fails, however long it takes and whatever it asks for: in no hour more requests than the budget."""
    budget = max(budget, cost)
    tested = plan(schedule(every=timedelta(seconds=20), jitter=timedelta(seconds=5)), budget, seed)
    state, now, asked = State(), NOW, list[datetime]()
    for failed, seconds, wait in polls:
        tested.charge(now, cost)
        asked += [now] * cost
        assert len([each for each in asked if each > now - HOUR]) <= budget
        ended = now + timedelta(seconds=seconds)
        state.in_a_row = state.in_a_row + 1 if failed else 0
        state.retry_at = ended + timedelta(seconds=wait) if failed and wait else None
        now = tested.next(ended, state, cost)
        assert now > ended


@given(
    replicas=st.integers(2, 9),
    cut=st.integers(1, 8),
    spent=st.integers(0, 60),
    untold=st.integers(0, 5),
)
def test_replicas_that_are_cut_off_and_those_that_are_not_keep_one_budget(
    replicas: int, cut: int, spent: int, untold: int
) -> None:
    """Each cut off asks its share of what it knew to be left, the leader what it then leaves: no more than there is."""
    cut, budget, ago = min(cut, replicas - 1), 60, timedelta(seconds=5)
    now = datetime(2024, 11, 22, 12, tzinfo=MOSCOW)
    known = plan(schedule(every=timedelta(seconds=1), jitter=timedelta(seconds=5)), budget)
    known.charge(now - timedelta(minutes=1), spent)
    leader = plan(known.schedule, budget)
    leader.charge(now - timedelta(minutes=1), spent)
    untold = min(untold, budget - spent)
    leader.charge(now, untold)
    leader.reserve(now, cut, replicas)
    known.presume(now, ago, 1)
    alone = (budget - len(known.asked)) // replicas
    assert spent + untold + cut * alone + (budget - len(leader.asked)) <= budget


@pytest.mark.parametrize("line", ["61 * * * *", "0 0 31 2 *", "* * *"])
def test_a_cron_line_that_names_no_time_is_refused(line: str) -> None:
    """The thirty-first of February never comes."""
    with pytest.raises(ValueError, match=r"."):
        check_cron(Schedule.model_construct(cron=(line,), zone=MOSCOW, jitter=timedelta(0)))


def test_cron_times_follow_the_clock_of_their_zone() -> None:
    """New York's eight o'clock is at 13:00 UTC in winter and at 12:00 in summer."""
    eight = plan(schedule(cron=("0 8 * * *",), zone=ZoneInfo("America/New_York")))
    for now, hour in ((datetime(2024, 1, 15, tzinfo=UTC), 13), (datetime(2024, 7, 15, tzinfo=UTC), 12)):
        assert eight.next(now, State(), 1) == now.replace(hour=hour)


@dataclass(slots=True)
class Polls:
    """Sources that a scheduler polls, and what it did; a gate that is not set holds a poll where it is."""

    done: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    planned: int = 0
    set_by: timedelta = timedelta(0)
    states: dict[str, State] = field(default_factory=lambda: {"a": State(), "b": State()})
    bell: asyncio.Condition = field(default_factory=asyncio.Condition)
    all_planned: asyncio.Event = field(default_factory=asyncio.Event)
    gates: dict[str, asyncio.Event] = field(default_factory=lambda: {"a": asyncio.Event(), "b": asyncio.Event()})

    def scheduler(self, every: timedelta) -> PollScheduler:
        plans = {source: plan(schedule(every=every)) for source in "ab"}
        return PollScheduler(plans, self.poll, self.states.__getitem__, lambda _: 1, self.clock, self.note)

    def clock(self) -> datetime:
        """The true time, unless the clock was set."""
        return clock() + self.set_by

    def note(self) -> None:
        self.planned += 1
        if self.planned == len(self.states):
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
            await asyncio.wait_for(self.bell.wait_for(lambda: self.done.count(source) >= times), PATIENCE)


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
    scheduler = polls.scheduler(timedelta(milliseconds=20))
    scheduler.start()
    await polls.count("a", 3)
    await polls.count("b", 3)
    await scheduler.stop()
    assert polls.done[:2] == ["a", "b"]
    assert polls.planned >= 4


async def test_everybody_can_see_when_a_source_is_polled_next(polls: Polls) -> None:
    """The plan stands in the source's health as soon as a poll has ended."""
    scheduler = polls.scheduler(HOUR)
    began = clock()
    scheduler.start()
    await asyncio.wait_for(polls.all_planned.wait(), PATIENCE)
    await scheduler.stop()
    for state in polls.states.values():
        assert state.next_poll is not None
        assert began + HOUR <= state.next_poll <= clock() + HOUR


async def test_a_source_that_hangs_keeps_no_other_waiting(polls: Polls) -> None:
    """Each source has its own pace, and never two polls at once."""
    polls.gates["a"].clear()
    scheduler = polls.scheduler(timedelta(milliseconds=10))
    scheduler.start()
    await polls.count("b", 4)
    assert polls.done.count("a") == 1
    polls.gates["a"].set()
    await polls.count("a", 2)
    await scheduler.stop()


async def test_stop_ends_first_polls_that_hang(polls: Polls) -> None:
    """When stop returns no poll is under way any more."""
    for gate in polls.gates.values():
        gate.clear()
    scheduler = polls.scheduler(HOUR)
    scheduler.start()
    await polls.count("b", 1)
    async with asyncio.timeout(PATIENCE):
        await scheduler.stop()
    assert sorted(polls.ended) == ["a", "b"]


async def test_stop_ends_later_polls_too(polls: Polls) -> None:
    """Polls that the timer began have ended as well when stop returns: what they use is closed next."""
    scheduler = polls.scheduler(timedelta(milliseconds=10))
    scheduler.start()
    await polls.count("b", 1)
    polls.gates["b"].clear()
    await polls.count("b", polls.done.count("b") + 1)
    async with asyncio.timeout(PATIENCE):
        await scheduler.stop()
    assert polls.ended.count("b") == polls.done.count("b")


async def test_a_source_can_be_asked_before_its_turn(polls: Polls) -> None:
    """A doubt is settled by asking at once."""
    scheduler = polls.scheduler(HOUR)
    scheduler.start()
    await asyncio.wait_for(polls.all_planned.wait(), PATIENCE)
    scheduler.poll_now("b")
    await polls.count("b", 2)
    await scheduler.stop()
    assert polls.done == ["a", "b", "b"]


@pytest.mark.parametrize("state", [State(in_a_row=1), State(retry_at=datetime.max.replace(tzinfo=UTC)), State()])
async def test_nothing_overrides_failure_wait_or_budget(polls: Polls, state: State) -> None:
    """Who fails, asked us to stay away or has had its hour's requests is asked at its turn."""
    scheduler = polls.scheduler(HOUR)
    scheduler.start()
    await asyncio.wait_for(polls.all_planned.wait(), PATIENCE)
    before = polls.states["b"].next_poll
    state.next_poll = before
    polls.states["b"] = state
    if state == State(next_poll=before):
        scheduler.plans["b"].charge(clock(), 120)
    scheduler.poll_now("b")
    await scheduler.stop()
    assert (polls.done, state.next_poll) == (["a", "b"], before)


async def test_a_poll_under_way_is_not_begun_again(polls: Polls) -> None:
    """Never two polls of one source at once."""
    polls.gates["b"].clear()
    scheduler = polls.scheduler(HOUR)
    scheduler.start()
    await polls.count("b", 1)
    scheduler.poll_now("b")
    assert polls.states["b"].next_poll is None
    await scheduler.stop()
    assert polls.done.count("b") == 1


async def test_a_plain_job_runs_again_and_again(polls: Polls) -> None:
    """Ageing goes on while nobody polls."""
    scheduler = polls.scheduler(HOUR)
    ticked, enough = list[int](), asyncio.Event()

    def job() -> None:
        ticked.append(1)
        if len(ticked) == 3:
            enough.set()

    scheduler.start()
    scheduler.every(0.02, job)
    await asyncio.wait_for(enough.wait(), PATIENCE)
    await scheduler.stop()


async def test_a_job_that_fails_runs_again(polls: Polls) -> None:
    """One bad second is not the end of ageing."""
    scheduler, ticked, enough = polls.scheduler(HOUR), list[int](), asyncio.Event()

    def job() -> None:
        ticked.append(1)
        if len(ticked) == 2:
            enough.set()
        raise ValueError("once")

    scheduler.start()
    scheduler.every(0.02, job)
    await asyncio.wait_for(enough.wait(), PATIENCE)
    await scheduler.stop()


async def test_a_clock_set_back_makes_nobody_wait_longer(polls: Polls) -> None:
    """The moments that are waited for, the upstream's own among them, go back too; the hour's requests stay spent."""
    scheduler = polls.scheduler(HOUR)
    scheduler.start()
    await asyncio.wait_for(polls.all_planned.wait(), PATIENCE)
    state, plan = polls.states["a"], scheduler.plans["a"]
    before, waiting = state.next_poll, clock() + timedelta(days=1)
    state.retry_at = waiting
    assert before is not None
    assert not scheduler.clock_was_set()
    polls.set_by = -5 * HOUR
    assert scheduler.clock_was_set()
    await scheduler.stop()
    after = state.next_poll
    assert after is not None
    assert abs(before - 5 * HOUR - after) < MINUTE
    assert abs(waiting - 5 * HOUR - state.retry_at) < MINUTE
    assert len(plan.asked) == 1
    assert plan.asked[0] <= polls.clock()


async def test_a_clock_set_forward_makes_what_is_due_begin(polls: Polls) -> None:
    """As after a machine has slept: what is overdue is asked at once, what the upstream asked for stays."""
    scheduler = polls.scheduler(HOUR)
    scheduler.start()
    await asyncio.wait_for(polls.all_planned.wait(), PATIENCE)
    polls.set_by = 2 * HOUR
    assert scheduler.clock_was_set()
    await polls.count("b", 2)
    await scheduler.stop()


async def test_a_poll_that_is_broken_off_before_its_first_step_is_over(polls: Polls) -> None:
    """Told to rest in the turn in which it was asked, a source is not taken to be under way for ever."""
    scheduler = polls.scheduler(HOUR)
    scheduler.start()
    assert scheduler.polls("a")
    scheduler.rest()
    await scheduler.answered()
    assert not scheduler.polls("a")
    scheduler.resume()
    await polls.count("a", 1)
    await scheduler.stop()


async def test_a_poll_that_raises_is_told_and_comes_again(polls: Polls, caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours in one source ends neither its turns nor the others'."""

    async def broken(source: str) -> None:
        polls.done.append(source)
        raise ValueError("broken")

    plans = {"a": plan(schedule(every=timedelta(milliseconds=10)))}
    scheduler = PollScheduler(plans, broken, polls.states.__getitem__, lambda _: 1, polls.clock)
    scheduler.start()
    async with asyncio.timeout(PATIENCE):
        while len(polls.done) < 3:  # noqa: ASYNC110 - nothing rings where a poll fails
            await asyncio.sleep(0.01)
    await scheduler.stop()
    assert "a poll failed" in caplog.messages
