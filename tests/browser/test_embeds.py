"""The ways to embed that a browser takes part in, with the very code that the page gives."""

from __future__ import annotations

import base64
import subprocess
import tarfile
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.conftest import Opener
from tests.browser.test_widget import host, texts, upgraded
from tests.support.programs import needs
from tests.support.served_board import live
from ticker.rendering.embeds import WidgetChoice, embeds
from ticker.rendering.html import STYLES, Links

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
        assert one.id == "feed" or "symbols=USD,OIL" in one.code or 'symbols="USD,OIL"' in one.code
        assert one.id in {"esi", "apache"} or "https://numbers.example" in one.code


@pytest.mark.parametrize("style", STYLES)
async def test_the_frame_is_as_high_as_what_it_shows(opened: Opener, style: str) -> None:
    """At every width nothing is cut off, and little is left over, whatever the style, size and language."""
    async with live() as served:
        for lang, size in (("en", "normal"), ("ru", "large"), ("de", "small")):
            choice = WidgetChoice((), lang, style, size=size)
            code = next(one.code for one in embeds(choice, Links(base=served.url), LABELS) if one.id == "iframe")
            async with host(code) as url, opened(url, viewport={"width": 1280, "height": 600}) as page:
                frame = page.frame_locator("iframe")
                await frame.locator("market-ticker .market-ticker[part] [data-symbol=OIL]").wait_for()
                for width in (1280, 750, 560, 390, 320):
                    await page.set_viewport_size({"width": width, "height": 600})
                    inner, outer = await frame.locator("html").evaluate("(one) => [one.scrollHeight, innerHeight]")
                    assert inner <= outer, f"{lang} {size} {width}: {inner} of {outer}"
                    if width in {1280, 320}:
                        shown = await frame.locator("main").evaluate("(one) => one.getBoundingClientRect().bottom")
                        assert outer - shown < 150, f"{lang} {size} {width}: {shown} of {outer}"


@pytest.mark.parametrize(("ground", "reader"), [("#ffffff", "dark"), ("#ffffff", "light"), ("#fdf6e3", "dark")])
async def test_a_frame_stands_on_the_ground_of_a_light_site(
    opened: Opener, screens: Path, ground: str, reader: str
) -> None:
    """Whatever the reader's own theme is: no black box."""
    async with live() as served:
        body = f"<style>body {{ background: {ground}; margin: 0 }}</style>{code('iframe', served.url)}"
        options = {"viewport": {"width": 700, "height": 200}, "color_scheme": reader}
        async with host(body) as url, opened(url, **options) as page:
            await page.frame_locator("iframe").locator("market-ticker .market-ticker[part]").wait_for()
            picture = await page.screenshot(path=screens / f"iframe-{ground[1:]}-{reader}.png")
            assert await corner(page, picture) == ground


async def corner(page: Page, picture: bytes) -> str:
    """The colour of a picture's pixel at the right of the frame's first row, where nothing is written."""
    data = base64.b64encode(picture).decode()
    script = """async (data) => { const image = new Image(); image.src = `data:image/png;base64,${data}`;
      await image.decode();
      const canvas = document.createElement('canvas'); canvas.width = image.width; canvas.height = image.height;
      const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);
      const [r, g, b] = context.getImageData(image.width - 6, 20, 1, 1).data;
      return '#' + [r, g, b].map((one) => one.toString(16).padStart(2, '0')).join(''); }"""
    return str(await page.evaluate(script, data))
