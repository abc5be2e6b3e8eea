"""When each source is asked; the only file that knows APScheduler.

APScheduler's triggers say the regular times with their jitter, its scheduler waits for them, and its jobs never run
twice at once. Ours is only what it lacks: an hourly budget, back-off, `Retry-After`, and a clock that is set.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from ticker.clock import Jumps
from ticker.log import Log
from ticker.settings.models import Schedule

log = Log(__name__)

_HOUR, _FIRST_BACKOFF, _LONGEST_BACKOFF = timedelta(hours=1), timedelta(seconds=5), timedelta(minutes=15)
# A timer may ring so much before its moment of another clock; that moment is not taken a second time.
_EARLY = timedelta(seconds=1)
# A poll that is due for so long, though nobody makes it, has lost its timer.
_LOST_SECONDS = 30.0
# What is late is still run, once; and never beside itself.
_JOB_DEFAULTS = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}


def trigger_of(schedule: Schedule, jitter: float | None = None) -> BaseTrigger:
    """The regular times of `schedule`, up to `jitter` seconds late. Raises ValueError for a cron line that is none."""
    if schedule.every is not None:
        return IntervalTrigger(seconds=schedule.every.total_seconds(), timezone=UTC, jitter=jitter)
    triggers = [CronTrigger.from_crontab(line, schedule.zone) for line in schedule.cron]
    for each in triggers:
        each.jitter = jitter
    return OrTrigger(triggers)


def check_cron(schedule: Schedule) -> None:
    """Raises ValueError for a cron line of `schedule` that names no time which ever comes."""
    any_moment = datetime(2024, 1, 1, tzinfo=UTC)
    for line in schedule.cron:
        if CronTrigger.from_crontab(line, schedule.zone).get_next_fire_time(None, any_moment) is None:
            raise ValueError(f"{line!r} names no time that ever comes")


class PollState(Protocol):
    """What a plan reads of a source's health, and writes: when it is polled next."""

    in_a_row: int
    retry_at: datetime | None
    next_poll: datetime | None


