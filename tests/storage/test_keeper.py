from __future__ import annotations

import asyncio
import threading
from datetime import timedelta

from tests.support.upstream import NOON
from ticker.storage.base import Edition, Retention
from ticker.storage.sqlite import Memory
from ticker.storage.writer import Keeper

PATIENCE = 10.0
DAY = timedelta(days=1)


class Slow(Memory):
    """Takes its time over each edition, until it is let go on."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.begun, self.let_go = threading.Event(), threading.Event()

    def publish(self, name: str, edition: Edition) -> bool:
        self.begun.set()
        self.let_go.wait(PATIENCE)
        self.told.append(edition.text)
        return super().publish(name, edition)


async def test_what_comes_with_the_end_while_something_is_written_is_written_too() -> None:
    """The last number before SIGTERM is not lost to the one before it."""
    store = Slow()
    keeper = Keeper(store, "snapshot", Retention(DAY, DAY), lambda: NOON)
    async with asyncio.timeout(PATIENCE):
        running = asyncio.create_task(keeper.run())
        keeper.tell("sources", 1, lambda: "one")
        await asyncio.to_thread(store.begun.wait, PATIENCE)
        keeper.tell("sources", 2, lambda: "the last")
        keeper.stop()
        store.let_go.set()
        await running
    assert store.told == ["one", "the last"]
