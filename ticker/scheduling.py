"""When each source is asked, within its budget; the only room that knows APScheduler.

`cadence` is how often, `plan` when next, `budgets` what may still be asked, as one of how many; `alarms` is the
waiting, `polls` what is under way, `timetable` joins them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Protocol

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from ticker.clock import Jumps
from ticker.log import Log
from ticker.settings.models import Schedule

# How often a source is asked when all is well.


_HOUR = timedelta(hours=1)
_FIRST_BACKOFF, _LONGEST_BACKOFF = timedelta(seconds=5), timedelta(minutes=15)
# Any moment does: a cron line that names a time names one in the years after it.
_SOME_MOMENT = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often a source is asked: by its schedule, and never above `budget` requests an hour."""

    schedule: Schedule
    budget: int = 120

    @property
    def backoff(self) -> timedelta:
        """The wait after a first failure. To repeat it must not spend the hour: a small budget waits longer."""
        return max(_FIRST_BACKOFF, _HOUR / (4 * self.budget))

    def after(self, now: datetime) -> datetime:
        """The first regular time after `now`, without jitter. Raises ValueError for cron lines that name none."""
        if self.schedule.every is not None:
            return now + self.schedule.every
        triggers = [CronTrigger.from_crontab(line, self.schedule.zone) for line in self.schedule.cron]
        after = now + timedelta(seconds=1)
        times: list[datetime | None] = [trigger.get_next_fire_time(None, after) for trigger in triggers]
        return min(moment for moment in times if moment is not None)


def check_cron(schedule: Schedule) -> None:
    """Raises ValueError for a cron line of `schedule` that names no time which ever comes."""
    for line in schedule.cron:
        trigger = CronTrigger.from_crontab(line, schedule.zone)
        if trigger.get_next_fire_time(None, _SOME_MOMENT) is None:
            raise ValueError(f"{line!r} names no time that ever comes")


