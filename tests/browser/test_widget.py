"""<market-ticker> and the fragment in a real browser."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from playwright.async_api import APIResponse, Page, Route

from tests.browser.conftest import Opener
from tests.support.patience import PATIENCE
from tests.support.served_board import Live, live
from ticker.quotes import Status
from ticker.rendering.renderer import View

pytestmark = pytest.mark.asyncio(loop_scope="session")
# The list in the element's own tree; what the page has put between the tags is not shown beside it.
LIST = "market-ticker .market-ticker[part]"
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
    """Wait until the element shows what it has asked for itself.

    A function, as wherever a page is waited for: an expression is evaluated anew at each look, which the page's own
    policy forbids (CSP without 'unsafe-eval') unless the first look is the last.
    """
    await page.wait_for_function("() => document.querySelector('market-ticker').shadowRoot?.querySelector('ul')")


async def shows(page: Page, text: str, where: str = USD) -> None:
    """Wait until `where` holds `text`."""
    await page.locator(where).filter(has_text=text).first.wait_for()


async def texts(page: Page) -> str:
    """What the element reads, blanks folded."""
    text = await page.evaluate("document.querySelector('market-ticker').list.innerText")
    return " ".join(str(text).split())


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


async def test_the_element_takes_up_the_servers_fragment_without_moving_anything(opened: Opener) -> None:
    """What the server sent is shown, live, with its tooltip following each update, and nothing on the page moves."""
    async with live() as served:
        async with host(element(served, await fragment(served), "live")) as url, opened(url) as page:
            await upgraded(page)
            served.put({"USD": "99.1234"})
            await shows(page, "99.12")
            assert await page.locator(f"{USD} data").get_attribute("value") == "99.1234"
            served.put({"USD": "101.99"}, Status.STALE)
            await page.locator(f"{USD}[data-status=stale]").wait_for()
            served.put(status=Status.UNAVAILABLE)
            await shows(page, "\N{EM DASH}")
            assert await page.locator(f"{LIST} data").count() == 0
            served.put()
            await shows(page, "100.68")
            assert await page.locator(f"{USD} data").get_attribute("title") == "Bank of Russia, Nov 22, 2024"
            assert await page.locator(f"{LIST} time").count() == 0
            assert await page.evaluate("shifted") == 0


async def test_the_element_fills_itself_where_the_page_is_static(opened: Opener) -> None:
    """Attributes choose instruments, language and style, and may change."""
    async with live() as served:
        attributes = 'symbols="OIL,USD" lang="ru" variant="change"'
        async with host(element(served, attributes=attributes)) as url, opened(url) as page:
            await upgraded(page)
            assert await page.locator("[data-symbol=OIL] data").inner_text() == "73,73"
            assert await page.locator("[data-symbol=OIL]").get_attribute("data-direction") == "down"
            await page.evaluate("document.querySelector('market-ticker').setAttribute('lang', 'de')")
            await shows(page, "100,68", f"{LIST}[lang=de] [data-symbol=USD]")


@pytest.mark.parametrize("lang", ["en_US", "en-us", "nonsense_language_tag_!"])
async def test_a_language_written_otherwise_is_understood_or_left_to_the_service(opened: Opener, lang: str) -> None:
    """Sites write `en_US`; no spelling leaves the element empty."""
    async with live() as served:
        async with host(element(served, attributes=f'lang="{lang}"')) as url, opened(url, errors=True) as page:
            await shows(page, "100.68")


async def test_elements_that_want_the_same_share_one_stream(opened: Opener) -> None:
    """A page with the ticker in its header and its margin listens once."""
    async with live() as served:
        body = element(served, attributes="live") + '<market-ticker symbols="OIL" lang="en" live></market-ticker>'
        async with host(body) as url, opened(url) as page:
            await page.wait_for_function(
                "() => [...document.querySelectorAll('market-ticker')].every((one) => one.shadowRoot?.firstChild)"
            )
            await page.wait_for_function("() => document.querySelector('market-ticker').leave")
            assert served.context.traffic.streams == 1


async def test_without_live_no_connection_is_held(opened: Opener) -> None:
    """A reader's browser keeps the host page in its back/forward cache, which an open stream would end."""
    async with live() as served:
        async with host(element(served, await fragment(served))) as url, opened(url) as page:
            await upgraded(page)
            assert served.context.traffic.streams == 0


