"""config/nginx/ in the real nginx: the page goes out right whatever happens to the service."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp

from tests.live import Live, live
from tests.needs import needs
from tests.tree import ROOT
from ticker.render.embeds import Choice, embeds
from ticker.render.html import Links

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SHIPPED = ROOT / "config" / "nginx" / "market-ticker.conf"
PAGE = """<!doctype html><title>news</title><header>
<!--# block name="ticker" --><p class="market-ticker">—</p><!--# endblock -->
<!--# include virtual="/_ticker?lang=en" stub="ticker" -->
</header><p>the news</p>
"""
STUB = '<p class="market-ticker">—</p>'
AROUND = """daemon off; worker_processes 1; pid {at}/pid; error_log {at}/error.log warn;
events {{ worker_connections 64; }}
http {{ access_log off; types {{ text/html html; }} default_type text/html; charset utf-8;
client_body_temp_path {at}/body; proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/f; uwsgi_temp_path {at}/u;
scgi_temp_path {at}/s;
{site}
}}
"""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as own:
        own.bind(("127.0.0.1", 0))
        port: int = own.getsockname()[1]
    return port


@asynccontextmanager
async def nginx(at: Path, upstream: int) -> AsyncIterator[str]:
    """The shipped site with its addresses and folders exchanged for this test's own; gives the page's address."""
    port = free_port()
    site = SHIPPED.read_text()
    swaps = {
        "127.0.0.1:8080": f"127.0.0.1:{upstream}",
        "listen 80;": f"listen 127.0.0.1:{port};",
        "/var/www/html": f"{at}/html",
        "/var/cache/nginx/market-ticker": f"{at}/cache",
    }
    for shipped, own in swaps.items():
        assert shipped in site
        site = site.replace(shipped, own)
    async with running(at, site, PAGE, port) as url:
        yield url


@asynccontextmanager
async def running(at: Path, site: str, text: str, port: int) -> AsyncIterator[str]:
    """The real nginx with `site`, which serves on `port` the page `text` of {at}/html; gives its address."""
    command = needs("nginx")
    (at / "html").mkdir()
    (at / "html" / "index.html").write_text(text)
    (at / "nginx.conf").write_text(AROUND.format(at=at, site=site))
    process = await asyncio.create_subprocess_exec(command, "-p", f"{at}", "-c", f"{at}/nginx.conf", "-g", "user root;")
    try:
        await listens(port)
        yield f"http://127.0.0.1:{port}/index.html"
    finally:
        process.terminate()
        await process.wait()


async def listens(port: int) -> None:
    """Wait until somebody listens on `port`."""
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


async def page(url: str) -> tuple[str, float]:
    """The page's text and how many seconds it took."""
    began = time.monotonic()
    async with aiohttp.ClientSession() as session, session.get(url) as got:
        assert got.status == 200
        return await got.text(), time.monotonic() - began


@asynccontextmanager
async def hung(port: int) -> AsyncIterator[None]:
    """A service that takes connections and never says a word."""
    leave = asyncio.Event()

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await leave.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", port)
    yield
    leave.set()
    server.close()
    await server.wait_closed()


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
    from datetime import timedelta  # noqa: PLC0415 - one use

    served.context.board.expect(served.context.clock() + timedelta(seconds=seconds))


async def test_with_the_service_up_the_page_holds_the_fragment(tmp_path: Path) -> None:
    """One request to the service for many to the page; a refusal is a fragment and not a page of nginx's."""
    async with live() as served, nginx(tmp_path, served.port) as url:
        told = await asyncio.gather(*(page(url) for _ in range(20)))
        assert all(right(text) for text, _ in told)
        assert served.context.traffic.requests["/widget", "GET", 200] == 1
        (tmp_path / "html" / "index.html").write_text(PAGE.replace("lang=en", "symbols=NO"))
        text, _ = await page(url)
        assert 'data-status="error"' in text
        assert "the news" in text


async def test_killed_warm_the_page_goes_on_with_what_the_cache_has(tmp_path: Path) -> None:
    """Past the time it was kept for: stale-if-error holds it for a day."""
    async with live() as served, nginx(tmp_path, served.port) as url:
        brief(served, 1)
        assert right((await page(url))[0])
        await served.stop()
        await asyncio.sleep(1.1)  # nginx has no clock of ours
        for _ in range(3):
            text, seconds = await page(url)
            assert right(text)
            assert seconds < 1


async def test_hung_warm_the_page_does_not_wait(tmp_path: Path) -> None:
    """The old fragment goes out while nginx asks in the background."""
    async with live() as served, nginx(tmp_path, served.port) as url:
        brief(served, 1)
        assert right((await page(url))[0])
        await served.stop()
        await asyncio.sleep(1.1)  # as above
        async with hung(served.port):
            for _ in range(3):
                text, seconds = await page(url)
                assert right(text)
                assert seconds < 1


async def test_hung_cold_the_stub_is_shown_soon(tmp_path: Path) -> None:
    """Nothing kept: the page waits for the time-out and then shows the stub."""
    port = free_port()
    async with hung(port), nginx(tmp_path, port) as url:
        text, seconds = await page(url)
        assert stubbed(text), text
        assert seconds < 2


async def test_killed_cold_the_stub_is_shown_at_once_and_the_fragment_when_it_is_back(tmp_path: Path) -> None:
    """A refused connection costs nothing; what failed is not remembered."""
    async with live() as served:
        await served.stop()
        async with nginx(tmp_path, served.port) as url:
            text, seconds = await page(url)
            assert stubbed(text), text
            assert seconds < 0.5
            await served.start()
            assert right((await page(url))[0])


async def test_the_code_that_the_page_gives_works_as_it_is(tmp_path: Path) -> None:
    """Copied into a server and into a page."""
    async with live() as served:
        code = next(one.code for one in embeds(Choice(lang="ru"), Links(base=served.url), ()) if one.id == "ssi")
        conf, markup = code.split("<!-- the page", 1)
        port = free_port()
        site = f"server {{ listen 127.0.0.1:{port}; root {tmp_path}/html; {conf} }}"
        async with running(tmp_path, site, markup.split("-->", 1)[1], port) as url:
            assert ">100,68</data>" in (await page(url))[0]
            await served.stop()
            text, _ = await page(url)
            assert STUB in text, text


async def test_the_stream_passes_through_unbuffered(tmp_path: Path) -> None:
    """An event arrives when it is sent, not when a buffer is full."""
    async with live() as served, nginx(tmp_path, served.port) as url:
        stream = url.replace("/index.html", "/v1/stream")
        async with asyncio.timeout(10), aiohttp.ClientSession() as session, session.get(stream) as got:
            await got.content.readuntil(b"event: quotes\n")
            version = served.put({"USD": "99"}).version
            assert f"id: {version}".encode() in await got.content.readuntil(f"id: {version}\n".encode())
