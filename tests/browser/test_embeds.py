"""The ways to embed that a browser takes part in, with the very code that the page gives."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.browser.conftest import Opener
from tests.browser.test_widget import host, texts, upgraded
from tests.support.programs import needs
from tests.support.served_board import live
from ticker.rendering.embeds import WidgetChoice, embeds
from ticker.rendering.html import Links

pytestmark = pytest.mark.asyncio(loop_scope="session")
LABELS = {"USD": "USD", "EUR": "EUR", "OIL": "OIL"}
CHOICE = WidgetChoice(("USD", "OIL"), "en", "change")
WANTED = "USD 100.68 up +0.46% OIL 73.73 down -0.53%"


def code(way: str, base: str) -> str:
    """What the page gives to be copied."""
    return next(one.code for one in embeds(CHOICE, Links(base=base), LABELS) if one.id == way)


@pytest.fixture(scope="session")
def htmx(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The real htmx, fetched by npm."""
    at: Path = tmp_path_factory.mktemp("htmx")
    command = (needs("npm"), "pack", "htmx.org@2", "--silent")
    done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        pytest.skip(f"npm could not fetch htmx: {done.stderr[-200:]}")
    with tarfile.open(next(at.glob("*.tgz"))) as archive:
        member = archive.extractfile("package/dist/htmx.min.js")
        assert member is not None
        return member.read().decode()


async def test_the_custom_element_as_the_page_gives_it(opened: Opener) -> None:
    """Two tags and the element."""
    async with live() as served, host(code("element", served.url)) as url, opened(url) as page:
        await upgraded(page)
        assert await texts(page) == WANTED


async def test_htmx_puts_the_fragment_in(opened: Opener, htmx: str) -> None:
    """From another host, which htmx has to be allowed and CORS to admit."""
    async with live() as served:
        body = f"<script>{htmx}</script>{code('htmx', served.url)}"
        # htmx looks for headers of its own in every answer, which a browser reports of another host's.
        async with host(body) as url, opened(url, errors=True) as page:
            await page.locator(".market-ticker [data-symbol=OIL]").wait_for()
            assert " ".join((await page.locator(".market-ticker").inner_text()).split()) == WANTED


async def test_an_iframe_on_another_site_shows_the_frame_and_nothing_else_may_be_framed(opened: Opener) -> None:
    """The frame page lets itself be framed; the page `/` does not."""
    async with live() as served:
        async with host(code("iframe", served.url)) as url, opened(url) as page:
            ticker = page.frame_locator("iframe").locator("market-ticker .market-ticker[part]")
            await ticker.locator("[data-symbol=OIL]").wait_for()
            assert " ".join((await ticker.inner_text()).split()) == WANTED
        framed = f'<iframe src="{served.url}/" title="x"></iframe>'
        async with host(framed) as url, opened(url, errors=True) as page:
            assert not [one.url for one in page.frames if one.url.startswith(served.url)]


async def test_every_way_is_plain_text_that_names_the_service() -> None:
    """With the configured address, the choice, and no hole left to fill."""
    for one in embeds(CHOICE, Links(base="https://numbers.example"), LABELS):
        assert "{" + "base}" not in one.code
        assert "symbols=USD,OIL" in one.code or 'symbols="USD,OIL"' in one.code
        assert one.id == "esi" or "https://numbers.example" in one.code
