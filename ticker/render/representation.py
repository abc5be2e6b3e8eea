"""One body ready to be sent, with what HTTP needs to say of it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import brotli
import zstandard

# Below one packet compression costs more than it saves.
_WORTH = 256


@dataclass(frozen=True, slots=True)
class Representation:
    """A body, its media type, when it last changed, and its compressed forms, each made once when first asked for."""

    body: bytes
    content_type: str
    modified: datetime
    _codings: dict[str, bytes] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        # In which codings it was already asked for is no difference.
        mine = (self.body, self.content_type, self.modified)
        return isinstance(other, Representation) and mine == (other.body, other.content_type, other.modified)

    def __hash__(self) -> int:
        return hash((self.body, self.content_type))

    def encoded(self, coding: str) -> bytes:
        """The body in `coding`: "identity", "gzip", "zstd" or "br". Raises KeyError for any other."""
        if coding == "identity":
            return self.body
        if coding not in self._codings:
            self._codings[coding] = _CODERS[coding](self.body)
        return self._codings[coding]

    @property
    def codings(self) -> tuple[str, ...]:
        """The codings worth offering, best first."""
        return ("br", "zstd", "gzip", "identity") if len(self.body) >= _WORTH else ("identity",)

    def etag(self, coding: str) -> str:
        """A strong entity tag: of the bytes that are sent, so each coding has its own (RFC 9110, 8.8.3.3)."""
        if "etag" not in self._codings:
            self._codings["etag"] = hashlib.blake2b(self.body, digest_size=12).hexdigest().encode()
        tag = self._codings["etag"].decode()
        return f'"{tag}"' if coding == "identity" else f'"{tag}-{coding}"'


def _zstd(body: bytes) -> bytes:

    return zstandard.compress(body, 12)


_CODERS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=5),
    "zstd": _zstd,
    # A window of 16 + 15 is gzip's own form, without a time.
    "gzip": lambda body: zlib.compress(body, 6, 31),
}
