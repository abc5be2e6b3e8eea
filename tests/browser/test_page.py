"""The page `/` and the frame in a real browser: looked at by axe-core and, as .screens/*.png, by people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.browser.conftest import Opener
from tests.storage.rows import DAY, FRIDAY, archived, fixing
from tests.support.served_board import live
from tests.support.stored_service import Kept, kept
from tests.support.upstream import Upstream
from ticker.quotes import Status

pytestmark = pytest.mark.asyncio(loop_scope="session")
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
LIVE = "#live .market-ticker[part]"
# language, width, colour scheme, style, status: each language, theme and state once at least, from 320 px to 1920.
LOOKS = (
    ("en", 1920, "light", "change", Status.FRESH),
    ("en", 320, "dark", "plain", Status.STALE),
    ("ru", 768, "dark", "change", Status.FRESH),
    ("ar", 1280, "light", "sparkline", Status.STALE),
    ("ar-EG", 320, "dark", "change", Status.FRESH),
    ("ru", 390, "light", "upcoming", Status.FRESH),
    ("de", 375, "light", "plain", Status.UNAVAILABLE),
)


async def violations(page: Page) -> list[str]:
    """What axe-core finds, one line each."""
    await page.evaluate(AXE)
    found = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
    return [f"{one['id']}: {node['html'][:120]}" for one in found["violations"] for node in one["nodes"]]


async def settled(page: Page) -> None:
    """Wait until the live element has its first board and no animation runs."""
    await page.locator(f"{LIVE} [data-symbol=OIL]").wait_for()
    await page.wait_for_function("() => document.getAnimations().every((one) => one.playState === 'finished')")


@asynccontextmanager
async def remembering(days: int = 3653) -> AsyncIterator[Kept]:
    """A service that has polled, with a fixing of every day of so many years before, one kopeck more each."""
    async with Upstream() as upstream:
        upstream.trio()
        async with kept("memory://", upstream.url) as served:
            await served.written()
            usd = next(each for each in served.service.poller.instruments if each.symbol == "USD")
            rows = [fixing(FRIDAY - n * DAY, f"{100 - n / 100:.4f}", symbol=usd.series) for n in range(1, days)]
            served.service.store_writer.store.write([archived(row, FRIDAY) for row in rows], {})
            yield served


def url_of(served: Kept, path: str) -> str:
    """The address of a page of the service."""
    return str(served.client.make_url(path))


@pytest.mark.parametrize(("lang", "width", "scheme", "style", "status"), LOOKS)
async def test_the_page_is_accessible_and_fits(
    opened: Opener, screens: Path, *, lang: str, width: int, scheme: str, style: str, status: Status
) -> None:
    """No violation of any rule of axe-core with all of it open, nothing wider than the window, nothing that moves."""
    async with live() as served:
        served.put(status=status)
        options = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
        async with opened(f"{served.url}/?lang={lang}&style={style}&theme={scheme}", **options) as page:
            await settled(page)
            # A board that was filled by hand has no evidence; that of a service is opened in the next test.
            await page.evaluate(
                "document.querySelectorAll('details:not(.evidence)').forEach((one) => { one.open = true })"
            )
            assert await violations(page) == []
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            assert await page.evaluate("shifted") < 0.01
            await page.screenshot(path=screens / f"page-{lang}-{width}-{scheme}-{status}.png", full_page=True)


async def test_evidence_opens_under_its_number_and_fits_a_telephone(opened: Opener) -> None:
    """What the API says of it, in a box of its own that scrolls."""
    async with remembering(3) as served:
        url = url_of(served, "/?lang=en")
        async with opened(url, viewport={"width": 320, "height": 900}) as page:
            await settled(page)
            await page.locator("#USD .evidence summary").click()
            shown = page.locator("#USD .evidence pre")
            await shown.wait_for()
            assert "100.6798" in await shown.inner_text()
            assert await violations(page) == []
            assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def test_the_page_speaks_its_own_languages_and_the_widget_any(opened: Opener) -> None:
    """A Russian page whose widget is German stays Russian; whoever asks for Arabic reads English around it."""
    async with live() as served, opened(f"{served.url}/?lang=ru") as page:
        await settled(page)
        await page.locator("#lang").select_option("de")
        await page.locator(f"{LIVE}[lang=de]").wait_for()
        await page.locator("#way-element").filter(has_text='lang="de"').wait_for()
        assert await page.evaluate("document.documentElement.lang") == "ru"
        assert page.url.endswith("?lang=de&ui=ru")
        await page.reload()
        await page.locator(f"{LIVE}[lang=de]").wait_for()
        assert await page.locator("h1").inner_text() == "Честное число."
        await page.goto(f"{served.url}/?lang=ar")
        assert await page.evaluate("document.documentElement.lang") == "en"
        assert await page.evaluate("document.querySelector('#live ul').dir") == "rtl"
        assert await page.locator("#USD dd").nth(1).inner_text() == "Nov 22, 2024"


@pytest.mark.parametrize("theme", ["light", "dark", "auto"])
async def test_the_frame_is_accessible_and_any_site_may_hold_it(opened: Opener, screens: Path, theme: str) -> None:
    """The widget alone, in the theme asked for, on no ground of its own."""
    async with live(demo=True) as served:
        url = f"{served.url}/frame?style=change&theme={theme}&lang=en&size=large&colours=signal"
        async with opened(url, viewport={"width": 640, "height": 140}) as page:
            await page.locator("market-ticker .market-ticker[part]").wait_for()
            assert await violations(page) == []
            scheme = await page.evaluate("getComputedStyle(document.documentElement).colorScheme")
            assert scheme == {"auto": "normal"}.get(theme, theme)
            ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
            # Who asks for a dark frame gets a dark ground; any other stands on the site's own.
            assert (ground == "rgba(0, 0, 0, 0)") is (theme != "dark")
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
        assert await page.locator("#cards article").count() == 2
        await page.locator("[name=theme][value=light]").focus()
        await page.keyboard.press("ArrowRight")
        assert await page.evaluate("getComputedStyle(document.getElementById('paper')).colorScheme") == "dark"
        await page.locator("[name=colours][value=signal]").focus()
        await page.keyboard.press("Space")
        await page.locator("[name=size][value=large]").focus()
        await page.keyboard.press("Space")
        await page.locator("#way-element").filter(has_text="font-size: 1.25rem").wait_for()
        assert "--ticker-up" in await page.locator("#way-element").inner_text()
        assert await page.evaluate("getComputedStyle(document.getElementById('live')).fontSize") == "20px"
        assert page.url.endswith("?symbols=USD%2COIL&lang=en&style=change&theme=dark&size=large&colours=signal")


async def test_the_preview_stays_in_view_while_options_and_code_are_looked_at(opened: Opener) -> None:
    """At the last line of code it still is at the top of the window."""
    async with live() as served, opened(f"{served.url}/?lang=en", viewport={"width": 390, "height": 800}) as page:
        await settled(page)
        await page.locator("#way-json summary").scroll_into_view_if_needed()
        await page.locator("#way-json summary").click()
        box = await page.locator("#paper").bounding_box()
        assert box is not None
        assert 0 <= box["y"] < 40
        assert await page.locator("#way-json summary").is_visible()


async def test_the_last_instrument_stays_chosen_and_the_page_says_so(opened: Opener) -> None:
    """Nobody who deselects all is shown all without a word."""
    async with live() as served, opened(f"{served.url}/?lang=en") as page:
        await settled(page)
        for symbol in ("USD", "EUR", "OIL"):
            await page.locator(f"#choice [name=symbols][value={symbol}]").focus()
            await page.keyboard.press("Space")
        assert await page.locator("#choice [name=symbols]:checked").count() == 1
        assert await page.locator("#none").inner_text() == "At least one instrument has to stay selected."
        await page.locator(f"{LIVE}:not(:has([data-symbol=EUR]))").wait_for()


async def test_without_script_the_form_does_the_same(opened: Opener) -> None:
    """A reload instead, with each checkbox a parameter of its own; the choice of none is answered in words."""
    async with live() as served, opened(f"{served.url}/?lang=en", java_script_enabled=False, errors=True) as page:
        await page.locator("label", has_text="EUR").click()
        await page.locator("label", has_text="With change").click()
        await page.get_by_role("button", name="Apply").click()
        text = " ".join((await page.locator(".market-ticker").inner_text()).split())
        assert text == "USD 100.68 up +0.46% OIL 73.73 down -0.53%"
        await page.locator("label", has_text="USD").click()
        await page.locator("label", has_text="OIL").click()
        await page.get_by_role("button", name="Apply").click()
        assert "No instrument was selected" in await page.locator("#none").inner_text()


async def test_a_demo_says_so_wherever_one_looks(opened: Opener, screens: Path) -> None:
    """In the title, the bar, the text and the widget."""
    async with live(demo=True) as served, opened(f"{served.url}/?lang=en") as page:
        await settled(page)
        assert "Demo" in await page.title()
        assert await page.locator(".badge").inner_text() == "Demo"
        assert await page.locator(f"{LIVE} [data-status=demo]").is_visible()
        assert await violations(page) == []
        await page.screenshot(path=screens / "page-demo.png")


async def test_code_is_copied_where_scripts_have_no_clipboard(opened: Opener) -> None:
    """On plain http with a host name there is no `navigator.clipboard`."""
    async with live() as served, opened("data:text/html,") as page:
        await page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        await page.goto(f"{served.url}/?lang=en")
        await settled(page)
        await page.evaluate("addEventListener('copy', () => { window.copied = String(getSelection()) })")
        await page.locator("#way-element button").first.click()
        await page.get_by_role("button", name="Copied").wait_for()
        assert "<market-ticker" in await page.evaluate("copied")


async def test_selected_chips_are_seen_in_forced_colours(opened: Opener, screens: Path) -> None:
    """A reader's own colours leave no border or ground of ours."""
    async with live() as served, opened(f"{served.url}/?lang=en", forced_colors="active") as page:
        await settled(page)
        ground = "(one) => getComputedStyle(one).backgroundColor"
        chosen = await page.locator("[name=style]:checked + span").evaluate(ground)
        other = await page.locator("[name=style]:not(:checked) + span").first.evaluate(ground)
        assert chosen != other
        await page.screenshot(path=screens / "page-forced.png")


