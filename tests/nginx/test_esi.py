"""ESI in the real Varnish, with the VCL that the page gives."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from tests.nginx.server import free_port, listens
from tests.nginx.test_ssi import page
from tests.support.programs import needs
from tests.support.served_board import live
from ticker.rendering.embeds import WidgetChoice, embeds
from ticker.rendering.html import Links

# It drives programs of Debian's for real.
pytestmark = pytest.mark.programs


async def test_varnish_puts_the_fragment_into_the_page(tmp_path: Path) -> None:
    """The page and the ticker behind one Varnish: the reader is sent one document."""
    vcl, markup = next(one.code for one in embeds(WidgetChoice(), Links(), ()) if one.id == "esi").split("<!--", 1)
    include = markup[markup.index("<esi:") :]
    command, port = needs("varnishd"), free_port()
    async with live() as served:
        site = web.Application()

        async def news(_request: web.Request) -> web.Response:
            return web.Response(text=f"<title>news</title>{include}<p>the news</p>", content_type="text/html")

        site.add_routes([web.get("/news", news)])
        runner = web.AppRunner(site, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        backends = "".join(
            f'backend {name} {{ .host = "127.0.0.1"; .port = "{at}"; }}\n'
            for name, at in (("site", runner.addresses[0][1]), ("ticker", served.port))
        )
        choose = 'sub vcl_recv { if (req.url ~ "^/widget") { set req.backend_hint = ticker; } }\n'
        (tmp_path / "site.vcl").write_text(f"vcl 4.1;\n{backends}{choose}{vcl}")
        listen = ("-a", f"127.0.0.1:{port}", "-f", f"{tmp_path}/site.vcl", "-n", f"{tmp_path}/v")
        process = await asyncio.create_subprocess_exec(command, "-F", "-j", "none", "-s", "malloc,8m", *listen)
        try:
            await listens(port)
            text, _ = await page(f"http://127.0.0.1:{port}/news")
        finally:
            process.terminate()
            await process.wait()
            await runner.cleanup()
    assert "the news" in text
    assert ">100.68</data>" in text
    assert "<esi:" not in text
