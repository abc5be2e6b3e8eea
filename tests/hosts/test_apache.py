"""Server-side includes in the real Apache with config/apache/market-ticker.conf."""

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

CONFIGURATION = ROOT / "config" / "apache" / "market-ticker.conf"
INCLUDE = next(way for way in embeds(WidgetChoice(), Links(), {}) if way.id == "apache").blocks[1].code
PAGE = f"<title>news</title>{INCLUDE}<p>the news</p>"
MODULES = ("mpm_event", "authz_core", "authz_host", "mime", "dir", "include", "proxy", "proxy_http", "headers", "alias")
AROUND = """ServerRoot {at}
PidFile {at}/pid
ErrorLog {at}/error.log
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
{modules}
TypesConfig /etc/mime.types
DocumentRoot {at}/html
<Directory {at}/html>
    Options +Includes
    AddOutputFilter INCLUDES .html
    Require all granted
</Directory>
{site}
"""


@asynccontextmanager
async def apache(at: Path, ticker: int, waits: Callable[[str], str] = patient) -> AsyncIterator[str]:
    """The shipped configuration with its ticker at the port `ticker`; gives the page's address."""
    folder = "/usr/lib/apache2/modules"
    modules = "\n".join(f"LoadModule {name}_module {folder}/mod_{name}.so" for name in MODULES)
    port = free_port()
    html = at / "html"
    html.mkdir()
    (html / "news.html").write_text(PAGE)
    site = waits(CONFIGURATION.read_text()).replace("127.0.0.1:8080", f"127.0.0.1:{ticker}")
    site = site.replace("/usr/share/market-ticker", str(CONFIGURATION.parent))
    (at / "httpd.conf").write_text(AROUND.format(at=at, port=port, modules=modules, site=site))
    # As root Apache would change to a user that may not read the test's folder.
    command = (needs("apache2"), "-f", f"{at}/httpd.conf", "-D", "FOREGROUND")
    for folder_of_it in (at, *at.parents[:3]):
        folder_of_it.chmod(folder_of_it.stat().st_mode | 0o055)
    async with serving(port, *command):
        yield f"http://127.0.0.1:{port}/news.html"


def stubbed(text: str) -> bool:
    """Whether the page holds its own text and the stub, and nothing of Apache's own."""
    return "the news" in text and 'class="market-ticker">—' in text and "Apache" not in text and "<h1>" not in text


async def test_the_fragment_stands_in_the_page(tmp_path: Path) -> None:
    """Whatever the reader's request carries."""
    async with live() as served, apache(tmp_path, served.port) as url:
        for headers in ({}, {"Cookie": "session=1", "Accept-Language": "ru", "Accept-Encoding": "br"}):
            text = await page(url, **headers)
            assert ">100.68</data>" in text
            assert "the news" in text


async def test_a_dead_service_ends_in_the_stub(tmp_path: Path) -> None:
    """The page is whole, and the fragment comes back with the service."""
    async with live() as served:
        await served.stop()
        async with apache(tmp_path, served.port) as url:
            assert stubbed(await page(url))
            await served.start()
            async with asyncio.timeout(PATIENCE):
                while ">100.68</data>" not in await page(url):  # noqa: ASYNC110 - Apache asks again after five seconds
                    await asyncio.sleep(0.5)


async def test_a_service_that_hangs_costs_what_the_file_says(tmp_path: Path) -> None:
    """A second, as no Apache waits by itself; then the stub is shown."""
    assert " timeout=1 " in CONFIGURATION.read_text()
    port = free_port()
    async with hung(port), apache(tmp_path, port, str) as url:
        async with asyncio.timeout(PATIENCE):
            assert stubbed(await page(url))


@pytest.mark.parametrize("status", [404, 502])
async def test_what_is_no_fragment_never_stands_in_the_header(tmp_path: Path, status: int) -> None:
    """Another server's page, or JSON, ends in the stub."""
    stranger = answering("/widget", status, "<h1>Somebody else's page</h1>")
    async with stranger as port, apache(tmp_path, port) as url:
        assert stubbed(await page(url))


async def test_nobody_reaches_the_include_by_its_address(tmp_path: Path) -> None:
    """It is for includes only."""
    async with live() as served, apache(tmp_path, served.port) as url, aiohttp.ClientSession() as session:
        async with session.get(url.replace("/news.html", "/_ticker?lang=en")) as got:
            assert got.status in {403, 404}
            assert "100.68" not in await got.text()
