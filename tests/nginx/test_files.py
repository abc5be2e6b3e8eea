"""config/nginx/market-ticker-files.conf in the real nginx over a real export: the header outlives everything.

Exporter, service and nginx are on one simulated clock, nginx's by libfaketime.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import brotli
import pytest
from aiohttp import ClientResponse, ClientSession
from aiohttp.test_utils import BaseTestServer, TestServer

from tests.nginx.server import NginxClock, free_port, patient, running, shipped
from tests.nginx.test_hour import dating
from tests.support.fragments import folded
from tests.support.patience import PATIENCE
from tests.support.running_service import Served, serving
from tests.support.upstream import NOON, Upstream
from tests.web.test_cache import poll_what_is_due
from ticker.app import exporter
from ticker.export.exporter import Exporter, target_of

# It drives programs of Debian's for real.
pytestmark = pytest.mark.programs

STUB = '<p class="market-ticker">—</p>'
PAGE = f"""<title>news</title><!--# block name="t" -->{STUB}<!--# endblock -->
<header><!--# include virtual="/_ticker?lang=en" stub="t" --></header>
<aside><!--# include virtual="/_ticker?lang=ru&style=change" stub="t" --></aside><p>the news</p>"""
PROBLEM = "application/problem+json"
LEASE, WEEK = timedelta(minutes=1), timedelta(days=7)


@dataclass(slots=True)
class World:
    """A service over an upstream, what was exported of it, and nginx before both."""

    upstream: Upstream
    served: Served
    relay: BaseTestServer
    work: Exporter
    files: Path
    nginx: NginxClock
    session: ClientSession
    front: str
    listening: bool = True

    def to(self, moment: datetime) -> None:
        """Move all clocks on; nothing is polled and nothing exported by that."""
        self.served.clock.now = moment
        self.nginx.to(moment)

    async def header(self) -> str:
        """The text of the page's header, blanks folded; the page's own text must be there too."""
        async with self.session.get(f"{self.front}/index.html", headers={"Accept-Encoding": "br, gzip"}) as got:
            assert got.status == 200
            page = await got.text()
        assert "the news" in page
        return folded(page.partition("<header>")[2].partition("</header>")[0])

    async def ask(self, path: str, coding: str = "identity", **headers: str) -> ClientResponse:
        """One answer, read to its end."""
        got = await self.session.get(f"{self.front}{path}", headers={"Accept-Encoding": coding, **headers})
        await got.read()
        return got

    async def stop(self) -> None:
        """Kill the service for all who ask; the exporter, a process of its own elsewhere, goes on with its board."""
        self.listening = False
        await self.relay.close()


@asynccontextmanager
async def world(at: Path, *langs: str, exported: bool = True) -> AsyncIterator[World]:
    """The trio of 22 November 2024 at noon, exported in English and Russian unless told not to."""
    port, clock, files = free_port(), NginxClock(at / "time"), at / "files"
    clock.to(NOON)
    async with Upstream() as upstream, ClientSession(auto_decompress=False) as session:
        upstream.trio()
        async with serving(upstream.url) as served, TestServer(dating(served, session)) as relay:
            await served.ready()
            work = exporter(served.service, langs or ("en", "ru"), target_of(str(files)))
            if exported:
                await work.once(LEASE)
            swaps = {
                "127.0.0.1:8080": f"127.0.0.1:{relay.port}",
                "127.0.0.1:8079": f"127.0.0.1:{free_port()}",
                "listen 80;": f"listen 127.0.0.1:{port};",
                "/var/www/html": f"{at}/html",
                "/var/cache/market-ticker": f"{at}/cache",
                "/var/lib/ticker-export/files": f"{files}",
            }
            site = patient(shipped("market-ticker-files.conf", swaps))
            async with running(at, site, PAGE, port, clock=clock) as url:
                yield World(upstream, served, relay, work, files, clock, session, url.removesuffix("/index.html"))


FRESH = "USD100.68 EUR106.08 OIL73.73"
MARKED = "USD100.68 Nov 22, 2024 EUR106.08 Nov 22, 2024 OIL73.73 Nov 22, 11:45"
DASHES = "USD— EUR— OIL—"


def asked(served: Served) -> int:
    """How often the service was asked for a widget or a quote."""
    return sum(count for (route, *_), count in served.service.context.traffic.requests.items() if route != "/readyz")


