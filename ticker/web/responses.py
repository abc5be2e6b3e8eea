"""A representation as an HTTP answer: validators, freshness, content coding, 304 (RFC 9110, 9111, 5861)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from aiohttp import HttpVersion11, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_request import BaseRequest

from ticker.rendering.representation import Representation
from ticker.web.problems import Problem

_QVALUE = re.compile(r"\s*([A-Za-z0-9*-]+)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?\s*", re.IGNORECASE)
# The codings there are, best first.
CODINGS = ("br", "zstd", "gzip", "identity")
# How long a cache may go on with what it has while it asks again, and while we are gone.
_REVALIDATE = 30
_IF_ERROR = 86400
# Noted on a request whose language Accept-Language chose: a cache must keep one answer a language.
NEGOTIATED = web.RequestKey("negotiated", bool)
_SECOND = timedelta(seconds=1)


def answer(request: web.Request, representation: Representation, now: datetime, until: datetime) -> web.Response:
    """The representation, or 304 where the client has it. It cannot change before `until`, so caches may keep it."""
    fields, _ = freshness(representation.modified, now, until)
    return sent(request, representation, {**fields, "Vary": vary(request)})


def vary(request: web.Request) -> str:
    """By which of a request's fields a cache must keep its answers apart."""
    return "Accept-Encoding, Accept-Language" if NEGOTIATED in request else "Accept-Encoding"


def freshness(modified: datetime, now: datetime, until: datetime) -> tuple[dict[str, str], datetime]:
    """The fields that tell a cache how long it may keep what cannot change before `until`, and when they change."""
    seconds = max(0, int((until - now).total_seconds()))
    last = last_modified(modified, now)
    fields = {
        "Last-Modified": format_datetime(last, usegmt=True),
        "Cache-Control": f"public, max-age={seconds}, stale-while-revalidate={_REVALIDATE}, stale-if-error={_IF_ERROR}",
    }
    counted_down = until - timedelta(seconds=seconds) if seconds else datetime.max.replace(tzinfo=UTC)
    return fields, min(counted_down, last + _SECOND) if last > now - _SECOND else counted_down


def sent(request: web.Request, representation: Representation, headers: Mapping[str, str]) -> web.Response:
    """The representation in the coding that the client likes best, with its tag and `headers`; or 304."""
    coding = accepted(request.headers.get("Accept-Encoding", ""), representation.codings)
    demand(request, representation.etag(coding), representation.modified)
    headers = {"ETag": representation.etag(coding), "Vary": "Accept-Encoding", **headers}
    if not_modified(request, headers["ETag"], representation.modified):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = representation.content_type
    if coding != "identity":
        headers["Content-Encoding"] = coding
    return web.Response(body=representation.encoded(coding), headers=headers)


def ready(representation: Representation, accept_encoding: str) -> Representation:
    """The same, with its tag and the coding made that such a reader is sent: for large ones, off the loop."""
    coding = accepted(accept_encoding, representation.codings)
    representation.encoded(coding)
    representation.etag(coding)
    return representation


def accepted(header: str, offered: tuple[str, ...]) -> str:
    """The best of `offered` (best first) that `Accept-Encoding` admits; else identity (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for part in header[:512].split(","):
        found = _QVALUE.fullmatch(part)
        if found:
            weights[found[1].lower()] = float(found[2] or 1)
    weighed = [(weights.get(coding, weights.get("*", 0.0)), coding) for coding in offered if coding != "identity"]
    best = max(weighed, key=lambda pair: pair[0], default=(0.0, "identity"))
    identity = weights.get("identity", 0.0)
    return best[1] if best[0] > 0 and best[0] >= identity else "identity"


def last_modified(modified: datetime, now: datetime) -> datetime:
    """The whole second after `modified` once it is over, until then the one before.

    Two versions can fall into one second; only so does the date of the first one never stand for the second
    (RFC 9110, 8.8.2.2).
    """
    began = modified.astimezone(UTC).replace(microsecond=0)
    return began + _SECOND if now >= began + _SECOND else began


def matches(tags: str, etag: str) -> bool:
    """Whether `If-None-Match` names the tag, by weak comparison."""
    return tags == etag or tags.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in tags.split(",")}


def demand(request: web.BaseRequest, etag: str, modified: datetime) -> None:
    """Raise a Problem (412) where the client wants this representation or none (RFC 9110, 13.1.1, 13.1.4)."""
    tags, since = request.headers.get("If-Match"), request.headers.get("If-Unmodified-Since")
    if tags is not None:
        # By strong comparison: a weak tag is no promise of these bytes.
        if tags.strip() != "*" and etag not in {tag.strip() for tag in tags.split(",")}:
            raise Problem(412, "'If-Match' names no tag of what is here now; leave it out, or ask for the tag first")
    elif since is not None and (then := _date(since)) and then < modified.replace(microsecond=0):
        raise Problem(412, "this has changed since the date in 'If-Unmodified-Since'; leave it out")


def not_modified(request: web.BaseRequest, etag: str, modified: datetime) -> bool:
    """Whether the client's own copy is current: If-None-Match first, by weak comparison (RFC 9110, 13.1.2, 13.2.2)."""
    tags = request.headers.get("If-None-Match")
    if tags is not None:
        return matches(tags, etag)
    since = request.headers.get("If-Modified-Since")
    then = None if since is None else _date(since)
    return then is not None and then >= modified.replace(microsecond=0) + _SECOND


def _date(text: str) -> datetime | None:
    """The date in a header; None for what is none, which is ignored (RFC 9110, 13.1.3)."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else None


# Answers ready to be sent: what every answer of a moment begins with, and the rest, which its version alone decides.
#
# Every current answer is put together here, whoever sends it: the bytes of the express lane and of the ordinary path
# are the same because they are made once.


_END = b"\r\n"


@dataclass(frozen=True, slots=True)
class Ready:
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


def ready_response(route: str, made: Representation, coding: str, fields: Mapping[str, str]) -> Ready:
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
