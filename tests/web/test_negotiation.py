"""The reader's language where the address does not say it."""

from __future__ import annotations

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.served_board import live
from ticker.web.negotiation import preferred_language


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
