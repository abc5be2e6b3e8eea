"""Questions to a store, off the loop: so many at once, and none that is waited for without end."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from ticker.stores.base import StoreError
from ticker.threads import begin

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticker.stores.condition import Condition
    from ticker.stores.store import Store

T = TypeVar("T")

_ASKED_AT_ONCE = 64
_READERS = 2
# The longest that a request waits for the store, whatever hangs behind it.
_READ_SECONDS = 4.0


class Readers:
    """Threads that ask `store`; what fails there is told to `condition`."""

    def __init__(self, store: Store, condition: Condition) -> None:
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
