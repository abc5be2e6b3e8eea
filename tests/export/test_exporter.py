from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from tests.support.patience import PATIENCE
from tests.support.running_service import Served, serving
from tests.support.upstream import NOON, Upstream
from ticker.app import exporter
from ticker.export.exporter import Exporter
from ticker.export.files import Output, TargetError, Trust
from ticker.quotes import Status

MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class Shelf:
    """A target in memory; with `lost` it takes nothing."""

    renewal = timedelta(milliseconds=50)
    lost: bool = False
    tried: int = 0
    held: dict[str, bytes] = field(default_factory=dict)
    said: list[Trust] = field(default_factory=list)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def begin(self) -> None:
        pass

    async def write(self, outputs: Mapping[str, Output]) -> int:
        async with self.news:
            self.tried += 1
            self.news.notify_all()
            if self.lost:
                raise TargetError("the disk is gone", "bring it back")
            self.held = {path: each.body for path, each in outputs.items()}
            return len(outputs)

    async def confirm(self, status: Output, trust: Trust) -> None:
        async with self.news:
            self.held["status.json"] = status.body
            self.said.append(trust)
            self.news.notify_all()

    async def shows(self, wanted: Callable[[], bool]) -> None:
        """Wait until it is as `wanted`. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE), self.news:
            await self.news.wait_for(wanted)


@asynccontextmanager
async def exporting() -> AsyncIterator[tuple[Upstream, Served, Exporter, Shelf]]:
    """The trio of 22 November 2024 at noon and what exports it into memory, in English and Russian."""
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url) as served:
            await served.ready()
            shelf = Shelf()
            yield upstream, served, exporter(served.service, ("en", "ru"), shelf), shelf


async def test_everything_is_there_as_the_service_says_it() -> None:
    """Byte for byte under `now/`; what a route of the service gives has a file, in each language and style."""
    async with exporting() as (_, served, work, shelf):
        await work.once(MINUTE)
        for lang in ("en", "ru"):
            for path, file in (
                (f"/v1/quotes?lang={lang}", f"{lang}/v1/quotes.json"),
                (f"/v1/quotes/OIL?lang={lang}", f"{lang}/v1/quotes/OIL.json"),
                (f"/widget?lang={lang}", f"{lang}/widget.html"),
                (f"/widget?lang={lang}&style=change", f"{lang}/widget-change.html"),
                (f"/widget?lang={lang}&style=sparkline", f"{lang}/widget-sparkline.html"),
                ("/sparkline/USD.svg?lang=en", "sparkline/USD.svg"),
            ):
                said = await (await served.client.get(path)).read()
                assert shelf.held[f"now/{file}"] == said, file
                if "widget" not in file:
                    assert shelf.held[file] == said
            assert b"event: quotes" in shelf.held[f"{lang}/v1/stream"]
        for path in ("widget.css", "widget.js", "v1/openapi.json"):
            assert shelf.held[path] == await (await served.client.get(f"/{path}")).read()


async def test_the_status_says_how_long_it_holds() -> None:
    """Until time alone changes a word, and while the exporter is heard of."""
    async with exporting() as (_, served, work, shelf):
        await work.once(MINUTE)
        status = json.loads(shelf.held["status.json"])
        assert status["version"] == served.service.board.latest.version
        assert (status["status"], status["languages"]) == ("fresh", ["en", "ru"])
        assert status["confirmed_at"] == "2024-11-22T09:00:00Z"
        assert status["trusted_until"] == "2024-11-22T09:01:00Z"
        assert shelf.said[-1].changes_at == served.service.board.next_change(NOON)
        assert shelf.said[-1].valid_until == served.service.board.latest.turns_at(NOON)
        ends = [quote.usable_until for quote in served.service.board.latest.quotes if quote.usable_until]
        assert shelf.said[-1].marked_until == min(ends)


async def test_what_polls_bring_and_what_time_alone_brings_is_written() -> None:
    """A new number, then its growing old, each seen without anybody asking; ended by its event."""
    async with exporting() as (upstream, served, work, shelf):
        stop = asyncio.Event()
        running = asyncio.create_task(work.watch(stop, MINUTE))
        await shelf.shows(lambda: b'"price": 73.73' in shelf.held.get("now/en/v1/quotes/OIL.json", b""))
        served.clock.now = NOON + MINUTE
        upstream.trio(brent=Decimal("74.10"), now=served.clock.now)
        await asyncio.gather(*map(served.service.poller.poll, served.service.poller.feeds))
        await shelf.shows(lambda: b'"price": 74.10' in shelf.held["now/en/v1/quotes/OIL.json"])
        served.clock.now = NOON + timedelta(hours=6)
        await shelf.shows(lambda: b'"status": "stale"' in shelf.held["now/en/v1/quotes/OIL.json"])
        assert served.service.board.latest.status is Status.STALE
        stop.set()
        await asyncio.wait_for(running, PATIENCE)


async def test_while_nothing_changes_it_is_heard_of_and_nothing_is_written() -> None:
    """The time of the last word moves on; the files are left alone."""
    async with exporting() as (_, served, work, shelf):
        stop = asyncio.Event()
        running = asyncio.create_task(work.watch(stop, MINUTE))
        await shelf.shows(lambda: len(shelf.said) == 1)
        served.clock.now = NOON + timedelta(seconds=30)
        await shelf.shows(lambda: len(shelf.said) >= 3)
        assert shelf.tried == 1
        assert shelf.said[-1].trusted_until == NOON + timedelta(seconds=90)
        stop.set()
        await asyncio.wait_for(running, PATIENCE)


async def test_a_target_that_is_lost_is_tried_again_until_it_is_back() -> None:
    """With all that changed meanwhile; nothing is vouched for while it is away."""
    async with exporting() as (_, _served, work, shelf):
        shelf.lost, stop = True, asyncio.Event()
        running = asyncio.create_task(work.watch(stop, MINUTE))
        await shelf.shows(lambda: shelf.tried >= 2)
        assert not shelf.said
        shelf.lost = False
        await shelf.shows(lambda: bool(shelf.said))
        assert "now/ru/widget.html" in shelf.held
        stop.set()
        await asyncio.wait_for(running, PATIENCE)
