"""Comma-separated values: a header that says what they are, and rows that have its columns."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from ticker.quotes import Reason, SourceError
from ticker.sources.base import schema, text_of

# A year of the European Central Bank's history has 15000; each is a date to be read, and a million take two seconds.
_MOST_ROWS = 25_000
_MOST_CELLS = 250_000
# Not what Unicode calls an end of a line: a cell may hold one.
_LINES = re.compile(r"\r\n?|\n")


def as_csv(body: bytes) -> tuple[Sequence[str], Sequence[dict[str, str]]]:
    """The header of `body` and its rows by the names in it; neither where nothing is written.

    Raises SourceError as `as_json` does, `schema` for ragged rows and for a header with a name in it twice.
    """
    text = text_of(body, "utf-8-sig")
    if body.count(b"\n") + body.count(b"\r") > 2 * _MOST_ROWS or body.count(b",") > _MOST_CELLS:
        raise SourceError(Reason.PARSE, f"more than {_MOST_ROWS} rows or {_MOST_CELLS} cells")
    try:
        header, *rows = [row for row in csv.reader(_LINES.split(text)) if row] or [[]]
    except csv.Error as error:
        raise SourceError(Reason.PARSE, f"not CSV: {error}") from error
    if len(set(header)) != len(header):
        raise schema("a header with a name in it twice")
    if any(len(row) != len(header) for row in rows):
        raise schema("a row that does not have the header's columns")
    return header, [dict(zip(header, row, strict=True)) for row in rows]
