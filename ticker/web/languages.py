"""The reader's language where the address does not say it: Accept-Language (RFC 9110, 12.5.4)."""

from __future__ import annotations

import re

from ticker.render.locales import UnknownLanguageError, locale_of, tag_of

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
            return tag_of(locale_of(tag))
        except UnknownLanguageError:
            tag = tag.rpartition("-")[0]
    return None
