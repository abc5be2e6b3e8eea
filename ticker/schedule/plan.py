"""When a source is asked next: its cadence, its failures, and what the upstream and its budget allow.

The cadence of the configuration, or earlier after a failure (exponential back-off with full jitter), or later where the
upstream asked for it (`Retry-After`), or the hourly budget is spent.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from ticker.values import Struct, field

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

    from ticker.schedule.cadence import Cadence

_HOUR = timedelta(hours=1)


class Standing(Protocol):
    """What the plan reads of a source's health."""

    in_a_row: int
    retry_at: datetime | None
    next_poll: datetime | None


class Plan(Struct):
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
        regular = self.cadence.after(now) + self.cadence.jitter * self.random.random()
        when = min(regular, now + self._backoff(standing.in_a_row)) if standing.in_a_row else regular
        if standing.retry_at is not None:
            when = max(when, standing.retry_at)
        return max(when, self.affordable(requests))

    def soonest(self, now: datetime, standing: Standing, requests: int) -> datetime:
        """The earliest moment from `now` on that neither the budget nor the upstream's own word forbids."""
        return max(now, standing.retry_at or now, self.affordable(requests))

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
