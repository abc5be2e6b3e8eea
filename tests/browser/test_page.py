"""The page `/` and the frame in a real browser: looked at by axe-core and, as .screens/*.png, by people."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.conftest import Opener
from tests.storage.rows import DAY, FRIDAY, archived, fixing, meant
from tests.support.served_board import live
from tests.support.stored_service import kept
from ticker.quotes import Status

pytestmark = pytest.mark.asyncio(loop_scope="session")
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
LIVE = "#live .market-ticker"
# language, width, colour scheme, style, status: each language, theme and state once at least, from 320 px to 1920.
LOOKS = (
    ("en", 1920, "light", "change", Status.FRESH),
    ("en", 320, "dark", "plain", Status.STALE),
    ("ru", 768, "dark", "change", Status.FRESH),
    ("ar", 1280, "light", "change", Status.STALE),
    ("ar-EG", 320, "dark", "change", Status.FRESH),
    ("de", 375, "light", "plain", Status.UNAVAILABLE),
)


async def violations(page: Page) -> list[str]:
    """What axe-core finds, one line each."""
    await page.evaluate(AXE)
    found = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
    return [f"{one['id']}: {node['html'][:120]}" for one in found["violations"] for node in one["nodes"]]


async def settled(page: Page) -> None:
    """Wait until the live element has its first board and no animation runs."""
    await page.wait_for_function("() => document.querySelector('market-ticker').feed?.board")
    await page.wait_for_function("() => document.getAnimations().every((one) => one.playState === 'finished')")


@pytest.mark.parametrize(("lang", "width", "scheme", "style", "status"), LOOKS)
async def test_the_page_is_accessible_and_fits(
    opened: Opener, screens: Path, *, lang: str, width: int, scheme: str, style: str, status: Status
) -> None:
    """No violation of any rule of axe-core, nothing wider than the window, nothing that moves."""
    async with live() as served:
        served.put(status=status)
        options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
        async with opened(f"{served.url}/?lang={lang}&style={style}", **options) as page:
            await settled(page)
            assert await violations(page) == []
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            served.put({"USD": "99.5"}, status)
            version = served.context.board.latest.version
            await page.wait_for_function(f"() => document.querySelector('#live').feed.board.version == {version}")
            assert await page.evaluate("shifted") == 0
            await page.screenshot(path=screens / f"page-{lang}-{width}-{scheme}-{status}.png", full_page=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_the_frame_is_accessible_and_any_site_may_hold_it(opened: Opener, screens: Path, theme: str) -> None:
    """The widget alone, in the theme asked for."""
    async with live(demo=True) as served:
        url = f"{served.url}/frame?style=change&theme={theme}&lang=en"
        async with opened(url, viewport={"width": 640, "height": 80}) as page:
            await settled(page)
            assert await violations(page) == []
            assert await page.evaluate("getComputedStyle(document.documentElement).colorScheme") == theme
            await page.screenshot(path=screens / f"frame-{theme}.png")


async def test_the_controls_change_what_is_shown_and_the_code_at_once(opened: Opener) -> None:
    """With the keyboard alone, without a reload; the address keeps the choice."""
    async with live() as served, opened(f"{served.url}/?lang=en") as page:
        await settled(page)
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.className") == "skip"
        await page.locator("[name=style][value=plain]").focus()
        await page.keyboard.press("ArrowRight")
        await page.locator(f"{LIVE}[data-style=change]").wait_for()
        await page.locator("[name=symbols][value=EUR]").focus()
        await page.keyboard.press("Space")
        await page.locator(f"{LIVE}:not(:has([data-symbol=EUR]))").wait_for()
        await page.locator("#way-element").filter(has_text='symbols="USD,OIL"').wait_for()
        assert f'src="{served.url}/widget.js"' in await page.locator("#way-element").inner_text()
        assert await page.locator("#now tbody tr").count() == 2
        await page.locator("[name=theme][value=light]").focus()
        await page.keyboard.press("ArrowRight")
        assert await page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
        assert page.url.endswith("?symbols=USD%2COIL&lang=en&style=change&theme=dark")


async def test_without_script_the_form_does_the_same(opened: Opener) -> None:
    """A reload instead, with each checkbox a parameter of its own."""
    async with live() as served, opened(f"{served.url}/?lang=en", java_script_enabled=False, errors=True) as page:
        await page.locator("label", has_text="EUR").click()
        await page.locator("label", has_text="With change").click()
        await page.get_by_role("button", name="Apply").click()
        assert (
            " ".join((await page.locator(".market-ticker").inner_text()).split())
            == "USD 100.68 +0.46% OIL 73.73 -0.53%"
        )


async def test_a_demo_says_so_wherever_one_looks(opened: Opener, screens: Path) -> None:
    """In the title, the bar, the text and the widget."""
    async with live(demo=True) as served, opened(f"{served.url}/?lang=en") as page:
        await settled(page)
        assert "Demo" in await page.title()
        assert await page.locator(".badge").inner_text() == "Demo"
        assert await page.locator(f"{LIVE} [data-status=demo]").is_visible()
        assert await violations(page) == []
        await page.screenshot(path=screens / "page-demo.png")


async def test_the_history_is_told_as_the_language_writes_it(opened: Opener, screens: Path) -> None:
    """Label, digits and days in the page's language; the days are those of the source's own zone."""
    rows = [fixing(FRIDAY + day * DAY, price) for day, price in ((-1, "100.2192"), (0, "100.6798"))]
    async with kept("memory://", "http://127.0.0.1:9", FRIDAY + 2 * DAY) as served:
        served.service.store_writer._store.write(meant(archived(row, FRIDAY) for row in rows), {})
        async with opened(str(served.client.make_url("/?lang=ru"))) as page:
            chart = page.locator("#history figure[data-symbol=USD]")
            await chart.locator("svg").wait_for()
            told = " ".join((await chart.inner_text()).split())
            assert told == "USD: 100,22 – 100,68, 21\N{EN DASH}22 нояб. 2024 г."
            assert await page.locator("#history figure:visible").count() == 1
            await page.screenshot(path=screens / "page-history.png", full_page=True)
