"""The service's own files: small, versioned, and kept by caches as long as they may be."""

from __future__ import annotations

import gzip

import aiohttp
import pytest

from tests.support.served_board import live
from ticker.web.assets import ASSETS, Asset, links

KB = 1000


def packed(body: bytes) -> int:
    """Bytes on the wire with gzip."""
    return len(gzip.compress(body, 9))


@pytest.mark.parametrize(("name", "most"), [("widget.js", 6 * KB), ("widget.css", 2 * KB), ("page.css", 4 * KB)])
def test_what_an_embedding_page_loads_is_small(name: str, most: float) -> None:
    """The element's one file stays below 4 kB gzip, written as it is read."""
    asset = next(each for each in ASSETS if each.name == name)
    assert packed(asset.representation.body) < most


@pytest.mark.parametrize("style", ["plain", "change", "sparkline"])
@pytest.mark.parametrize("lang", ["en", "ru", "ar", "de", "my"])
async def test_the_fragment_of_the_trio_is_small(style: str, lang: str) -> None:
    """Below 1.2 kB gzip in every style."""
    url = f"/widget?lang={lang}&style={style}"
    async with live() as served, aiohttp.ClientSession() as session, session.get(served.url + url) as got:
        assert packed(await got.read()) < 1.2 * KB


@pytest.mark.parametrize("asset", ASSETS, ids=lambda asset: asset.name)
async def test_an_asset_is_immutable_by_hash_and_brief_by_name(asset: Asset) -> None:
    """An address with the hash never answers other bytes; the plain name and an old hash answer the newest."""
    brief = 86400 if asset.name == "favicon.ico" else 300
    async with live() as served, aiohttp.ClientSession(served.url) as session:
        async with session.get(asset.url) as got:
            assert got.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert await got.read() == asset.representation.body
        async with session.get(f"/{asset.name}?v=0") as got:
            assert got.headers["Cache-Control"].startswith(f"public, max-age={brief},")
        async with session.get(f"/{asset.name}") as got:
            assert got.headers["Cache-Control"].startswith(f"public, max-age={brief},")
            tag = got.headers["ETag"]
        async with session.get(f"/{asset.name}", headers={"If-None-Match": tag}) as got:
            assert got.status == 304


async def test_what_a_browser_asks_of_every_site_is_there() -> None:
    """A picture of 32 points in a container that old browsers read; a page that loads nothing else has it too."""
    async with live() as served, aiohttp.ClientSession(served.url) as session, session.get("/favicon.ico") as got:
        body = await got.read()
        assert (got.status, got.headers["Content-Type"]) == (200, "image/x-icon")
    assert body[:8] == b"\0\0\1\0\1\0\x20\x20"
    assert body[22:26] == b"\x89PNG"
    assert len(body) < KB


async def test_a_file_of_another_release_is_not_taken_for_this_one_by_its_date() -> None:
    """Who has only a date gets the file unless it is of after the file came here, which is told (RFC 9110, 13.1.3)."""
    async with live() as served, aiohttp.ClientSession(served.url) as session:
        async with session.get("/widget.js", headers={"If-Modified-Since": "Wed, 01 Jan 2025 00:00:00 GMT"}) as got:
            assert got.status == 200
            came = got.headers["Last-Modified"]
        async with session.get("/widget.js", headers={"If-Modified-Since": came}) as got:
            assert got.status == 304


async def test_the_pages_link_versioned_files_only() -> None:
    """So that a browser asks for each but once."""
    own = links()
    async with live() as served, aiohttp.ClientSession(served.url) as session, session.get("/") as got:
        text = await got.text()
    for url in (own.widget_js, own.widget_css, own.page_js, own.page_css, own.icon_svg):
        assert f'"{url}"' in text


async def test_only_the_frame_may_be_framed() -> None:
    """Everything else refuses, in the words of old browsers and of new ones."""
    async with live() as served, aiohttp.ClientSession(served.url) as session:
        for path in ("/", "/widget", "/v1/quotes", "/widget.js", "/nothing", "/frame?theme=x"):
            async with session.get(path) as got:
                assert "frame-ancestors 'none'" in got.headers["Content-Security-Policy"]
                assert got.headers["X-Frame-Options"] == "DENY"
        async with session.get("/frame") as got:
            assert "frame-ancestors *" in got.headers["Content-Security-Policy"]
            assert "X-Frame-Options" not in got.headers
