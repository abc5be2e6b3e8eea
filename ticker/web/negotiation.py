"""Which format an answer takes: what `format=` names, else what `Accept` prefers, else JSON (RFC 9110, 12.5.1)."""

from __future__ import annotations

import re

from aiohttp import web

from ticker.rendering.locales import UnknownLanguageError, normalize_tag
from ticker.web import parameters

FORMATS = ("json", "csv", "ndjson")
_MEDIA = {
    "json": ("application/json", "application/*", "*/*"),
    "csv": ("text/csv", "text/*"),
    "ndjson": ("application/x-ndjson", "application/ndjson", "application/jsonl"),
}
_QUALITY = re.compile(r"\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*")


def format_of(request: web.Request) -> str:
    """One of FORMATS. Raises a Problem (400) for a `format` that there is not; nonsense in `Accept` is no error."""
    if "format" in request.query:
        return parameters.one_of(request, "format", FORMATS, "json")
    return preferred_format(request.headers.get("Accept", ""))


def preferred_format(header: str) -> str:
    """The one of FORMATS that `Accept` likes best; JSON where it says nothing that we have."""
    weighed: list[tuple[float, str]] = []
    for part in header[:512].split(","):
        name, *rest = part.strip().lower().split(";")
        quality = next((float(found[1]) for each in rest if (found := _QUALITY.fullmatch(each))), 1.0)
        weighed += [(quality, kind) for kind, media in _MEDIA.items() if name.strip() in media and quality > 0]
    return max(weighed, key=lambda pair: pair[0], default=(1.0, "json"))[1]


def varied(request: web.Request, response: web.Response) -> web.Response:
    """The response, saying that `Accept` chose its format, unless `format` did."""
    if "format" not in request.query:
        response.headers["Vary"] = f"Accept, {response.headers['Vary']}"
    return response


# The reader's language where the address does not say it: Accept-Language (RFC 9110, 12.5.4).


_RANGE = re.compile(r"\s*([A-Za-z0-9-]{2,35})\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?\s*", re.IGNORECASE)
# A browser sends five or so.
_MOST = 10


def preferred(header: str) -> str | None:
    """The tag of the best language of `header` that CLDR has a locale for, in CLDR's spelling; None where none is."""
    found = [match for part in header[:512].split(",")[:_MOST] if (match := _RANGE.fullmatch(part))]
    weighed = sorted(found, key=lambda match: -float(match[2] or 1))
    tags = (_spelt(match[1]) for match in weighed if float(match[2] or 1) > 0)
    return next(filter(None, tags), None)


def _spelt(tag: str) -> str | None:
    """The tag, shortened from its end until CLDR knows it (RFC 4647, 3.4)."""
    while tag:
        try:
            return normalize_tag(tag)
        except UnknownLanguageError:
            tag = tag.rpartition("-")[0]
    return None
