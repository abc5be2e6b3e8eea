"""The waiting: one alarm a source, by a timer that goes on where a clock is set."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from apscheduler.schedulers.asyncio import AsyncIOScheduler


class Alarms:
    """Calls `ring(source)` at the moment that was set last for it; nothing rings before `start`."""

    def __init__(self, ring: Callable[[str], Awaitable[None]]) -> None:
        self._ring = ring
        self._made: AsyncIOScheduler | None = None

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
