"""Rows that wait to be written: bounded, the oldest dropped first and counted; and what a lost store is told again."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ticker.stores.held import Held

if TYPE_CHECKING:
    from ticker.health import StoreHealth
    from ticker.quotes import Snapshot
    from ticker.stores.base import Row

_BATCH = 1_000


class Backlog:
    """`room` is how many rows may wait for a store that is away; `health` is told how many do."""

    def __init__(self, room: int, health: StoreHealth) -> None:
        self._room = room
        self._health = health
        self._rows: deque[Row] = deque()
        self._held = Held(room)
        # How many of the oldest are being written.
        self._taken = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._rows)

    def report(self, snapshot: Snapshot) -> None:
        """Queue what of `snapshot` is new."""
        self._rows.extend(self._held.take(snapshot))
        while len(self._rows) > self._room:
            self._rows.popleft()
            self._health.dropped += 1
            # Where the oldest are just being written, it is they that are pushed out.
            self._taken = max(0, self._taken - 1)
        self._health.queued = len(self._rows)

    def note(self, snapshot: Snapshot) -> None:
        """Remember what somebody else has kept, for a store that loses it."""
        self._held.take(snapshot)

    def probe(self) -> None:
        """Nothing but writing tells whether a store can be written to again; what it has already it takes as known."""
        if not self._rows:
            self._rows.extend(self._held.shown())
            self._health.queued = len(self._rows)

    def again(self) -> None:
        """Queue all that is held: the store is a new one."""
        self._rows.extendleft(reversed(self._held.missing(self._rows)))
        self._health.queued = len(self._rows)

    def batch(self) -> list[Row]:
        """The oldest, to be written; they wait on until they are `written`."""
        self._taken = min(_BATCH, len(self._rows))
        return [self._rows[i] for i in range(self._taken)]

    def written(self, new: int) -> None:
        """The batch is, and `new` of its rows were."""
        self._health.written += new
        for _ in range(self._taken):
            self._rows.popleft()
        self._taken = 0
        self._health.queued = len(self._rows)
