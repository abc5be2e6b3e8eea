"""Polls each source when its plan says; its alarm is set anew after each poll."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ticker.clock import Jumps
from ticker.log import Log
from ticker.schedule.alarms import Alarms
from ticker.schedule.budgets import Budgets
from ticker.schedule.polls import Polls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping

    from ticker.schedule.plan import Plan, Standing

log = Log(__name__)


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
        # Who is told that a source is about to be asked; set by the composer.
        self.asking: Callable[[], object] = lambda: None

    def prepare(self) -> None:
        """Import what it takes to start, where that may be done at leisure."""
        self._alarms.prepare()

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

    def hurry(self, source: str) -> None:
        """Ask `source` now instead of at its turn, where it is not being asked, at rest or out of budget."""
        if self._resting or source not in self.budgets.plans or source in self._polls or not self._alarms.running:
            return
        now = self._clock()
        if not self._standing(source).in_a_row and self.budgets.soonest(source, now) <= now:
            self._set(source, now)

    def adopt(self, plans: Mapping[str, Plan], anew: Collection[str]) -> None:
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
        self.asking()
        await self._poll(source)

    def _ended(self, source: str) -> None:
        if source in self.budgets.plans:
            ask = self.budgets.soonest if source in self._again else self.budgets.next
            self._again.discard(source)
            self._set(source, ask(source, self._clock()))
