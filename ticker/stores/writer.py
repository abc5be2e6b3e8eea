"""A round of writing: rows, then what the others are told, then what is kept no longer; off the loop, in one thread."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ticker.stores.base import StoreError
from ticker.stores.condition import FEED, HISTORY
from ticker.stores.sharing import Edition
from ticker.threads import begin

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ticker.stores.backlog import Backlog
    from ticker.stores.base import Retention
    from ticker.stores.condition import Condition
    from ticker.stores.store import Store

T = TypeVar("T")

_THINNED_EVERY = timedelta(hours=6)


class Writer:
    """Writes what waits to `store`; what fails there is told to `condition`, and waits on."""

    def __init__(
        self,
        store: Store,
        name: str,
        backlog: Backlog,
        condition: Condition,
        retention: Retention,
        clock: Callable[[], datetime],
    ) -> None:
        # What is to be told, by part: its version, and what writes it; made as late as it can be, off the loop.
        self.news: dict[str, tuple[int, Callable[[], str]]] = {}
        # The fence under which this replica may publish now, and who is told that somebody else was ahead; both are
        # the composer's to set.
        self.fence: Callable[[], int] = lambda: 0
        self.refused: Callable[[str], object] = lambda _part: None
        # Who is told that the store has been begun anew, or may have lost what it took last; the composer's to set.
        self.renewed: Callable[[], object] = lambda: None
        self._store = store
        self._name = name
        self._backlog = backlog
        self._condition = condition
        self._retention = retention
        self._clock = clock
        self._thin_at: datetime | None = None
        self._pool = ThreadPoolExecutor(1, "store-writer")

    def begin(self) -> None:
        """Start the thread."""
        begin(self._pool)

    def end(self) -> None:
        """End the thread."""
        self._pool.shutdown(wait=True)

    async def flush(self) -> bool:
        """Write everything queued; False where the store did not take it, and then it is all still queued."""
        written = await self._opened() and await self._write()
        # After the rows: whoever reads of a number finds it in the history, where that can be written to.
        told = await self._publish()
        if written:
            await self._thin()
        return written and told

    async def _write(self) -> bool:
        if self._condition.is_bad(HISTORY):
            self._backlog.probe()
        while self._backlog:
            batch = self._backlog.batch()
            try:
                new = await self._work(lambda store, b=batch: store.write(b, {}))  # type: ignore[misc]
            except StoreError as error:
                self._condition.failed("write", error)
                return False
            self._condition.succeeded(HISTORY)
            self._backlog.written(new)
        return True

    async def _publish(self) -> bool:
        """Tell what is to be told."""
        for part, news in [*self.news.items()]:
            try:
                taken = await self._work(partial(_publish, self._name, part, self.fence(), news))
            except StoreError as error:
                self._condition.failed("publish", error)
                return False
            self._condition.succeeded(FEED)
            if self.news.get(part) is news:
                del self.news[part]
            if not taken:
                self.refused(part)
        return True

    async def _opened(self) -> bool:
        """Whether the store is open; one that had to be begun anew, as after a deletion, is told all that is held."""
        try:
            new = await self._work(lambda store: store.open())
        except StoreError as error:
            self._condition.failed("open", error)
            return False
        if new:
            self._backlog.again()
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
            self._condition.failed("write", error)

    async def _work(self, task: Callable[[Store], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, task, self._store)


def _publish(name: str, part: str, fence: int, news: tuple[int, Callable[[], str]], store: Store) -> bool:
    return store.publish(name, Edition(part, news[0], fence, news[1]()))