@pytest.mark.parametrize(
    ("span", "first"), [("1w", "Nov 15"), ("1m", "Oct 22"), ("1y", "Nov 22, 2023"), ("5y", "Nov 2"), ("all", "Nov 2")]
)
async def test_the_chart_ends_with_the_number_of_today(opened: Opener, screens: Path, span: str, first: str) -> None:
    """Without script, with ten years of rows; of each period the first and the last point."""
    async with remembering() as served:
        options = {"java_script_enabled": False, "errors": True}
        async with opened(url_of(served, f"/?lang=en&range={span}"), **options) as page:
            chart = page.locator("#USD .chart svg")
            points = (await chart.get_attribute("data-points") or "").split(";")
            assert points[-1].split()[:2] == [f"{FRIDAY.timestamp():.0f}", "100.6798"]
            assert len(points) <= 1100
            label = await chart.get_attribute("aria-label") or ""
            assert first in label
            assert "100.68 (Nov 22, 2024)" in label
            assert await chart.locator(".chart-value").text_content() == "100.68"
            assert await page.locator(".ranges [aria-current]").inner_text() != ""
            await page.screenshot(path=screens / f"page-chart-{span}.png", full_page=True)


async def test_the_chart_is_read_by_pointer_and_keyboard(opened: Opener) -> None:
    """A slider goes from day to day and says each; the pointer reads what held where it is."""
    async with remembering(60) as served, opened(url_of(served, "/?lang=ru&range=1m")) as page:
        chart = page.locator("#USD .chart")
        told = chart.locator("output")
        assert await told.inner_text() == "22 нояб. 2024 г.: 100,68"
        await chart.locator("input").focus()
        await page.keyboard.press("ArrowLeft")
        assert await told.inner_text() == "21 нояб. 2024 г.: 99,99"
        assert await chart.locator("input").get_attribute("aria-valuetext") == "21 нояб. 2024 г.: 99,99"
        await page.keyboard.press("Home")
        assert "окт. 2024 г." in await told.inner_text()
        box = await chart.locator("svg").bounding_box()
        assert box is not None
        await chart.locator("svg").hover(position={"x": box["width"] * 566 / 640, "y": 40})
        assert await told.inner_text() == "22 нояб. 2024 г.: 100,68"
        await page.locator(".ranges a", has_text="Неделя").click()
        await page.locator("#USD svg[aria-label*='неделя']").wait_for()
        assert await told.inner_text() == "22 нояб. 2024 г.: 100,68"


