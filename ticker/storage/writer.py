"""The service's side of a store: what is accepted is queued, written off the loop, and never lost to a bad disk."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from time import monotonic
from typing import TypeVar

from ticker.health import StoreHealth
from ticker.quotes import EPOCH, Instrument, Quote, Snapshot
from ticker.storage import codec
from ticker.storage.base import (
    EDITORS,
    FEED,
    HISTORY,
    OVERRIDES,
    QUOTE,
    Message,
    RecordEntry,
    Retention,
    Row,
    Store,
    StoreError,
    StoreStatus,
)
from ticker.storage.codec import identity, row_of_quote
from ticker.supervision import begin

# A day of a price that changes every minute: a megabyte.
_MOST = 1_500
_BATCH = 1_000


class WriteQueue:
    """Rows that wait to be written, and those shown last, which a store that came back empty is told again.

    `room` is how many may wait for a store that is away: the oldest are dropped first and counted. `health` is told how
    many do.
    """

    def __init__(self, room: int, health: StoreHealth) -> None:
        self._room = room
        self._health = health
        self._rows: deque[Row] = deque()
        # What is shown now by series, and what was of late: of the oldest only the store knows.
        self._shown: dict[str, Row] = {}
        self._recent: deque[Row] = deque(maxlen=min(room, _MOST))
        # How many of the oldest are being written.
        self._taken = 0

    def __len__(self) -> int:
        """How many wait."""
        return len(self._rows)

    def report(self, snapshot: Snapshot) -> None:
        """Queue what of `snapshot` is new."""
        self._rows.extend(self.note(snapshot))
        while len(self._rows) > self._room:
            self._rows.popleft()
            self._health.dropped += 1
            # Where the oldest are just being written, it is they that are pushed out.
            self._taken = max(0, self._taken - 1)
        self._health.queued = len(self._rows)

    def note(self, snapshot: Snapshot) -> list[Row]:
        """Remember what is shown, for a store that loses it; the rows of it that were not before."""
        rows = [row_of_quote(quote, snapshot.generated_at) for quote in snapshot.quotes]
        new = [row for row in rows if row and identity(self._shown.get(row.symbol)) != identity(row)]
        self._shown |= {row.symbol: row for row in new}
        self._recent.extend(new)
        return new

    def probe(self) -> None:
        """Nothing but writing tells whether a store can be written to again; what it has already it takes as known."""
        if not self._rows:
            self._rows.extend(self._shown.values())
            self._health.queued = len(self._rows)

    def again(self) -> None:
        """Queue all that is held: the store is a new one."""
        waiting = set(self._rows)
        self._rows.extendleft(row for row in reversed(self._recent) if row not in waiting)
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


T = TypeVar("T")

_ASKED_AT_ONCE = 64
_READERS = 2
# The longest that a request waits for the store, whatever hangs behind it.
_READ_SECONDS = 4.0
# The longest that a start waits for what the store kept, before it listens.
_START_SECONDS = 0.75


class Readers:
    """Threads that ask `store`, so many at once and none without end; what fails there is told to `condition`."""

    def __init__(self, store: Store, condition: StoreStatus) -> None:
        self._store = store
        self._condition = condition
        self._asked = 0
        self._pool = ThreadPoolExecutor(_READERS, "store-reader")

    def begin(self) -> None:
        """Start the threads."""
        begin(self._pool)

    async def read(self, question: Callable[[Store], T]) -> T:
        """What the store answers, on a thread of its own. Raises StoreError, at once where too many wait already."""
        if self._asked >= _ASKED_AT_ONCE:
            raise StoreError("too many questions at once")
        self._asked += 1
        try:
            async with asyncio.timeout(_READ_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(self._pool, question, self._store)
        except TimeoutError:
            late = StoreError("no answer in time", "see why the store is slow")
            self._condition.failed("read", late)
            raise late from None
        except StoreError as error:
            self._condition.failed("read", error)
            raise
        finally:
            self._asked -= 1

    def end(self) -> None:
        """Wait for who is being answered, and end the threads."""
        self._pool.shutdown(wait=True)


_THINNED_EVERY = timedelta(hours=6)
_WAITING_ENTRIES, _BATCH_ENTRIES = 5_000, 200
# What replicas tell each other: the board, how the sources fare, what selection remembers, and what was shown, as the
# record of corrections knows it.
QUOTES, SOURCES, MEMORY, SHOWN = PARTS = ("quotes", "sources", "memory", "shown")
# A day of three instruments changing every ten seconds.
_QUEUED = 20_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0


async def _at_once() -> None:
    """Nothing is left to be done."""


@dataclass(frozen=True, slots=True)
class ReplicaHooks:
    """What a store that replicas share asks of the service, and tells it; each is called on the loop.

    `fence` is the fencing token under which this replica may publish now. `refused` is told the part with which another
    replica was ahead, `renewed` that the store was begun anew, or may have lost what it took last. `leave` is what is
    still to be done when everything is written.
    """

    fence: Callable[[], int] = lambda: 0
    refused: Callable[[str], object] = lambda _part: None
    renewed: Callable[[], object] = lambda: None
    leave: Callable[[], Awaitable[None]] = _at_once


class StoreWriter:
    """Keeps what the poller reports in `store`; `name` tells this service's snapshot from another's in the same file.

    `report` is called on the loop's thread and only queues; `run` writes until `stop`, on a thread of its own: rows,
    then what the others are told, then what is kept no longer. While the store fails, serving goes on: the failure is
    said once, counted, tried again with growing pauses, and what was missed is written when it is back.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        retention: Retention,
        clock: Callable[[], datetime],
        hooks: ReplicaHooks = ReplicaHooks(),
        room: int = _QUEUED,
    ) -> None:
        """`room` is how many rows may wait for a store that is away."""
        self.store = store
        self.name = name
        self._condition = StoreStatus()
        self.health = self._condition.health
        self.readers = Readers(store, self._condition)
        # What was found at the start, by part.
        self.found: dict[str, Message] = {}
        self._retention = retention
        self._clock = clock
        self._hooks = hooks
        self._pool = ThreadPoolExecutor(1, "store-writer")
        self._queue = WriteQueue(room, self.health)
        # What is kept as shown, by symbol; and since when this process can have shown anything.
        self._shown: dict[str, Quote] = {}
        self._since = EPOCH
        # What is to be told, by part: its version, and what writes it; made as late as it can be, off the loop.
        self._news: dict[str, tuple[int, Callable[[], str]]] = {}
        self._untold_since: float | None = None
        # Entries of records that wait; what would be more than fits is the oldest that is let go.
        self._entries: deque[RecordEntry] = deque(maxlen=_WAITING_ENTRIES)
        self._thin_at: datetime | None = None
        # The version of what is remembered, by part, as it was told last.
        self._remembered: dict[str, int] = {}
        self._renamed: Future[int] | None = None
        self._wake = asyncio.Event()
        self._soon = asyncio.Event()
        self._stopping = asyncio.Event()

    def restore(self, instruments: Sequence[Instrument], now: datetime) -> Snapshot | None:
        """The snapshot kept last, as it was kept; None where there is none. Blocks: call it before the loop runs.

        A store that hangs is hardly waited for: the address is listened at soon, and what is kept is shown when the
        replica hears it from the store, as if another one had told it.
        """
        self._since = now
        asked = self._pool.submit(_kept, self.name, self.store)
        series = {each.symbol: each.series for each in instruments}
        # Version 0.1.0 kept history by symbol: what it meant then is told by the snapshot kept beside it.
        self._renamed = self._pool.submit(
            lambda: self.store.rename(series | codec.meanings_of_text(asked.result()[1] or ""))
        )
        try:
            editions, text = asked.result(_START_SECONDS)
        except TimeoutError:
            late = StoreError("too slow to be waited for at the start", "see why the store is slow")
            self._condition.failed("read", late)
            return None
        except StoreError as error:
            self._condition.failed("read", error)
            return None
        self.found = {each.part: each for each in editions}
        snapshot = None if text is None else codec.snapshot_of_text(text, instruments, now)
        if snapshot is not None:
            self.note(snapshot)
        return snapshot

    def report(self, snapshot: Snapshot) -> None:
        """Queue what of `snapshot` is new."""
        self._queue.report(snapshot)
        at = max(snapshot.generated_at, self._since)
        self._entries.extend(codec.entry_of_quote(each, snapshot.version, at) for each in self._news_of(snapshot))
        self.tell(QUOTES, snapshot.version, lambda: codec.snapshot_text(snapshot))

    def remember(self, part: str, text: Callable[[], str], now: datetime) -> None:
        """Publish what the next to publish must know: selection's MEMORY, or what was SHOWN; `text` writes it."""
        told = max(self._remembered.get(part, 0), self.found[part].version if part in self.found else 0)
        self._remembered[part] = max(told + 1, int(now.timestamp() * 1000))
        self.tell(part, self._remembered[part], text)

    def record(self, entries: Iterable[RecordEntry]) -> None:
        """Queue entries of a record."""
        self._entries.extend(entries)
        self._wake.set()

    def note(self, snapshot: Snapshot) -> None:
        """Remember what another replica has found and kept, for a store that loses it."""
        self._queue.note(snapshot)
        self._news_of(snapshot)

    def _news_of(self, snapshot: Snapshot) -> list[Quote]:
        """The quotes that are kept as shown otherwise; from here on, as in `snapshot`."""
        before, self._shown = self._shown, {each.symbol: each.news for each in snapshot.quotes}
        return [each for symbol, each in self._shown.items() if before.get(symbol) != each]

    def look(self) -> None:
        """See whether the store is still the one that it was."""
        self._wake.set()

    def tell(self, part: str, version: int, text: Callable[[], str]) -> None:
        """Publish what `text` writes as the edition of `part` with the next round."""
        self._news[part] = (version, text)
        self._untold_since = monotonic() if self._untold_since is None else self._untold_since
        self._wake.set()
        if not self._condition.is_bad(FEED):
            # Others wait for it, though history may not be written to.
            self._soon.set()

    def retry(self) -> None:
        """The store is thought to be back: do not wait for the end of a pause."""
        self._soon.set()

    @property
    def untold_for(self) -> float:
        """For how many seconds news has been waiting to be told to the others."""
        return 0.0 if self._untold_since is None else monotonic() - self._untold_since

    def remembered(self, part: str) -> str:
        """What was remembered in `part` when it was kept last: by selection (MEMORY), of what was SHOWN, of editors."""
        return self.found[part].text if part in self.found else "{}"

    @property
    def newest(self) -> int:
        """The version that was found at the start, usable or not: whatever is shown next goes on above it."""
        return self.found[QUOTES].version if QUOTES in self.found else 0

    @property
    def pending(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._queue) or bool(self._news) or bool(self._entries)

    async def run(self) -> None:
        """Write whatever is queued, as it comes, until stopped; then once more, and close everything."""
        begin(self._pool)
        self.readers.begin()
        try:
            if self._renamed is not None:
                await asyncio.wrap_future(self._renamed)
        except StoreError as error:
            self._condition.failed("open", error)
        await self._keep()
        await self._hooks.leave()
        self._pool.shutdown(wait=True)
        self.readers.end()
        self.store.close()

    async def _keep(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            await self._wake.wait()
            self._wake.clear()
            # What came while it was writing is not left behind by an end that came then too.
            last = self._stopping.is_set()
            written = await self._round()
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

    async def _round(self) -> bool:
        """Write everything queued; False where the store did not take it, and then it is all still queued."""
        written = await self._opened() and await self._write() and await self._record()
        # After the rows: whoever reads of a number finds it in the history, where that can be written to.
        told = await self._publish()
        if written:
            await self._thin()
        return written and told

    async def _opened(self) -> bool:
        """Whether the store is open; one that had to be begun anew, as after a deletion, is told all that is held."""
        new = await self._tried("open", lambda store: store.open())
        if new:
            self._queue.again()
            self._shown = {}
            self._hooks.renewed()
        return new is not None

    async def _write(self) -> bool:
        if self._condition.is_bad(HISTORY):
            self._queue.probe()
        while self._queue:
            batch = self._queue.batch()
            new = await self._tried("write", lambda store, rows=batch: store.write(rows, {}))  # type: ignore[misc]
            if new is None:
                return False
            self._condition.succeeded(HISTORY)
            self._queue.written(new)
        return True

    async def _record(self) -> bool:
        while self._entries:
            batch = list(islice(self._entries, _BATCH_ENTRIES))
            if await self._tried("write", partial(_recorded, batch)) is None:
                return False
            for each in batch:
                if self._entries and self._entries[0] is each:
                    self._entries.popleft()
        return True

    async def _publish(self) -> bool:
        """Tell what is to be told."""
        for part, news in [*self._news.items()]:
            taken = await self._tried("publish", partial(_published, self.name, part, self._hooks.fence(), news))
            if taken is None:
                return False
            self._condition.succeeded(FEED)
            if self._news.get(part) is news:
                del self._news[part]
            self._untold_since = monotonic() if self._news else None
            if not taken:
                self._hooks.refused(part)
        return True

    async def _thin(self) -> None:
        now, kept = self._clock(), self._retention
        if self._thin_at is not None and now < self._thin_at:
            return
        self._thin_at = now + _THINNED_EVERY
        # A market has a quote for every print: its rows tell of it when it is as old as evidence gets.
        prints = [each.symbol for each in self._shown.values() if each.market is not None]

        def task(store: Store) -> int:
            gone = store.thin(kept, now) + store.forget("evidence", kept.symbols, now - kept.evidence)
            gone += store.forget(QUOTE, prints, now - kept.evidence)
            return gone + (store.forget(QUOTE, kept.symbols, now - kept.keep) if kept.keep else 0)

        await self._tried("write", task)

    async def _tried(self, operation: str, task: Callable[[Store], T]) -> T | None:
        """What the store gives, on the thread that writes; None where it fails, which is counted and said."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, task, self.store)
        except StoreError as error:
            self._condition.failed(operation, error)
            return None


def _kept(name: str, store: Store) -> tuple[tuple[Message, ...], str | None]:
    """What a store has of the last run: the newest editions and the text of the newest snapshot."""
    with suppress(StoreError):  # a disk that is read-only can be read, and the first round says what it is
        store.open()
    editions = (
        *store.newer(name, dict.fromkeys(PARTS, -1), 0),
        *store.newer(EDITORS, {OVERRIDES: -1}, 0),
    )
    told = next((each.text for each in editions if each.part == QUOTES), None)
    # Where versions before 0.2 kept it.
    return editions, store.saved(name) if told is None else told


def _recorded(entries: list[RecordEntry], store: Store) -> bool:
    store.record(entries)
    return True


def _published(name: str, part: str, fence: int, news: tuple[int, Callable[[], str]], store: Store) -> bool:
    return store.publish(name, Message(part, news[0], fence, news[1]()))
