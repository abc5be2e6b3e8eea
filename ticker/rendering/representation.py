"""One body ready to be sent, with what HTTP needs to say of it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import brotli

try:
    import zstandard
except ImportError:  # the extra `speed`; without it nobody is offered zstd
    _ZSTD: tuple[str, ...] = ()
else:
    _ZSTD = ("zstd",)

JSON = "application/json"
HTML = "text/html; charset=utf-8"
EVENTS = "text/event-stream"
PNG = "image/png"

# Below one packet compression costs more than it saves.
_WORTH_COMPRESSING = 256


@dataclass(frozen=True)
class Representation:
    """A body, its media type, when it last changed, and its compressed forms, each made once when first asked for."""

    body: bytes
    content_type: str
    modified: datetime
    _made: dict[str, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)

    def encoded(self, coding: str) -> bytes:
        """The body in `coding`: "identity", "gzip", "zstd" or "br". Raises KeyError for any other."""
        if coding == "identity":
            return self.body
        if coding not in self._made:
            self._made[coding] = _COMPRESSORS[coding](self.body)
        return self._made[coding]

    @property
    def codings(self) -> tuple[str, ...]:
        """The codings worth offering, best first; zstd where the extra `speed` is installed."""
        worth = len(self.body) >= _WORTH_COMPRESSING and self.content_type != PNG
        return ("br", *_ZSTD, "gzip", "identity") if worth else ("identity",)

    def etag(self, coding: str) -> str:
        """A strong entity tag: of the bytes that are sent, so each coding has its own (RFC 9110, 8.8.3.3)."""
        if "etag" not in self._made:
            self._made["etag"] = hashlib.blake2b(self.body, digest_size=12).hexdigest().encode()
        tag = self._made["etag"].decode()
        return f'"{tag}"' if coding == "identity" else f'"{tag}-{coding}"'


_COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=5),
    "zstd": lambda body: zstandard.compress(body, 12),
    # A window of 16 + 15 is gzip's own form, without a time.
    "gzip": lambda body: zlib.compress(body, 6, 31),
}
