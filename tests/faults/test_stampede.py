"""A thousand readers at once, at the very moment at which everything they have kept has become old."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import aiohttp

from tests.faults.test_upstreams import SELDOM
from tests.ops.process import running
from tests.ops.world import turning, write
from tests.support.running_service import Served, serving
from tests.support.upstream import DAY, Upstream
from ticker.quotes import Snapshot
from ticker.rendering.renderer import Renderer, View
from ticker.rendering.representation import Representation
from ticker.storage.base import Point

READERS = 250
CODINGS = ("identity", "gzip", "br", "gzip, br")
LATE = ("/v1/sources", "/docs", "/v1/openapi.json", "/", "/v1/instruments")
PATHS = ("/widget?lang=en", "/v1/quotes?lang=en")


class Counted(Renderer):
    """A renderer that counts what it really makes, by version and kind."""

    def __init__(self) -> None:
        super().__init__({})
        self.made: Counter[tuple[int, str]] = Counter()

    def render_uncached(
        self, snapshot: Snapshot, view: View, past: Mapping[str, Sequence[Point]] | None = None
    ) -> Representation:
        self.made[snapshot.version, view.kind] += 1
        return super().render_uncached(snapshot, view, past)


async def ask(session: aiohttp.ClientSession, url: str, coding: str) -> tuple[int, str, bytes]:
    """Status, coding and body of one answer."""
    async with session.get(url, headers={"Accept-Encoding": coding}) as response:
        return response.status, response.headers.get("Content-Encoding", ""), await response.read()


async def stampede(served: Served) -> list[tuple[int, str, bytes]]:
    """What every reader is given who asks in this moment."""
    base = str(served.client.make_url("")).rstrip("/")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), auto_decompress=False) as session:
        questions = (ask(session, base + path, CODINGS[i % 4]) for i in range(READERS) for path in PATHS)
        return await asyncio.gather(*questions)


async def test_at_a_new_version_each_view_is_made_once_and_no_source_is_asked() -> None:
    """Five hundred answers at once, three times over: one rendering each of page and JSON, not one upstream request."""
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url, flags=SELDOM) as served:
            await served.ready()
            counted = served.service.context.renderer = Counted()
            for cents in range(3):
                upstream.trio(DAY, brent=f"74.0{cents}")
                await served.service.poller.poll("moex")
                asked, version = len(upstream.hits()), served.service.board.latest.version
                answers = await stampede(served)
                assert {status for status, _, _ in answers} == {200}
                # Page and JSON, each plain, with gzip and with br: all readers of one have the same bytes.
                assert len(set(answers)) == 6
                assert counted.made[version, "widget"] == counted.made[version, "quotes"] == 1
                assert len(upstream.hits()) == asked


async def test_the_first_readers_of_a_cold_process_are_all_answered(tmp_path: Path) -> None:
    """Forty at once for each of what a start leaves for later: what is only half imported yet is waited for."""
    async with turning() as world, running(write(tmp_path / "t.toml"), world.upstream.url) as process:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            asked = (ask(session, process.url + path, "gzip") for path in LATE for _ in range(40))
            answers = await asyncio.gather(*asked)
            assert Counter(status for status, _, _ in answers) == {200: 40 * len(LATE)}
        assert [line for line in process.lines if line["level"] == "error"] == []
