"""What a client prefers where the address does not say it: format, coding and language (RFC 9110, 12.5)."""

from __future__ import annotations

import re

from aiohttp import web

from ticker.rendering.locales import UnknownLanguageError, normalize_tag

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
