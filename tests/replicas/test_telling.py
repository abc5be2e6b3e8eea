from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ticker.health import Health
from ticker.quotes import Reason, SourceError
from ticker.replicas import coordinator

NOON = datetime(2024, 11, 22, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def ailing() -> Health:
    """A source that answered once and then twice did not."""
    health = Health("cbr")
    health.succeeded(NOON, 2)
    for minutes in (1, 2):
        health.failed(NOON + minutes * MINUTE, SourceError(Reason.RATE_LIMITED, "HTTP 429", retry_after=5 * MINUTE))
    health.next_poll = NOON + 7 * MINUTE
    return health


def test_who_follows_tells_of_a_source_what_the_leader_does() -> None:
    """Last success, reason and the upstream's own word when to come back arrive as they were."""
    there = {"cbr": Health("cbr"), "ecb": Health("ecb")}
    coordinator.health_of_text(coordinator.health_text({"cbr": ailing()}, lambda _: ()), there)
    health_text, health_of_text = ailing(), there["cbr"]
    for name in (
        "last_success",
        "last_failure",
        "next_poll",
        "retry_at",
        "reason",
        "detail",
        "in_a_row",
        "accepted",
        "up",
    ):
        assert getattr(health_of_text, name) == getattr(health_text, name), name
    assert there["ecb"] == Health("ecb")


def test_what_was_polled_is_counted_where_it_was() -> None:
    """A follower has polled nothing, whatever it has heard."""
    there = {"cbr": Health("cbr")}
    coordinator.health_of_text(coordinator.health_text({"cbr": ailing()}, lambda _: ()), there)
    assert there["cbr"].polls == sum(there["cbr"].failures.values()) == 0


def test_no_request_of_the_last_hour_is_forgotten_and_none_dated_too_early() -> None:
    """The next leader charges them to its budget for at least as long as the first would have."""
    asked = [NOON + timedelta(seconds=7 * each) for each in range(40)]
    health_of_text = coordinator.health_of_text(
        coordinator.health_text({"cbr": ailing()}, lambda _: asked), {"cbr": Health("cbr")}
    )["cbr"]
    assert len(health_of_text) == len(asked)
    assert all(timedelta(0) < late - then <= MINUTE for late, then in zip(health_of_text, asked, strict=True))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"cbr": {}}', '{"cbr": 7}', '{"cbr": null}'])
def test_what_cannot_be_read_tells_nothing(text: str) -> None:
    """A text of another version of ours does no harm."""
    there = {"cbr": Health("cbr")}
    assert coordinator.health_of_text(text, there) == {}
    assert there["cbr"] == Health("cbr")
