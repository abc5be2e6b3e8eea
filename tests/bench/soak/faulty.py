"""The four sources of a world on a fast clock, whose answers are faulty in waves."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from aiohttp import web
from aiohttp.web import BaseRequest, StreamResponse

from tests.bench.world import World
from tests.faults.injected import RENAMED
from tests.support import misbehaviour
from tests.support.upstream import Upstream

LEAST, MOST = 0.01, 0.5
WAVE = timedelta(days=2.5)
DAY = timedelta(days=1)
# On the line, and what HTTP says.
TRANSPORT = (
    *("reset", "close", "hang", "latency:0.1", "drip:0.02", "truncate", "empty", "garbage", "html"),
    *("redirect:/cbr/again", "redirect:file:///etc/passwd", "redirect:http://127.0.0.2:9/"),
    *("status:500", "status:502", "status:503", "status:403", "status:404", "retry_after:120", "retry_after:soon"),
)
# Well-formed and wrong. What two sources could only say wrongly together is the backtest's (tests/bench/backtest.py).
CONTENTS = ("tenfold", "tenth", "future", "older", "renamed", "nan")


class Faulty(Upstream):
    """Answers what the world knows at `clock`; of its answers the share of the wave's height is faulty."""

    def __init__(self, world: World, clock: Callable[[], datetime], random: Random) -> None:
        super().__init__()
        self.world = world
        self.clock = clock
        self.began = clock()
        self.given: Counter[str] = Counter()
        self._random = random

    def height(self) -> float:
        """How many of the answers are faulty just now."""
        turns = (self.clock() - self.began) / WAVE
        return LEAST + (MOST - LEAST) * (1 - math.cos(2 * math.pi * turns)) / 2

    async def _respond(self, request: BaseRequest) -> StreamResponse:
        self._hits.clear()
        source = request.path.split("/")[1]
        now = self.clock()
        if any(start <= now < end for start, end in self.world.outages.get(source, ())):
            return await self._fail("status:503", request, b"")
        if self._random.random() >= self.height():
            self.given["well"] += 1
            return web.Response(body=self.told(source, now))
        how = self._random.choice((*TRANSPORT, *CONTENTS))
        if how in CONTENTS:
            self.given[how] += 1
            return web.Response(body=self.wrong(source, now, how))
        return await self._fail(how, request, self.told(source, now))

    async def _fail(self, how: str, request: BaseRequest, body: bytes) -> StreamResponse:
        self.given[how.partition(":")[0]] += 1
        return await misbehaviour.parse(how)(request, body, self._stopping)

    def told(self, source: str, now: datetime, slip: str = "1") -> bytes:
        """What `source` says at `now`, its prices `slip` times what they are."""
        self.world.now, self.world.slip = now, Decimal(slip)
        body: bytes = getattr(self.world, source)()
        self.world.slip = Decimal(1)
        return body

    def wrong(self, source: str, now: datetime, how: str) -> bytes:
        """An answer of that kind."""
        if how == "tenfold":
            return self.told(source, now, "10")
        if how == "tenth":
            # The copy and the second market slip upwards only: two that agree are believed, and rightly so.
            return self.told(source, now, "0.1" if source in {"cbr", "moex"} else "10")
        if how in {"future", "older"}:
            return self.told(source, now + (40 if how == "future" else -3) * DAY)
        body = self.told(source, now)
        if how == "nan":
            return body.replace(b"Value", b"Value>NaN</Value><V").replace(b"0", b"NaN", 3)
        name = next(name for path, name in RENAMED.items() if path.startswith(f"/{source}/"))
        return body.replace(name, name[::-1])
