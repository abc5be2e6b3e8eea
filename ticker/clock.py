"""The service's clock: the machine's, or one that starts at another moment for a replayed upstream."""

from __future__ import annotations

import time
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


class Stepped:
    """A clock that stands still until it is moved on; it never goes back."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def __call__(self) -> datetime:
        """The time it shows."""
        return self._now

    def to(self, moment: datetime) -> None:
        """Move on to `moment`, if that is later."""
        self._now = max(self._now, moment.astimezone(UTC))
