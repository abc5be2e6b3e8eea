"""Answers ready to be sent: what every answer of a moment begins with, and the rest, which its version alone decides.

Every current answer is put together here, whoever sends it: the bytes of the express lane and of the ordinary path are
the same because they are made once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, web

from ticker.values import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.web_request import BaseRequest

    from ticker.render import Representation

_END = b"\r\n"


class Ready(Struct, frozen=True):
    """One representation in one coding: the header fields of its own, those of its body, and the body.

    `route` is the pattern under which the answer is counted; `tag` is the entity tag as it comes from a connection.
    """

    route: str
    etag: str
    tag: bytes
    described: bytes
    content: bytes
    body: bytes

    def __len__(self) -> int:
        """The bytes it holds."""
        return len(self.described) + len(self.content) + len(self.body)


def ready(route: str, made: Representation, coding: str, fields: Mapping[str, str]) -> Ready:
    """`made` in `coding`, or as it is where that is not worth it; `fields` are those a 304 repeats."""
    coding = coding if coding in made.codings else "identity"
    tag, body = made.etag(coding), made.encoded(coding)
    content = {"Content-Type": made.content_type, "Content-Length": str(len(body))}
    if coding != "identity":
        content["Content-Encoding"] = coding
    return Ready(route, tag, tag.encode(), lines({"ETag": tag, **fields}), lines(content) + _END, body)


def lines(fields: Mapping[str, str]) -> bytes:
    """Header fields as they are sent."""
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode()


def modified(opening: bytes, each: Ready, *, body: bool) -> bytes:
    """A whole answer of 200 after `opening`; without its body to HEAD."""
    return b"".join((opening, each.described, each.content, each.body if body else b""))


def unmodified(opening: bytes, each: Ready) -> bytes:
    """A whole answer of 304 after `opening`."""
    return b"".join((opening, each.described, _END))


class Sent(web.StreamResponse):
    """An answer whose every byte is made already, on a connection that stays open."""

    def __init__(self, status: int, whole: bytes) -> None:  # pylint: disable=super-init-not-called
        # What the base class would make is for headers and bodies still to be written: a tenth of the whole answer's
        # time, for nothing.
        self._status = status
        self._whole = whole

    @property
    def prepared(self) -> bool:
        """True: nobody can change it any more."""
        return True

    @property
    def keep_alive(self) -> bool:
        """True: one that ends its connection says so in its header and is not ready-made."""
        return True

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter:
        """Send it."""
        writer = request.writer
        await writer.write(self._whole)
        await writer.drain()
        return writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing: it has been sent."""


def response(request: web.BaseRequest, status: int, whole: bytes, *, last: bool, more: bool) -> web.StreamResponse:
    """`whole` as it is where the connection stays open; else the same for aiohttp to say how it ends.

    It ends after the `last` answer. With `more`, fields will be put on it that are the request's own.
    """
    if request.version == HttpVersion11 and request.keep_alive and not last and not more:
        return Sent(status, whole)
    head, _, body = whole.partition(b"\r\n\r\n")
    fields = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
    answer = web.Response(status=status, headers=[(name, value) for name, _, value in fields], body=body or None)
    if last:
        answer.force_close()
    return answer
