"""The few reading tools that all adapters share; what goes wrong in them is a `SourceError` with its reason."""

from __future__ import annotations

import csv
import json
import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from ticker.quotes import Reason, SourceError, decimal_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date
    from xml.etree.ElementTree import Element
    from zoneinfo import ZoneInfo


def as_json(body: bytes) -> Any:  # noqa: ANN401 - what an upstream sends can be anything
    """The JSON of `body` with exact decimals.

    Raises SourceError: `blocked` for a web page, `encoding` for bytes that are not UTF-8, `parse` for anything else
    that is not JSON, NaN and Infinity and numbers of absurd length among it.
    """
    text = _text(body, "utf-8-sig")
    try:
        return json.loads(text, parse_float=_number, parse_int=_number, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise SourceError(Reason.PARSE, f"not JSON: {error}") from error


def as_xml(body: bytes) -> Element:
    """The XML root of `body`, read as bytes so that the prolog's encoding is honoured.

    Raises SourceError: `blocked` for a web page, `encoding` where the bytes do not fit the prolog's encoding, `parse`
    for malformed XML and for any document type declaration (entity bombs).
    """
    _text(body, _declared(body))
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise SourceError(Reason.PARSE, f"not XML: {str(error) or type(error).__name__}") from error
    return root


def as_csv(body: bytes) -> list[dict[str, str]]:
    """The rows of `body` by the names of the header. Raises SourceError as `as_json` does, `schema` for ragged rows."""
    try:
        header, *rows = [row for row in csv.reader(_text(body, "utf-8-sig").splitlines()) if row] or [[]]
    except csv.Error as error:
        raise SourceError(Reason.PARSE, f"not CSV: {error}") from error
    if any(len(row) != len(header) for row in rows):
        raise schema("a row that does not have the header's columns")
    return [dict(zip(header, row, strict=True)) for row in rows]


def number(value: object, where: str) -> Decimal:
    """The positive exact decimal that `value` is or writes.

    Raises SourceError: `parse` for what is no number, `range` for zero and less.
    """
    if isinstance(value, str):
        value = decimal_of(value.strip())
    if isinstance(value, bool) or not isinstance(value, Decimal):
        raise SourceError(Reason.SCHEMA, f"{where}: no number but {str(value)[:40]!r}")
    if value <= 0:
        raise SourceError(Reason.RANGE, f"{where}: {value} is not a price")
    return value


def nominal(value: object, where: str) -> int:
    """The number of units a price is for: a power of ten up to 100000.

    Raises SourceError (`unit`): every table publishes powers of ten, anything else is a column that has slipped.
    """
    units = str(value).strip()
    if units not in {"1", "10", "100", "1000", "10000", "100000"}:
        raise SourceError(Reason.UNIT, f"{where}: nominal {units[:20]!r} is not a power of ten")
    return int(units)


def midnight(value: object, pattern: str, zone: ZoneInfo, where: str) -> datetime:
    """The start in `zone` of the day that `value` writes as `pattern` (strptime). Raises SourceError (`schema`)."""
    try:
        return datetime.strptime(str(value), pattern).replace(tzinfo=zone)
    except ValueError as error:
        raise schema(f"{where}: no date but {str(value)[:40]!r}") from error


def spans(first: date, last: date, days: int) -> Iterator[tuple[date, date]]:
    """The days from `first` to `last` in spans of `days` at most; both ends of each are included."""
    while first <= last:
        end = min(last, first + timedelta(days=days - 1))
        yield first, end
        first = end + timedelta(days=1)


def schema(message: str) -> SourceError:
    """The error of a well-formed answer that is not the one asked for."""
    return SourceError(Reason.SCHEMA, message)


_PAGE = re.compile(rb"\s*<(?:!doctype\s+html|html|head|body|script)[\s>]", re.IGNORECASE)
_PROLOG = re.compile(rb"""\s*<\?xml[^>]*?encoding=["']([A-Za-z0-9._-]{1,40})["']""")
# A billion is more than any rate or count in these feeds; longer numbers are an attack on arithmetic.
_LONGEST = 40


def _text(body: bytes, encoding: str) -> str:
    if _PAGE.match(body[:512].removeprefix(b"\xef\xbb\xbf")):
        raise SourceError(Reason.BLOCKED, "a web page instead of data: a guard or consent page")
    try:
        return body.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise SourceError(Reason.ENCODING, str(error)[:200]) from error


def _declared(body: bytes) -> str:
    found = _PROLOG.match(body[:256])
    return found[1].decode("ascii") if found else "utf-8-sig"


def _number(text: str) -> Decimal:
    if len(text) > _LONGEST or "e" in text.lower():
        # No source writes exponents in prices; 1e999 is how infinity gets in.
        return _exponent(text)
    return Decimal(text)


def _exponent(text: str) -> Decimal:
    if len(text) > _LONGEST:
        message = f"a number of {len(text)} characters"
        raise ValueError(message)
    value = Decimal(text)
    if not -30 <= value.adjusted() <= 30:  # noqa: PLR2004 - an Earth's worth of zeros either way
        message = f"a number out of all proportion: {text}"
        raise ValueError(message)
    return value


def _refuse_constant(text: str) -> Decimal:
    message = f"{text} is not a number"
    raise ValueError(message)