async def test_vouched_for_the_files_answer_and_the_service_is_not_asked(tmp_path: Path) -> None:
    """Two includes of one page each their own; all codings; just what the service says, with a tag that gives 304."""
    async with world(tmp_path) as both:
        before = asked(both.served)
        assert await both.header() == FRESH
        page = await (await both.session.get(f"{both.front}/index.html")).text()
        assert "100,68" in page.partition("<aside>")[2]
        assert 'data-style="change"' in page.partition("<aside>")[2]
        for path in ("/widget?lang=ru&style=sparkline", "/v1/quotes?lang=en", "/v1/quotes/OIL?lang=ru"):
            for coding in ("identity", "gzip", "br"):
                got = await both.ask(path, coding)
                assert (got.status, got.headers["Ticker-From"]) == (200, "files")
                assert got.headers.get("Content-Encoding", "identity") == coding
                again = await both.ask(path, coding, **{"If-None-Match": got.headers["ETag"]})
                assert again.status == 304
        assert asked(both.served) == before
        for path in ("/widget?lang=ru", "/v1/quotes?lang=en", "/v1/quotes/USD?lang=ru", "/sparkline/USD.svg"):
            from_files, service = await both.ask(path, "br"), await both.served.client.get(path)
            assert brotli.decompress(await from_files.read()) == await service.read()
            assert from_files.headers["Content-Type"] == service.headers["Content-Type"]


async def test_what_no_file_answers_is_the_services(tmp_path: Path) -> None:
    """Another form, another language, the past, what is wrong, and what is no GET."""
    async with world(tmp_path) as both:
        for path, headers in (
            ("/widget?lang=de", {}),
            ("/widget?lang=en&symbols=USD", {}),
            ("/widget", {}),
            ("/v1/quotes?lang=en", {"Accept": "text/csv"}),
            ("/v1/quotes?lang=en&at=2024-11-22", {}),
            ("/v1/instruments", {}),
        ):
            got = await both.ask(path, **headers)
            assert (got.status, got.headers.get("Ticker-From")) == (200, None), path
        assert (await both.ask("/v1/quotes?lnag=en")).status == 400
        assert (await both.ask("/v1/quotes/GBP?lang=en")).status == 404
        preflight = {"Origin": "https://a", "Access-Control-Request-Method": "GET"}
        async with both.session.options(f"{both.front}/v1/quotes?lang=en", headers=preflight) as got:
            assert got.status == 204


async def test_a_dead_exporter_leaves_it_to_the_service_and_a_dead_service_to_marked_files(tmp_path: Path) -> None:
    """No number is shown past its time as if it were new: first by whom, then how, and after its age not at all."""
    async with world(tmp_path) as both:
        both.to(NOON + LEASE - timedelta(seconds=1))
        assert (await both.ask("/v1/quotes?lang=en")).headers["Ticker-From"] == "files"
        both.to(NOON + LEASE)
        assert "Ticker-From" not in (await both.ask("/v1/quotes?lang=en")).headers
        assert await both.header() == FRESH
        await both.stop()
        both.to(NOON + LEASE + timedelta(days=2))
        assert await both.header() == MARKED
        got = await both.ask("/v1/quotes?lang=en", "gzip")
        assert (got.status, got.headers["Ticker-From"]) == (200, "last")
        quotes = (both.files / "marked/en/v1/quotes.json").read_text()
        assert '"status": "stale"' in quotes
        assert '"status": "fresh"' not in quotes
        assert (await both.ask("/v1/quotes?symbols=USD")).status == 503
        # The oil of Friday is shown for a week after the next session, Monday's, has opened.
        both.to(NOON + timedelta(days=3) + WEEK)
        assert await both.header() == DASHES
        assert (await both.ask("/v1/quotes?lang=en")).status == 503
        assert "data-status" in await (await both.ask("/widget?lang=ru")).text()


