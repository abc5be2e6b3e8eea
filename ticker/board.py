"""The one thing that mutates: the snapshot everyone reads, and the bell that rings when there is a newer one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime

from ticker.quotes import Snapshot


class Board:
    """Holds the current snapshot. Readers never wait and never cause anything upstream."""

    def __init__(self, first: Snapshot) -> None:
        self._snapshot = first
        self._turns_at = first.turns_at(first.generated_at)
        self._next_change: datetime | None = None
        self._bell = asyncio.Event()
        self._closed = False
        self._edition = 0
        self._loaded = _has_number(first)

    @property
    def edition(self) -> int:
        """Grows with everything an answer depends on but time: the snapshot, and how long it may be kept."""
        return self._edition

    @property
    def latest(self) -> Snapshot:
        """The snapshot last put, whatever the time."""
        return self._snapshot

    @property
    def loaded(self) -> bool:
        """Whether it has ever shown a number, in this process or at its start."""
        return self._loaded

    @property
    def turns_at(self) -> datetime | None:
        """When time alone changes the snapshot next; None where it never does."""
        return self._turns_at

    def current(self, now: datetime) -> Snapshot:
        """The snapshot as it stands at `now`.

        Asked on every request, so that a number past its time is withdrawn even while every timer stands still.
        """
        if self._turns_at is not None and now >= self._turns_at:
            self.put(self._snapshot.at(now), now)
        return self._snapshot

    def put(self, snapshot: Snapshot, now: datetime) -> None:
        """Publish `snapshot` if it is newer than the one shown, and wake everyone who waits for updates."""
        newer = snapshot.version > self._snapshot.version
        if newer:
            self._snapshot = snapshot
            self._loaded = self._loaded or _has_number(snapshot)
        self._turns_at = self._snapshot.turns_at(now)
        self._edition += 1
        if newer:
            self._ring()

    def check(self, checked: Mapping[str, datetime]) -> None:
        """Note when a source last said the shown number again, by symbol: no news, but answers tell it."""
        quotes = tuple(
            replace(each, checked_at=checked.get(each.symbol, each.checked_at)) for each in self._snapshot.quotes
        )
        if quotes != self._snapshot.quotes:
            self._snapshot = replace(self._snapshot, quotes=quotes)
            self._edition += 1

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


def _has_number(snapshot: Snapshot) -> bool:
    return any(quote.price is not None for quote in snapshot.quotes)
