"""The one thing that mutates: the snapshot everyone reads, and the bell that rings when there is a newer one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from ticker.values import replace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from ticker.quotes import Snapshot


class Shared(Protocol):
    """A board that other processes show as well. `mark` is another one for each snapshot on it; to look is cheap."""

    @property
    def mark(self) -> int:
        """Of what is on it now."""

    def begin(self, own: Snapshot) -> Snapshot:
        """What is on it, or where there is nothing, `own`."""

    def read(self) -> Snapshot | None:
        """What is on it; None where that cannot be told."""

    def post(self, snapshot: Snapshot) -> None:
        """Put a newer one on it."""


class Board:
    """Holds the current snapshot. Readers never wait and never cause anything upstream."""

    def __init__(self, first: Snapshot) -> None:
        self._snapshot = first
        self._turns_at = first.turns_at(first.generated_at)
        self._next_change: datetime | None = None
        self._bell = asyncio.Event()
        self._closed = False
        self._edition = 0
        self._shared: Shared | None = None
        self._mark = 0

    def share(self, shared: Shared) -> None:
        """Show from now on what others show too."""
        self._shared = shared
        self._mark, self._snapshot = shared.mark, replace(shared.begin(self._snapshot), demo=self._snapshot.demo)
        self._turns_at = self._snapshot.turns_at(self._snapshot.generated_at)

    @property
    def edition(self) -> int:
        """Grows with everything an answer depends on but time: the snapshot, and how long it may be kept."""
        if self._shared is not None and self._shared.mark != self._mark:
            self._take(self._shared)
        return self._edition

    @property
    def latest(self) -> Snapshot:
        """The snapshot last put, whatever the time."""
        if self._shared is not None and self._shared.mark != self._mark:
            self._take(self._shared)
        return self._snapshot

    @property
    def turns_at(self) -> datetime | None:
        """When time alone changes the snapshot next; None where it never does."""
        return self._turns_at

    def current(self, now: datetime) -> Snapshot:
        """The snapshot as it stands at `now`.

        Asked on every request, so that a number past its time is withdrawn even while every timer stands still.
        """
        if self._shared is not None and self._shared.mark != self._mark:
            self._take(self._shared)
        if self._turns_at is not None and now >= self._turns_at:
            self.put(self._snapshot.at(now), now)
        return self._snapshot

    def put(self, snapshot: Snapshot, now: datetime) -> None:
        """Publish `snapshot` if it is newer than the one shown, and wake everyone who waits for updates."""
        newer = snapshot.version > self._snapshot.version
        if newer:
            self._snapshot = snapshot
            if self._shared is not None:
                # Before anybody here is shown it: who is told of it here may ask another next.
                self._shared.post(snapshot)
        self._turns_at = self._snapshot.turns_at(now)
        self._edition += 1
        if newer:
            self._ring()

    def _take(self, shared: Shared) -> None:
        self._mark = shared.mark
        found = shared.read()
        if found is not None and found.version > self._snapshot.version:
            self._snapshot = replace(found, demo=self._snapshot.demo)
            self._turns_at = found.turns_at(found.generated_at)
            self._edition += 1
            self._ring()

    def expect(self, when: datetime | None) -> None:
        """Note when the next poll may bring a change: until then an answer may be cached."""
        self._next_change = when
        self._edition += 1

    def next_change(self, now: datetime) -> datetime:
        """The earliest moment from `now` on at which the current answer may no longer be the latest one."""
        moments = [moment for moment in (self._next_change, self._turns_at) if moment is not None]
        return max(now, min(moments, default=now))

    async def updates(self, since: int) -> AsyncIterator[Snapshot]:
        """Every snapshot newer than version `since` that a reader has time for: a slow one gets the newest only."""
        while not self._closed:
            if self._snapshot.version > since:
                since = self._snapshot.version
                yield self._snapshot
            else:
                await self._bell.wait()

    def close(self) -> None:
        """End every iteration over updates."""
        self._closed = True
        self._ring()

    def _ring(self) -> None:
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()
