"""How often a source is asked when all is well."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ticker.values import Struct

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from apscheduler.triggers.cron import CronTrigger


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
