"""The service's side of a store: what is accepted is queued, written off the loop, and never lost to a bad disk.

While the store fails, serving goes on: the failure is said once, counted, tried again with growing pauses, and what was
missed is written when it is back. The queue is bounded; what it cannot hold is counted as dropped, the oldest first.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from ticker.stores import saved
from ticker.stores.backlog import Backlog
from ticker.stores.base import Retention, StoreError
from ticker.stores.condition import FEED, Condition
from ticker.stores.readers import Readers
from ticker.stores.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from ticker.quotes import Instrument, Snapshot
    from ticker.stores.sharing import Edition
    from ticker.stores.store import Store

# What replicas tell each other: the board, and how the sources fare.
QUOTES, SOURCES = PARTS = ("quotes", "sources")
# A day of three instruments changing every ten seconds.
_QUEUED = 20_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0


class Keeper:
    """Keeps what the poller reports in `store`; `name` tells this service's snapshot from another's in the same file.

    `report` is called on the loop's thread and only queues; `run` writes until `stop`.
    """

    def __init__(
        self, store: Store, name: str, retention: Retention, clock: Callable[[], datetime], room: int = _QUEUED
    ) -> None:
        """`room` is how many rows may wait for a store that is away."""
        self._condition = Condition()
        self.health = self._condition.health
        self.readers = Readers(store, self._condition)
        self._store = store
        self._name = name
        self._backlog = Backlog(room, self.health)
        self.writer = Writer(store, name, self._backlog, self._condition, retention, clock)
        # What is still to be done with the store when everything is written.
        self.leaving: Callable[[], Awaitable[None]] = _at_once
        # What was found at the start, by part.
        self.found: dict[str, Edition] = {}
        self._wake = asyncio.Event()
        self._soon = asyncio.Event()
        self._stopping = asyncio.Event()

    def restore(self, instruments: Sequence[Instrument], now: datetime) -> Snapshot | None:
        """The snapshot kept last, as it was kept; None where there is none. Blocks: call it before the loop runs."""
        try:
            self._store.open()
        except StoreError as error:
            self._condition.failed("open", error)
        try:
            self.found = {each.part: each for each in self._store.newer(self._name, dict.fromkeys(PARTS, -1), 0)}
            # Where versions before 0.2 kept it.
            text = self.found[QUOTES].text if QUOTES in self.found else self._store.saved(self._name)
        except StoreError as error:
            self._condition.failed("read", error)
            return None
        snapshot = None if text is None else saved.restored(text, instruments, now)
        if snapshot is not None:
            self.note(snapshot)
        return snapshot

    def report(self, snapshot: Snapshot) -> None:
        """Queue what of `snapshot` is new."""
        self._backlog.report(snapshot)
        self.tell(QUOTES, snapshot.version, lambda: saved.written(snapshot))

    def note(self, snapshot: Snapshot) -> None:
        """Remember what another replica has found and kept, for a store that loses it."""
        self._backlog.note(snapshot)

    def look(self) -> None:
        """See whether the store is still the one that it was."""
        self._wake.set()

    def tell(self, part: str, version: int, text: Callable[[], str]) -> None:
        """Publish what `text` writes as the edition of `part`."""
        self.writer.news[part] = (version, text)
        self._wake.set()
        if not self._condition.is_bad(FEED):
            # Others wait for it, though history may not be written to.
            self._soon.set()

    def retry(self) -> None:
        """The store is thought to be back: do not wait for the end of a pause."""
        self._soon.set()

    @property
    def store(self) -> Store:
        """What it keeps everything in."""
        return self._store

    @property
    def name(self) -> str:
        """This service's name in the store."""
        return self._name

    @property
    def newest(self) -> int:
        """The version that was found at the start, usable or not: whatever is shown next goes on above it."""
        return self.found[QUOTES].version if QUOTES in self.found else 0

    @property
    def pending(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._backlog) or bool(self.writer.news)

    async def run(self) -> None:
        """Write whatever is queued, as it comes, until stopped; then once more, and close everything."""
        for threads in (self.writer, self.readers):
            threads.begin()
        await self._keep()
        await self.leaving()
        for threads in (self.writer, self.readers):
            threads.end()
        self._store.close()

    async def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            await self._wake.wait()
            self._wake.clear()
            # What came while it was writing is not left behind by an end that came then too.
            last = self._stopping.is_set()
            written = await self.writer.flush()
            if last:
                break
            if written or self._stopping.is_set():
                pause = _FIRST_PAUSE
                continue
            self._soon.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._soon.wait(), pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            self._wake.set()

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping.set()
        self._soon.set()
        self._wake.set()


async def _at_once() -> None:
    """Nothing is left to be done."""