async def test_a_dead_service_leaves_the_numbers_and_shows_their_age_until_it_is_back(opened: Opener) -> None:
    """Nothing on the page moves meanwhile; a service that starts anew is believed, whatever its version."""
    async with live() as served:
        async with host(element(served, await fragment(served), "live")) as url, opened(url, errors=True) as page:
            await upgraded(page)
            await served.stop()
            await page.evaluate("document.querySelector('market-ticker').refresh()")
            await page.locator(f"{LIST}[data-lost]").wait_for(timeout=20_000)
            assert await page.locator(f"{USD} data").inner_text() == "100.68"
            assert "ago" in await page.locator(f"{USD} time").inner_text()
            await served.start()
            served.put({"USD": "98.5"})
            await shows(page, "98.50")
            await page.locator(f"{LIST}:not([data-lost])").wait_for(timeout=20_000)
            assert await page.evaluate("shifted") == 0


@pytest.mark.parametrize("first", [502, 404])
@pytest.mark.parametrize("inside", ["", '<p class="market-ticker">\N{EM DASH}</p>'])
async def test_the_element_heals_after_a_failed_first_load_or_a_stub(opened: Opener, first: int, inside: str) -> None:
    """A proxy's error page at the first load, or an include's stub, is replaced as soon as the service answers."""
    async with live() as served:
        answers = [first]

        async def answer(route: Route) -> None:
            if answers:
                await route.fulfill(status=answers.pop(), body="<ul class=market-ticker><li>no</ul>")
            else:
                await route.continue_()

        async with host(element(served, inside)) as url, opened("about:blank", errors=True) as page:
            await page.route("**/widget?*", answer)
            await page.goto(url)
            await shows(page, "100.68")


@pytest.mark.parametrize("way", ["module", "import", "late"])
async def test_the_script_runs_as_module_by_import_and_late(opened: Opener, way: str) -> None:
    """However it is loaded, it finds its service."""
    async with live() as served:
        script = {
            "module": f'<script type="module" src="{served.url}/widget.js"></script>',
            "import": f"<script type=module>import('{served.url}/widget.js')</script>",
            "late": f"<script>addEventListener('load', () => {{ const s = document.createElement('script'); "
            f"s.src = '{served.url}/widget.js'; document.head.append(s); }})</script>",
        }[way]
        async with host(f"{script}<market-ticker></market-ticker>") as url, opened(url) as page:
            await shows(page, "100.68")


async def test_trusted_types_are_respected(opened: Opener) -> None:
    """A page that requires trusted types for scripts shows the numbers, and reports no violation."""
    async with live() as served:
        policy = "require-trusted-types-for 'script'"
        async with host(element(served), policy) as url, opened(url) as page:
            await shows(page, "100.68")


async def test_a_clobbered_document_does_not_choose_the_service(opened: Opener) -> None:
    """An image or form named currentScript is no script: nothing is asked of the address in it."""
    async with live() as served:
        asked: list[str] = []
        clobber = '<img name="currentScript" src="data:," ><form name="currentScript"></form>'
        async with host(clobber + element(served)) as url, opened("about:blank", errors=True) as page:
            page.on("request", lambda request: asked.append(request.url))
            await page.goto(url)
            await shows(page, "100.68")
        assert not [one for one in asked if not one.startswith((served.url, url, "data:"))]


HOSTILE = """<ul class="market-ticker" data-version="1" onclick="window.hacked=1" style="background:url(/stolen)">
<li data-symbol="USD" data-status="fresh" onmouseover="window.hacked=1"><abbr title="x">USD</abbr>
<data value="1" title="y">1.00</data><img src=x onerror="window.hacked=1"><script>window.hacked=1</script>
<a href="javascript:window.hacked=1">press</a><iframe srcdoc="<script>parent.hacked=1</script>"></iframe>
<svg onload="window.hacked=1"><use href="/stolen#x"></use><animate onbegin="window.hacked=1"/><path d="M0 0"/></svg>
<form action="/stolen"><button formaction="javascript:window.hacked=1">b</button></form></li></ul>"""


async def test_nothing_of_a_hostile_fragment_runs_or_loads(opened: Opener) -> None:
    """The fragment is built from known elements and attributes only, whoever sends it, polluted prototypes or not."""
    async with live() as served:
        pollute = "<script>Object.prototype.img = 'x'; Object.prototype.onerror = 'x';</script>"
        asked: list[str] = []
        async with host(pollute + element(served)) as url, opened("about:blank", errors=True) as page:
            page.on("request", lambda request: asked.append(request.url))
            await page.route("**/widget?*", lambda route: route.fulfill(body=HOSTILE, content_type="text/html"))
            await page.route("**/widget", lambda route: route.fulfill(body=HOSTILE, content_type="text/html"))
            await page.goto(url)
            await shows(page, "1.00")
            assert await page.evaluate("window.hacked") is None
            markup = await page.evaluate("document.querySelector('market-ticker').shadowRoot.innerHTML")
            assert not re.search(r"<(img|script|iframe|a|use|form|button|animate)\b|\son\w+=|style=|href=", markup)
        assert not [one for one in asked if "stolen" in one]


