"""Health in plain numbers, of each source, the store and the process: counted where it happens, read by `/metrics`."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic, perf_counter

from ticker import clock
from ticker.log import Log
from ticker.quotes import Reason, SourceError
from ticker.supervision import Supervisor

log = Log(__name__)

# Seconds. An answer of the Bank takes 0.1 s at best and is given up at ten.
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class Histogram:
    """Plain counters of a Prometheus histogram, in seconds; `counts` has one bucket more than `bounds`, for +Inf."""

    bounds: tuple[float, ...] = BUCKETS
    total: float = 0.0
    counts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = [0] * (len(self.bounds) + 1)

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class Health:
    """How one source fares. `reason` is None while its last poll succeeded."""

    source: str
    polls: int = 0
    failures: Counter[Reason] = field(default_factory=Counter)
    rejected: Counter[tuple[str, Reason]] = field(default_factory=Counter)
    duration: Histogram = field(default_factory=Histogram)
    in_a_row: int = 0
    accepted: int = 0
    rows_skipped: int = 0
    last_success: datetime | None = None
    last_failure: datetime | None = None
    next_poll: datetime | None = None
    retry_at: datetime | None = None
    reason: Reason | None = None
    detail: str | None = None

    @property
    def up(self) -> bool | None:
        """Whether the last poll succeeded; None before the first one has ended."""
        return None if self.last_success is self.last_failure is None else self.reason is None

    def succeeded(self, now: datetime, accepted: int) -> None:
        """Note a poll that gave `accepted` usable numbers; said in the log where it ends a failure."""
        if self.reason is not None:
            log.info("source is back", source=self.source, after_failures=self.in_a_row)
        self.polls += 1
        self.accepted = accepted
        self.last_success = now
        self.in_a_row = 0
        self.reason = self.detail = self.retry_at = None

    def failed(self, now: datetime, error: SourceError) -> None:
        """Note a failed poll; said in the log where its reason is a new one, not at every repetition."""
        if self.reason is not error.reason:
            log.warning("source failed", source=self.source, reason=str(error.reason), detail=error.detail)
        self.polls += 1
        self.failures[error.reason] += 1
        self.last_failure = now
        self.in_a_row += 1
        self.reason, self.detail = error.reason, error.detail
        self.retry_at = None if error.retry_after is None else now + error.retry_after

    def reject(self, symbol: str, reason: Reason) -> None:
        """Note a tick that a rule refused or that the other sources overruled."""
        log.warning("tick rejected", source=self.source, symbol=symbol, reason=str(reason))
        self.rejected[symbol, reason] += 1


# What a store can fail at; every series exists at 0 from the start.
OPERATIONS = ("open", "read", "write", "publish")


@dataclass(slots=True)
class StoreHealth:
    """How the store fares, in plain numbers for `/metrics`."""

    up: bool = True
    failures: Counter[str] = field(default_factory=Counter)
    written: int = 0
    dropped: int = 0
    queued: int = 0


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
