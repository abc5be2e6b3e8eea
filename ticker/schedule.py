"""Polls each source when its plan says; the only file that knows APScheduler. One job a source, set anew after each."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ticker.clock import Jumps
from ticker.log import Log
from ticker.plan import Plan
from ticker.values import Struct

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from apscheduler.schedulers.asyncio import AsyncIOScheduler
    from apscheduler.triggers.cron import CronTrigger

    from ticker.plan import Standing

log = Log(__name__)

__all__ = ["Cadence", "Plan", "Timetable"]


class Cadence(Struct, frozen=True):
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
        from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415 - where all is asked every so often, there is none

        return [CronTrigger.from_crontab(line, self.zone) for line in self.cron]


class Timetable:
    """Runs `poll(source)` at once and then whenever its plan says; `planned` is called when a plan has changed.

    `clock` is the service's clock; waiting happens in real time, by a timer that goes on where a clock is set.
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
        self._made: AsyncIOScheduler | None = None
        self._jumps = Jumps(clock)
        self._ticking: list[asyncio.Task[None]] = []
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._resting = False
        self._share = 1
        # Who is told that a source is about to be asked; set by the composer.
        self.asking: Callable[[], object] = lambda: None

    @property
    def _scheduler(self) -> AsyncIOScheduler:
        from apscheduler.schedulers.asyncio import AsyncIOScheduler  # noqa: PLC0415 - readers are answered before

        self._made = self._made or AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        return self._made

    def prepare(self) -> None:
        """Import what it takes to start, where that may be done at leisure."""
        _ = self._scheduler

    def start(self, *, resting: bool = False) -> None:
        """Set the timetable going; poll every source at once, without waiting for a timer, unless it is `resting`."""
        self._resting = resting
        self._scheduler.start()
        for source in () if resting else self._plans:
            self._begin(source)

    def resume(self, share: int = 1) -> None:
        """Ask again, every source as soon as its budget lets it; `share` are those who ask beside each other."""
        self._resting, self._share = False, share
        for source, plan in self._plans.items():
            if plan.soonest(self._clock(), self._standing(source), self._price(source)) <= self._clock():
                self._begin(source)
            else:
                self._replan(source, now=True)

    def divide(self, share: int) -> None:
        """Go on asking, from now on as one of `share` who do not know of each other."""
        self._share = share
        for source in self._plans:
            if self._scheduler.get_job(source) is None:
                self._replan(source, now=True)

    async def answered(self) -> None:
        """Wait until whoever is being asked has been."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def rest(self) -> None:
        """Ask nobody any more until `resume`; what runs is broken off."""
        self._resting = True
        for source in self._plans:
            if self._scheduler.get_job(source) is not None:
                self._scheduler.remove_job(source)
        for task in self._running.values():
            task.cancel()

    def charge(self, source: str, asked: Sequence[datetime]) -> None:
        """Count what another replica has asked `source` in the last hour as asked by us."""
        if source in self._plans:
            self._plans[source].inherit(asked)

    def presume(self, ago: timedelta) -> None:
        """Count what another replica may have asked in the time `ago` without telling."""
        for source, plan in self._plans.items():
            plan.presume(self._clock(), ago, self._cost(source))

    def reserve(self, parts: int, of: int) -> None:
        """Leave `parts` of `of` replicas, cut off from the others, their share of what is left of every budget."""
        for plan in self._plans.values():
            plan.reserve(self._clock(), parts, of)

    def asked(self, source: str) -> Sequence[datetime]:
        """When `source` was asked in the last hour, as far as it is known here."""
        return self._plans[source].asked if source in self._plans else ()

    def every(self, seconds: float, job: Callable[[], object]) -> None:
        """Run a plain function again and again, in the loop, by a clock that nobody sets."""

        async def run() -> None:
            while True:
                await asyncio.sleep(seconds)
                try:
                    job()
                except Exception:
                    log.exception("a job of the timetable failed")

        self._ticking.append(asyncio.create_task(run()))

    def clock_was_set(self) -> bool:
        """Whether it was since the last look. Where it was set back, nothing waits so much longer for its moment."""
        jump = self._jumps.look()
        if jump is None:
            return False
        log.warning("the clock was set", seconds=round(jump.total_seconds()))
        now, back = self._clock(), min(jump, timedelta(0))
        for source, plan in self._plans.items():
            standing = self._standing(source)
            plan.set_back(now)
            if standing.retry_at is not None:
                standing.retry_at += back
            if source not in self._running and standing.next_poll is not None:
                self._set(source, standing.next_poll + back)
        return True

    def hurry(self, source: str) -> None:
        """Ask `source` now instead of at its turn, where it is not being asked, at rest or out of budget."""
        if self._resting or source not in self._plans or source in self._running or not self._scheduler.running:
            return
        now, standing, cost = self._clock(), self._standing(source), self._price(source)
        if not standing.in_a_row and self._plans[source].soonest(now, standing, cost) <= now:
            self._set(source, now)

    async def stop(self) -> None:
        """Cancel what waits and what runs, and return when all of it has ended."""
        if self._made is not None and self._made.running:
            self._made.shutdown(wait=False)
        # APScheduler's shutdown takes effect one turn of the loop later.
        await asyncio.sleep(0)
        running = [*self._ticking, *self._running.values()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _price(self, source: str) -> int:
        """What one poll costs the budget: the others ask as well, and it is one budget."""
        return self._cost(source) * self._share

    def _enough(self, source: str) -> bool:
        """Whether an hour's budget buys each of those who share it one poll; else none of them asks."""
        plan = self._plans.get(source)
        return self._share == 1 or plan is None or self._price(source) <= plan.cadence.budget

    def _begin(self, source: str) -> None:
        """A task of our own for each poll, since the scheduler cancels its own without waiting for their end."""
        if self._resting or not self._enough(source):
            return
        if source in self._plans and source not in self._running:
            self._running[source] = asyncio.create_task(self._run(source))

    async def _due(self, source: str) -> None:
        self._begin(source)

    def adopt(self, plans: Mapping[str, Plan], anew: Collection[str]) -> None:
        """Go on with `plans`; the sources of `anew` are asked as soon as they may be. What is being asked finishes."""
        former, self._plans = self._plans, plans
        for source in former.keys() - plans.keys():
            if self._scheduler.get_job(source) is not None:
                self._scheduler.remove_job(source)
        for source, plan in plans.items():
            old = former.get(source)
            if old is not None:
                # A reload is no way around the budget.
                plan.asked = old.asked
            if source in anew or old is None or old.cadence != plan.cadence:
                self._replan(source, now=source in anew or old is None)
        self._planned()

    def _replan(self, source: str, *, now: bool) -> None:
        if source in self._running or not self._enough(source):
            self._again.update({source} if now and source in self._running else ())
            return
        moment, standing, cost = self._clock(), self._standing(source), self._price(source)
        soonest = self._plans[source].soonest(moment, standing, cost)
        regular = self._plans[source].next(moment, standing, cost)
        # Reloaded more often than it is asked, a source must still get its turn.
        self._set(source, soonest if now else max(soonest, min(regular, standing.next_poll or regular)))

    def _set(self, source: str, when: datetime) -> None:
        """Make `when`, by the service's clock, the one next poll of `source`."""
        if self._resting:
            return
        self._standing(source).next_poll = when
        self._planned()
        if self._scheduler.running:
            run_at = datetime.now(when.tzinfo) + (when - self._clock())
            self._scheduler.add_job(self._due, "date", [source], run_date=run_at, id=source, replace_existing=True)

    async def _run(self, source: str) -> None:
        self._plans[source].note(self._clock(), self._price(source))
        self.asking()
        try:
            await self._poll(source)
        finally:
            del self._running[source]
            if source in self._plans:
                plan, now, cost = self._plans[source], self._clock(), self._price(source)
                when = (plan.soonest if source in self._again else plan.next)(now, self._standing(source), cost)
                self._again.discard(source)
                self._set(source, when)
