"""The few reading tools that all adapters share; what goes wrong in them is a `SourceError` with its reason."""

from __future__ import annotations

import json
import re
import reprlib
from collections import Counter
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from ticker.quotes import Reason, SourceError
from ticker.sources.digits import decimal_of


def as_json(body: bytes) -> Any:  # noqa: ANN401 - what an upstream sends can be anything
    """The JSON of `body` with exact decimals.

    Raises SourceError: `blocked` for a web page, `encoding` for bytes that are not UTF-8, `parse` for anything else
    that is not JSON, NaN and Infinity and numbers of absurd length among it, `schema` for a name that stands twice.
    """
    text = text_of(body, "utf-8-sig")
    if body.count(b",") > _MOST_VALUES:
        raise SourceError(Reason.PARSE, f"more than {_MOST_VALUES} values")
    try:
        return json.loads(
            text, parse_float=_number, parse_int=_number, parse_constant=_number, object_pairs_hook=_object
        )
    except (ValueError, RecursionError) as error:
        raise SourceError(Reason.PARSE, f"not JSON: {error}") from error


def as_xml(body: bytes) -> Element:
    """The XML root of `body`, read as bytes so that the prolog's encoding is honoured.

    Raises SourceError: `blocked` for a web page, `encoding` where the bytes do not fit the prolog's encoding, `parse`
    for malformed XML and for any document type declaration (entity bombs).
    """
    text_of(body, _declared(body))
    if body.count(b"<") > _MOST_TAGS or body.count(b"=") > 2 * _MOST_TAGS:
        raise SourceError(Reason.PARSE, f"more than {_MOST_TAGS} tags or twice as many attributes")
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise SourceError(Reason.PARSE, f"not XML: {str(error) or type(error).__name__}") from error
    return root


def number(value: object, where: str) -> Decimal:
    """The positive exact decimal that `value` is or writes.

    Raises SourceError: `parse` for text that is no number, `schema` for what is neither, `range` for zero and less.
    """
    if isinstance(value, str):
        text = value.strip()
        # Below zero a number is still one, and no price; oil has been there.
        value = decimal_of(text.removeprefix("-")) * (-1 if text.startswith("-") else 1)
    if isinstance(value, bool) or not isinstance(value, Decimal):
        raise SourceError(Reason.SCHEMA, f"{where}: no number but {str(value)[:40]!r}")
    if value <= 0:
        raise SourceError(Reason.RANGE, f"{where}: {value} is not a price")
    return value


def number_before(value: object, where: str) -> Decimal | None:
    """The price before, as `number`; None where there is none, which is written as nothing, as 0, or was below zero.

    It only says how far a price has moved: where it says nothing the price stands all the same.
    """
    if value is None:
        return None
    try:
        return number(value, where)
    except SourceError as error:
        if error.reason is Reason.RANGE:
            return None
        raise


def nominal(value: object, where: str) -> int:
    """The number of units a price is for: a power of ten up to ten millions.

    Raises SourceError (`unit`): every table publishes powers of ten, anything else is a column that has slipped.
    """
    units = str(value).strip()
    if not _TENS.fullmatch(units):
        raise SourceError(Reason.UNIT, f"{where}: nominal {units[:20]!r} is not a power of ten")
    return int(units)


def sane(moment: datetime, where: str) -> datetime:
    """`moment`, if it is of our time. Raises SourceError (`schema`): no calendar reckons in the years 1 and 9999."""
    if not 1980 <= moment.year < 2200:  # noqa: PLR2004 - older than every feed, later than every clock gone wrong
        raise schema(f"{where}: {moment:%Y-%m-%d} is no date of a price")
    return moment


_BRIEF = reprlib.Repr()
_BRIEF.maxlevel = 3


def brief(value: object) -> str:
    """How a part of an answer begins, for a message: writing four megabytes out would hold the loop."""
    return _BRIEF.repr(value)[:80]


def schema(message: str) -> SourceError:
    """The error of a well-formed answer that is not the one asked for."""
    return SourceError(Reason.SCHEMA, message)


_PAGE = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body|script|title|meta|center|h1)[\s>/]",
    re.IGNORECASE | re.DOTALL,
)
_PROLOG = re.compile(rb"""\s*<\?xml[^>]*?encoding=["']([A-Za-z0-9._-]{1,40})["']""")
# What the sources write; Python knows others, some of which take quadratic time or raise errors of their own.
_ENCODINGS = frozenset({"utf-8-sig", "utf-8", "windows-1251", "us-ascii", "iso-8859-1", "iso-8859-9", "windows-1254"})
_TENS = re.compile("10{0,7}")
# Ten years of one currency have 25000; a megabyte of nothing but tags takes a second to build and throw away.
_MOST_TAGS = 50_000
# A whole futures board has 35000; each becomes a decimal, and four megabytes of them are a second of work.
_MOST_VALUES = 150_000
# A billion is more than any rate or count in these feeds; longer numbers are an attack on arithmetic.
_LONGEST = 40


def text_of(body: bytes, encoding: str) -> str:
    """The text of `body`. Raises SourceError: `blocked` for a web page, `encoding` for bytes of another encoding."""
    if _PAGE.match(body[:512].removeprefix(b"\xef\xbb\xbf")):
        raise SourceError(Reason.BLOCKED, "a web page instead of data: a guard or consent page")
    if encoding not in _ENCODINGS:
        raise SourceError(Reason.ENCODING, f"written in {encoding}, which no source uses")
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise SourceError(Reason.ENCODING, str(error)[:200]) from error


def _declared(body: bytes) -> str:
    found = _PROLOG.match(body[:256])
    return found[1].decode("ascii").lower() if found else "utf-8-sig"


def _number(text: str) -> Decimal:
    """A JSON number, or NaN and its like, which are none; 1e999 is how infinity gets in."""
    try:
        value = Decimal(text) if len(text) <= _LONGEST else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or not -30 <= value.adjusted() <= 30:  # noqa: PLR2004 - an Earth of zeros
        raise ValueError(f"a number out of all proportion: {text[:40]}")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Each name once: of two prices for one currency nobody can say which is meant."""
    found = dict(pairs)
    if len(found) != len(pairs):
        # In one pass: of a hundred thousand names, counting each stops the service for minutes.
        seen = Counter(name for name, _ in pairs)
        raise schema(f"{seen.most_common(1)[0][0][:40]!r} stands twice in one object")
    return found
