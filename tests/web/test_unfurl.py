"""What a link unfurls to: cards, what the page tells crawlers, the feed, robots.txt and llms.txt."""

from __future__ import annotations

import re
import struct
from html.parser import HTMLParser

import aiohttp
import pytest
from defusedxml import ElementTree

from tests.support.served_board import live
from ticker.quotes import Status
from ticker.web.openapi import OPERATIONS

BASE = "https://numbers.example"
ATOM = "{http://www.w3.org/2005/Atom}"


async def get(url: str, **headers: str) -> tuple[int, str, bytes]:
    """Status, media type and body."""
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as got:
        return got.status, got.headers["Content-Type"], await got.read()


class Head(HTMLParser):
    """The links and the properties of a page's head."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.properties: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a property or a link."""
        given = {name: value or "" for name, value in attrs}
        if tag == "meta" and ("property" in given or "name" in given):
            self.properties[given.get("property") or given["name"]] = given["content"]
        if tag == "link":
            self.links[given["rel"] + given.get("hreflang", "")] = given["href"]


@pytest.mark.parametrize("path", ["/card.png", "/card/USD.png", "/card/OIL.png?lang=ru", "/card.png?lang=ar"])
async def test_a_card_is_a_picture_of_the_size_that_messengers_want(path: str) -> None:
    """1200 by 630, PNG, the same again by its tag; of a number that changes it is another picture."""
    async with live() as served:
        status, kind, body = await get(served.url + path)
        assert (status, kind) == (200, "image/png")
        assert body.startswith(b"\x89PNG\r\n")
        assert struct.unpack(">II", body[16:24]) == (1200, 630)
        assert (await get(served.url + path))[2] == body
        served.put({"USD": "99.1", "OIL": "70.12"})
        assert (await get(served.url + path))[2] != body
        served.put(status=Status.UNAVAILABLE)
        assert (await get(served.url + path))[0] == 200


async def test_a_card_of_no_instrument_is_a_problem() -> None:
    """That names those that there are."""
    async with live() as served:
        status, kind, body = await get(f"{served.url}/card/USB.png")
        assert (status, kind) == (404, "application/problem+json")
        assert b"USD" in body


@pytest.mark.parametrize(
    ("query", "picture"),
    [
        ("?lang=ru&utm_source=x", f"{BASE}/card.png?lang=ru"),
        ("?symbols=USD&lang=de&style=change", f"{BASE}/card/USD.png?lang=en"),
    ],
)
async def test_the_page_tells_what_a_link_to_it_shows(query: str, picture: str) -> None:
    """Absolute addresses, one canonical one whatever a shared link carries, and a picture that is there."""
    async with live(server__public_url=BASE) as served:
        head = Head((await get(f"{served.url}/{query}"))[2].decode())
        assert head.properties["og:image"] == picture
        assert head.properties["twitter:card"] == "summary_large_image"
        for name in ("og:title", "og:description", "og:url", "og:locale", "description"):
            assert head.properties[name], name
        assert head.links["canonical"] == head.properties["og:url"]
        assert re.fullmatch(rf"{BASE}/\?lang=(en|ru)", head.links["canonical"])
        assert head.links["alternateru"] == f"{BASE}/?lang=ru"
        assert (await get(served.url + picture.removeprefix(BASE)))[1] == "image/png"


async def test_the_feed_has_an_entry_for_each_fixing() -> None:
    """Valid Atom, exact digits, a name for ever for each day's rate; a market's price is no fixing."""
    async with live(server__public_url=BASE) as served:
        status, kind, body = await get(f"{served.url}/feed.atom?lang=ru")
        assert (status, kind) == (200, "application/atom+xml; charset=utf-8")
        feed = ElementTree.fromstring(body.decode())
        assert feed.tag == f"{ATOM}feed"
        for name in ("id", "title", "updated", "author"):
            assert feed.find(ATOM + name) is not None
        entries = feed.findall(f"{ATOM}entry")
        titles = [each.findtext(f"{ATOM}title", "") for each in entries]
        assert titles == [
            "Доллар США: 100,6798 RUB, 22 нояб. 2024\N{NO-BREAK SPACE}г.".replace("\N{NO-BREAK SPACE}", gap(titles)),
            "Евро: 106,0762 RUB, 22 нояб. 2024\N{NO-BREAK SPACE}г.".replace("\N{NO-BREAK SPACE}", gap(titles)),
        ]
        assert [each.findtext(f"{ATOM}id") for each in entries] == [
            f"tag:numbers.example,2024:fixings/{symbol}/2024-11-22" for symbol in ("USD", "EUR")
        ]
        served.put(status=Status.UNAVAILABLE)
        assert b"<entry>" not in (await get(f"{served.url}/feed.atom"))[2]


def gap(titles: list[str]) -> str:
    """The blank that CLDR puts before the letter for the year: which one depends on its release."""
    return titles[0].removesuffix("г.")[-1]


async def test_language_models_are_told_what_is_there_and_nothing_else() -> None:
    """Every documented route, every instrument, and the three words that matter."""
    async with live(server__public_url=BASE) as served:
        status, kind, body = await get(f"{served.url}/llms.txt")
        text = body.decode()
        assert (status, kind) == (200, "text/plain; charset=utf-8")
        assert text.startswith("# Market ticker\n\n> ")
        assert set(re.findall(r"`GET ([^`]+)`", text)) == {each.path for each in OPERATIONS}
        for word in ("`status`", "`as_of`", "`source`", "`USD`", "`EUR`", "`OIL`", "`valid_until`"):
            assert word in text
        assert not re.search(r"\d\d\.\d\d", text)
        for link in re.findall(rf"\({BASE}(/[^)]*)\)", text):
            assert (await get(served.url + link))[0] == 200
    async with live(demo=True) as served:
        assert b"every number here is invented" in (await get(f"{served.url}/llms.txt"))[2]


async def test_crawlers_are_told_what_is_worth_finding() -> None:
    """The page and the reference, not numbers of the moment."""
    async with live() as served:
        status, kind, body = await get(f"{served.url}/robots.txt")
        assert (status, kind) == (200, "text/plain; charset=utf-8")
        assert b"Disallow: /\n" in body
        assert b"Allow: /card\n" in body


@pytest.mark.parametrize("path", ["/quotes", "/?style=loud", "/?at=tomorrow", "/docs?lang=xx-nonsense-tag-too"])
async def test_a_person_is_refused_with_a_page(path: str) -> None:
    """And whoever accepts anything, with a problem."""
    async with live() as served:
        _, kind, body = await get(served.url + path, Accept="text/html,application/xhtml+xml,*/*;q=0.8")
        assert kind == "text/html; charset=utf-8"
        assert b"<h1>" in body
        assert (await get(served.url + path))[1] == "application/problem+json"
