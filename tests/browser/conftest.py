"""A real Chromium for the tests beside this file, one for all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.support.programs import needs
from tests.support.project_files import ROOT

Opener = Callable[..., AbstractAsyncContextManager[Page]]

# Kept out of git, for people to look at.
SCREENS = ROOT / ".screens"
# Without the last ones Chromium asks its maker's hosts, which this machine refuses one by one.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Summed up over the page's life; a shift that follows an input does not count.
SHIFTS = """window.shifted = 0; new PerformanceObserver((list) => { for (const one of list.getEntries())
  if (!one.hadRecentInput) window.shifted += one.value; }).observe({ type: 'layout-shift', buffered: true });"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    path = needs("chromium")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def opened(browser: Browser) -> Opener:
    """Opens a page that fails the test for an error in its console or a request to another host."""

    @asynccontextmanager
    async def open_page(url: str, *, errors: bool = False, **options: object) -> AsyncIterator[Page]:
        context = await browser.new_context(**({"viewport": {"width": 1024, "height": 700}} | options))  # type: ignore[arg-type]
        page = await context.new_page()
        said: list[str] = []
        asked: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        await page.add_init_script(SHIFTS)
        await page.goto(url)
        yield page
        await context.close()
        assert errors or not said
        assert all(one.startswith("http://127.0.0.1:") for one in asked)

    return open_page


@pytest_asyncio.fixture(loop_scope="session")
async def screens() -> Path:
    """Where screenshots are kept."""
    SCREENS.mkdir(exist_ok=True)
    return SCREENS
