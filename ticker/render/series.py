"""One instrument's line as JSON, CSV and NDJSON, digits exact."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ticker.render.wire import stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ticker.history import Line
    from ticker.stores.base import Row

COLUMNS = ("as_of", "price", "price_type", "source", "fetched_at")


def as_json(line: Line, head: Mapping[str, object]) -> bytes:
    """An object: `head`, `since` (the oldest date kept), the `points`."""
    members = {**head, "since": stamp(line.since)}
    opened = json.dumps(members, ensure_ascii=False)[:-1]
    return f'{opened}, "points": [{", ".join(map(_object, line.rows))}]}}\n'.encode()


def as_ndjson(line: Line, _head: Mapping[str, object]) -> bytes:
    """A point a line, each an object."""
    return "".join(f"{_object(row)}\n" for row in line.rows).encode()


def as_csv(line: Line, _head: Mapping[str, object]) -> bytes:
    """A header and a point a line (RFC 4180)."""
    return "".join(f"{','.join(map(_cell, values))}\r\n" for values in (COLUMNS, *map(_values, line.rows))).encode()


FORMATS: dict[str, tuple[str, Callable[[Line, Mapping[str, object]], bytes]]] = {
    "json": ("application/json", as_json),
    "csv": ("text/csv; charset=utf-8; header=present", as_csv),
    "ndjson": ("application/x-ndjson", as_ndjson),
}


def _values(row: Row) -> tuple[str, ...]:
    return stamp(row.as_of) or "", f"{row.price:f}", str(row.price_type), row.source, stamp(row.fetched_at) or ""


def _cell(text: str) -> str:
    plain = not set(text) & set(',"\r\n')
    return text if plain else '"{}"'.format(text.replace('"', '""'))


def _object(row: Row) -> str:
    """By hand: the standard encoder writes no decimals, and a line has thousands of points."""
    return (
        f'{{"as_of": "{stamp(row.as_of)}", "price": {row.price:f}, "price_type": "{row.price_type.value}", '
        f'"source": {json.dumps(row.source)}, "fetched_at": "{stamp(row.fetched_at)}"}}'
    )