@dataclass(slots=True)
class Plan:
    """When one source is asked: by its schedule, and never above `budget` requests an hour.

    `asked` holds a moment for each request of the last hour.
    """

    schedule: Schedule
    budget: int
    random: Random
    asked: deque[datetime] = field(default_factory=deque)

    @property
    def trigger(self) -> BaseTrigger:
        """Its regular times, with jitter."""
        return trigger_of(self.schedule, self.schedule.jitter.total_seconds() or None)

    def next(self, now: datetime, state: PollState, requests: int) -> datetime:
        """When to ask next, after a poll that ended at `now`; `requests` is what one poll costs.

        Regularly, or earlier after a failure; never before the upstream and the budget allow it.
        """
        planned = state.next_poll
        early = planned is not None and self.schedule.cron and now < planned <= now + _EARLY
        when = _after(planned if planned is not None and early else now, self.trigger)
        if state.in_a_row:
            when = min(when, now + self._backoff(state.in_a_row))
        return max(when, self.soonest(now, state, requests))

    def soonest(self, now: datetime, state: PollState, requests: int) -> datetime:
        """The earliest moment from `now` on that neither the budget nor `Retry-After` forbids."""
        return max(now, state.retry_at or now, self._affordable(now, requests))

    def charge(self, now: datetime, requests: int) -> None:
        """Charge `requests` to the budget of the hour."""
        self.asked.extend([now] * requests)
        while self.asked and self.asked[0] <= now - _HOUR:
            self.asked.popleft()

    def inherit(self, asked: Sequence[datetime]) -> None:
        """Charge what another replica says was asked of late; who knows of more is nearer to the truth."""
        if len(asked) > len(self.asked):
            self.asked = deque(asked)

    def presume(self, now: datetime, ago: timedelta, requests: int) -> None:
        """Charge what whoever asked until now may have asked in the time `ago`, and could not tell any more."""
        moment, trigger = now - ago, trigger_of(self.schedule)
        while (moment := _after(moment, trigger)) <= now and len(self.asked) < self.budget:
            self.charge(now, requests)

    def reserve(self, now: datetime, parts: int, of: int) -> None:
        """Leave to `parts` replicas that are cut off what each of `of` may ask: its share of what is left."""
        self.charge(now, max(0, self.budget - len(self.asked)) // of * parts)

    def _affordable(self, now: datetime, requests: int) -> datetime:
        """The first moment at which `requests` more stay within the hourly budget."""
        over = len(self.asked) + requests - self.budget
        return self.asked[min(over, len(self.asked)) - 1] + _HOUR if over > 0 and self.asked else now

    def _backoff(self, failures: int) -> timedelta:
        """Full jitter (AWS, "Exponential Backoff And Jitter"): anything up to the doubled wait, a second at least.

        To repeat the first wait must not spend the hour: a small budget waits longer.
        """
        first = max(_FIRST_BACKOFF, _HOUR / (4 * self.budget))
        most = min(first * (1 << min(failures - 1, 20)), _LONGEST_BACKOFF)
        return max(timedelta(seconds=1), most * self.random.random())


def _after(moment: datetime, trigger: BaseTrigger) -> datetime:
    return trigger.get_next_fire_time(moment, moment) or datetime.max.replace(tzinfo=UTC)


class PollScheduler:
    """Runs `poll(source)` at once and then whenever its plan says; of one source never twice at the same time.

    `state` is how a source fares, `cost` how many requests a poll of it takes, `clock` the service's clock. It calls
    `planned` when a plan has changed and `asking` when a source is about to be asked.
    """

    def __init__(
        self,
        plans: Mapping[str, Plan],
        poll: Callable[[str], Awaitable[None]],
        state: Callable[[str], PollState],
        cost: Callable[[str], int],
        clock: Callable[[], datetime],
        planned: Callable[[], None] = lambda: None,
        asking: Callable[[], object] = lambda: None,
    ) -> None:
        self.plans = plans
        # The number of those who ask beside each other and do not know of it: an hour's budget is one for all of them.
        self.share = 1
        self._poll = poll
        self._state = state
        self._cost = cost
        self._clock = clock
        self._planned = planned
        self._asking = asking
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults=_JOB_DEFAULTS)
        self._jumps = Jumps(clock)
        # The polls under way. They are tasks of ours: APScheduler cancels its own without waiting for their end.
        self._polls: dict[str, asyncio.Task[None]] = {}
        self._repeated: list[asyncio.Task[None]] = []
        # Sources that are asked again as soon as the poll under way has ended.
        self._again: set[str] = set()
        # When the timer of each source rings, by a clock that nobody sets.
        self._rings: dict[str, float] = {}
        self._resting = False

    def polls(self, source: str) -> bool:
        """Whether `source` is being asked."""
        return source in self._polls

    def start(self, *, resting: bool = False) -> None:
        """Set the timers going; poll every source at once, without waiting for one, unless it is `resting`."""
        self._resting = resting
        self._scheduler.start()
        for source in () if resting else self.plans:
            self._begin(source)

    def resume(self, share: int = 1) -> None:
        """Ask again, every source as soon as its budget lets it; `share` are those who ask beside each other."""
        self._resting, self.share = False, share
        for source in self.plans:
            if self._soonest(source) <= self._clock():
                self._begin(source)
            else:
                self._replan(source, at_once=True)

    def divide(self, share: int) -> None:
        """Go on asking, from now on as one of `share` who do not know of each other."""
        self.share = share
        for source in self.plans:
            if self._scheduler.get_job(source) is None:
                self._replan(source, at_once=True)

    def rest(self) -> None:
        """Ask nobody any more until `resume`; what runs is broken off."""
        self._resting = True
        self._rings.clear()
        self._scheduler.remove_all_jobs()
        for task in self._polls.values():
            task.cancel()

    def poll_now(self, source: str) -> None:
        """Ask `source` now instead of at its turn, where it is not being asked, at rest or out of budget."""
        if source not in self.plans or source in self._polls or not self._scheduler.running:
            return
        if not self._state(source).in_a_row and (soonest := self._soonest(source)) <= self._clock():
            self._set(source, soonest)

    def reload(self, plans: Mapping[str, Plan], anew: Collection[str]) -> None:
        """Go on with `plans`; the sources of `anew` are asked as soon as they may be. What is being asked finishes."""
        former, self.plans = self.plans, plans
        for job in self._scheduler.get_jobs():
            if job.id not in plans:
                job.remove()
                self._rings.pop(job.id, None)
        for source, plan in plans.items():
            old = former.get(source)
            if old is not None:
                # A reload is no way around the budget.
                plan.asked = old.asked
            if source in anew or old is None or (old.schedule, old.budget) != (plan.schedule, plan.budget):
                self._replan(source, at_once=source in anew or old is None)
        self._planned()

    async def answered(self) -> None:
        """Wait until whoever is being asked has been."""
        await asyncio.gather(*self._polls.values(), return_exceptions=True)

    async def stop(self) -> None:
        """Cancel what waits and what runs, and return when all of it has ended."""
        self._resting = True
        for task in (*self._repeated, *self._polls.values()):
            task.cancel()
        await asyncio.gather(*self._repeated, *self._polls.values(), return_exceptions=True)
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        # APScheduler's shutdown takes effect one turn of the loop later.
        await asyncio.sleep(0)

    def every(self, seconds: float, job: Callable[[], object]) -> None:
        """Run a plain function again and again, in the loop, by a clock that nobody sets."""

        async def run() -> None:
            while True:
                await asyncio.sleep(seconds)
                try:
                    job()
                except Exception:
                    log.exception("a repeated job failed")

        self._repeated.append(asyncio.create_task(run()))

    def clock_was_set(self) -> bool:
        """Whether it was since the last look. Where it was set back, nothing waits so much longer for its moment."""
        jump = self._jumps.look()
        if jump is None:
            return False
        log.warning("the clock was set", seconds=round(jump.total_seconds()))
        now, back = self._clock(), min(jump, timedelta(0))
        for source, plan in self.plans.items():
            # What seems to have been asked later than now was asked just now.
            plan.asked = deque(min(moment, now) for moment in plan.asked)
            state = self._state(source)
            if state.retry_at is not None:
                state.retry_at += back
            if source not in self._polls and state.next_poll is not None:
                self._set(source, state.next_poll + back)
        return True

    def revive(self) -> list[str]:
        """Plan anew whoever should have been asked long ago and was not: a timer was lost; who that is."""
        late = time.monotonic() - _LOST_SECONDS
        lost = [source for source, due in self._rings.items() if due < late and source not in self._polls]
        for source in lost:
            log.error("a poll was due and nobody made it, it is planned anew", source=source)
            self._set(source, self._soonest(source))
        return lost

    def asked(self, source: str) -> Sequence[datetime]:
        """When `source` was asked in the last hour, as far as it is known here."""
        return self.plans[source].asked if source in self.plans else ()

    def inherit(self, source: str, asked: Sequence[datetime]) -> None:
        """Count what another replica has asked `source` in the last hour as asked by us."""
        if source in self.plans:
            self.plans[source].inherit(asked)

    def presume(self, ago: timedelta) -> None:
        """Count what another replica may have asked in the time `ago` without telling."""
        for source, plan in self.plans.items():
            plan.presume(self._clock(), ago, self._cost(source))

    def reserve(self, parts: int, of: int) -> None:
        """Leave `parts` of `of` replicas, cut off from the others, their share of what is left of every budget."""
        for plan in self.plans.values():
            plan.reserve(self._clock(), parts, of)

    def _begin(self, source: str) -> None:
        """Ask `source`, where it may be asked and is not being asked."""
        if self._resting or source not in self.plans or source in self._polls or not self._enough(source):
            return
        self._rings.pop(source, None)
        task = self._polls[source] = asyncio.ensure_future(self._ask(source))
        # A callback, since a task that is broken off before it has begun runs no line of its own.
        task.add_done_callback(lambda _: self._ended(source))

    async def _due(self, source: str) -> None:
        """The job that APScheduler runs, a coroutine so that it runs on the loop."""
        if (soonest := self._soonest(source)) <= self._clock():
            self._begin(source)
        elif source not in self._polls:
            self._set(source, soonest)

    async def _ask(self, source: str) -> None:
        self.plans[source].charge(self._clock(), self._price(source))
        self._asking()
        await self._poll(source)

    def _ended(self, source: str) -> None:
        task = self._polls.pop(source)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a poll failed", source=source, error=f"{type(error).__name__}: {error}")
        if source in self.plans:
            now, plan, again = self._clock(), self.plans[source], source in self._again
            self._again.discard(source)
            ask = plan.soonest if again else plan.next
            self._set(source, ask(now, self._state(source), self._price(source)))

    def _set(self, source: str, when: datetime) -> None:
        """Make `when`, by the service's clock, the next poll of `source`; its trigger goes on from there."""
        if not self._resting:
            self._state(source).next_poll = when
            self._planned()
        if not self._resting and self._scheduler.running:
            trigger, due = self.plans[source].trigger, self._machine_time(when)
            self._rings[source] = time.monotonic() + (when - self._clock()).total_seconds()
            self._scheduler.add_job(self._due, trigger, [source], id=source, next_run_time=due, replace_existing=True)

    def _replan(self, source: str, *, at_once: bool) -> None:
        if source in self._polls or not self._enough(source):
            self._again.update({source} if at_once and source in self._polls else ())
            return
        state, soonest = self._state(source), self._soonest(source)
        regular = self.plans[source].next(self._clock(), state, self._price(source))
        # Reloaded more often than it is asked, a source must still get its turn.
        self._set(source, soonest if at_once else max(soonest, min(regular, state.next_poll or regular)))

    def _soonest(self, source: str) -> datetime:
        return self.plans[source].soonest(self._clock(), self._state(source), self._price(source))

    def _enough(self, source: str) -> bool:
        """Whether an hour's budget buys each of those who share it one poll; else none of them asks."""
        return self.share == 1 or self._price(source) <= self.plans[source].budget

    def _price(self, source: str) -> int:
        """What one poll costs the budget: the others ask as well."""
        return self._cost(source) * self.share

    def _machine_time(self, when: datetime) -> datetime:
        """The machine's time at `when` of the service's clock."""
        return datetime.now(UTC) + (when - self._clock())