async def test_the_board_of_a_day_and_the_converter(opened: Opener) -> None:
    """By the forms, with script and without; the day's numbers, not those of now."""
    async with remembering(60) as served:
        async with opened(url_of(served, "/?lang=en"), java_script_enabled=False, errors=True) as page:
            await page.locator("#at").fill("2024-11-13")
            await page.get_by_role("button", name="Show").click()
            assert await page.locator("#now-h").inner_text() == "The numbers as they stood on Nov 13, 2024"
            assert await page.locator("#USD .price data").get_attribute("value") == "99.9100"
            assert await page.locator("#OIL .price").inner_text() == "\N{EM DASH}"
            await page.locator("#amount").fill("10")
            await page.get_by_role("button", name="Convert").click()
            assert "999.10 RUB by the numbers of Nov 13, 2024" in await page.locator("#converted").inner_text()
            await page.get_by_role("link", name="Back to now").click()
            assert await page.locator("#USD .price data").get_attribute("value") == "100.6798"
        async with opened(url_of(served, "/?lang=ru")) as page:
            await page.locator("#amount").fill("2,5")
            await page.locator("#convert-to").select_option("EUR")
            await page.locator("#converted", has_text="2,37 EUR").wait_for()
            await page.locator("#amount").fill("nonsense")
            await page.get_by_role("button", name="Пересчитать").click()
            await page.locator("#converted", has_text="Не удалось прочитать сумму.").wait_for()


async def test_a_person_who_goes_astray_gets_a_page_and_a_program_a_problem(opened: Opener) -> None:
    """By what they accept."""
    async with live() as served:
        async with opened(f"{served.url}/quotes?lang=ru", errors=True) as page:
            assert await page.locator("h1").inner_text() == "Такой страницы нет"
            assert await violations(page) == []
            answer = await page.request.get(f"{served.url}/quotes", headers={"Accept": "*/*"})
            assert answer.status == 404
            assert answer.headers["content-type"] == "application/problem+json"


async def test_why_a_number_is_shown_and_what_stood_wrong_are_on_the_page(opened: Opener) -> None:
    """The evidence is asked for when it is opened; the record says so where it is empty."""
    async with remembering(3) as served, opened(url_of(served, "/?lang=ru")) as page:
        await page.locator("#USD .evidence summary").click()
        await page.locator("#USD .evidence pre", has_text='"symbol": "USD"').wait_for()
        assert await page.locator("#corrections").is_visible()
        assert await violations(page) == []
