"""<market-ticker> and the fragment in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from playwright.async_api import Page

from tests.browser.conftest import Opener
from tests.support.served_board import Live, live
from ticker.quotes import Status
from ticker.rendering.renderer import View

pytestmark = pytest.mark.asyncio(loop_scope="session")
LIST = "market-ticker .market-ticker"
USD = f"{LIST} [data-symbol=USD]"
HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>x</title>'


@asynccontextmanager
async def host(body: str, policy: str = "", headers: Mapping[str, str] | None = None) -> AsyncIterator[str]:
    """Another site, whose one page is `body`, under a policy of its own, with `headers`."""

    async def page(_request: web.Request) -> web.Response:
        own = {"Content-Security-Policy": policy} if policy else {}
        return web.Response(text=HEAD + body, content_type="text/html", headers={**own, **(headers or {})})

    async def icon(_request: web.Request) -> web.Response:
        return web.Response(status=204)

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/favicon.ico", icon)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


async def fragment(served: Live, query: str = "") -> str:
    """What a server-side include puts into a page."""
    view = served.context.renderer

    style = "change" if "change" in query else "plain"
    return view.render(served.context.board.latest, View("widget", (), "en", style)).body.decode()


def element(served: Live, inside: str = "", attributes: str = "") -> str:
    """A page with the element as the embed code has it."""
    head = f'<link rel="stylesheet" href="{served.url}/widget.css"><script src="{served.url}/widget.js" async></script>'
    return f"{head}<main><market-ticker {attributes}>{inside}</market-ticker><p id=after>after</p></main>"


async def upgraded(page: Page) -> None:
    """Wait until the element listens.

    A function, as wherever a page is waited for: an expression is evaluated anew at each look, which the page's own
    policy forbids (CSP without 'unsafe-eval') unless the first look is the last.
    """
    await page.wait_for_function("() => document.querySelector('market-ticker').feed?.board")


async def shows(page: Page, text: str, where: str = USD) -> None:
    """Wait until `where` holds `text`."""
    await page.locator(where).filter(has_text=text).first.wait_for()


@pytest.mark.parametrize("policy", ["", "default-src 'none'; style-src *; script-src 'none'"])
async def test_the_fragment_is_right_without_script(opened: Opener, policy: str) -> None:
    """Under the strictest policy the header's text is the same, and each number has its name for a screen reader."""
    async with live() as served:
        link = f'<link rel="stylesheet" href="{served.url}/widget.css">'
        async with host(link + await fragment(served), policy) as url, opened(url) as page:
            text = await page.evaluate("document.body.textContent.replace(/\\s+/g, ' ').trim()")
            assert text == "USD 100.68 EUR 106.08 OIL 73.73"
            spoken = await page.locator(".market-ticker").aria_snapshot()
            assert "US dollar, RUB / 1 USD" in spoken


async def test_the_element_upgrades_the_servers_fragment_in_place(opened: Opener) -> None:
    """The very list the server sent goes on, live, and nothing on the page moves."""
    async with live() as served:
        async with host(element(served, await fragment(served))) as url, opened(url) as page:
            await upgraded(page)
            assert await page.evaluate("document.querySelector('market-ticker').list.dataset.version") is not None
            served.put({"USD": "99.1234"})
            await shows(page, "99.12")
            assert await page.locator(f"{USD} data").get_attribute("value") == "99.1234"
            served.put({"USD": "101.99"}, Status.STALE)
            await shows(page, "Nov 22, 2024")
            served.put(status=Status.UNAVAILABLE)
            await shows(page, "\N{EM DASH}")
            assert await page.locator(f"{LIST} data").count() == 0
            served.put()
            await shows(page, "100.68")
            assert await page.locator(f"{LIST} time").count() == 0
            assert await page.evaluate("shifted") == 0


async def test_the_element_fills_itself_where_the_page_is_static(opened: Opener) -> None:
    """Attributes choose instruments, language and style, and may change."""
    async with live() as served:
        attributes = 'symbols="OIL,USD" lang="ru" variant="change"'
        async with host(element(served, attributes=attributes)) as url, opened(url) as page:
            await upgraded(page)
            text = "document.querySelector('market-ticker').list.innerText.replace(/\\s+/g, ' ').trim()"
            assert await page.evaluate(text) == "НЕФТЬ 73,73 -0,53 % USD 100,68 +0,46 %"
            assert await page.locator("[data-symbol=OIL]").get_attribute("data-direction") == "down"
            await page.evaluate("document.querySelector('market-ticker').setAttribute('lang', 'de')")
            await shows(page, "100,68", f"{LIST}[lang=de]")


async def test_several_elements_share_one_connection(opened: Opener) -> None:
    """A page with the ticker in its header and its margin listens once."""
    async with live() as served:
        body = element(served) + '<market-ticker symbols="OIL" lang="en"></market-ticker>'
        async with host(body) as url, opened(url) as page:
            await page.wait_for_function(
                "() => [...document.querySelectorAll('market-ticker')].every((one) => one.feed?.board)"
            )
            assert served.context.traffic.streams == 1


