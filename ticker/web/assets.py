"""The service's own scripts and styles: by name for a few minutes, by name and hash for ever."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING

from ticker import render
from ticker.values import Struct
from ticker.web import parameters
from ticker.web.answers import sent

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.typedefs import Handler

_SCRIPT = "text/javascript; charset=utf-8"
_STYLE = "text/css; charset=utf-8"
_TYPES = {
    "widget.js": _SCRIPT,
    "widget.css": _STYLE,
    "page.js": _SCRIPT,
    "page.css": _STYLE,
    "docs.js": _SCRIPT,
    "docs.css": _STYLE,
    "icon.svg": "image/svg+xml",
    "favicon.ico": "image/x-icon",
}
_NAMED = "public, max-age=300, stale-while-revalidate=86400, stale-if-error=604800"
# What browsers ask for by themselves, without a hash, at every site.
_ASKED = "public, max-age=86400, stale-while-revalidate=604800, stale-if-error=604800"
_VERSIONED = "public, max-age=31536000, immutable"


class Asset(Struct, frozen=True):
    """One file: its name, the hash its address carries, and its bytes ready to be sent."""

    name: str
    version: str
    representation: render.Representation

    @property
    def url(self) -> str:
        """The address that always answers these bytes."""
        return f"/{self.name}?v={self.version}"

    async def handle(self, request: web.Request) -> web.Response:
        """`GET /{name}`: immutable where `v` is the current hash, else kept for minutes (another release asks)."""
        parameters.only(request, ("v",))
        current = request.query.get("v") == self.version
        named = _ASKED if self.name == "favicon.ico" else _NAMED
        return sent(request, self.representation, {"Cache-Control": _VERSIONED if current else named})


def _read(name: str) -> Asset:
    body = files("ticker.web").joinpath("static", name).read_bytes()
    # A file's own time is that of its unpacking; its tag says all that a client needs.
    representation = render.Representation(body, _TYPES[name], datetime(2024, 1, 1, tzinfo=UTC))
    return Asset(name, hashlib.blake2b(body, digest_size=6).hexdigest(), representation)


ASSETS = tuple(_read(name) for name in _TYPES)
ROUTES: tuple[tuple[str, Handler], ...] = tuple((f"/{asset.name}", asset.handle) for asset in ASSETS)


def links(base: str = "", *, pictures: bool = False) -> render.Links:
    """The versioned addresses for templates; `base` is the service's public address, "" for here."""
    urls = {asset.name.replace(".", "_"): f"{base}{asset.url}" for asset in ASSETS}
    return render.Links(base=base, pictures=pictures, **urls)
