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
