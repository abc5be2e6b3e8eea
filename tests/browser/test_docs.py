"""The reference `/docs` in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser.conftest import Opener
from tests.browser.test_page import violations
from tests.support.served_board import live

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("lang", "width", "scheme"), [("en", 360, "light"), ("ru", 360, "dark"), ("ru", 1200, "light")]
)
async def test_the_reference_is_accessible_and_fits(
    opened: Opener, screens: Path, *, lang: str, width: int, scheme: str
) -> None:
    """No violation of any rule of axe-core with all of it open, and nothing wider than the window."""
    options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    async with live() as served, opened(f"{served.url}/docs?lang={lang}", **options) as page:
        await page.evaluate("() => document.querySelectorAll('details').forEach((one) => { one.open = true })")
        assert await violations(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        await page.screenshot(path=screens / f"docs-{lang}-{width}-{scheme}.png")


async def test_the_reference_is_searched_copied_and_tried(opened: Opener) -> None:
    """Every word has to be there; an answer is shown over lines, with the digits that were sent."""
    async with live() as served, opened(f"{served.url}/docs?lang=ru") as page:
        await page.locator("#search").fill("convert сумма")
        await page.locator("#found", has_text="1").wait_for()
        assert await page.locator("details.operation:visible").count() == 1
        await page.locator("#search").fill("ничего такого здесь нет")
        await page.locator("#found", has_text="Ничего не найдено.").wait_for()
        await page.locator("#search").fill("")
        await page.locator("#getQuote summary").click()
        quote = page.locator("#getQuote")
        assert f'curl "{served.url}/v1/quotes/USD"' in await quote.locator("pre").first.inner_text()
        await page.evaluate("addEventListener('copy', () => { window.copied = String(getSelection()) })")
        await quote.locator(".code button").first.click()
        await quote.get_by_role("button", name="Скопировано").first.wait_for()
        await quote.locator("[name=symbol]").fill("USD")
        await quote.get_by_role("button", name="Попробовать").click()
        await quote.locator(".answer pre", has_text='\n  "price": 100.6798,\n').wait_for()
        await page.locator("#getCard summary").click()
        await page.locator("#getCard").get_by_role("button", name="Попробовать").click()
        await page.wait_for_function("() => document.querySelector('#getCard .answer img')?.naturalWidth === 1200")
