from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ticker.clock import Jumps, Shifted

NOON = datetime(2024, 11, 22, 12, tzinfo=UTC)


class Watch:
    """A clock, and a running time beside it."""

    def __init__(self) -> None:
        self.now = NOON
        self.running = 1000.0

    def go(self, seconds: float, clock: float | None = None) -> None:
        """Run on for `seconds`; the clock goes on by as much, or by `clock` seconds."""
        self.running += seconds
        self.now += timedelta(seconds=seconds if clock is None else clock)

    def jumps(self) -> Jumps:
        """What watches it."""
        return Jumps(lambda: self.now, lambda: self.running)


@pytest.mark.parametrize("hours", [-5, 72])
def test_a_clock_that_is_set_is_told_of_once(hours: int) -> None:
    """By how much, whatever time went by meanwhile."""
    watch = Watch()
    jumps = watch.jumps()
    watch.go(1)
    assert jumps.look() is None
    watch.go(7, 7 + hours * 3600)
    assert jumps.look() == timedelta(hours=hours)
    watch.go(1)
    assert jumps.look() is None


@pytest.mark.parametrize(("seconds", "clock"), [(3600, 3600), (1, 1.2), (20, 0), (1, 25), (0, -29)])
def test_going_on_drifting_and_standing_still_are_no_jumps(seconds: float, clock: float) -> None:
    """However long nobody looked."""
    watch = Watch()
    jumps = watch.jumps()
    watch.go(seconds, clock)
    assert jumps.look() is None


def test_a_shifted_clock_goes_on_from_where_it_starts() -> None:
    """At its own speed."""
    shown = Shifted(NOON, 1000.0)
    assert NOON <= shown() < NOON + timedelta(days=1)
