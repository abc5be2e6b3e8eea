from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.schedule.plans import EVERY, HOUR, MINUTE, MOSCOW, NOW, Standing, cadence, plan

BANK = cadence(cron=("*/10 15-19 * * mon-fri", "7 * * * *"))


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
    assert BANK.after(at(now)) == at(following)
    assert BANK.after(at(now).astimezone(UTC)) == at(following)


def test_a_market_is_asked_every_so_often() -> None:
    """An interval counts from the end of the poll before."""
    assert EVERY.after(NOW) == NOW + MINUTE


def test_a_poll_at_its_own_minute_is_not_repeated() -> None:
    """The next time of a cron line is after now, also where now is that very second."""
    assert cadence(cron=("* * * * *",)).after(NOW) == NOW + MINUTE


@given(st.integers())
def test_regular_polls_are_spread_by_jitter(seed: int) -> None:
    """Never before the regular time, never later than the jitter allows."""
    when = plan(EVERY, seed).next(NOW, Standing(), 1)
    assert NOW + MINUTE <= when <= NOW + MINUTE + EVERY.schedule.jitter


@given(st.integers(), st.integers(1, 5000))
def test_after_a_failure_it_comes_again_sooner(seed: int, failures: int) -> None:
    """Full jitter: at least a second, at most the doubled wait, its limit, or the regular time, whichever is first."""
    hourly = cadence(720, every=HOUR, jitter=timedelta(0))
    wait = plan(hourly, seed).next(NOW, Standing(in_a_row=failures), 1) - NOW
    doubled = timedelta(seconds=5) * 2 ** min(failures - 1, 20)
    assert timedelta(seconds=1) <= wait <= min(doubled, timedelta(minutes=15))


def test_the_waits_of_many_are_spread_over_the_whole_span() -> None:
    """Replicas that failed together do not come back together."""
    hourly = cadence(every=HOUR)
    waits = [plan(hourly, seed).next(NOW, Standing(in_a_row=30), 1) - NOW for seed in range(200)]
    assert min(waits) < timedelta(minutes=1)
    assert max(waits) > timedelta(minutes=14)


def test_back_off_never_makes_it_later_than_usual() -> None:
    """A source that is asked every minute is asked every minute, failing or not."""
    waits = {plan(EVERY, seed).next(NOW, Standing(in_a_row=40), 1) - NOW for seed in range(100)}
    assert max(waits) <= MINUTE + EVERY.schedule.jitter


@pytest.mark.parametrize("minutes", [0.1, 5, 60, 1440])
def test_what_the_upstream_asks_for_is_obeyed(minutes: float) -> None:
    """Neither cadence nor back-off comes before Retry-After has passed."""
    asked = NOW + minutes * MINUTE
    for seed in range(20):
        assert plan(EVERY, seed).next(NOW, Standing(in_a_row=1, retry_at=asked), 1) >= asked


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
    tested = plan(cadence(every=timedelta(seconds=20), budget=budget), seed)
    standing, now, asked = Standing(), NOW, list[datetime]()
    for failed, seconds, wait in polls:
        tested.note(now, cost)
        asked += [now] * cost
        assert len([each for each in asked if each > now - HOUR]) <= budget
        ended = now + timedelta(seconds=seconds)
        standing.in_a_row = standing.in_a_row + 1 if failed else 0
        standing.retry_at = ended + timedelta(seconds=wait) if failed and wait else None
        now = tested.next(ended, standing, cost)
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
    known = plan(cadence(every=timedelta(seconds=1), budget=budget), 1)
    known.note(now - timedelta(minutes=1), spent)
    leader = plan(known.cadence, 1)
    leader.note(now - timedelta(minutes=1), spent)
    untold = min(untold, budget - spent)
    leader.note(now, untold)
    leader.reserve(now, cut, replicas)
    known.presume(now, ago, 1)
    alone = (budget - len(known.asked)) // replicas
    assert spent + untold + cut * alone + (budget - len(leader.asked)) <= budget
