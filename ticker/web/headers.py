"""Header fields of an answer: how long it stays true, whether the client has it, and what a browser may do with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime

from aiohttp import web

from ticker.rendering.locales import UnknownLanguageError, normalize_tag
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


# What a client prefers where the address does not say it: format, coding and language (RFC 9110, 12.5).

FORMATS = ("json", "csv", "ndjson")
# The content codings there are, best first.
CODINGS = ("br", "zstd", "gzip", "identity")
# By the name of a header that had a say in the answer: whether a client without it would have got the same.
CHOSEN = web.RequestKey("chosen", dict[str, bool])
_MEDIA = {
    "json": ("application/json", "application/*", "*/*"),
    "csv": ("text/csv", "text/*"),
    "ndjson": ("application/x-ndjson", "application/ndjson", "application/jsonl"),
}
_WEIGHT = r"\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?\s*"
_CODING = re.compile(rf"\s*([A-Za-z0-9*-]+){_WEIGHT}")
_RANGE = re.compile(rf"\s*([A-Za-z0-9-]{{2,35}}){_WEIGHT}", re.IGNORECASE)
_QUALITY = re.compile(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*")
# Characters of a header that are read, and languages: browsers send far fewer of both.
_MOST_CHARACTERS, _MOST_LANGUAGES = 512, 10


def preferred_format(accept: str) -> str:
    """The one of FORMATS that `Accept` likes best; JSON where it names none of them."""
    weighed: list[tuple[float, str]] = []
    for part in accept[:_MOST_CHARACTERS].split(","):
        name, *rest = part.strip().lower().split(";")
        quality = next((float(found[1]) for each in rest if (found := _QUALITY.fullmatch(each))), 1.0)
        weighed += [(quality, kind) for kind, media in _MEDIA.items() if name.strip() in media and quality > 0]
    return max(weighed, key=lambda pair: pair[0], default=(1.0, "json"))[1]


def preferred_coding(accept_encoding: str, offered: tuple[str, ...] = CODINGS) -> str:
    """The best of `offered` (best first) that `Accept-Encoding` admits; else identity (RFC 9110, 12.5.3)."""
    weights: dict[str, float] = {}
    for part in accept_encoding[:_MOST_CHARACTERS].split(","):
        found = _CODING.fullmatch(part)
        if found:
            weights[found[1].lower()] = float(found[2] or 1)
    weighed = [(weights.get(coding, weights.get("*", 0.0)), coding) for coding in offered if coding != "identity"]
    best = max(weighed, key=lambda pair: pair[0], default=(0.0, "identity"))
    identity = weights.get("identity", 0.0)
    return best[1] if best[0] > 0 and best[0] >= identity else "identity"


def preferred_language(accept_language: str) -> str | None:
    """The tag of the best language that CLDR has a locale for, in CLDR's spelling; None where there is none."""
    parts = accept_language[:_MOST_CHARACTERS].split(",")[:_MOST_LANGUAGES]
    found = [match for part in parts if (match := _RANGE.fullmatch(part))]
    weighed = sorted(found, key=lambda match: -float(match[2] or 1))
    tags = (_known_tag(match[1]) for match in weighed if float(match[2] or 1) > 0)
    return next(filter(None, tags), None)


def _known_tag(tag: str) -> str | None:
    """The tag, shortened from its end until CLDR knows it (RFC 4647, 3.4)."""
    while tag:
        try:
            return normalize_tag(tag)
        except UnknownLanguageError:
            tag = tag.rpartition("-")[0]
    return None


def chose(request: web.BaseRequest, header: str, *, default: bool) -> None:
    """Note that `header` had a say in the answer; with `default`, a client without it would have got the same."""
    request[CHOSEN] = {**request.get(CHOSEN, {}), header: default}
