"""The express lane beside the ordinary path without a shelf: the same bytes go to both, the same have to come back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from tests.asked import chunks
from tests.live import NOON
from tests.service import Clock
from tests.wires import Connection, Service, quiet

if TYPE_CHECKING:
    from random import Random
    from types import TracebackType

# Looks, five milliseconds apart.
_PATIENCE = 400
# What a connection is told before another takes its place; after something odd it stays with aiohttp for good.
_TOLD = 12


@dataclass(slots=True)
class Pair:
    """Two connections that are told the same, and what they were told; `express` is how often the lane answered."""

    lane: Connection
    ordinary: Connection
    told: list[bytes] = field(default_factory=list)
    express: int = 0

    def feed(self, data: bytes) -> None:
        """Tell both."""
        self.told.append(data)
        self.lane.feed(data)
        # aiohttp itself never answers before its task has had a turn.
        self.express += bool(self.lane.wire.written)
        self.ordinary.feed(data)

    async def compared(self) -> bool:
        """Whether both are still open. Raises AssertionError where they said different things."""
        ours, theirs = self.lane.wire.said(), self.ordinary.wire.said()
        for _ in range(_PATIENCE):
            if ours == theirs:
                break
            # What is written in a thread may be later on one side.
            await asyncio.sleep(0.005)
            ours, theirs = (
                (said[0] + more[0], more[1])
                for said, more in ((ours, self.lane.wire.said()), (theirs, self.ordinary.wire.said()))
            )
        assert ours == theirs, self.difference(ours[0], theirs[0])
        return ours[1]

    def difference(self, ours: bytes, theirs: bytes) -> str:
        """What both were told, and what they said from where they begin to differ."""
        same = next((at for at, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), 0)
        said = f"the lane said {ours[same : same + 300]!r}\naiohttp said {theirs[same : same + 300]!r}"
        return f"told {self.told!r}\nafter {same} bytes {said}"

    def end(self) -> None:
        """Hang up."""
        for each in (self.lane, self.ordinary):
            each.end()


class Differential:
    """The two services, on one clock."""

    def __init__(self, **flags: object) -> None:
        self.clock = Clock(NOON)
        self.fast = Service(self.clock, shelf=True, lane=True, **flags)
        self.slow = Service(self.clock, shelf=False, lane=False, **flags)
        self.price = 0

    async def __aenter__(self) -> Self:
        for each in (self.fast, self.slow):
            each.context.board.expect(self.clock.now + timedelta(seconds=59.7))
            await each.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self.fast, self.slow):
            await each.stop()

    def pair(self) -> Pair:
        """Two new connections."""
        return Pair(self.fast.connect(), self.slow.connect())

    def change(self, random: Random) -> None:
        """Time goes on, the board changes, the next poll is planned: what answers depend on beside the request."""
        kind, self.price = random.randrange(4), self.price + 1
        if kind == 0:
            self.clock.now += timedelta(seconds=random.choice((0.001, 0.4, 1, 7, 700)))
        for each in (self.fast, self.slow):
            if kind == 1:
                each.live.put({"USD": f"{100 + self.price % 7}.25"})
            elif kind == 2:
                each.context.board.expect(self.clock.now + timedelta(seconds=self.price % 60 + 0.3))

    def counted(self) -> None:
        """Raise AssertionError where the two have counted different answers."""
        ours, theirs = (each.context.traffic.requests for each in (self.fast, self.slow))
        assert +ours == +theirs


async def compare(both: Differential, random: Random, requests: int, *, abreast: int = 128) -> tuple[int, int]:
    """Send `requests` to both, `abreast` connections at a time: how many were sent, and answered by the lane.

    Raises AssertionError at the first difference.
    """
    pairs = [both.pair() for _ in range(abreast)]
    waiting: list[list[bytes]] = [[] for _ in pairs]
    sent = express = 0
    await quiet()
    while sent < requests:
        if random.random() < 0.01:
            both.change(random)
        for each, queue in zip(pairs, waiting, strict=True):
            if not queue:
                queue.extend(chunks(random))
                sent += 1
            each.feed(queue.pop(0))
        await quiet()
        for number, each in enumerate(pairs):
            if not await each.compared() or len(each.told) > _TOLD:
                each.end()
                express += each.express
                pairs[number], waiting[number] = both.pair(), []
    await quiet()
    for each in pairs:
        each.end()
        express += each.express
    await quiet()
    both.counted()
    return sent, express
