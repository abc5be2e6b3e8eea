"""The real nginx with a site of config/nginx/, its addresses and folders exchanged for a test's own."""

from __future__ import annotations

import asyncio
import os
import re
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path

import aiohttp
from aiohttp import web

from tests.support.patience import PATIENCE
from tests.support.programs import needs
from tests.support.project_files import ROOT

SITES = ROOT / "config" / "nginx"
# What faketime tells nginx is read at every look at the clock; nginx hides its environment from itself otherwise.
FAKED = ("FAKETIME", "FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC", "FAKETIME_TIMESTAMP_FILE")
# What the site of the exported files needs beside nginx.
BROTLI = "/usr/lib/nginx/modules/ngx_http_brotli_static_module.so"
AROUND = """{modules} daemon off; worker_processes 1; pid {at}/pid; error_log {at}/error.log warn;
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


def shipped(name: str, swaps: Mapping[str, str]) -> str:
    """The site of that name with each key of `swaps`, which must be in it, exchanged."""
    site = (SITES / name).read_text()
    for theirs, own in swaps.items():
        assert theirs in site
        site = site.replace(theirs, own)
    return site


# How long nginx, Varnish and Apache wait for the service, wherever they are told.
_WAITS = re.compile(
    r"(proxy_(?:connect|send|read|cache_lock)_timeout |\.(?:connect|first_byte|between_bytes)_timeout = "
    r"|\bconnectiontimeout=|\btimeout=)[0-9.]+(?:ms|s)?\b"
)


def patient(site: str, seconds: float = 2 * PATIENCE) -> str:
    """`site` with every wait for the service so long: a machine that stutters is no service that is away."""
    assert _WAITS.search(site)
    return _WAITS.sub(rf"\g<1>{seconds:g}s", site)


@asynccontextmanager
async def running(at: Path, site: str, text: str, port: int, *, clock: NginxClock | None = None) -> AsyncIterator[str]:
    """The real nginx with `site`, which serves on `port` the page `text` of {at}/html; gives its address."""
    command = needs("nginx")
    (at / "html").mkdir(exist_ok=True)
    (at / "html" / "index.html").write_text(text)
    modules = f"load_module {needs(BROTLI)};" if "brotli_static" in site else ""
    (at / "nginx.conf").write_text(AROUND.format(at=at, site=site, modules=modules))
    faked = clock.environment() if clock else {}
    own = "user root;" + "".join(f"env {name};" for name in faked if name in FAKED)
    async with serving(port, command, "-p", f"{at}", "-c", f"{at}/nginx.conf", "-g", own, environment=faked):
        yield f"http://127.0.0.1:{port}/index.html"


class NginxClock:
    """The wall clock of an nginx under libfaketime, which stands where the file says; its timers are the machine's."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def to(self, moment: datetime) -> None:
        """Let nginx's next look at the clock show `moment`."""
        # In one step: a file half written would be no time at all.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{moment.astimezone():%Y-%m-%d %H:%M:%S}\n")
        fresh.replace(self._file)

    def environment(self) -> dict[str, str]:
        """What makes a process see this clock."""
        standing = {"FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        return {"LD_PRELOAD": faketime(), **standing, "FAKETIME_TIMESTAMP_FILE": f"{self._file}"}


def faketime() -> str:
    """The library that a process is started with to see another time."""
    needs("faketime")
    (library,) = list(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    return str(library)


async def listens(port: int) -> None:
    """Wait until somebody listens on `port`."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


@asynccontextmanager
async def answering(path: str, status: int, text: str, headers: Mapping[str, str] | None = None) -> AsyncIterator[int]:
    """Somebody else's server, with one page at `path`, always with that status; gives its port."""

    async def page(_request: web.Request) -> web.Response:
        return web.Response(status=status, text=text, content_type="text/html", headers=headers)

    app = web.Application()
    app.add_routes([web.get(path, page)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def hung(port: int) -> AsyncIterator[None]:
    """A service that takes connections and never says a word."""
    writers: list[asyncio.StreamWriter] = []

    async def silent(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(silent, "127.0.0.1", port)
    yield
    server.close()
    await server.wait_closed()
    for writer in writers:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def serving(port: int, *command: str, environment: Mapping[str, str] | None = None) -> AsyncIterator[None]:
    """The server that `command` starts, from when it listens at `port` to its end."""
    process = await asyncio.create_subprocess_exec(*command, env=os.environ | (environment or {}))
    try:
        begun, ended = asyncio.create_task(listens(port)), asyncio.create_task(process.wait())
        await asyncio.wait({begun, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not begun.done():
            begun.cancel()
            raise AssertionError("it has ended before it listened")
        await begun
        yield
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def page(url: str, **headers: str) -> str:
    """The page's text."""
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as got:
        assert got.status == 200
        return await got.text()
