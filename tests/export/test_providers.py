"""The other two providers: what is sent to them, in their own words, read by a server that takes everything."""

from __future__ import annotations

import gzip
from collections.abc import Mapping

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.factories import NOON
from ticker.export.exporter import target_of
from ticker.export.files import KEPT, TargetError, outputs_of
from ticker.rendering.representation import Representation

TREE = {"en/widget.html": Representation(b"<ul></ul>", "text/html; charset=utf-8", NOON)}
AZURE = {"AZURE_STORAGE_ACCOUNT_NAME": "numbers", "AZURE_STORAGE_ACCOUNT_KEY": "aGlkZGVu", "AZURE_ALLOW_HTTP": "true"}
GOOGLE = {"GOOGLE_ALLOW_HTTP": "true"}
KEY = '{"private_key": "x", "client_email": "e", "private_key_id": "i", "gcs_base_url": "%s", "disable_oauth": true}'
# Address, environment, where the widget's gzip goes, and in which fields it says what.
PROVIDERS = {
    "azure": ("az://bucket/ticker", AZURE, "/bucket/ticker/en/widget.html.gz", "x-ms-blob-"),
    "google": ("gs://bucket/ticker", GOOGLE, "/bucket/ticker/en/widget.html.gz", ""),
}


class Provider:
    """Keeps what is put; knows nothing of what there was."""

    def __init__(self) -> None:
        self.put: dict[str, tuple[bytes, Mapping[str, str]]] = {}

    async def handle(self, request: web.Request) -> web.Response:
        if request.method != "PUT":
            return web.Response(status=404)
        self.put[request.path] = await request.read(), {name.lower(): value for name, value in request.headers.items()}
        return web.Response(status=201, headers={"ETag": '"1"', "Last-Modified": "Fri, 22 Nov 2024 09:00:00 GMT"})


@pytest.mark.parametrize("name", PROVIDERS)
async def test_an_object_says_what_http_needs(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Type, coding and caching, by the provider's own fields, below the path of the address."""
    where, environment, path, prefix = PROVIDERS[name]
    provider, app = Provider(), web.Application()
    app.router.add_route("*", "/{path:.*}", provider.handle)
    async with TestServer(app) as server:
        url = f"http://127.0.0.1:{server.port}"
        own = {"AZURE_STORAGE_ENDPOINT": url} if name == "azure" else {"GOOGLE_SERVICE_ACCOUNT_KEY": KEY % url}
        for variable, value in {**environment, **own}.items():
            monkeypatch.setenv(variable, value)
        assert await target_of(where).write(outputs_of(TREE, {})) == 3
    body, said = provider.put[path]
    # A server of aiohttp has undone what Content-Encoding says.
    assert (gzip.decompress(body) if prefix else body) == b"<ul></ul>"
    fields = ("content-type", "content-encoding", "cache-control")
    assert [said[f"{prefix}{field}"] for field in fields] == ["text/html; charset=utf-8", "gzip", KEPT]
    assert len(provider.put) == 4


def test_an_address_that_lacks_its_account_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is polled."""
    for name in AZURE:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(TargetError, match="Account"):
        target_of("az://bucket/ticker")
