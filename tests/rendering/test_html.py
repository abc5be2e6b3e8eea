"""The fragment and the page."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rendering.quotes import DOLLAR, EVENING, FRESH, GONE, STALE, board
from tests.support.fragments import folded
from tests.support.upstream import NOON
from ticker.corrections import Correction
from ticker.quotes import Override, Quote, Reason
from ticker.rendering.embeds import WidgetChoice
from ticker.rendering.html import HtmlRenderer, Links
from ticker.rendering.locales import DASH, locale_of
from ticker.rendering.site import Sheet, Site
from ticker.storage.base import Point

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
    page = Site(html).page(snapshot, Sheet(WidgetChoice(lang=lang)))
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


def fragment(*quotes: Quote, style: str = "plain", lang: str = "en", base: str = "") -> str:
    """The fragment of `quotes` in one style and language."""
    html = HtmlRenderer({"cbr": {"en": "Bank of Russia", "ru": "Банк России"}}, Links(base=base))
    return html.widget(board(*quotes), quotes, locale_of(lang), style)


@pytest.mark.parametrize(
    ("lang", "text"),
    [("en", "USD 100.68 Nov 23 102.58"), ("ru", "ДОЛЛ 100,68 23 нояб. 102,58"), ("de", "USD 100,68 23. Nov. 102,58")],
)
def test_tomorrows_rate_stands_beside_todays_with_its_date(lang: str, text: str) -> None:
    """In the style that asks for it, and in no other."""
    found = read(fragment(EVENING, style="upcoming", lang=lang))
    assert " ".join(found.text.split()) == text
    assert ("datetime", "2024-11-23") in found.attributes
    assert ("value", "102.5761") in found.attributes
    for style in ("plain", "change", "sparkline"):
        assert "102" not in read(fragment(EVENING, style=style, lang=lang)).text


def test_tomorrows_rate_says_so_while_nobody_has_confirmed_it() -> None:
    """And why, where there is a reason."""
    assert EVENING.upcoming is not None
    alone = replace(EVENING, upcoming=replace(EVENING.upcoming, confirmed=False))
    assert read(fragment(alone, style="upcoming")).text.strip().endswith("102.58 unconfirmed")
    denied = replace(EVENING, upcoming=replace(EVENING.upcoming, confirmed=False, reason=Reason.DISAGREE))
    assert ("title", "не подтверждено: источники расходятся") in read(
        fragment(denied, style="upcoming", lang="ru")
    ).attributes


@pytest.mark.parametrize("style", ["plain", "change", "sparkline", "upcoming"])
def test_a_number_whose_date_lies_ahead_shows_it_in_every_style(style: str) -> None:
    """An instrument may show the newest rate before it is in force; nobody shall take it for today's."""
    ahead = replace(FRESH, as_of=datetime(2024, 11, 23, tzinfo=UTC), instrument=replace(DOLLAR, rate="latest"))
    assert "Nov 23, 2024" in read(fragment(ahead, style=style)).text
    assert "2024" not in read(fragment(FRESH, style=style)).text


@pytest.mark.parametrize(
    ("lang", "previous", "said"),
    [("en", "100.2192", "up +0.46%"), ("ru", "100.2192", "рост +0,46 %"), ("en", "101", "down -0.32%"),
     ("de", "100.6798", "unverändert 0,00 %"), ("sw", "100.2192", "up +0.46%")],
)  # fmt: skip
def test_the_direction_of_a_change_is_a_word(lang: str, previous: str, said: str) -> None:
    """For who hears the page: a colour and a triangle say nothing there, and many voices leave the sign out."""
    text = read(fragment(replace(FRESH, previous=Decimal(previous)), style="change", lang=lang)).text
    assert " ".join(text.split()).endswith(said)


def test_an_old_copy_can_be_told_from_the_fragment_itself() -> None:
    """Every item carries until when it may be believed, and the list the first of these moments."""
    sooner = replace(FRESH, fresh_until=NOON + timedelta(minutes=5))
    later = replace(FRESH, fresh_until=NOON + timedelta(hours=5))
    told = [value for name, value in read(fragment(sooner, later)).attributes if name == "data-valid-until"]
    assert told == ["2024-11-22T09:05:00Z", "2024-11-22T09:05:00Z", "2024-11-22T14:00:00Z"]
    assert "data-valid-until" not in fragment(GONE)


