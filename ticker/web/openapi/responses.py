"""The headers of an answer, and the ways in which any route can fail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ticker.rendering.schemas import reference

_COMMON = {
    "Access-Control-Allow-Origin": "Whose scripts may read it.",
    "Ticker-Demo": "`true` where the numbers are invented; absent otherwise.",
}
_CACHED = {
    "ETag": "A strong tag of these bytes, for `If-None-Match`.",
    "Last-Modified": "When the answer last changed, for `If-Modified-Since`.",
    "Cache-Control": "How long it stays true: to the next possible change.",
    "Vary": "Which request headers it depends on.",
}
_FAILED = {
    400: "A parameter is unknown, repeated or wrong; it is named, with what it may be.",
    404: "There is no such instrument, or no history of that moment.",
    405: "Only GET, HEAD and OPTIONS are allowed.",
    412: "`If-Match` or `If-Unmodified-Since` is of another answer than there is now.",
    429: "Too many requests; only where the service is configured to limit them.",
    500: "A fault of the service.",
    503: "History cannot be read just now.",
}
_EVERYWHERE = (400, 405, 429, 500)
_EXTRA = {
    405: {"Allow": "The methods that are."},
    429: {"Retry-After": "Seconds to wait.", "RateLimit": "What is left.", "RateLimit-Policy": "What is allowed."},
}


def headers(*, cached: bool) -> dict[str, Any]:
    """The headers of a success, those that caches go by included where it is `cached`."""
    optional = {name: {"description": text, "schema": {"type": "string"}} for name, text in _COMMON.items()}
    required = {name: _header(text) for name, text in _CACHED.items()} if cached else {}
    return {**required, **optional}


def failures(more: Sequence[int]) -> dict[str, Any]:
    """Every status that a route can fail with, each a problem that no cache keeps."""
    return {str(status): _problem(status) for status in sorted({*_EVERYWHERE, *more})}


def _problem(status: int) -> dict[str, Any]:
    found = {"Cache-Control": "`no-store`.", **_EXTRA.get(status, {})}
    return {
        "description": _FAILED[status],
        "headers": {name: _header(text) for name, text in found.items()},
        "content": {"application/problem+json": {"schema": reference("Problem")}},
    }


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "required": True, "schema": {"type": "string"}}