# When a source is asked next: its cadence, its failures, and what the upstream and its budget allow.
#
# The cadence of the configuration, or earlier after a failure (exponential back-off with full jitter), or later where
# the upstream asked for it (`Retry-After`), or the hourly budget is spent.


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

    def set_back(self, now: datetime) -> None:
        """The clock was set back to `now`: what was asked later than that was asked just now, as far as we know."""
        self.asked = deque(min(moment, now) for moment in self.asked)

    def inherit(self, asked: Sequence[datetime]) -> None:
        """Charge what another replica says was asked of late; who knows of more is nearer to the truth."""
        if len(asked) > len(self.asked):
            self.asked = deque(asked)

    def presume(self, now: datetime, ago: timedelta, requests: int) -> None:
        """Charge what whoever asked until now may have asked in the time `ago`, and could not tell any more."""
        moment = now - ago
        while (moment := self.cadence.after(moment)) <= now and len(self.asked) < self.cadence.budget:
            self.note(now, requests)

    def reserve(self, now: datetime, parts: int, of: int) -> None:
        """Leave to `parts` replicas that are cut off what each of `of` may ask: its share of what is left."""
        self.note(now, max(0, self.cadence.budget - len(self.asked)) // of * parts)

    def next(self, now: datetime, standing: Standing, requests: int) -> datetime:
        """When to ask next, after a poll that ended at `now`; `requests` is what one poll costs."""
        regular = self.cadence.after(now) + self.cadence.schedule.jitter * self.random.random()
        when = min(regular, now + self._backoff(standing.in_a_row)) if standing.in_a_row else regular
        if standing.retry_at is not None:
            when = max(when, standing.retry_at)
        return max(when, self.affordable(requests))

    def soonest(self, now: datetime, standing: Standing, requests: int) -> datetime:
        """The earliest moment from `now` on that neither the budget nor the upstream's own word forbids."""
        return max(now, standing.retry_at or now, self.affordable(requests))

    def _backoff(self, failures: int) -> timedelta:
        """Full jitter (AWS, "Exponential Backoff And Jitter"): anything up to the doubled wait, a second at least."""
        most = min(self.cadence.backoff * (1 << min(failures - 1, 20)), _LONGEST_BACKOFF)
        return max(timedelta(seconds=1), most * self.random.random())

    def affordable(self, requests: int) -> datetime:
        """The first moment at which `requests` more stay within the hourly budget."""
        over = len(self.asked) + requests - self.cadence.budget
        if over <= 0 or not self.asked:
            return datetime.min.replace(tzinfo=UTC)
        return self.asked[min(over, len(self.asked)) - 1] + _HOUR


# What each source may still be asked in the hour: it is one budget, however many replicas ask.


class Budgets:
    """The plans of all sources, and `share`, the number of those who ask beside each other and do not know of it.

    `standing` is how a source fares, `cost` how many requests one poll of it takes.
    """

    def __init__(
        self,
        plans: Mapping[str, Plan],
        standing: Callable[[str], Standing],
        cost: Callable[[str], int],
        clock: Callable[[], datetime],
    ) -> None:
        self.plans = plans
        self.share = 1
        self._standing = standing
        self._cost = cost
        self._clock = clock

    def soonest(self, source: str, now: datetime) -> datetime:
        """The earliest moment from `now` on at which `source` may be asked."""
        return self.plans[source].soonest(now, self._standing(source), self._price(source))

    def next(self, source: str, now: datetime) -> datetime:
        """When `source` is asked after a poll that ended at `now`."""
        return self.plans[source].next(now, self._standing(source), self._price(source))

    def spend(self, source: str) -> None:
        """One poll of `source` begins."""
        self.plans[source].note(self._clock(), self._price(source))

    def enough(self, source: str) -> bool:
        """Whether an hour's budget buys each of those who share it one poll; else none of them asks."""
        plan = self.plans.get(source)
        return self.share == 1 or plan is None or self._price(source) <= plan.cadence.budget

    def _price(self, source: str) -> int:
        """What one poll costs the budget: the others ask as well."""
        return self._cost(source) * self.share

    def asked(self, source: str) -> Sequence[datetime]:
        """When `source` was asked in the last hour, as far as it is known here."""
        return self.plans[source].asked if source in self.plans else ()

    def charge(self, source: str, asked: Sequence[datetime]) -> None:
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

    def set_back(self, now: datetime) -> None:
        """The clock was set to `now`: nothing was asked later than that."""
        for plan in self.plans.values():
            plan.set_back(now)


# The polls under way: of one source never two.


class Polls:
    """Each a task of our own, since the scheduler cancels its own without waiting for their end.

    `ended(source)` is called after each poll, however it ended.
    """

    def __init__(self, poll: Callable[[str], Awaitable[None]], ended: Callable[[str], object]) -> None:
        self._poll = poll
        self._ended = ended
        self._running: dict[str, asyncio.Future[None]] = {}

    def __contains__(self, source: str) -> bool:
        """Whether `source` is being asked."""
        return source in self._running

    def begin(self, source: str) -> None:
        """Ask `source`, which is not being asked."""
        self._running[source] = task = asyncio.ensure_future(self._poll(source))
        # Not the end of a function of ours: one that is broken off before it has begun never gets there.
        task.add_done_callback(lambda _: self._over(source))

    def _over(self, source: str) -> None:
        del self._running[source]
        self._ended(source)

    async def answered(self) -> None:
        """Wait until whoever is being asked has been."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def cancel(self) -> None:
        """Break off what runs."""
        for task in self._running.values():
            task.cancel()


# The waiting: one alarm a source, by a timer that goes on where a clock is set.


class Alarms:
    """Calls `ring(source)` at the moment that was set last for it; nothing rings before `start`."""

    def __init__(self, ring: Callable[[str], Awaitable[None]]) -> None:
        self._ring = ring
        self._made: AsyncIOScheduler | None = None

    @property
    def _scheduler(self) -> AsyncIOScheduler:

        self._made = self._made or AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        return self._made

    @property
    def running(self) -> bool:
        """Whether anything rings."""
        return self._made is not None and self._made.running

    def start(self) -> None:
        """From now on what is set rings."""
        self._scheduler.start()

    def set(self, source: str, moment: datetime) -> None:
        """Ring for `source` at `moment` of the machine's clock, and at no other."""
        if self.running:
            self._scheduler.add_job(self._ring, "date", [source], run_date=moment, id=source, replace_existing=True)

    def is_set(self, source: str) -> bool:
        """Whether it will ring for `source`."""
        return self._made is not None and self._made.get_job(source) is not None

    def drop(self, source: str) -> None:
        """Do not ring for `source`."""
        if self.is_set(source):
            self._scheduler.remove_job(source)

    async def stop(self) -> None:
        """Ring no more."""
        if self._made is not None and self._made.running:
            self._made.shutdown(wait=False)
        # APScheduler's shutdown takes effect one turn of the loop later.
        await asyncio.sleep(0)


# Polls each source when its plan says; its alarm is set anew after each poll.


log = Log(__name__)


class Timetable:
    """Runs `poll(source)` at once and then whenever its plan says.

    `planned` is called when a plan has changed, `asking` when a source is about to be asked.
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
        asking: Callable[[], object] = lambda: None,
    ) -> None:
        # What may still be asked; of several replicas each knows what the others have spent.
        self.budgets = Budgets(plans, standing, cost, clock)
        self._poll = poll
        self._polls = Polls(self._ask, self._ended)
        self._standing = standing
        self._clock = clock
        self._planned = planned
        self._alarms = Alarms(self._due)
        self._jumps = Jumps(clock)
        self._ticking: list[asyncio.Task[None]] = []
        self._again: set[str] = set()
        self._resting = False
        self._asking = asking

    def start(self, *, resting: bool = False) -> None:
        """Set the timetable going; poll every source at once, without waiting for a timer, unless it is `resting`."""
        self._resting = resting
        self._alarms.start()
        for source in () if resting else self.budgets.plans:
            self._begin(source)

    def resume(self, share: int = 1) -> None:
        """Ask again, every source as soon as its budget lets it; `share` are those who ask beside each other."""
        self._resting, self.budgets.share = False, share
        for source in self.budgets.plans:
            if self.budgets.soonest(source, self._clock()) <= self._clock():
                self._begin(source)
            else:
                self._replan(source, now=True)

    def divide(self, share: int) -> None:
        """Go on asking, from now on as one of `share` who do not know of each other."""
        self.budgets.share = share
        for source in self.budgets.plans:
            if not self._alarms.is_set(source):
                self._replan(source, now=True)

    async def answered(self) -> None:
        """Wait until whoever is being asked has been."""
        await self._polls.answered()

    def rest(self) -> None:
        """Ask nobody any more until `resume`; what runs is broken off."""
        self._resting = True
        for source in self.budgets.plans:
            self._alarms.drop(source)
        self._polls.cancel()

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
        self.budgets.set_back(now)
        for source in self.budgets.plans:
            standing = self._standing(source)
            if standing.retry_at is not None:
                standing.retry_at += back
            if source not in self._polls and standing.next_poll is not None:
                self._set(source, standing.next_poll + back)
        return True

    def poll_now(self, source: str) -> None:
        """Ask `source` now instead of at its turn, where it is not being asked, at rest or out of budget."""
        if self._resting or source not in self.budgets.plans or source in self._polls or not self._alarms.running:
            return
        now = self._clock()
        if not self._standing(source).in_a_row and self.budgets.soonest(source, now) <= now:
            self._set(source, now)

    def reload(self, plans: Mapping[str, Plan], anew: Collection[str]) -> None:
        """Go on with `plans`; the sources of `anew` are asked as soon as they may be. What is being asked finishes."""
        former, self.budgets.plans = self.budgets.plans, plans
        for source in former.keys() - plans.keys():
            self._alarms.drop(source)
        for source, plan in plans.items():
            old = former.get(source)
            if old is not None:
                # A reload is no way around the budget.
                plan.asked = old.asked
            if source in anew or old is None or old.cadence != plan.cadence:
                self._replan(source, now=source in anew or old is None)
        self._planned()

    async def stop(self) -> None:
        """Cancel what waits and what runs, and return when all of it has ended."""
        await self._alarms.stop()
        for task in self._ticking:
            task.cancel()
        self._polls.cancel()
        await asyncio.gather(*self._ticking, self._polls.answered(), return_exceptions=True)

    def _begin(self, source: str) -> None:
        if self._resting or not self.budgets.enough(source):
            return
        if source in self.budgets.plans and source not in self._polls:
            self._polls.begin(source)

    async def _due(self, source: str) -> None:
        self._begin(source)

    def _replan(self, source: str, *, now: bool) -> None:
        if source in self._polls or not self.budgets.enough(source):
            self._again.update({source} if now and source in self._polls else ())
            return
        moment = self._clock()
        soonest, regular = self.budgets.soonest(source, moment), self.budgets.next(source, moment)
        # Reloaded more often than it is asked, a source must still get its turn.
        planned = self._standing(source).next_poll or regular
        self._set(source, soonest if now else max(soonest, min(regular, planned)))

    def _set(self, source: str, when: datetime) -> None:
        """Make `when`, by the service's clock, the one next poll of `source`."""
        if self._resting:
            return
        self._standing(source).next_poll = when
        self._planned()
        self._alarms.set(source, self._really(when))

    def _really(self, when: datetime) -> datetime:
        """The machine's time at `when`."""
        return datetime.now(when.tzinfo) + (when - self._clock())

    async def _ask(self, source: str) -> None:
        self.budgets.spend(source)
        self._asking()
        await self._poll(source)

    def _ended(self, source: str) -> None:
        if source in self.budgets.plans:
            ask = self.budgets.soonest if source in self._again else self.budgets.next
            self._again.discard(source)
            self._set(source, ask(source, self._clock()))
