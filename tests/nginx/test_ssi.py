"""config/nginx/ in the real nginx: the page goes out right whatever happens to the service."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from tests.nginx.server import free_port, hung, patient, running, shipped
from tests.support.patience import PATIENCE
from tests.support.served_board import Live, live
from ticker.rendering.embeds import WidgetChoice, embeds
from ticker.rendering.html import Links

# It drives programs of Debian's for real.
pytestmark = pytest.mark.programs

PAGE = """<!doctype html><title>news</title><header>
<!--# block name="ticker" --><p class="market-ticker">—</p><!--# endblock -->
<!--# include virtual="/_ticker?lang=en" stub="ticker" -->
</header><p>the news</p>
"""
STUB = '<p class="market-ticker">—</p>'


@asynccontextmanager
async def nginx(at: Path, upstream: int, waits: Callable[[str], str] = patient) -> AsyncIterator[str]:
    """The shipped site with its addresses and folders exchanged for this test's own; gives the page's address.

    It waits for the service as `waits` makes of what is shipped.
    """
    port = free_port()
    swaps = {
        "127.0.0.1:8080": f"127.0.0.1:{upstream}",
        "listen 80;": f"listen 127.0.0.1:{port};",
        "/var/www/html": f"{at}/html",
        "/var/cache/market-ticker": f"{at}/cache",
    }
    async with running(at, waits(shipped("market-ticker.conf", swaps)), PAGE, port) as url:
        yield url


async def page(url: str) -> str:
    """The page's text; less patient than nginx's own time-outs are, where nothing is said."""
    async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session, session.get(url) as got:
        assert got.status == 200
        return await got.text()


def right(text: str) -> bool:
    """Whether the page holds its own text and the fragment, and no stub."""
    return (
        "the news" in text
        and 'class="market-ticker" lang="en"' in text
        and ">100.68</data>" in text
        and STUB not in text
    )


def stubbed(text: str) -> bool:
    """Whether the page holds its own text and the stub, and nothing of nginx's own."""
    return "the news" in text and STUB in text and "<ul" not in text and "nginx" not in text


def brief(served: Live, seconds: float) -> None:
    """Let answers be kept for `seconds` only."""
    served.context.board.expect(served.context.clock() + timedelta(seconds=seconds))


async def test_with_the_service_up_the_page_holds_the_fragment(tmp_path: Path) -> None:
    """One request to the service for many to the page; a refusal ends in the stub."""
    async with live() as served, nginx(tmp_path, served.port) as url:
        told = await asyncio.gather(*(page(url) for _ in range(20)))
        assert all(right(text) for text in told)
        assert served.context.traffic.requests["/widget", "GET", 200] == 1
        (tmp_path / "html" / "index.html").write_text(PAGE.replace("lang=en", "symbols=NO"))
        text = await page(url)
        assert stubbed(text), text


async def test_nothing_of_the_readers_request_reaches_the_service_or_spoils_the_page(tmp_path: Path) -> None:
    """Cookies and logins stay with the site; a reader's odd headers are no reason to refuse the fragment."""
    port = free_port()
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\nConnection: close\r\n\r\n<i>in</i>"
        )
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", port), nginx(tmp_path, port) as url:
        odd = {"Cookie": "session=1", "Authorization": "Basic eDp5", "Referer": "x"} | {
            f"X-{n}": "y" for n in range(60)
        }
        async with aiohttp.ClientSession() as session, session.get(url, headers=odd) as got:
            assert "<i>in</i>" in await got.text()
    (head,) = heads
    assert not re.search(rb"(?im)^(cookie|authorization|referer|x-\d+):", head)


@pytest.mark.parametrize("status", ["400 Bad Request", "404 Not Found", "302 Found", "502 Bad Gateway", "503 Down"])
async def test_what_a_proxy_in_between_says_never_stands_in_the_header(tmp_path: Path, status: str) -> None:
    """Another server's error page, or JSON, ends in the stub."""
    port = free_port()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b"<h1>Somebody else's page</h1>"
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nLocation: /x\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", port), nginx(tmp_path, port) as url:
        text = await page(url)
        assert "Somebody" not in text
        assert stubbed(text), text


async def test_killed_warm_the_page_goes_on_with_what_the_cache_has(tmp_path: Path) -> None:
    """Past the time it was kept for: stale-if-error holds it for a day."""
    async with live() as served, nginx(tmp_path, served.port) as url:
        brief(served, 1)
        assert right(await page(url))
        await served.stop()
        await asyncio.sleep(1.1)  # nginx has no clock of ours
        for _ in range(3):
            text = await page(url)
            assert right(text)


async def test_hung_warm_the_page_does_not_wait(tmp_path: Path) -> None:
    """The old fragment goes out while nginx asks in the background, for as long as it is let."""
    async with live() as served, nginx(tmp_path, served.port) as url:
        brief(served, 1)
        assert right(await page(url))
        await served.stop()
        await asyncio.sleep(1.1)  # as above
        async with hung(served.port):
            for _ in range(3):
                text = await page(url)
                assert right(text)


async def test_hung_cold_the_stub_is_shown_soon(tmp_path: Path) -> None:
    """Nothing kept: the page waits for the site's own time-out, half a second, and then shows the stub."""
    port = free_port()
    assert "proxy_read_timeout 500ms;" in shipped("market-ticker.conf", {})
    async with hung(port), nginx(tmp_path, port, str) as url:
        text = await page(url)
        assert stubbed(text), text


async def test_killed_cold_the_stub_is_shown_at_once_and_the_fragment_when_it_is_back(tmp_path: Path) -> None:
    """A refused connection is the stub; what failed is remembered for a second."""
    async with live() as served:
        await served.stop()
        async with nginx(tmp_path, served.port) as url:
            text = await page(url)
            assert stubbed(text), text
            await served.start()
            async with asyncio.timeout(PATIENCE):
                while not right(await page(url)):  # noqa: ASYNC110 - nginx looks again after a second
                    await asyncio.sleep(0.1)


async def test_the_code_that_the_page_gives_works_as_it_is(tmp_path: Path) -> None:
    """Copied into a server and into a page."""
    async with live() as served:
        way = next(one for one in embeds(WidgetChoice(lang="ru"), Links(base=served.url), {}) if one.id == "ssi")
        conf, markup = (block.code for block in way.blocks)
        port = free_port()
        site = f"server {{ listen 127.0.0.1:{port}; root {tmp_path}/html; {conf} }}"
        async with running(tmp_path, site, markup, port) as url:
            assert ">100,68</data>" in await page(url)
            await served.stop()
            text = await page(url)
            assert STUB in text, text


async def test_the_stream_passes_through_unbuffered(tmp_path: Path) -> None:
    """An event arrives when it is sent, not when a buffer is full."""
    async with live() as served, nginx(tmp_path, served.port) as url:
        stream = url.replace("/index.html", "/v1/stream")
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session, session.get(stream) as got:
            await got.content.readuntil(b"event: quotes\n")
            version = served.put({"USD": "99"}).version
            assert f"id: {version}".encode() in await got.content.readuntil(f"id: {version}\n".encode())
