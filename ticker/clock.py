"""The service's clock: the machine's, or one that starts at another moment for a replayed upstream."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


def wall() -> datetime:
    """The machine's time, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Shifted:
    """A clock that shows `start` when it is made and then goes on at `speed` seconds a second."""

    start: datetime
    speed: float = 1.0
    _made: float = field(default_factory=time.monotonic)

    def __call__(self) -> datetime:
        """The time it shows."""
        return self.start.astimezone(UTC) + timedelta(seconds=(time.monotonic() - self._made) * self.speed)


class Jumps:
    """Tells when a clock is set: when it goes on by more or less than the time that the machine has been running."""

    # Below this it is drift, a loop that was held up, or a clock of a test that stands still.
    _LEAST = timedelta(seconds=30)

    def __init__(self, clock: Callable[[], datetime], running: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._running = running
        self._seen = (clock(), running())

    def look(self) -> timedelta | None:
        """How far the clock was set since the last look, back where it is negative; None where it was not."""
        (then, before), self._seen = self._seen, (self._clock(), self._running())
        now, after = self._seen
        jump = now - then - timedelta(seconds=after - before)
        return jump if abs(jump) >= self._LEAST else None


class Stepped:
    """A clock that stands still until it is moved: of a recording, or of a drill."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def __call__(self) -> datetime:
        """The time it shows."""
        return self._now

    def to(self, moment: datetime) -> None:
        """Move on to `moment`, if that is later."""
        self._now = max(self._now, moment.astimezone(UTC))

    def set(self, moment: datetime) -> None:
        """Show `moment`, though it may be an earlier one."""
        self._now = moment.astimezone(UTC)
