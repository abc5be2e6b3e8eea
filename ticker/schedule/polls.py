"""The polls under way: of one source never two."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Polls:
    """Each a task of our own, since the scheduler cancels its own without waiting for their end.

    `ended(source)` is called after each poll, however it ended.
    """

    def __init__(self, poll: Callable[[str], Awaitable[None]], ended: Callable[[str], object]) -> None:
        self._poll = poll
        self._ended = ended
        self._running: dict[str, asyncio.Future[None]] = {}

    def __contains__(self, source: str) -> bool:
        """Whether `source` is being asked."""
        return source in self._running

    def begin(self, source: str) -> None:
        """Ask `source`, which is not being asked."""
        self._running[source] = task = asyncio.ensure_future(self._poll(source))
        # Not the end of a function of ours: one that is broken off before it has begun never gets there.
        task.add_done_callback(lambda _: self._over(source))

    def _over(self, source: str) -> None:
        del self._running[source]
        self._ended(source)

    async def answered(self) -> None:
        """Wait until whoever is being asked has been."""
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def cancel(self) -> None:
        """Break off what runs."""
        for task in self._running.values():
            task.cancel()
