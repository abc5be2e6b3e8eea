"""The code that the page gives: every address in it answers, in every style and language, and nothing is left open."""

from __future__ import annotations

import html
import json
import re
import subprocess
from itertools import product

import pytest

from tests.support.programs import needs
from tests.support.running_service import Served
from ticker.rendering.embeds import COLOURS, SIZES, THEMES, WidgetChoice, embeds
from ticker.rendering.html import STYLES, Links
from ticker.rendering.locales import locale_of
from ticker.rendering.words import LANGUAGES, words_for

BASE = "https://numbers.example"
LABELS = {"USD": "USD", "EUR": "EUR", "OIL": "Нефть: Brent"}
# What a configuration of nginx, Apache or Varnish makes of an include.
INCLUDE = re.compile(r'(?:virtual|src)="/_ticker(\?[^"]*)"')
PROJECT = ("config/nginx/market-ticker.conf", "config/apache/market-ticker.conf", "config/varnish/market-ticker.vcl")


def addresses(code: str) -> set[str]:
    """What the code asks the service for, without its host."""
    given = set(re.findall(rf"{BASE}(/[^\s\"'<>;]*)", html.unescape(code)))
    return given | {"/widget" + query for query in INCLUDE.findall(html.unescape(code))}


@pytest.mark.parametrize("style", STYLES)
async def test_every_address_in_every_code_answers(served: Served, style: str) -> None:
    """In every language that the page offers, with and without a choice of instruments."""
    asked: set[str] = set()
    for lang, symbols in (("en", ()), *((each, ("OIL", "USD")) for each in LANGUAGES)):
        for way in embeds(WidgetChoice(symbols, lang, style, "dark", "large", "signal"), Links(base=BASE), LABELS):
            found = addresses(way.code)
            assert found or way.id in {"element", "vue", "react", "wordpress"}, way.id
            asked |= found
    for address in sorted(asked - {"/v1/stream"}):
        if not address.startswith("/v1/stream"):
            answer = await served.client.get(address)
            assert answer.status == 200, address
    streams = [address for address in asked if address.startswith("/v1/stream")]
    assert streams
    for address in streams[:2]:
        answer = await served.client.get(address)
        assert answer.status == 200, address
        answer.close()


@pytest.mark.parametrize("style", STYLES)
def test_numbers_have_no_style(style: str) -> None:
    """The API refuses a `style`: only the fragment and the frame take one."""
    for way in embeds(WidgetChoice((), "ru", style), Links(base=BASE), LABELS):
        for address in addresses(way.code):
            if "style=" in address:
                assert address.startswith(("/widget?", "/frame?"))


def test_no_code_has_a_hole_left_to_fill() -> None:
    """Every choice, with the address configured and without."""
    choices = product(STYLES, THEMES, SIZES, COLOURS, ("", BASE))
    for style, theme, size, colours, base in choices:
        for way in embeds(WidgetChoice(("USD",), "en", style, theme, size, colours), Links(base=base), LABELS):
            assert not re.search(r"\{[a-z_]+\}", way.code), way.id


def test_every_code_has_words_for_where_it_goes() -> None:
    """In both languages of the page."""
    wheres = {block.where for way in embeds(WidgetChoice(colours="signal"), Links(), LABELS) for block in way.blocks}
    for lang in ("en", "ru"):
        assert {f"where_{where}" for where in wheres} <= set(words_for(locale_of(lang)))


def test_a_dashboard_shows_labels_as_the_header_does() -> None:
    """Quoted, so that no label breaks the YAML."""
    code = next(way.code for way in embeds(WidgetChoice(), Links(), LABELS) if way.id == "homepage")
    labels = re.findall(r"label: (.*)", code)
    assert [json.loads(each) for each in labels] == list(LABELS.values())
    assert re.findall(r"field: (.*)", code) == [f"quotes.{place}.display.price" for place in range(3)]


def test_htmx_of_both_generations_is_told() -> None:
    """One meta element: 2 reads `selfRequestsOnly`, 4 reads `mode`."""
    code = next(way.code for way in embeds(WidgetChoice(), Links(), LABELS) if way.id == "htmx")
    content = re.search(r"content='([^']+)'", code)
    assert content is not None
    assert json.loads(content[1]) == {"selfRequestsOnly": False, "mode": "cors"}


@pytest.mark.programs
def test_the_wordpress_template_is_php() -> None:
    """It parses where it is pasted, and names the shortcode as the plugin does."""
    php = needs("php")
    way = next(way for way in embeds(WidgetChoice(("USD",), "ru", "change"), Links(), LABELS) if way.id == "wordpress")
    template = next(block.code for block in way.blocks if block.where == "template")
    assert '[market_ticker symbols="USD" lang="ru" style="change"]' in template
    done = subprocess.run((php, "-l"), input=f"<p>{template}</p>", text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
