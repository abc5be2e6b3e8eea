"""ESI in the real Varnish with config/varnish/market-ticker.vcl: the page goes out whole whatever the service does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.nginx.server import answering, free_port, hung, page, patient, serving
from tests.support.patience import PATIENCE
from tests.support.programs import needs
from tests.support.project_files import ROOT
from tests.support.served_board import live
from ticker.rendering.embeds import WidgetChoice, embeds
from ticker.rendering.html import Links

# It drives programs of Debian's for real.
pytestmark = pytest.mark.programs

VCL = ROOT / "config" / "varnish" / "market-ticker.vcl"
INCLUDE = next(way for way in embeds(WidgetChoice(), Links(), {}) if way.id == "esi").blocks[1].code
PAGE = f"<title>news</title>{INCLUDE}<p>the news</p>"
STUB = '<p class="market-ticker">—</p>'


@asynccontextmanager
async def varnish(at: Path, ticker: int, waits: Callable[[str], str] = patient) -> AsyncIterator[str]:
    """The shipped VCL before a site of one page, its ticker at the port `ticker`; gives the page's address."""
    async with answering("/news", 200, PAGE, {"Cache-Control": "max-age=0"}) as site:
        own = f'backend default {{ .host = "127.0.0.1"; .port = "{site}"; }}\n'
        shipped = waits(VCL.read_text()).replace('.port = "8080"', f'.port = "{ticker}"')
        at.joinpath("site.vcl").write_text(shipped.replace("import std;\n", f"import std;\n{own}", 1))
        port = free_port()
        listen = ("-a", f"127.0.0.1:{port}", "-f", f"{at}/site.vcl", "-n", f"{at}/v", "-s", "malloc,8m")
        async with serving(port, needs("varnishd"), "-F", "-j", "none", *listen):
            yield f"http://127.0.0.1:{port}/news"


async def test_the_fragment_stands_in_the_page(tmp_path: Path) -> None:
    """For every reader the same, whatever cookie or language his request carries."""
    async with live() as served, varnish(tmp_path, served.port) as url:
        for headers in ({}, {"Cookie": "session=1", "Accept-Language": "ru", "Authorization": "Basic eDp5"}):
            text = await page(url, **headers)
            assert ">100.68</data>" in text
            assert "the news" in text
            assert "<esi:" not in text
        assert served.context.traffic.requests["/widget", "GET", 200] == 1


async def test_nobody_reaches_the_include_by_its_address(tmp_path: Path) -> None:
    """It is for includes; a reader who asks for it is told that there is no such page."""
    async with live() as served, varnish(tmp_path, served.port) as url, aiohttp.ClientSession() as session:
        async with session.get(url.replace("/news", "/_ticker?lang=en")) as got:
            assert got.status == 404


async def test_a_dead_service_leaves_the_kept_fragment_or_the_stub(tmp_path: Path) -> None:
    """Cold it is the stub and never Varnish's own error page; warm it is what was kept."""
    async with live() as served:
        await served.stop()
        async with varnish(tmp_path, served.port) as url:
            text = await page(url)
            assert STUB in text
            assert "Guru" not in text
            await served.start()
            async with asyncio.timeout(PATIENCE):
                while ">100.68</data>" not in await page(url):  # noqa: ASYNC110 - Varnish asks again after a second
                    await asyncio.sleep(0.2)
            await served.stop()
            assert ">100.68</data>" in await page(url)


async def test_a_service_that_hangs_costs_what_the_file_says(tmp_path: Path) -> None:
    """The page waits half a second for the first byte, as no Varnish does by itself, and is whole."""
    assert ".first_byte_timeout = 0.5s;" in VCL.read_text()
    port = free_port()
    async with hung(port), varnish(tmp_path, port, str) as url:
        async with asyncio.timeout(PATIENCE):
            text = await page(url)
        assert STUB in text
        assert "the news" in text


@pytest.mark.parametrize("status", [302, 404, 502])
async def test_what_is_no_fragment_never_stands_in_the_header(tmp_path: Path, status: int) -> None:
    """Another server's page, or JSON, ends in the stub."""
    stranger = answering("/widget", status, "<h1>Somebody else's page</h1>")
    async with stranger as port, varnish(tmp_path, port) as url:
        text = await page(url)
        assert STUB in text
        assert "Somebody" not in text