async def test_a_dead_service_leaves_events_style_and_script_to_the_files(tmp_path: Path) -> None:
    """Who listened is told to ask again; pages go on looking right; in the language of who asks, else in English."""
    async with world(tmp_path) as both:
        await both.stop()
        for lang, price in (("en", "73.73"), ("ru", "73,73"), ("de", "73.73")):
            got = await both.ask(f"/v1/stream?lang={lang}")
            text = await got.text() if lang != "de" else ""
            assert (got.status, got.content_type) == ((200, "text/event-stream") if text else (503, PROBLEM))
            assert not text or (text.startswith("retry: 15000\n") and f'"price": "{price}"' in text)
        for path, kind in (
            ("/widget.css", "text/css"),
            ("/widget.js", "text/javascript"),
            ("/v1/openapi.json", "application/json"),
        ):
            got = await both.ask(path, "br")
            assert (got.status, got.content_type, got.headers["Content-Encoding"]) == (200, kind, "br")
        assert (await both.ask("/v1/instruments")).status == 503


async def test_status_that_time_alone_brings_ends_the_files_too(tmp_path: Path) -> None:
    """Vouched for or not: at the moment at which the oil is late its file no longer says that it is fresh."""
    async with world(tmp_path) as both:
        turns = both.served.service.board.latest.turns_at(NOON)
        assert turns is not None
        await both.work.once(WEEK)
        for before, source in ((10, "files"), (-1, None)):
            both.to(turns - timedelta(seconds=before))
            assert (await both.ask("/v1/quotes/OIL?lang=en")).headers.get("Ticker-From") == source


async def test_without_any_file_the_service_answers_and_without_that_the_stub(tmp_path: Path) -> None:
    """An empty folder is no fault of the page."""
    async with world(tmp_path, exported=False) as both:
        assert await both.header() == FRESH
        await both.stop()
        shutil.rmtree(tmp_path / "cache")
        assert await both.header() == "—"
        assert (await both.ask("/v1/quotes?lang=en")).status == 503


async def test_half_a_folder_is_as_good_as_its_halves(tmp_path: Path) -> None:
    """Whatever an exporter that was killed has not written is answered by the next in line."""
    async with world(tmp_path) as both:
        (both.files / "now/en/widget.html").unlink()
        (both.files / "now/en/.widget.html.part").write_text('<ul class="market')
        assert await both.header() == FRESH
        await both.stop()
        both.to(NOON + timedelta(days=2))
        assert await both.header() == MARKED
        (both.files / "marked/en/widget.html").unlink()
        assert await both.header() == DASHES
        shutil.rmtree(both.files / "gone")
        assert await both.header() == "—"


# Who lives in which minutes of the hour: exporter, service.
LIVES = (
    (range(10), True, True),
    (range(10, 25), False, True),
    (range(25, 40), False, False),
    (range(40, 61), True, False),
)
# Vouched for a minute; of the service's answers, `max-age` (a minute and its jitter) and stale-while-revalidate.
OLDEST = timedelta(seconds=100)


async def test_for_an_hour_in_which_everything_dies_no_old_number_looks_new(tmp_path: Path) -> None:
    """A number without its date is one that was true a moment ago; the header is there at every look."""
    true: dict[str, datetime] = {}
    looks = dict.fromkeys(("new", "marked"), 0)
    async with world(tmp_path, "en") as both:
        for number in range(45):
            now = NOON + number * timedelta(seconds=80)
            _, exporting, serving_on = next(life for life in LIVES if number * 80 // 60 in life[0])
            both.to(now)
            both.upstream.trio(brent=Decimal("73.73") + Decimal(number) / 100, now=now)
            await poll_what_is_due(both.served)
            if not serving_on and both.listening:
                await both.stop()
            if exporting:
                await both.work.once(LEASE)
            true[said(both.served)] = now
            shown = await both.header()
            if "Nov" in shown:
                assert not exporting
                looks["marked"] += 1
            else:
                assert now - true[shown] <= OLDEST, now
                looks["new"] += 1
            if serving_on and not exporting:
                # Who looks again sees that it has been renewed, before the clock moves on under an answer in flight.
                async with asyncio.timeout(PATIENCE):
                    while await both.header() != said(both.served):  # noqa: ASYNC110 - nginx rings no bell
                        await asyncio.sleep(0.01)
    assert min(looks.values()) > 9, looks


def said(served: Served) -> str:
    """What the header reads, were nothing kept anywhere."""
    prices = {q.symbol: q.price for q in served.service.board.current(served.clock.now).quotes if q.price is not None}
    return " ".join(f"{symbol}{round(price, 2):f}" for symbol, price in prices.items())
