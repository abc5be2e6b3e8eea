"""One instrument's line as JSON, CSV and NDJSON, digits exact."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import lru_cache

from ticker.quotes import EPOCH
from ticker.render.wire import stamp
from ticker.storage.base import Point
from ticker.storage.history import Series

COLUMNS = ("as_of", "price", "price_type", "source", "fetched_at", "revision")


def as_json(line: Series, head: Mapping[str, object]) -> bytes:
    """An object: `head`, `since` (the oldest date kept), the `points`."""
    members = {**head, "since": stamp(line.since)}
    opened = json.dumps(members, ensure_ascii=False)[:-1]
    return f'{opened}, "points": [{", ".join(map(_object, line.points))}]}}\n'.encode()


def as_ndjson(line: Series, _head: Mapping[str, object]) -> bytes:
    """A point a line, each an object."""
    return "".join(f"{_object(row)}\n" for row in line.points).encode()


def as_csv(line: Series, _head: Mapping[str, object]) -> bytes:
    """A header and a point a line (RFC 4180)."""
    return "".join(f"{','.join(map(_cell, values))}\r\n" for values in (COLUMNS, *map(_values, line.points))).encode()


FORMATS: dict[str, tuple[str, Callable[[Series, Mapping[str, object]], bytes]]] = {
    "json": ("application/json", as_json),
    "csv": ("text/csv; charset=utf-8; header=present", as_csv),
    "ndjson": ("application/x-ndjson", as_ndjson),
}


def _values(point: Point) -> tuple[str, ...]:
    as_of, fetched_at = _stamp(point.as_of, point.offset), _stamp(point.fetched_at, 0)
    return as_of, point.price, point.price_type, point.source, fetched_at, f"{point.revision}"


def _cell(text: str) -> str:
    plain = not set(text) & set(',"\r\n')
    return text if plain else '"{}"'.format(text.replace('"', '""'))


def _object(point: Point) -> str:
    """By hand, out of what the store has: a page has thousands, and the standard encoder writes no decimals."""
    as_of, offset, price, price_type, source, fetched_at, revision = point
    return (
        f'{{"as_of": "{_stamp(as_of, offset)}", "price": {price}, "price_type": "{price_type}", '
        f'"source": {_quoted(source)}, "fetched_at": "{_stamp(fetched_at, 0)}", "revision": {revision}}}'
    )


def _stamp(micros: int, minutes: int) -> str:
    """RFC 3339 to the second, in the zone so many minutes east."""
    days, seconds = divmod(micros // 1_000_000 + minutes * 60, 86_400)
    return f"{_date(days)}T{_clock(seconds)}{_zone(minutes)}"


# A line of days knows one time of day, a line of minutes few days.
@lru_cache(maxsize=4096)
def _date(days: int) -> str:
    return (EPOCH + timedelta(days)).date().isoformat()


@lru_cache(maxsize=4096)
def _clock(seconds: int) -> str:
    return (EPOCH + timedelta(seconds=seconds)).time().isoformat("seconds")


@lru_cache(maxsize=256)
def _zone(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}" if minutes else "Z"


@lru_cache(maxsize=256)
def _quoted(text: str) -> str:
    return json.dumps(text)
