from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from pathlib import Path

from tests.support.factories import quote, snapshot
from tests.support.patience import PATIENCE
from tests.support.upstream import NOON
from ticker.quotes import PriceType
from ticker.storage.base import QUOTE, Message, Retention
from ticker.storage.sqlite import MemoryStore, SqliteStore
from ticker.storage.writer import StoreWriter

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


async def test_how_a_market_stood_goes_with_its_evidence_and_a_fixing_s_stays(tmp_path: Path) -> None:
    """A market has a quote for every print: after 90 days its rows tell of it. Of a currency all is kept."""
    file, now = tmp_path / "ticker.db", [NOON]
    for each in (0, 100):
        now[0] = NOON + each * DAY
        retention = Retention(DAY, DAY, evidence=90 * DAY)
        store_writer = StoreWriter(SqliteStore(file), "snapshot", retention, lambda: now[0])
        oil = quote("OIL", price=f"{70 + each}", price_type=PriceType.LAST, market="open")
        store_writer.report(snapshot(quote(price=f"{100 + each}"), oil, version=each + 1, at=now[0]))
        store_writer.stop()
        async with asyncio.timeout(PATIENCE):
            await store_writer.run()
    store = SqliteStore(file)
    store.open()
    kept = {symbol: [each.at for each in store.entries(QUOTE, [symbol], None, None, 9)] for symbol in ("USD", "OIL")}
    store.close()
    assert kept == {"USD": [NOON + 100 * DAY, NOON], "OIL": [NOON + 100 * DAY]}
