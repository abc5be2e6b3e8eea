"""The reader's language where the address does not say it."""

from __future__ import annotations

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.served_board import live
from ticker.settings.errors import ConfigurationError
from ticker.settings.loader import load
from ticker.web.headers import preferred_language


@pytest.mark.parametrize(
    ("header", "tag"),
    [
        ("", None),
        ("*", None),
        ("ru", "ru"),
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru-RU"),
        ("en;q=0.5, de", "de"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("xx, de;q=0.1", "de"),
        ("de-x-private", "de"),
        ("zh-TW", "zh-Hant-TW"),
        ("en;q=2, ru", "ru"),
        ("<script>", None),
    ],
)
def test_the_best_language_that_cldr_knows_is_taken(header: str, tag: str | None) -> None:
    """By weight, then by order; one that is not known is shortened from its end."""
    assert preferred_language(header) == tag


@given(st.text(max_size=600))
def test_any_header_gives_a_language_or_none(header: str) -> None:
    """Nothing that a client sends is an error here."""
    assert preferred_language(header) is None or preferred_language(header)


async def test_a_page_without_lang_speaks_the_readers_language_and_caches_know() -> None:
    """`lang` wins over the header; without it the answer varies by the header."""
    headers = {"Accept-Language": "ru-RU, en;q=0.5"}
    async with live() as served, aiohttp.ClientSession(served.url) as session:
        async with session.get("/widget", headers=headers) as got:
            assert ">100,68<" in await got.text()
            assert got.headers["Vary"] == "Accept-Encoding, Accept-Language"
        async with session.get("/widget?lang=en", headers=headers) as got:
            assert ">100.68<" in await got.text()
            assert got.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("tag", ["en-GB", "ru-RU", "de", "pt-BR", "zh-Hant-TW"])
async def test_the_page_opens_in_every_language_of_the_numbers(tag: str) -> None:
    """Whether it has words of its own in that language, or of that country, or neither."""
    async with live() as served, aiohttp.ClientSession(served.url) as session:
        for query, headers in ((f"?lang={tag}", {}), ("", {"Accept-Language": tag})):
            async with session.get(f"/{query}", headers=headers) as got:
                assert got.status == 200, await got.text()
                assert 'value="100.6798"' in await got.text()


@pytest.mark.parametrize("query", ["symbols=<script>", "lang=xx", "style=bold", "size=2"])
async def test_a_refusal_is_a_fragment_for_who_reads_html_and_a_problem_for_the_rest(query: str) -> None:
    """Neither holds any markup that the request brought."""
    async with live() as served, aiohttp.ClientSession(served.url) as session:
        async with session.get(f"/widget?{query}", headers={"Accept": "text/html,*/*;q=0.8"}) as got:
            text = await got.text()
            assert (got.status, got.content_type, got.headers["Cache-Control"]) == (400, "text/html", "no-store")
            assert text.startswith('<p class="market-ticker" data-status="error"')
            assert "<script" not in text
        async with session.get(f"/widget?{query}") as got:
            assert (got.status, got.content_type) == (400, "application/problem+json")
            assert "<" not in await got.text()


async def told(client: aiohttp.ClientSession, headers: dict[str, str], query: str = "") -> tuple[str, str]:
    """The language of the fragment, and what caches are to keep apart."""
    async with client.get(f"/widget{query}", headers=headers) as answer:
        return (await answer.text()).partition('lang="')[2].partition('"')[0], answer.headers["Vary"]


async def test_who_says_nothing_gets_the_language_of_the_house() -> None:
    """`default_language`, on both paths and again from the cache; whoever says something gets what it says."""
    async with live(server__default_language="ru") as served, aiohttp.ClientSession(served.url) as client:
        for _ in range(2):
            assert await told(client, {}) == ("ru", "Accept-Encoding, Accept-Language")
            assert (await told(client, {"Accept-Language": "xx"}))[0] == "ru"
            assert (await told(client, {"Accept-Language": "de"}))[0] == "de"
            assert await told(client, {}, "?lang=fr") == ("fr", "Accept-Encoding")


async def test_without_negotiation_the_address_alone_decides() -> None:
    """Then a cache that goes by the address alone is right for everybody, and may keep all of it."""
    served = live(server__default_language="ru", server__negotiate_language=False)
    async with served, aiohttp.ClientSession(served.url) as client:
        for language in ("de", "en", "ru"):
            assert await told(client, {"Accept-Language": language}) == ("ru", "Accept-Encoding")
            async with client.get("/v1/quotes", headers={"Accept-Language": language}) as answer:
                assert answer.headers["CDN-Cache-Control"] == answer.headers["Cache-Control"]


async def test_a_cache_that_ignores_vary_gives_nobody_anothers_language() -> None:
    """Cloudflare's default key is the address: what it may keep by `CDN-Cache-Control` is what the house speaks."""
    async with live() as served, aiohttp.ClientSession(served.url) as client:
        kept: dict[str, str] = {}
        for language in ("ru", "de", "en", "ru", ""):
            for path in ("/widget", "/v1/quotes", "/widget?lang=ru", "/"):
                if path in kept:
                    text = kept[path]
                else:
                    async with client.get(path, headers={"Accept-Language": language}) as answer:
                        text = await answer.text()
                        if "no-store" not in answer.headers["CDN-Cache-Control"]:
                            kept[path] = text
                if language in {"en", ""} and path in {"/widget", "/v1/quotes"}:
                    assert "100.68" in text
                    assert "100,68" not in text
        assert set(kept) == {"/widget", "/v1/quotes", "/widget?lang=ru", "/"}
        assert "100,68" in kept["/widget?lang=ru"]


@pytest.mark.parametrize("wrong", ["xx", "english", ""])
def test_a_language_that_there_is_not_stops_the_start(wrong: str) -> None:
    """With the mend."""
    with pytest.raises(ConfigurationError, match=r"server.default_language.*write en, ru or pt-BR"):
        load(None, {}, {"server.default_language": wrong})
