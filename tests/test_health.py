from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.captured_logs import heard
from tests.support.factories import NOON
from ticker.health import BUCKETS, Health, Histogram
from ticker.quotes import Reason, SourceError

DOWN = SourceError(Reason.HTTP_5XX, "HTTP 500")
LIMITED = SourceError(Reason.RATE_LIMITED, "HTTP 429", retry_after=timedelta(minutes=5))


@pytest.fixture
def health() -> Health:
    """Make the health of a source that nobody has asked yet."""
    return Health("cbr")


def test_before_the_first_poll_nothing_is_known(health: Health) -> None:
    """A source that was never asked is neither up nor down."""
    assert (health.up, health.polls, health.last_success, health.reason) == (None, 0, None, None)


def test_a_success_is_noted(health: Health) -> None:
    """When it was and how many numbers it gave."""
    health.succeeded(NOON, 2)
    assert (health.up, health.polls, health.last_success, health.accepted) == (True, 1, NOON, 2)


def test_a_failure_is_counted_by_its_reason(health: Health) -> None:
    """Each kind by itself; the last one is what is wrong now, the last success stays known."""
    health.succeeded(NOON, 2)
    for error in (DOWN, DOWN, LIMITED):
        health.failed(NOON + timedelta(minutes=1), error)
    assert dict(health.failures) == {Reason.HTTP_5XX: 2, Reason.RATE_LIMITED: 1}
    assert (health.up, health.polls, health.in_a_row) == (False, 4, 3)
    assert (health.reason, health.detail) == (Reason.RATE_LIMITED, "HTTP 429")
    assert (health.last_success, health.last_failure) == (NOON, NOON + timedelta(minutes=1))


def test_the_wait_that_was_asked_for_is_a_time(health: Health) -> None:
    """It counts from the failure, and goes with the next answer of any kind."""
    health.failed(NOON, LIMITED)
    assert health.retry_at == NOON + timedelta(minutes=5)
    health.failed(NOON, DOWN)
    assert health.retry_at is None


def test_after_a_success_nothing_is_wrong(health: Health) -> None:
    """Reason, detail, wait and the row of failures go; their counts stay."""
    health.failed(NOON, LIMITED)
    health.succeeded(NOON, 1)
    assert (health.reason, health.detail, health.retry_at, health.in_a_row) == (None, None, None, 0)
    assert health.failures[Reason.RATE_LIMITED] == 1


def test_only_transitions_are_logged(health: Health) -> None:
    """A source that is down for a night says so once, and once more when it is back or down in another way."""
    with heard() as logs:
        for _ in range(3):
            health.succeeded(NOON, 1)
        for _ in range(3):
            health.failed(NOON, DOWN)
        for _ in range(3):
            health.failed(NOON, LIMITED)
        for _ in range(3):
            health.succeeded(NOON, 1)
    told = [(each["event"], each["source"], each.get("reason")) for each in logs]
    assert told == [
        ("source failed", "cbr", "http_5xx"),
        ("source failed", "cbr", "rate_limited"),
        ("source is back", "cbr", None),
    ]


def test_a_rejected_tick_is_counted_by_symbol_and_reason(health: Health) -> None:
    """It says nothing about whether the source is up."""
    health.reject("USD", Reason.UNIT)
    health.reject("USD", Reason.UNIT)
    health.reject("EUR", Reason.RANGE)
    assert dict(health.rejected) == {("USD", Reason.UNIT): 2, ("EUR", Reason.RANGE): 1}
    assert health.up is None


@given(st.lists(st.floats(0, 60), max_size=50))
def test_a_histogram_loses_nothing(seconds: list[float]) -> None:
    """Every duration is in the first bucket whose bound is not below it, the longest in the one for the rest."""
    histogram = Histogram()
    for each in seconds:
        histogram.observe(each)
    bounds = [*BUCKETS, float("inf")]
    below = [sum(each <= bound for each in seconds) for bound in bounds]
    assert [sum(histogram.counts[: place + 1]) for place in range(len(bounds))] == below
    assert histogram.total == pytest.approx(sum(seconds))
