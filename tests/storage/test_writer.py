from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

from tests.support.upstream import NOON
from ticker.storage.base import Message, Retention
from ticker.storage.sqlite import MemoryStore
from ticker.storage.writer import StoreWriter

PATIENCE = 10.0
DAY = timedelta(days=1)


class Slow(MemoryStore):
    """Takes its time over each edition, until it is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.begun, self.let_go = threading.Event(), threading.Event()

    def publish(self, name: str, edition: Message) -> bool:
        self.begun.set()
        self.let_go.wait(PATIENCE)
        self.told.append(edition.text)
        return super().publish(name, edition)


async def test_what_comes_with_the_end_while_something_is_written_is_written_too() -> None:
    """The last number before SIGTERM is not lost to the one before it."""
    store = Slow()
    store_writer = StoreWriter(store, "snapshot", Retention(DAY, DAY), lambda: NOON)
    async with asyncio.timeout(PATIENCE):
        running = asyncio.create_task(store_writer.run())
        store_writer.tell("sources", 1, lambda: "one")
        await asyncio.to_thread(store.begun.wait, PATIENCE)
        store_writer.tell("sources", 2, lambda: "the last")
        store_writer.stop()
        store.let_go.set()
        await running
    assert store.told == ["one", "the last"]
