"""Threads that all run from the start: one that is begun when memory has run out never comes to say so.

`Thread.start` waits for that word without end, and whoever asked for the thread, here the event loop, waits with it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier


def begin(pool: ThreadPoolExecutor) -> ThreadPoolExecutor:
    """Start every thread of `pool` now."""
    together = Barrier(pool._max_workers)  # noqa: SLF001 - nobody else tells it
    for _ in range(together.parties):
        pool.submit(together.wait)
    return pool
