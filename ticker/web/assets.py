"""The service's own scripts and styles: by name for a few minutes, by name and hash for ever."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from ticker.rendering.html import Links
from ticker.rendering.representation import Representation
from ticker.web import parameters
from ticker.web.headers import last_modified
from ticker.web.responses import respond

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


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its name, the hash its address carries, and its bytes ready to be sent."""

    name: str
    version: str
    representation: Representation

    @property
    def came(self) -> str:
        """Since when no other bytes can have been under its name."""
        second = last_modified(self.representation.modified, datetime.max.replace(tzinfo=UTC))
        return format_datetime(second, usegmt=True)

    @property
    def url(self) -> str:
        """The address that always answers these bytes."""
        return f"/{self.name}?v={self.version}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """`GET /{name}`: immutable where `v` is the current hash, else kept for minutes (another release asks)."""
        parameters.only(request, ("v",))
        current = request.query.get("v") == self.version
        named = _ASKED if self.name == "favicon.ico" else _NAMED
        fields = {"Last-Modified": self.came, "Cache-Control": _VERSIONED if current else named}
        return respond(request, self.representation, self.representation.modified, fields)


def _read(name: str) -> Asset:
    path = Path(__file__).with_name("static") / name
    body = path.read_bytes()
    # Not the file's own time, which archives carry along and set to 1980: when it came here no other can have been.
    found = Representation(body, _TYPES[name], datetime.fromtimestamp(path.stat().st_ctime, UTC))
    return Asset(name, hashlib.blake2b(body, digest_size=6).hexdigest(), found)


ASSETS = tuple(_read(name) for name in _TYPES)
ROUTES: tuple[tuple[str, Handler], ...] = tuple((f"/{asset.name}", asset.handle) for asset in ASSETS)


def links(base: str = "") -> Links:
    """The versioned addresses for templates; `base` is the service's public address, "" for here."""
    urls = {asset.name.replace(".", "_"): f"{base}{asset.url}" for asset in ASSETS}
    return Links(base=base, **urls)
