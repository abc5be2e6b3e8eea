"""A representation as an HTTP answer: validators, freshness, content coding, 304 (RFC 9110, 9111, 5861)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

from aiohttp import web

from ticker.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticker.render import Representation

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