async def test_name_source_and_date_are_reached_by_keyboard_and_by_tap(opened: Opener) -> None:
    """They stand in a tooltip, which neither a finger nor a keyboard can open."""
    async with live() as served:
        async with host(element(served)) as url, opened(url) as page:
            await upgraded(page)
            await page.keyboard.press("Tab")
            await page.keyboard.press("Enter")
            details = page.locator("market-ticker .market-ticker-details")
            assert await details.inner_text() == "US dollar, RUB / 1 USD. Bank of Russia, Nov 22, 2024"
            await page.keyboard.press("Escape")
            assert not await details.is_visible()
            await page.locator("market-ticker [data-symbol=OIL] data").click()
            assert "Moscow Exchange" in await details.inner_text()


async def test_a_number_leads_where_the_site_says(opened: Opener) -> None:
    """`link` is an address with the symbol in it; one that is no web address is ignored."""
    async with live() as served:
        async with host(element(served, attributes='link="/rates/{symbol}"')) as url, opened(url) as page:
            await upgraded(page)
            assert await page.locator(f"{USD} a").get_attribute("href") == f"{url}rates/USD"
        async with host(element(served, attributes='link="javascript:alert(1)"')) as url, opened(url) as page:
            await upgraded(page)
            assert await page.locator(f"{LIST} a").count() == 0


async def test_a_fragment_past_its_time_marks_itself(opened: Opener) -> None:
    """A page cache may keep yesterday's header: with script it says how old the numbers are."""
    async with live() as served:
        kept = re.sub(r' data-valid-until="[^"]*"', "", await fragment(served))
        kept = kept.replace(" data-version=", ' data-valid-until="2024-11-22T21:00:00Z" data-version=')
        async with host(element(served, kept)) as url, opened("about:blank", errors=True) as page:
            await page.route("**/widget?*", lambda route: route.fulfill(status=502))
            await page.goto(url)
            await page.locator(f"{LIST}[data-lost]").wait_for()


async def test_where_streams_do_not_get_through_the_element_asks(opened: Opener) -> None:
    """A proxy that refuses event streams does not keep the page from being right."""
    async with live() as served:
        body = element(served, await fragment(served), "live")
        async with host(body) as url, opened("about:blank", errors=True) as page:
            await page.route("**/v1/stream*", lambda route: route.fulfill(status=503))
            served_at = served.put({"USD": "97.25"}).version
            await page.goto(url)
            await shows(page, "97.25")
            assert await page.locator(LIST).get_attribute("data-version") == str(served_at)


def told(version: int) -> str:
    """Whether the first element has heard of `version` on its stream."""
    return f"() => document.querySelector('market-ticker').news == {version}"


async def test_what_is_told_while_an_answer_is_on_its_way_is_not_lost(opened: Opener) -> None:
    """An answer made before the news does not put it off until its `max-age` is over."""
    async with live() as served:
        held = asyncio.Queue[tuple[Route, APIResponse]]()

        async def hold(route: Route) -> None:
            held.put_nowait((route, await route.fetch()))

        async with host(element(served, attributes="live")) as url, opened("about:blank") as page:
            await page.route("**/widget?*", hold, times=1)
            await page.goto(url)
            route, old = await asyncio.wait_for(held.get(), PATIENCE)
            await page.wait_for_function(told(served.put({"USD": "95.5"}).version))
            await route.fulfill(response=old)
            await shows(page, "95.50")


async def test_an_answer_older_than_the_news_is_asked_for_again_soon(opened: Opener) -> None:
    """A copy on the way, or another replica, may not know yet what the stream has told."""
    async with live() as served:
        async with host(element(served, attributes="live")) as url, opened(url) as page:
            await upgraded(page)
            await page.wait_for_function("() => document.querySelector('market-ticker').news === 0")
            old, asked = await page.request.get(f"{served.url}/widget?lang=en"), asyncio.Event()

            async def behind(route: Route) -> None:
                await route.fulfill(response=old, headers={**old.headers, "Cache-Control": "no-store"})
                asked.set()

            await page.clock.install()
            await page.route("**/widget?*", behind)
            version = served.put({"USD": "95.5"}).version
            await asyncio.wait_for(asked.wait(), PATIENCE)
            await page.wait_for_function("() => !document.querySelector('market-ticker').asking")
            assert await page.evaluate(told(version))
            await page.unroute("**/widget?*")
            await page.clock.fast_forward("00:07")
            await shows(page, "95.50")