async def test_a_dead_service_leaves_the_numbers_and_shows_their_age_until_it_is_back(opened: Opener) -> None:
    """Nothing on the page moves meanwhile; the stream is taken up again."""
    async with live() as served:
        async with host(element(served, await fragment(served))) as url, opened(url, errors=True) as page:
            await upgraded(page)
            await served.stop()
            await page.locator(f"{LIST}[data-lost]").wait_for(timeout=20_000)
            assert await page.locator(f"{USD} data").inner_text() == "100.68"
            assert "ago" in await page.locator(f"{USD} time").inner_text()
            await served.start()
            served.put({"USD": "98.5"})
            await shows(page, "98.50")
            await page.locator(f"{LIST}:not([data-lost])").wait_for(timeout=10_000)
            assert await page.evaluate("shifted") == 0


async def test_where_streams_do_not_get_through_the_element_asks(opened: Opener) -> None:
    """A proxy that refuses event streams does not keep the page from being live."""
    async with live() as served:
        async with host(element(served, await fragment(served))) as url, opened("about:blank", errors=True) as page:
            await page.route("**/v1/stream*", lambda route: route.fulfill(status=503))
            served_at = served.put({"USD": "97.25"}).version
            await page.goto(url)
            await shows(page, "97.25")
            assert await page.locator(LIST).get_attribute("data-version") == str(served_at)


async def test_a_hidden_page_does_not_listen(opened: Opener) -> None:
    """A tab in the background costs the service nothing and is right when it is looked at again."""
    async with live() as served:
        async with host(element(served, await fragment(served))) as url, opened(url) as page:
            await upgraded(page)
            hide = """(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
                document.dispatchEvent(new Event('visibilitychange', { bubbles: true })); }"""
            await page.evaluate(hide, True)  # noqa: FBT003 - the script's own parameter
            assert await page.evaluate("document.querySelector('market-ticker').feed.source.readyState") == 2
            served.put({"USD": "96.5"})
            await page.evaluate(hide, False)  # noqa: FBT003 - as above
            await shows(page, "96.50")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
async def test_a_change_moves_only_for_those_who_want_motion(opened: Opener, motion: str) -> None:
    """A changed number fades in, unless the reader asked for less motion."""
    async with live() as served:
        async with host(element(served, await fragment(served))) as url, opened(url, reduced_motion=motion) as page:
            await upgraded(page)
            counted = """() => { window.moves = 0; const old = Element.prototype.animate;
                Element.prototype.animate = function (...all) { window.moves++; return old.apply(this, all); }; }"""
            await page.evaluate(counted)
            served.put({"USD": "95.5"})
            await shows(page, "95.50")
            assert await page.evaluate("moves") == (0 if motion == "reduce" else 1)


async def test_updates_are_announced_politely_and_seldom(opened: Opener) -> None:
    """Not at every tick: nothing is said until the pause that the page chose is over, and then it is said once."""
    async with live() as served:
        body = element(served, await fragment(served), 'announce="0.3"')
        async with host(body) as url, opened(url) as page:
            await upgraded(page)
            assert await page.get_by_role("status").inner_text() == ""
            await page.wait_for_function("() => Date.now() - document.querySelector('market-ticker').spoken > 300")
            served.put({"USD": "94.5"})
            await page.get_by_role("status").filter(has_text="US dollar 94.50").wait_for()
            served.put({"USD": "93.5"})
            await shows(page, "93.50")
            assert "94.50" in await page.get_by_role("status").inner_text()


async def test_a_page_themes_the_element_and_does_not_break_it(opened: Opener) -> None:
    """Custom properties and parts reach in; a rude style sheet does not."""
    style = """<style>ul { list-style: square; padding: 3em } li { float: left; margin: 2em } abbr { display: none }
        market-ticker { --ticker-up: rgb(1, 2, 3) } market-ticker::part(price) { font-style: italic }</style>"""
    async with live() as served:
        body = style + element(served, await fragment(served, "change"))
        async with host(body) as url, opened(url) as page:
            await upgraded(page)
            look = """(one) => { const { color, fontStyle, paddingTop } = getComputedStyle(one);
                return [color, fontStyle, paddingTop]; }"""
            assert (await page.locator(f"{USD} small").evaluate(look))[0] == "rgb(1, 2, 3)"
            assert (await page.locator(f"{USD} data").evaluate(look))[1] == "italic"
            assert (await page.locator(LIST).evaluate(look))[2] == "0px"
            assert await page.locator(f"{USD} abbr").is_visible()


async def test_a_page_with_the_service_blocked_loads_in_the_same_time(opened: Opener) -> None:
    """Neither the script nor the style is waited for by the page's own content once it stands."""
    async with host("<p>without</p>") as plain, opened(plain) as page:
        without = await page.evaluate(
            "performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart"
        )
    async with live() as served:
        body = f'<script src="{served.url}/widget.js" async></script><market-ticker></market-ticker><p>with</p>'
        async with host(body) as url, opened("about:blank", errors=True) as page:
            await page.route(f"{served.url}/**", lambda route: route.abort())
            await page.goto(url)
            blocked = await page.evaluate(
                "performance.timing.domContentLoadedEventEnd - performance.timing.navigationStart"
            )
    assert blocked < without + 250
