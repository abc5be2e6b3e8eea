"""The element and the fragment in React, Vue and htmx, each for real in Chromium."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

from tests.browser.conftest import Opener
from tests.browser.test_widget import LIST, fragment, host, shows
from tests.hosts.conftest import bundled
from tests.support.programs import needs
from tests.support.served_board import Live, live
from ticker.rendering.embeds import WidgetChoice, embeds
from ticker.rendering.html import Links

# They drive programs of Debian's for real.
pytestmark = [pytest.mark.programs, pytest.mark.asyncio(loop_scope="session")]


def run(*command: str | Path) -> str:
    """What `command` prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def react(served: Live, inside: str = "") -> str:
    """An application that shows the element with `inside` between its tags."""
    return f"""import {{ createElement as h }} from 'react';
import {{ createRoot, hydrateRoot }} from 'react-dom/client';
import 'market-ticker-element';
const inside = {inside!r};
const given = inside && {{ dangerouslySetInnerHTML: {{ __html: inside }}, suppressHydrationWarning: true }};
const Ticker = () => h('market-ticker', {{ src: '{served.url}', ...given }});
const Page = () => h('main', null, h(Ticker), h('p', null, 'the news'));
const root = document.getElementById('root');
if (root.firstChild) hydrateRoot(root, h(Page), {{ onRecoverableError: (error) => console.error(String(error)) }});
else createRoot(root).render(h(Page));"""


async def test_react_renders_the_element(packages: Path, opened: Opener) -> None:
    """On the client, from the package."""
    async with live() as served:
        body = f"<div id=root></div><script>{bundled(packages, react(served))}</script>"
        async with host(body) as url, opened(url) as page:
            await shows(page, "100.68")


async def test_react_hydrates_what_its_server_has_rendered(packages: Path, opened: Opener) -> None:
    """The element leaves what stands between its tags alone, so hydration finds what the server sent."""
    async with live() as served:
        inside = (await fragment(served)).replace("\n", "")
        code = f"""const {{ createElement: h }} = require('react');
const {{ renderToString }} = require('react-dom/server');
console.log(renderToString(h('main', null, h('market-ticker', {{ src: '{served.url}', suppressHydrationWarning: true,
  dangerouslySetInnerHTML: {{ __html: {inside!r} }} }}), h('p', null, 'the news'))));"""
        file = packages / "render.cjs"
        file.write_text(code)
        rendered = await asyncio.to_thread(run, needs("node"), file)
        # The element upgrades before React has hydrated, as where its script is in the head.
        early = f'<script src="{served.url}/widget.js"></script>'
        body = (
            f"{early}<div id=root>{rendered.strip()}</div><script>{bundled(packages, react(served, inside))}</script>"
        )
        async with host(body) as url, opened(url) as page:
            await shows(page, "100.68")
            assert await page.locator("main > p").inner_text() == "the news"


async def test_vue_renders_the_element(packages: Path, opened: Opener) -> None:
    """With the one line that tells Vue that the element is the browser's."""
    async with live() as served:
        code = f"""import {{ createApp, h }} from 'vue'; import 'market-ticker-element';
const app = createApp({{ render: () => h('main', [h('market-ticker', {{ src: '{served.url}', symbols: 'USD' }})]) }});
app.config.compilerOptions.isCustomElement = (tag) => tag === 'market-ticker';
app.mount('#root');"""
        body = f"<div id=root></div><script>{bundled(packages, code)}</script>"
        async with host(body) as url, opened(url) as page:
            await shows(page, "100.68")
            assert await page.locator(f"{LIST} li").count() == 1


@pytest.mark.parametrize("version", [2, 4])
async def test_htmx_puts_the_fragment_in(packages: Path, opened: Opener, version: int) -> None:
    """From another host, by the page's own code: both read the same meta element."""
    script = (packages / "node_modules" / f"htmx{version}" / "dist" / "htmx.min.js").read_text()
    async with live() as served:
        way = next(one for one in embeds(WidgetChoice(), Links(base=served.url), {}) if one.id == "htmx")
        async with host(f"{way.code}<script>{script}</script>") as url, opened(url, errors=True) as page:
            await page.locator(".market-ticker [data-symbol=OIL]").wait_for(timeout=5000)
