"""The service's side of a store: what is accepted is queued, written off the loop, and never lost to a bad disk.

While the store fails, serving goes on: the failure is said once, counted, tried again with growing pauses, and what was
missed is written when it is back. The queue is bounded; what it cannot hold is counted as dropped, the oldest first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ticker.health import StoreHealth
from ticker.log import Log
from ticker.stores import saved
from ticker.stores.base import Edition, Retention, Row, Store, StoreError
from ticker.stores.held import Held
from ticker.threads import begin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from ticker.quotes import Instrument, Snapshot

log = Log(__name__)
T = TypeVar("T")

# What replicas tell each other: the board, and how the sources fare.
QUOTES, SOURCES = PARTS = ("quotes", "sources")
# The halves of a store: one may be well while the other is not.
_HISTORY, _FEED = "history", "feed"
# A day of three instruments changing every ten seconds.
_QUEUED = 20_000
_BATCH = 1_000
_ASKED_AT_ONCE = 64
_READERS = 2
# The longest that a request waits for the store, whatever hangs behind it.
_READ_SECONDS = 4.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_THINNED_EVERY = timedelta(hours=6)


class Keeper:
    """Keeps what the poller reports in `store`; `name` tells this service's snapshot from another's in the same file.

    `report` is called on the loop's thread and only queues; `run` writes until `stop`.
    """

    def __init__(
        self, store: Store, name: str, retention: Retention, clock: Callable[[], datetime], room: int = _QUEUED
    ) -> None:
        """`room` is how many rows may wait for a store that is away."""
        self._room = room
        self.health = StoreHealth()
        self._store = store
        self._name = name
        self._retention = retention
        self._clock = clock
        self._thin_at: datetime | None = None
        self._rows: deque[Row] = deque()
        # What is to be told, by part: its version, and what writes it; made as late as it can be, off the loop.
        self._news: dict[str, tuple[int, Callable[[], str]]] = {}
        self._bad: set[str] = set()
        # The fence under which this replica may publish now, and who is told that somebody else was ahead; both are
        # the composer's to set.
        self.fence: Callable[[], int] = lambda: 0
        self.refused: Callable[[str], object] = lambda _part: None
        # What is still to be done with the store when everything is written.
        self.leaving: Callable[[], Awaitable[None]] = _at_once
        # What was found at the start, by part.
        self.found: dict[str, Edition] = {}
        self._held = Held(room)
        # Who is told that the store has been begun anew, or may have lost what it took last; the composer's to set.
        self.renewed: Callable[[], object] = lambda: None
        self._asked = 0
        self._wake = asyncio.Event()
        self._soon = asyncio.Event()
        self._stopping = asyncio.Event()
        self._writer = ThreadPoolExecutor(1, "store-writer")
        self._readers = ThreadPoolExecutor(_READERS, "store-reader")

    def restore(self, instruments: Sequence[Instrument], now: datetime) -> Snapshot | None:
        """The snapshot kept last, as it was kept; None where there is none. Blocks: call it before the loop runs."""
        try:
            self._store.open()
        except StoreError as error:
            self._failed("open", error)
        try:
            self.found = {each.part: each for each in self._store.newer(self._name, dict.fromkeys(PARTS, -1), 0)}
            # Where versions before 0.2 kept it.
            text = self.found[QUOTES].text if QUOTES in self.found else self._store.saved(self._name)
        except StoreError as error:
            self._failed("read", error)
            return None
        snapshot = None if text is None else saved.restored(text, instruments, now)
        if snapshot is not None:
            self.note(snapshot)
        return snapshot

    def report(self, snapshot: Snapshot) -> None:
        """Queue what of `snapshot` is new."""
        self._rows.extend(self._held.take(snapshot))
        while len(self._rows) > self._room:
            self._rows.popleft()
            self.health.dropped += 1
        self.health.queued = len(self._rows)
        self.tell(QUOTES, snapshot.version, lambda: saved.written(snapshot))

    def note(self, snapshot: Snapshot) -> None:
        """Remember what another replica has found and kept, for a store that loses it."""
        self._held.take(snapshot)

    def look(self) -> None:
        """See whether the store is still the one that it was."""
        self._wake.set()

    def tell(self, part: str, version: int, text: Callable[[], str]) -> None:
        """Publish what `text` writes as the edition of `part`."""
        self._news[part] = (version, text)
        self._wake.set()
        if _FEED not in self._bad:
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
        return bool(self._rows) or bool(self._news)

    async def read(self, question: Callable[[Store], T]) -> T:
        """What the store answers, on a thread of its own. Raises StoreError, at once where too many wait already."""
        if self._asked >= _ASKED_AT_ONCE:
            raise StoreError("too many questions at once")
        self._asked += 1
        try:
            async with asyncio.timeout(_READ_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._readers, question, self._store)
        except TimeoutError:
            late = StoreError("no answer in time", "see why the store is slow")
            self._failed("read", late)
            raise late from None
        except StoreError as error:
            self._failed("read", error)
            raise
        finally:
            self._asked -= 1

    async def run(self) -> None:
        """Write whatever is queued, as it comes, until stopped; then once more, and close everything."""
        for pool in (self._writer, self._readers):
            begin(pool)
        pause = _FIRST_PAUSE
        while True:
            await self._wake.wait()
            self._wake.clear()
            # What came while it was writing is not left behind by an end that came then too.
            last = self._stopping.is_set()
            written = await self._flush()
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
        await self.leaving()
        for pool in (self._writer, self._readers):
            pool.shutdown(wait=True)
        self._store.close()

    def stop(self) -> None:
        """Let `run` end."""
        self._stopping.set()
        self._soon.set()
        self._wake.set()

    async def _flush(self) -> bool:
        """Write everything queued; False where the store did not take it, and then it is all still queued."""
        written = await self._opened() and await self._write()
        # After the rows: whoever reads of a number finds it in the history, where that can be written to.
        told = await self._publish()
        if written:
            await self._thin()
        return written and told

    async def _write(self) -> bool:
        if _HISTORY in self._bad and not self._rows:
            # Nothing but writing tells whether it can be written to again; what it has already it takes as known.
            self._rows.extend(self._held.shown())
        while self._rows:
            batch = [self._rows[i] for i in range(min(_BATCH, len(self._rows)))]
            # Rows that arrive while these are written push the oldest out where the queue is full.
            dropped = self.health.dropped
            try:
                new = await self._work(lambda store, b=batch: store.write(b, {}))  # type: ignore[misc]
            except StoreError as error:
                self._failed("write", error)
                return False
            self.health.written += new
            self._succeeded(_HISTORY)
            for _ in range(len(batch) - (self.health.dropped - dropped)):
                self._rows.popleft()
            self.health.queued = len(self._rows)
        return True

    async def _publish(self) -> bool:
        """Tell what is to be told."""
        for part, news in [*self._news.items()]:
            try:
                taken = await self._work(partial(_publish, self._name, part, self.fence(), news))
            except StoreError as error:
                self._failed("publish", error)
                return False
            self._succeeded(_FEED)
            if self._news.get(part) is news:
                del self._news[part]
            if not taken:
                self.refused(part)
        return True

    async def _opened(self) -> bool:
        """Whether the store is open; one that had to be begun anew, as after a deletion, is told all that is held."""
        try:
            new = await self._work(lambda store: store.open())
        except StoreError as error:
            self._failed("open", error)
            return False
        if new:
            self._rows.extendleft(reversed(self._held.missing(self._rows)))
            self.renewed()
        return True

    async def _thin(self) -> None:
        now = self._clock()
        if self._thin_at is not None and now < self._thin_at:
            return
        self._thin_at = now + _THINNED_EVERY
        try:
            await self._work(lambda store: store.thin(self._retention, now))
        except StoreError as error:
            self._failed("write", error)

    async def _work(self, task: Callable[[Store], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, task, self._store)

    def _failed(self, operation: str, error: StoreError) -> None:
        """Said once, until the store has been written to again."""
        self.health.failures[operation] += 1
        if self.health.up:
            log.error("store failed, serving from memory", operation=operation, detail=error.detail, mend=error.mend)
        self.health.up = False
        self._bad.add(_FEED if operation == "publish" else _HISTORY)

    def _succeeded(self, half: str) -> None:
        self._bad.discard(half)
        if not self.health.up and not self._bad:
            log.info("store is back", queued=len(self._rows))
        self.health.up = not self._bad


async def _at_once() -> None:
    """Nothing is left to be done."""


def _publish(name: str, part: str, fence: int, news: tuple[int, Callable[[], str]], store: Store) -> bool:
    return store.publish(name, Edition(part, news[0], fence, news[1]()))
