"""Header fields of an answer: how long it stays true, whether the client has it, and what a browser may do with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from ticker.web.problems import Problem

METHODS = ("GET", "HEAD", "OPTIONS")
ALLOW = ", ".join(METHODS)
# Seconds for which a cache may go on with what it has: while it asks again, and while the service is unreachable.
_WHILE_REVALIDATING = 30
_IF_ERROR = 86_400
_SECOND = timedelta(seconds=1)
_NEVER = datetime.max.replace(tzinfo=UTC)

_EXPOSED = ("ETag", "Last-Modified", "Link", "RateLimit", "RateLimit-Policy", "Retry-After", "Ticker-Demo")
_BASE_POLICY = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Server": "market-ticker"}
_CONTENT_POLICY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
}
# Public numbers: a page that isolates itself (COEP) may take them by <script>, <link> and <img>, too.
_RESOURCE_POLICY = {"Cross-Origin-Resource-Policy": "cross-origin"}


@dataclass(frozen=True, slots=True)
class Freshness:
    """The fields that tell a cache how long it may keep an answer, and the moment from which on they read otherwise."""

    fields: Mapping[str, str]
    changes_at: datetime


def freshness(modified: datetime, now: datetime, until: datetime, valid_until: datetime | None = None) -> Freshness:
    """How long an answer may be kept that cannot change before `until`.

    Nothing reaches beyond `valid_until`, after which its numbers may be untrue: not `max-age`, and not the time for
    which a cache may go on with it while it asks again or gets no answer (RFC 5861).
    """
    until = max(now, until if valid_until is None else min(until, valid_until))
    seconds = int((until - now).total_seconds())
    beyond = _IF_ERROR if valid_until is None else max(0, int((valid_until - until).total_seconds()))
    control = (
        f"public, max-age={seconds}, stale-while-revalidate={min(_WHILE_REVALIDATING, beyond)}, "
        f"stale-if-error={min(_IF_ERROR, beyond)}"
    )
    last = last_modified(modified, now)
    ends = [_NEVER]
    if seconds:
        ends.append(until - timedelta(seconds=seconds))
    elif valid_until is not None and beyond:
        ends.append(valid_until - timedelta(seconds=beyond))
    if last > now - _SECOND:
        ends.append(last + _SECOND)
    return Freshness({"Last-Modified": format_datetime(last, usegmt=True), "Cache-Control": control}, min(ends))


def last_modified(modified: datetime, now: datetime) -> datetime:
    """The whole second after `modified` once it is over, until then the one before.

    Two versions can fall into one second; only so does the date of the first one never stand for the second
    (RFC 9110, 8.8.2.2).
    """
    began = modified.astimezone(UTC).replace(microsecond=0)
    return began + _SECOND if now >= began + _SECOND else began


def status_of(etag: str, modified: datetime, if_none_match: str | None, if_modified_since: str | None) -> int:
    """304 where the client's own copy is current, else 200 (RFC 9110, 13.1.2, 13.1.3, 13.2.2)."""
    if if_none_match is not None:
        return 304 if _names(if_none_match, etag) else 200
    then = None if if_modified_since is None else _date(if_modified_since)
    return 304 if then is not None and then >= modified.replace(microsecond=0) + _SECOND else 200


def demand(etag: str, modified: datetime, if_match: str | None, if_unmodified_since: str | None) -> None:
    """Raise a Problem (412) where the client wants this representation or none (RFC 9110, 13.1.1, 13.1.4)."""
    if if_match is not None:
        # By strong comparison: a weak tag is no promise of these bytes.
        if if_match.strip() != "*" and etag not in {tag.strip() for tag in if_match.split(",")}:
            raise Problem(412, "'If-Match' names no tag of what is here now; leave it out, or ask for the tag first")
        return
    then = None if if_unmodified_since is None else _date(if_unmodified_since)
    if then is not None and then < modified.replace(microsecond=0):
        raise Problem(412, "this has changed since the date in 'If-Unmodified-Since'; leave it out")


def _names(tags: str, etag: str) -> bool:
    """Whether `If-None-Match` names the tag, by weak comparison."""
    return tags == etag or tags.strip() == "*" or etag in {tag.strip().removeprefix("W/") for tag in tags.split(",")}


def _date(text: str) -> datetime | None:
    """The date in a header; None for what is no date, which is ignored (RFC 9110, 13.1.3)."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else None


def security(own: Mapping[str, str]) -> dict[str, str]:
    """What a browser may do with an answer whose handler says `own` of it: all that it may not."""
    content = {} if "Content-Security-Policy" in own else _CONTENT_POLICY
    return {**_BASE_POLICY, **content, **_RESOURCE_POLICY, **own}


def cross_origin(origin: str | None, allowed: tuple[str, ...]) -> dict[str, str]:
    """Who else's scripts may read an answer: never the origin reflected unless it is on the list (Fetch, 3.2.3)."""
    shown = "*" if "*" in allowed else origin if origin in allowed else None
    if shown is None:
        return {}
    return {"Access-Control-Allow-Origin": shown, "Access-Control-Expose-Headers": ", ".join(_EXPOSED)}


def lines(fields: Mapping[str, str]) -> bytes:
    """Header fields as they are sent."""
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode()
