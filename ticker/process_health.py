"""How the process itself fares, in plain numbers: its configuration, its timetable, its event loop.

Every time here is the machine's, whatever clock the quotes live on: an alert compares it with Prometheus's own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic, perf_counter

from ticker import clock
from ticker.health import Histogram
from ticker.log import Log
from ticker.supervision import Supervisor

log = Log(__name__)

# Seconds. Below the first nobody notices; at the last a reader has left.
LAG_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
# How often the loop is looked at, and from which lag on it is said to have been blocked.
LOOK_SECONDS = 0.25
BLOCKED_SECONDS = 0.5


@dataclass(slots=True)
class ProcessHealth:
    """`reload_error` is None while the configuration in force is the newest one that was asked for."""

    reloaded_at: datetime = field(default_factory=clock.wall)
    reload_error: str | None = None
    timetable_ran_at: datetime = field(default_factory=clock.wall)
    # The same by a clock that nobody sets: a second's leap must not restart us, nor an hour back hide that we hang.
    ran: float = field(default_factory=monotonic)
    lag: Histogram = field(default_factory=lambda: Histogram(LAG_BUCKETS))
    blocked: bool = False
    draining: bool = False
    # Whether this process polls the sources, and how many share the store with it, itself among them.
    leads: bool = True
    replicas: int = 1
    # What runs in the background, by name.
    supervisor: Supervisor = field(default_factory=Supervisor)
    # Lines of the log that nobody took in time.
    log_lines_dropped: Callable[[], int] = lambda: 0

    def reloaded(self, error: str | None = None) -> None:
        """Note an attempt to take a new configuration; `error` says why it was refused."""
        self.reload_error = error
        if error is None:
            self.reloaded_at = clock.wall()

    def timetable_ran(self) -> None:
        """Note that the timetable still runs its jobs."""
        self.timetable_ran_at, self.ran = clock.wall(), monotonic()

    def stalled(self, patience: timedelta) -> bool:
        """Whether the timetable has run nothing for longer than `patience`."""
        return monotonic() - self.ran > patience.total_seconds()

    def lagged(self, seconds: float) -> None:
        """Note how late the loop woke us; said in the log where blocking begins, not at every look."""
        self.lag.observe(seconds)
        blocked = seconds >= BLOCKED_SECONDS
        if blocked and not self.blocked:
            log.warning("event loop was blocked", seconds=round(seconds, 3))
        self.blocked = blocked

    async def watch(self, look: float = LOOK_SECONDS) -> None:
        """Measure the loop's lag every `look` seconds, for as long as it runs."""
        while True:
            due = perf_counter() + look
            await asyncio.sleep(look)
            self.lagged(max(0.0, perf_counter() - due))