def test_an_editors_hand_is_marked_with_its_note() -> None:
    """In words, where the number stands; a number of the editor's own is attributed to nobody else."""
    held = replace(FRESH, override=Override("freeze", "checking & waiting", NOON, NOON, "anna"))
    found = read(fragment(held))
    assert " ".join(found.text.split()) == "USD 100.68 set by the editors: checking & waiting"
    assert ("data-override", "freeze") in found.attributes
    own = replace(FRESH, source="override", override=Override("price", "by hand", NOON, NOON, "anna"))
    assert ("title", "set by the editors, Nov 22, 2024") in read(fragment(own)).attributes
    hidden = replace(GONE, upcoming=EVENING.upcoming, override=Override("hide", "wrong", NOON, NOON, "anna"))
    assert not re.search(r"\d+[.,]\d", read(fragment(hidden, style="upcoming")).text)


def test_what_is_missing_is_said_in_the_readers_language() -> None:
    """With the reason where we have words for it."""
    assert ("title", "нет данных: не ответил вовремя") in read(fragment(GONE, lang="ru")).attributes
    assert ("title", "keine Daten") in read(fragment(GONE, lang="de")).attributes


def test_there_is_no_address_in_a_fragment_that_does_not_know_its_own() -> None:
    """A relative one would point into the host's page; a known one leads to source and date without script."""
    points = {"USD": [point(18, "99.1"), point(20, "98.5")]}
    html = HtmlRenderer({})
    drawn = html.widget(board(FRESH), [FRESH], locale_of("en"), "sparkline", past=points)
    assert not [name for name, _ in read(drawn).attributes if name in {"href", "src"}]
    linked = read(fragment(FRESH, base="https://ticker.example"))
    assert ("href", "https://ticker.example/?lang=en#USD") in linked.attributes
    assert ("aria-label", "US dollar, RUB / 1 USD: Bank of Russia, Nov 22, 2024") in linked.attributes
    assert " ".join(linked.text.split()) == "USD 100.68"


def point(day: int, price: str) -> Point:
    """What history has of a day of November 2024."""
    micros = int(datetime(2024, 11, day, tzinfo=UTC).timestamp()) * 1_000_000
    return Point(micros, 180, price, "fixing", "cbr", micros, 0)


def test_a_sparkline_is_drawn_in_the_text_colour_and_told_in_words() -> None:
    """From the oldest point to the number beside it, with its lowest and highest."""
    points = {"USD": [point(18, "99.1"), point(20, "98.5"), point(21, "100.2")]}
    drawn = HtmlRenderer({}).widget(board(FRESH), [FRESH], locale_of("en"), "sparkline", past=points)
    found = dict(read(drawn).attributes)
    assert (found["stroke"], found["fill"], found["role"]) == ("currentColor", "none", "img")
    assert found["aria-label"] == (
        "99.10 (Nov 18, 2024) → 100.68 (Nov 22, 2024); lowest 98.50 (Nov 20, 2024); highest 100.68 (Nov 22, 2024)"
    )
    path = found["d"]
    assert path is not None
    assert path.startswith("M2.0 ")
    assert path.endswith("L118.0 2.0")


def test_a_number_that_is_withdrawn_stands_in_no_line_either() -> None:
    """The picture's words would tell it."""
    points = {"USD": [point(18, "99.1")]}
    drawn = HtmlRenderer({}).widget(board(GONE), [GONE], locale_of("en"), "sparkline", past=points)
    assert "<svg" not in drawn
    assert "99" not in drawn


def test_the_page_tells_the_newest_of_the_public_record() -> None:
    """What was shown and what was right, in the reader's words; what lasts has no end."""
    began = NOON - timedelta(hours=2)
    rows = (
        Correction("USD", "wrong", began, NOON, Decimal("100.6798"), Decimal("100.7798")),
        Correction("USD", "missing", began),
    )
    sheet = Sheet(WidgetChoice(lang="ru"), "ru", corrections=rows)
    page = Site(HtmlRenderer({})).page(board(FRESH), sheet).body.decode()
    text = "".join(read(page).text.split())
    assert "неверно22нояб.,07:0022нояб.,09:00100,6798100,7798" in text
    assert "небылочисла22нояб.,07:00досихпор\N{EM DASH}\N{EM DASH}" in text


def test_a_demo_is_not_old_by_the_readers_clock() -> None:
    """Its own clock is that of the replay: the list does not say until when it may be believed."""
    assert "data-valid-until" not in both(FRESH, demo=True)[0].partition("<li")[0]
