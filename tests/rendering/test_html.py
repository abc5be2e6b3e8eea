"""The fragment and the page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rendering.quotes import DOLLAR, FRESH, GONE, STALE, board
from tests.support.fragments import folded
from ticker.quotes import Quote
from ticker.rendering.embeds import Choice
from ticker.rendering.html import HtmlRenderer
from ticker.rendering.locales import DASH, locale_of
from ticker.rendering.site import Sheet, Site

VOID = {"meta", "link", "br", "input"}
NASTY = '"><script>alert(1)</script><img src=x onerror="x"> & \'}}{{7*7}}'


class Reader(HTMLParser):
    """The elements and the text of a document; elements must be closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    """The document, whole."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def both(*quotes: Quote, lang: str = "en", attribution: str = "Bank of Russia", demo: bool = False) -> list[str]:
    """The fragment and the page of `quotes`."""
    html, snapshot, locale = HtmlRenderer({"cbr": {"en": attribution}}), board(*quotes, demo=demo), locale_of(lang)
    page = Site(html).page(snapshot, Sheet(Choice(lang=lang)))
    return [html.widget(snapshot, quotes, locale), page.body.decode()]


def test_the_fragment_shows_label_and_price() -> None:
    """With every digit as the value, and where it is from as the title."""
    widget = both(FRESH)[0]
    assert folded(widget) == "USD100.68"
    assert " ".join(read(widget).text.split()) == "USD 100.68"
    assert '<data value="100.6798" title="Bank of Russia, Nov 22, 2024">100.68</data>' in widget


def test_an_unavailable_quote_is_an_em_dash_and_no_number() -> None:
    """Neither the last one known nor 0, in text or attribute."""
    widget, page = both(GONE)
    assert folded(widget) == f"USD{DASH}"
    for html in (widget, page):
        assert not re.search(r"\d+[.,]\d", html)
        assert "<data" not in html
    assert "timeout" in page


def test_a_stale_quote_shows_its_date() -> None:
    """In the text, so that nobody has to hover; and a program reads it too."""
    for html in both(STALE):
        assert "Nov 22, 2024" in read(html).text
        assert ("datetime", "2024-11-22T00:00:00+03:00") in read(html).attributes
    assert "Nov 22, 2024" not in read(both(FRESH)[0]).text


@pytest.mark.parametrize(("hour", "dated"), [(20, False), (21, True)])
def test_a_plain_fragment_dates_a_stale_number_of_another_day_only(hour: int, dated: bool) -> None:  # noqa: FBT001
    """Of today it is marked and the header's text stays; from midnight on in the number's own zone its date is told."""
    seen = datetime(2024, 11, 22, hour, 30, tzinfo=UTC)
    widget = HtmlRenderer({}).widget(board(STALE), [STALE], locale_of("en"), seen=seen)
    assert ("Nov 22, 2024" in read(widget).text) is dated
    assert ("data-status", "stale") in read(widget).attributes


def test_a_language_from_right_to_left_says_so() -> None:
    """The fragment may stand in a page of another direction."""
    attributes = read(both(FRESH, lang="ar")[0]).attributes
    assert ("lang", "ar") in attributes
    assert ("dir", "rtl") in attributes


def test_a_demo_is_marked_as_one_and_nothing_else_is() -> None:
    """In the fragment as well: it travels alone."""
    assert all("demo" in read(html).text for html in both(FRESH, demo=True))
    assert all("demo" not in html for html in both(FRESH))


@pytest.mark.parametrize("where", ["label", "name", "attribution", "quote"])
def test_a_hostile_text_is_text(where: str) -> None:
    """From wherever it comes: no element, no attribute, no expression of it is live."""
    what = {
        "label": replace(DOLLAR, label={"en": NASTY}),
        "name": replace(DOLLAR, name={"en": NASTY}),
        "attribution": DOLLAR,
        "quote": replace(DOLLAR, quote=NASTY),
    }[where]
    for html in both(replace(FRESH, instrument=what), attribution=NASTY if where == "attribution" else "Bank"):
        reader = read(html)
        assert "img" not in reader.names
        assert reader.names.count("script") == (2 if "html" in reader.names else 0)
        assert not any(name.startswith("on") for name, _ in reader.attributes)
        assert "49" not in html


@given(st.text(max_size=40), st.decimals(0, 10**9, places=4))
def test_any_label_and_price_make_a_sound_document(label: str, price: Decimal) -> None:
    """Elements nest, and the fragment has the elements it always has."""
    quote = replace(FRESH, instrument=replace(DOLLAR, label={"en": label}, name={"en": label}), price=price)
    assert read(both(quote)[0]).names == ["ul", "li", "abbr", "data"]


def test_nothing_is_inline() -> None:
    """A page with a strict Content-Security-Policy can take the fragment as it is."""
    for html in both(FRESH, STALE, GONE, demo=True):
        assert "style" not in read(html).names
        assert not re.search(r"<script(?! src=)", html)
        assert not any(name == "style" or name.startswith("on") for name, _ in read(html).attributes)
