"""The fast path beside the ordinary one, with a cache and without: the same bytes in, the same have to come out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from types import TracebackType
from typing import Any, Self

from tests.support.requests_corpus import chunks
from tests.support.running_service import Clock
from tests.support.served_board import NOON
from tests.support.transports import Connection, Service, quiet

# Looks, five milliseconds apart.
_PATIENCE = 2_000
# What a connection is told before another takes its place; after something odd it stays with aiohttp for good.
_TOLD = 12


@dataclass(slots=True)
class Trio:
    """Connections that are told the same, and what they were told; `at_once` is how often the fast path answered."""

    fast: Connection
    others: tuple[Connection, ...]
    told: list[bytes] = field(default_factory=list)
    at_once: int = 0

    def feed(self, data: bytes) -> None:
        """Tell all."""
        self.told.append(data)
        self.fast.feed(data)
        # aiohttp itself never answers before its task has had a turn.
        self.at_once += bool(self.fast.wire.written)
        for each in self.others:
            each.feed(data)

    async def compared(self) -> bool:
        """Whether all are still open. Raises AssertionError where they said different things."""
        said = [each.wire.said() for each in (self.fast, *self.others)]
        for _ in range(_PATIENCE):
            if all(each == said[0] for each in said):
                break
            # What is written in a thread may be later on one side.
            await asyncio.sleep(0.005)
            more = [each.wire.said() for each in (self.fast, *self.others)]
            said = [(before + after, opened) for (before, _), (after, opened) in zip(said, more, strict=True)]
        for other in said[1:]:
            assert other == said[0], self.difference(said[0][0], other[0])
        return said[0][1]

    def difference(self, ours: bytes, theirs: bytes) -> str:
        """What all were told, and what two said from where they begin to differ."""
        same = next((at for at, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), 0)
        said = f"the fast path said {ours[same : same + 300]!r}\naiohttp said {theirs[same : same + 300]!r}"
        return f"told {self.told!r}\nafter {same} bytes {said}"

    def end(self) -> None:
        """Hang up."""
        for each in (self.fast, *self.others):
            each.end()


class Differential:
    """The service with its fast path, with its cache alone, and with neither, on one clock."""

    def __init__(self, **flags: Any) -> None:  # noqa: ANN401 - settings
        self.clock = Clock(NOON)
        ways = ((True, True), (True, False), (False, False))
        self.services = [Service(self.clock, cached=cached, fast=fast, **flags) for cached, fast in ways]
        self.price = 0

    async def __aenter__(self) -> Self:
        for each in self.services:
            each.context.board.expect(self.clock.now + timedelta(seconds=59.7))
            await each.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in self.services:
            await each.stop()

    def trio(self) -> Trio:
        """New connections."""
        fast, *others = (each.connect() for each in self.services)
        return Trio(fast, tuple(others))

    def change(self, random: Random) -> None:
        """Time goes on, the board changes, the next poll is planned: what answers depend on beside the request."""
        kind, self.price = random.randrange(4), self.price + 1
        if kind == 0:
            self.clock.now += timedelta(seconds=random.choice((0.001, 0.4, 1, 7, 700)))
        for each in self.services:
            if kind == 1:
                each.live.put({"USD": f"{100 + self.price % 7}.25"})
            elif kind == 2:
                each.context.board.expect(self.clock.now + timedelta(seconds=self.price % 60 + 0.3))

    def counted(self) -> None:
        """Raise AssertionError where they have counted different answers."""
        ours, *others = (each.context.traffic.requests for each in self.services)
        for other in others:
            assert +ours == +other


async def compare(all_: Differential, random: Random, requests: int, *, abreast: int = 128) -> tuple[int, int]:
    """Send `requests` to all, `abreast` connections at a time: how many were sent, and answered by the fast path.

    Raises AssertionError at the first difference.
    """
    trios = [all_.trio() for _ in range(abreast)]
    waiting: list[list[bytes]] = [[] for _ in trios]
    sent = at_once = 0
    await quiet()
    while sent < requests:
        if random.random() < 0.01:
            all_.change(random)
        for each, queue in zip(trios, waiting, strict=True):
            if not queue:
                queue.extend(chunks(random))
                sent += 1
            each.feed(queue.pop(0))
        await quiet()
        for number, each in enumerate(trios):
            if not await each.compared() or len(each.told) > _TOLD:
                each.end()
                at_once += each.at_once
                trios[number], waiting[number] = all_.trio(), []
    await quiet()
    for each in trios:
        each.end()
        at_once += each.at_once
    await quiet()
    all_.counted()
    return sent, at_once
