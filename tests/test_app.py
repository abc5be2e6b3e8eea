"""The composer: parts joined, started, closed; two services in one process."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.patience import PATIENCE
from tests.support.running_service import Served, serving
from tests.support.upstream import CBR, Upstream
from ticker.quotes import Status
from ticker.settings.loader import load
from ticker.sources import KEYED


async def price(served: Served, symbol: str) -> object:
    """The price that the API gives."""
    return (await (await served.client.get(f"/v1/quotes/{symbol}")).json(content_type=None))["price"]


async def failed(served: Served, source: str) -> None:
    """Ask `source` once more and see that it failed."""
    before = served.service.poller.health[source].in_a_row
    await served.service.poller.poll(source)
    assert served.service.poller.health[source].in_a_row == before + 1


async def test_two_services_live_in_one_process() -> None:
    """Each with its own board, cache and registry: nothing is global."""
    async with Upstream() as one, Upstream() as other:
        one.trio(usd="100.6798")
        other.trio(usd="99.1234")
        async with serving(one.url) as first, serving(other.url, demo=True) as second:
            await asyncio.gather(first.ready(), second.ready())
            assert (await price(first, "USD"), await price(second, "USD")) == (100.6798, 99.1234)
            for served, shown in ((first, "100.6798"), (second, "99.1234")):
                text = await (await served.client.get("/metrics")).text()
                assert f'ticker_quote_price{{source="cbr",symbol="USD"}} {shown}' in text
            assert "Ticker-Demo" not in (await first.client.get("/v1/quotes")).headers


async def test_an_upstream_that_dies_takes_no_number_along() -> None:
    """The last good quotes stay, in value and in standing, and the reason is told."""
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url) as served:
            await served.ready()
            shown = await (await served.client.get("/widget")).text()
            await upstream.stop()
            for source in served.service.poller.health:
                await failed(served, source)
            assert await (await served.client.get("/widget")).text() == shown
            assert (await served.client.get("/readyz")).status == 200


@pytest.mark.parametrize("how", ["html", "garbage", "empty", "truncate", "status:500", "close", "reset", "bomb_gzip"])
async def test_an_upstream_that_goes_mad_takes_no_number_along(how: str) -> None:
    """Whatever it sends."""
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url) as served:
            await served.ready()
            upstream.fail("/", how)
            for source in served.service.poller.health:
                await failed(served, source)
            assert [await price(served, symbol) for symbol in ("USD", "EUR", "OIL")] == [100.6798, 106.0762, 73.73]


async def test_a_service_without_an_upstream_starts_and_gets_well_by_itself() -> None:
    """Em dashes and 503 on /readyz only; the numbers once there are any."""
    async with Upstream() as upstream:
        await upstream.stop()
        async with serving(upstream.url) as served:
            await served.polled()
            statuses = {
                path: (await served.client.get(path)).status for path in ("/", "/widget", "/healthz", "/readyz")
            }
            assert statuses == {"/": 200, "/widget": 200, "/healthz": 200, "/readyz": 503}
            assert (await served.client.get("/v1/quotes")).status == 200
            await upstream.start()
            upstream.trio()
            await asyncio.gather(*map(served.service.poller.poll, served.service.poller.health))
            assert (await served.client.get("/readyz")).status == 200


async def test_one_source_that_hangs_holds_up_no_other() -> None:
    """Each is asked on its own."""
    async with Upstream() as upstream:
        upstream.trio()
        upstream.fail("/moex/", "hang")
        async with serving(upstream.url) as served:
            await served.shows(lambda seen: seen.status is not Status.UNAVAILABLE)
            quote = served.service.board.latest.get("OIL")
            assert quote is not None
            assert (quote.source, quote.fallback) == ("yahoo", True)


async def test_every_source_is_asked_at_once_and_by_name() -> None:
    """The first poll does not wait for the timetable; the answer to who we are is in the request."""
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url), asyncio.timeout(PATIENCE):
            hits = await upstream.seen("/", 4)
            assert {hit.path_qs.split("/")[1] for hit in hits} == {"cbr", "cbr_mirror", "moex", "yahoo"}
            assert all("market-ticker/" in hit.headers["User-Agent"] for hit in hits)


async def test_stopping_leaves_nothing_behind() -> None:
    """No task, no open connection, also while a source hangs."""
    async with Upstream() as upstream:
        upstream.fail("/", "hang")
        before = asyncio.all_tasks()
        async with serving(upstream.url):
            await upstream.seen(CBR)
        left = {task for task in asyncio.all_tasks() - before if "ticker" in repr(task.get_coro())}
        assert left == set()


async def test_a_file_with_one_instrument_serves_that_one(tmp_path: Path) -> None:
    """And asks only the sources that feed it."""
    file = tmp_path / "own.toml"
    off = "".join(f"[instruments.{symbol}]\nenabled = false\n" for symbol in ("USD", "EUR", "OIL"))
    file.write_text(f'{off}[instruments.CNY]\nbase = "CNY"\nquote = "RUB"\nsources = ["cbr"]')
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url, file=file) as served:
            await served.ready()
            assert [quote.symbol for quote in served.service.board.latest.quotes] == ["CNY"]
            assert {hit.path_qs.split("/")[1] for hit in upstream.hits()} == {"cbr"}


def test_only_sources_that_feed_an_instrument_are_used(tmp_path: Path) -> None:
    """The others cost nobody a request."""
    off = "".join(f"[instruments.{symbol}]\nenabled = false\n" for symbol in ("USD", "EUR"))
    (tmp_path / "own.toml").write_text(f'{off}[instruments.OIL]\nsources = ["yahoo", "moex"]\nfallbacks = []')
    active = load(tmp_path / "own.toml", {}, {}).settings.active(KEYED)
    assert active.used_sources() == ("moex", "yahoo")
