"""A small world for the operator's tests: Brent at two sources that never close, the dollar at two others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from tests.support.upstream import YAHOO, Upstream
from tests.support.upstreams import forts, yahoo
from ticker.sources import SOURCES

# The sample exchange is a quarter of an hour behind, as the real one is: six seconds later it is late.
CONFIGURATION = """
[calendars.always]
kind = "session"
zone = "UTC"
days = "mon-sun"
opens = "00:00"
closes = "00:00"
delay = "15m"
grace = "{grace}s"

[calendars.daily]
kind = "publication"
zone = "Europe/Moscow"
days = "mon-sun"
at = "16:00"
grace = "3d"
lead = 1

[instruments.USD]
sources = ["cbr", "cbr_mirror"]
max_age = "14d"

[instruments.OIL]
sources = ["moex", "yahoo"]
max_age = "{age}s"
tolerance = 0.05
decimals = {decimals}
"""
SOURCE = """
[sources.{name}]
calendar = "{calendar}"
schedule = {{ every = "{every}", jitter = "0s" }}
budget = 36000
timeout = "2s"
"""
# The shipped configuration lies beneath; of its sources these alone are asked.
LEFT_OUT = """
[sources.{name}]
enabled = false
"""
CALENDARS = {"cbr": "daily", "cbr_mirror": "daily", "moex": "always", "yahoo": "always"}


def write(path: Path, *, decimals: int = 2, every: str = "500ms", grace: int = 6, more: str = "") -> Path:
    """Write the configuration to `path`; the oil is late after `grace` seconds."""
    tables = [SOURCE.format(name=name, calendar=calendar, every=every) for name, calendar in CALENDARS.items()]
    tables += [LEFT_OUT.format(name=name) for name in SOURCES if name not in CALENDARS]
    path.write_text("".join((CONFIGURATION.format(decimals=decimals, grace=grace, age=900 + 2 * grace), *tables, more)))
    return path


class World:
    """The upstreams, answering with the time it is by a clock that is `ahead` of the machine's.

    `frozen` stops their stamps, `yahoo` is that source's price.
    """

    def __init__(self, upstream: Upstream, ahead: timedelta) -> None:
        self.upstream = upstream
        self.ahead = ahead
        self.frozen = False
        self.yahoo = Decimal("73.80")

    def turn(self) -> None:
        """Set the answers of this moment."""
        now = datetime.now(forts.MOSCOW) + self.ahead
        self.upstream.trio(now.date(), now=now)
        then = now - timedelta(minutes=15)
        chart = yahoo.yahoo_chart("BZ=F", "USD", self.yahoo, then, Decimal("72.81"), "FUTURE")
        self.upstream.answer(YAHOO, body=chart)

    async def go_round(self) -> None:
        """Turn for ever."""
        while True:
            if not self.frozen:
                self.turn()
            await asyncio.sleep(0.3)


@asynccontextmanager
async def turning(ahead: timedelta = timedelta(0)) -> AsyncIterator[World]:
    """A world that turns."""
    async with Upstream() as upstream:
        world = World(upstream, ahead)
        world.turn()
        task = asyncio.create_task(world.go_round())
        try:
            yield world
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
