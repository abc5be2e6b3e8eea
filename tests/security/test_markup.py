"""Markup in every text that is not ours, in a real browser with its own defence (CSP) switched off: nothing runs."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientSession
from playwright.async_api import Page
from prometheus_client.parser import text_string_to_metric_families

from tests.browser.conftest import Opener
from tests.browser.test_widget import element, host, upgraded
from tests.support.served_board import Live, live
from ticker.settings.errors import ConfigurationError
from ticker.settings.loader import load

pytestmark = pytest.mark.asyncio(loop_scope="session")
SHORT = '"><script>owned=1</script>'
EVIL = (
    f"'{SHORT}<img src=x:owned onerror=owned=1><svg onload=owned=1><a href=javascript:owned=1 onfocus=owned>"
    "</title></style></textarea></script></noscript></template>--><script>owned=1</script>{{owned}}{% owned %}${owned}"
)
# Anything of a page that would run, had it come from a text.
RUNS = "[onerror], [onload], [onfocus], [href^='javascript:'], script:not([src]), iframe, object, embed, base"
SOURCE = "<img src=x:owned onerror=owned=1>"
FLAGS: dict[str, Any] = {
    **{f"instruments.USD.{key}.{lang}": f"{lang} {EVIL}" for key in ("label", "name") for lang in ("en", "ru")},
    "instruments.USD.unit": f"1 {EVIL}",
    "instruments.OIL.base": SHORT,
    "instruments.USD.sources": ["cbr", SOURCE],
    "sources.cbr.attribution.en": EVIL,
    "sources.cbr.terms_url": "https://terms.example/'onfocus='owned=1'&quot;&gt;",
    f"sources.{SOURCE}.adapter": "cbr_mirror",
    f"sources.{SOURCE}.calendar": "cbr",
    f"sources.{SOURCE}.schedule": {"every": "1h"},
    f"sources.{SOURCE}.attribution.en": EVIL,
}
PAGES = (
    "/?lang=en&style=change",
    "/?lang=ru&style=sparkline",
    "/frame?lang=en",
    "/docs",
    "/widget?lang=en",
    "/widget?lang=ru&style=sparkline",
    "/sparkline/USD.svg?lang=en",
    "/v1/quotes?lang=en",
    "/v1/instruments?lang=en",
    "/v1/sources?lang=en",
    "/v1/openapi.json",
    "/metrics",
    "/readyz",
)
# Where a request's own words come back.
ECHOES = (
    "/%s",
    "/v1/quotes/%s",
    "/sparkline/%s.svg",
    "/v1/quotes?symbols=%s",
    "/v1/quotes?%s=1",
    "/v1/quotes?lang=%s",
    "/v1/quotes?at=%s",
    "/v1/convert?amount=%s&from=USD&to=EUR",
    "/v1/convert?amount=1&from=%s&to=EUR",
    "/widget?style=%s",
    "/widget?lang=%s",
    "/widget?%s=1",
    "/frame?theme=%s",
    "/?symbols=%s",
    "/v1/quotes/USD/history?cursor=%s",
    "/widget.js?v=%s",
)


def hostile() -> Live:
    """The service under a configuration full of markup."""
    return live(**FLAGS)


async def untouched(page: Page) -> None:
    """Nothing ran, and nothing stands there that would have."""
    assert await page.evaluate("typeof owned") == "undefined"
    assert await page.evaluate(f'document.querySelectorAll("{RUNS}").length') == 0


async def test_markup_in_the_configuration_is_text_on_every_page(opened: Opener) -> None:
    """It asks for nothing, and runs nothing."""
    asked: list[str] = []
    async with hostile() as served, opened(f"{served.url}/", errors=True, bypass_csp=True) as page:
        page.on("request", lambda request: asked.append(request.url))
        for path in PAGES:
            await page.goto(served.url + path)
            if await page.locator("market-ticker").count():
                await upgraded(page)
            await untouched(page)
    assert not [url for url in asked if "owned" in url]


async def test_the_text_is_there(opened: Opener) -> None:
    """Else the test above would look at pages without it."""
    async with hostile() as served:
        async with opened(f"{served.url}/?lang=en", errors=True) as page:
            await upgraded(page)
            assert EVIL in await page.locator("#now").inner_text()
            assert f"en {EVIL}" in (await page.locator("#live abbr").first.inner_text())
            await page.locator("#sources summary").first.click()
            assert EVIL in await page.locator("#sources").inner_text()
        async with opened(f"{served.url}/sparkline/USD.svg?lang=en", errors=True) as page:
            assert EVIL in str(await page.evaluate("document.querySelector('title').textContent"))


async def test_markup_in_a_request_is_text_in_its_refusal(opened: Opener) -> None:
    """As a page, as JSON, wherever the words are told back."""
    async with live() as served, opened(f"{served.url}/", errors=True, bypass_csp=True) as page:
        for path in ECHOES:
            await page.goto(served.url + path % quote(EVIL, safe=""))
            await untouched(page)


async def test_the_element_takes_texts_for_texts_on_any_site(opened: Opener) -> None:
    """From the fragment, from the stream, and from a service whose numbers change meanwhile."""
    async with hostile() as served:
        attributes = 'variant="change" lang="en" live'
        async with host(element(served, attributes=attributes)) as url, opened(url, errors=True) as page:
            await upgraded(page)
            await page.evaluate("document.querySelector('market-ticker').spoken = 0")
            served.put({"USD": "99.5"})
            await page.locator("market-ticker data", has_text="99.50").wait_for()
            assert await page.evaluate("typeof owned") == "undefined"
            inside = "document.querySelector('market-ticker').shadowRoot.querySelectorAll('img, svg, script, a').length"
            assert await page.evaluate(inside) == 0


async def test_what_is_tried_on_the_docs_page_is_shown_as_text(opened: Opener) -> None:
    """The answer to a hostile parameter, under the form."""
    async with hostile() as served, opened(f"{served.url}/docs", errors=True, bypass_csp=True) as page:
        form = page.locator("form.try[data-path='/v1/quotes']")
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        await form.locator("[name=symbols]").fill(EVIL)
        await form.locator("button").click()
        await page.locator("form.try[data-path='/v1/quotes'] + .answer pre").filter(has_text="symbols").wait_for()
        await untouched(page)


async def test_an_isolated_site_can_take_everything_that_is_to_be_taken(opened: Opener) -> None:
    """COEP: require-corp lets in only what says so: script, style, picture and frame do."""
    async with live() as served:
        picture = f'<img id=picture src="{served.url}/sparkline/USD.svg" alt="">'
        frame = f'<iframe src="{served.url}/frame?lang=en" title="x"></iframe>'
        isolated = {"Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin"}
        async with host(element(served) + picture + frame, headers=isolated) as url, opened(url) as page:
            await upgraded(page)
            assert await page.evaluate("crossOriginIsolated")
            await page.wait_for_function("() => document.getElementById('picture').naturalWidth > 0")
            await page.frame_locator("iframe").locator("[data-symbol=OIL]:visible").first.wait_for()


async def test_markup_breaks_no_line_of_metrics_or_of_the_stream() -> None:
    """A label's value is its label's value, an event is one event."""
    async with hostile() as served, ClientSession() as client:
        text = await (await client.get(f"{served.url}/metrics")).text()
        names = {
            sample.labels.get("source") for family in text_string_to_metric_families(text) for sample in family.samples
        }
        assert SOURCE in names
        async with client.get(f"{served.url}/v1/stream?lang=en") as answer:
            said = b""
            while b"\n\n" not in said:
                said += await answer.content.readany()
        lines = [line.split(b":")[0] for line in said.split(b"\n\n")[0].splitlines()]
        assert lines == [b"retry", b"id", b"event", b"data"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("server.public_url", "javascript:owned=1"),
        ("server.public_url", "data:text/html,x"),
        ("server.public_url", "//evil.example"),
        ("server.public_url", 'https://x.example/"><script>'),
        ("server.public_url", "https://x.example/ y"),
        ("server.public_url", "https://x.example/\nX: y"),
        ("sources.cbr.terms_url", "javascript:owned=1"),
        ("sources.cbr.terms_url", " javascript:owned=1"),
        ("sources.cbr.terms_url", "java\nscript:owned=1"),
    ],
)
async def test_an_address_in_the_configuration_is_an_address(key: str, value: str) -> None:
    """It becomes a link, a header, and part of the code that people copy."""
    with pytest.raises(ConfigurationError):
        load(None, {}, {key: value})
