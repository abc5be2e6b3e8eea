"""Bodies ready to be sent: JSON in which every decimal keeps its digits, and what HTTP needs to say of any body."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import brotli
import msgspec
from pydantic import BaseModel

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

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def to_json(value: object) -> bytes:
    """A model, or a tree of dicts, lists and plain values, in UTF-8 on one line that ends with a newline.

    Raises TypeError for what has no place in an answer (a float has lost its source's digits), and ValueError for a
    decimal that is not finite.
    """
    return _line(value) + b"\n"


def to_json_text(value: object) -> str:
    """The same as text without the newline."""
    return _line(value).decode()


def raw_items(items: list[dict[str, object]]) -> msgspec.Raw:
    """An array made ahead of its object, for thousands of items that hold no decimals: they are not looked through.

    A number in an item is `raw_number()` of its text.
    """
    return msgspec.Raw(_ENCODER.encode(items))


def raw_number(number: str) -> msgspec.Raw:
    """A number by its own digits, which are known to be those of a JSON number."""
    return msgspec.Raw(number.encode())


def _line(value: object) -> bytes:
    # Two blanks a pair are worth it: people read these answers in a terminal. NaN would not pass the formatter either.
    return msgspec.json.format(_ENCODER.encode(_plain(value)), indent=0)


def _plain(value: object) -> object:
    """`value` with what msgspec would write in another way than JSON's readers expect it."""
    if isinstance(value, BaseModel):
        return _plain(value.model_dump())
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, Decimal):
        return _number(value)
    if value is None or isinstance(value, str | int | msgspec.Raw):
        return value
    raise TypeError(f"{type(value).__name__} is nothing that an answer is made of")


def _number(value: Decimal) -> Decimal | msgspec.Raw:
    if not value.is_finite():
        raise ValueError(f"{value} is no number")
    written = str(value)
    # Not every reader takes 1E-7, and none would see the digits of its source in it.
    return msgspec.Raw(f"{value:f}".encode()) if "E" in written else value
