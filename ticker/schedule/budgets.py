"""What each source may still be asked in the hour: it is one budget, however many replicas ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime, timedelta

    from ticker.schedule.plan import Plan, Standing


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
