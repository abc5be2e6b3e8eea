"""When each source is polled next; the only file that knows APScheduler.

One job a source, set anew after every poll: the cadence of the configuration, or earlier after a failure (exponential
back-off with full jitter), or later where the upstream asked for it (`Retry-After`), or the hourly budget is spent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from random import Random
    from zoneinfo import ZoneInfo

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often a source is asked: at cron times in its own zone, or every so often; never above `budget` an hour."""

    zone: ZoneInfo
    every: timedelta | None = None
    cron: tuple[str, ...] = ()
    jitter: timedelta = timedelta(seconds=5)
    budget: int = 120
    backoff: timedelta = timedelta(seconds=5)
    backoff_most: timedelta = timedelta(minutes=15)

    def after(self, now: datetime) -> datetime:
        """The first regular time after `now`, without jitter."""
        times = [trigger.get_next_fire_time(None, now + timedelta(seconds=1)) for trigger in self._triggers()]
        found: list[datetime] = [moment for moment in times if moment is not None]
        if self.every is not None:
            found.append(now + self.every)
        return min(found)

    def _triggers(self) -> list[CronTrigger]:
        return [CronTrigger.from_crontab(line, self.zone) for line in self.cron]


class Standing(Protocol):
    """What the plan reads of a source's health."""

    in_a_row: int
    retry_at: datetime | None
    next_poll: datetime | None


@dataclass(slots=True)
class Plan:
    """The next poll of one source, a function of its cadence, its failures and what it was asked in the last hour."""

    cadence: Cadence
    random: Random
    asked: deque[datetime] = field(default_factory=deque)

    def note(self, now: datetime, requests: int) -> None:
        """Charge `requests` to the budget of the hour."""
        self.asked.extend([now] * requests)
        while self.asked and self.asked[0] <= now - _HOUR:
            self.asked.popleft()

    def next(self, now: datetime, standing: Standing, requests: int) -> datetime:
        """When to ask next, after a poll that ended at `now`; `requests` is what one poll costs."""
        regular = self.cadence.after(now) + self.cadence.jitter * self.random.random()
        when = min(regular, now + self._backoff(standing.in_a_row)) if standing.in_a_row else regular
        if standing.retry_at is not None:
            when = max(when, standing.retry_at)
        return max(when, self.affordable(requests))

    def _backoff(self, failures: int) -> timedelta:
        """Full jitter (AWS, "Exponential Backoff And Jitter"): anything up to the doubled wait, a second at least."""
        most = min(self.cadence.backoff * (1 << min(failures - 1, 20)), self.cadence.backoff_most)
        return max(timedelta(seconds=1), most * self.random.random())

    def affordable(self, requests: int) -> datetime:
        """The first moment at which `requests` more stay within the hourly budget."""
        over = len(self.asked) + requests - self.cadence.budget
        if over <= 0 or not self.asked:
            return datetime.min.replace(tzinfo=self.cadence.zone)
        return self.asked[min(over, len(self.asked)) - 1] + _HOUR


class Timetable:
    """Runs `poll(source)` at once and then whenever its plan says; `planned` is called when a plan has changed.

    `clock` is the service's clock; waiting happens in real time.
    """

    def __init__(
        self,
        plans: Mapping[str, Plan],
        poll: Callable[[str], Awaitable[None]],
        standing: Callable[[str], Standing],
        cost: Callable[[str], int],
        clock: Callable[[], datetime],
        planned: Callable[[], None] = lambda: None,
    ) -> None:
        self._plans = plans
        self._poll = poll
        self._standing = standing
        self._cost = cost
        self._clock = clock
        self._planned = planned
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Poll every source at once, without waiting for a timer, and set the timetable going."""
        self._scheduler.start()
        for source in self._plans:
            self._begin(source)

    def every(self, seconds: float, job: Callable[[], object]) -> None:
        """Run a plain function again and again."""
        self._scheduler.add_job(job, "interval", seconds=seconds)

    def hurry(self, source: str) -> None:
        """Ask `source` now instead of at its turn, where it is not being asked, at rest or out of budget."""
        now, standing = self._clock(), self._standing(source)
        resting = standing.retry_at is not None and standing.retry_at > now
        if source in self._running or resting or standing.in_a_row or not self._scheduler.running:
            return
        if self._plans[source].affordable(self._cost(source)) <= now:
            self._set(source, now)

    async def stop(self) -> None:
        """Cancel what waits and what runs, and return when all of it has ended."""
        self._scheduler.shutdown(wait=False)
        # APScheduler's shutdown takes effect one turn of the loop later.
        await asyncio.sleep(0)
        running = [*self._running.values()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _begin(self, source: str) -> None:
        """A task of our own for each poll, since the scheduler cancels its own without waiting for their end."""
        if source not in self._running:
            self._running[source] = asyncio.create_task(self._run(source))

    async def _due(self, source: str) -> None:
        self._begin(source)

    async def _run(self, source: str) -> None:
        plan, cost = self._plans[source], self._cost(source)
        plan.note(self._clock(), cost)
        try:
            await self._poll(source)
        finally:
            del self._running[source]
            self._set(source, plan.next(self._clock(), self._standing(source), cost))

    def _set(self, source: str, when: datetime) -> None:
        """Make `when`, by the service's clock, the one next poll of `source`."""
        self._standing(source).next_poll = when
        self._planned()
        if self._scheduler.running:
            run_at = datetime.now(when.tzinfo) + (when - self._clock())
            self._scheduler.add_job(self._due, "date", [source], run_date=run_at, id=source, replace_existing=True)