async def test_a_stream_that_was_refused_is_tried_again_after_the_next_question(opened: Opener) -> None:
    """A proxy's error while the service starts does not end it for good."""
    async with live() as served:
        async with host(element(served, attributes="live")) as url, opened("about:blank", errors=True) as page:
            await page.clock.install()
            await page.route("**/v1/stream*", lambda route: route.fulfill(status=503))
            await page.goto(url)
            await upgraded(page)
            await page.wait_for_function("() => !document.querySelector('market-ticker').asking")
            await page.wait_for_function("() => document.querySelector('market-ticker').leave === null")
            assert served.context.traffic.streams == 0
            await page.unroute("**/v1/stream*")
            await page.clock.fast_forward("06:00")
            async with asyncio.timeout(PATIENCE):
                while not served.context.traffic.streams:  # noqa: ASYNC110 - a number, not an event, says it
                    await asyncio.sleep(0.01)
            served.put({"USD": "95.5"})
            await shows(page, "95.50")


async def test_an_element_that_was_out_of_sight_hears_what_another_was_told(opened: Opener) -> None:
    """They share a stream, which tells nothing twice."""
    async with live() as served:
        body = (
            element(served, attributes="live")
            + '<market-ticker id="other" symbols="USD" lang="en" live></market-ticker>'
        )
        async with host(body) as url, opened(url) as page:
            await shows(page, "100.68", "#other .market-ticker[part]")
            await page.evaluate("other.style.display = 'none'")
            await page.wait_for_function("() => !other.leave && !other.asking")
            served.put({"USD": "95.5"})
            await shows(page, "95.50")
            await page.evaluate("other.style.display = ''")
            await shows(page, "95.50", "#other .market-ticker[part]")


async def test_a_hidden_page_does_not_ask(opened: Opener) -> None:
    """A tab in the background costs the service nothing and is right when it is looked at again."""
    async with live() as served:
        async with host(element(served, await fragment(served), "live")) as url, opened(url) as page:
            await upgraded(page)
            hide = """(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
                document.dispatchEvent(new Event('visibilitychange', { bubbles: true })); }"""
            await page.evaluate(hide, True)  # noqa: FBT003 - the script's own parameter
            assert await page.evaluate("document.querySelector('market-ticker').leave") is None
            served.put({"USD": "96.5"})
            await page.evaluate(hide, False)  # noqa: FBT003 - as above
            await page.evaluate("document.querySelector('market-ticker').refresh()")
            await shows(page, "96.50")


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
async def test_a_change_moves_only_for_those_who_want_motion(opened: Opener, motion: str) -> None:
    """A changed number fades in, unless the reader asked for less motion."""
    async with live() as served:
        body = element(served, await fragment(served), "live")
        async with host(body) as url, opened(url, reduced_motion=motion) as page:
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
        body = element(served, await fragment(served), 'announce="0.3" live')
        async with host(body) as url, opened(url) as page:
            await upgraded(page)
            assert await page.locator(".market-ticker-voice").inner_text() == ""
            await page.wait_for_function("() => Date.now() - document.querySelector('market-ticker').spoken > 300")
            served.put({"USD": "94.5"})
            await page.locator(".market-ticker-voice").filter(has_text="US dollar 94.50").wait_for()
            served.put({"USD": "93.5"})
            await shows(page, "93.50")
            assert "94.50" in await page.locator(".market-ticker-voice").inner_text()


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


async def test_a_page_stands_while_the_service_has_yet_to_answer(opened: Opener) -> None:
    """Neither the script nor anything it asks for is waited for by the page's own content."""
    async with live() as served:
        body = f'<script src="{served.url}/widget.js" async></script><market-ticker></market-ticker><p>with</p>'
        held = asyncio.Queue[Route]()
        async with host(body) as url, opened("about:blank", errors=True) as page:
            await page.route(f"{served.url}/**", held.put_nowait)
            # Returns when DOMContentLoaded has fired; nothing has been answered by then.
            await page.goto(url, wait_until="domcontentloaded")
            assert await page.locator("p").inner_text() == "with"
            script = await asyncio.wait_for(held.get(), PATIENCE)
            assert script.request.url == f"{served.url}/widget.js"
            assert await page.evaluate("document.readyState") == "interactive"
            await script.abort()
            await page.wait_for_load_state("load")
