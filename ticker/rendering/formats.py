"""Quotes and history in the form a client asks for: some fields, fewer digits, a flat map, CSV or NDJSON."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from types import SimpleNamespace, UnionType
from typing import Any, cast, get_args

from babel import Locale
from pydantic import BaseModel

from ticker.quotes import EPOCH, Quote, Snapshot
from ticker.rendering import locales
from ticker.rendering.representation import raw_items, raw_number, to_json
from ticker.rendering.schemas import BoardSchema, HistorySchema, PointSchema, QuoteSchema
from ticker.storage.base import Point

SHAPES = ("records", "map")
# Of CSV: RFC 4180, or as Excel opens it by a double click in the reader's language.
DIALECTS = ("rfc4180", "excel")
# The fields of a quote that can be asked for, in the order of the wire.
FIELDS = tuple(name for name in QuoteSchema.model_fields if name != "demo")
CONTENT_TYPES = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8; header=present",
    "ndjson": "application/x-ndjson",
}
HISTORY_COLUMNS = tuple(PointSchema.model_fields)
# What `precision` shortens. Percentages have two digits as they are.
_PRICES = ("price", "previous", "change")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked: the shape, the fields in their order (none means all), the digits after the point at most."""

    shape: str = "records"
    fields: tuple[str, ...] = ()
    precision: int | None = None
    format: str = "json"
    dialect: str = DIALECTS[0]


def write_quotes(snapshot: Snapshot, quotes: Sequence[Quote], locale: Locale, form: Form, *, alone: bool) -> bytes:
    """The quotes in that form; `alone` where one was asked for by its name."""
    board = BoardSchema.of(snapshot, quotes, locale).model_dump()
    rows = [_shortened(row, form.precision) for row in board["quotes"]]
    if form.format == "csv":
        return _csv(_table(board, rows, form), locale if form.dialect == "excel" else None)
    if form.format == "ndjson":
        return b"".join(to_json(_cut(row, _columns(form))) for row in rows)
    if form.shape == "map":
        return to_json(_map(rows, form.fields) | ({"demo": True} if "demo" in board else {}))
    cut = [_cut(row, form.fields) for row in rows]
    return to_json(cut[0] if alone else board | {"quotes": cut})


def _shortened(row: Row, precision: int | None) -> Row:
    if precision is None:
        return row
    return row | {name: _rounded(row[name], precision) for name in _PRICES}


def _rounded(value: Decimal | None, precision: int) -> Decimal | None:
    """With `precision` digits at most; digits that nobody published are never put in."""
    exponent = 0 if value is None else value.as_tuple().exponent
    longer = isinstance(exponent, int) and -exponent > precision
    return locales.rounded(value, precision) if value is not None and longer else value


def _cut(row: Row, fields: Sequence[str]) -> Row:
    return {name: row[name] for name in (*(fields or FIELDS), "demo") if name in row}


def _map(rows: Sequence[Row], fields: Sequence[str]) -> Row:
    """By symbol the price alone, or the fields that were asked for."""
    if not fields:
        return {row["symbol"]: row["price"] for row in rows}
    return {row["symbol"]: {name: row[name] for name in fields} for row in rows}


def _table(board: Row, rows: Sequence[Row], form: Form) -> list[list[object]]:
    """A header and a quote a line; what is not known is an empty cell."""
    names = [*_columns(form), *(["demo"] if "demo" in board else [])]
    flat = [column for name in names for column in _flat(name)]
    return [[column for column, _ in flat], *([value(row) for _, value in flat] for row in rows)]


def _csv(lines: Iterable[Sequence[object]], excel: Locale | None = None) -> bytes:
    """Lines as RFC 4180 has them; with `excel`, as the reader's Excel opens them by its language.

    That is with a byte order mark, and with the separator and the decimals that it expects.
    """
    point = excel.number_symbols["latn"]["decimal"] if excel else "."
    written: list[str] = []
    writer = csv.writer(cast("Any", SimpleNamespace(write=written.append)), delimiter=";" if point == "," else ",")
    writer.writerows([_cell(value, point, excel=excel is not None) for value in line] for line in lines)
    return (b"\xef\xbb\xbf" if excel else b"") + "".join(written).encode()


def _cell(value: object, point: str, *, excel: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}".replace(".", point)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    # A cell that began so would be a formula (CWE-1236); a percentage with its sign is a number to Excel, too.
    return f"'{text}" if excel and text.startswith(("=", "@", "\t")) else text


def _columns(form: Form) -> Sequence[str]:
    return form.fields or (("symbol", "price") if form.shape == "map" else FIELDS)


def _flat(name: str) -> list[tuple[str, Callable[[Mapping[str, Any]], object]]]:
    """The columns of a field: one, or one for each member of an object, `display_price` and so on."""

    def member(inner: str) -> Callable[[Mapping[str, Any]], object]:
        return lambda row: (row[name] or {}).get(inner)

    if name in NESTED:
        return [(f"{name}_{inner}", member(inner)) for inner in NESTED[name]]
    return [(name, lambda row: row[name])]


def _members(annotation: object) -> tuple[str, ...]:
    """The members of a field that is an object, or an object or null."""
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return (
        tuple(name for name, each in models[0].model_fields.items() if not _members(each.annotation)) if models else ()
    )


NESTED = {
    name: _members(each.annotation) for name, each in QuoteSchema.model_fields.items() if _members(each.annotation)
}


@dataclass(frozen=True, slots=True)
class HistoryResult:
    """A series to be written: the members of its JSON but for the points, and the points."""

    head: HistorySchema
    points: Sequence[Point]


def write_history(told: HistoryResult, form: Form, lang: str) -> bytes:
    """One series, in the form's format and dialect; `lang` is for a table for Excel."""
    if form.format == "json":
        return to_json(_series(told))
    return _write_lines([told], form, lang, named=False)


def write_histories(told: Sequence[HistoryResult], form: Form, lang: str, *, demo: bool) -> bytes:
    """Several series; in a table each row begins with its symbol."""
    if form.format == "json":
        return to_json({"series": [_series(each) for each in told]} | ({"demo": True} if demo else {}))
    return _write_lines(told, form, lang, named=True)


def _series(told: HistoryResult) -> Row:
    # The points are made without a model each: an answer has thousands, and a test holds them to the schema.
    return told.head.model_dump() | {"points": raw_items([_point(each) for each in told.points])}


def _write_lines(told: Sequence[HistoryResult], form: Form, lang: str, *, named: bool) -> bytes:
    if form.format == "ndjson":
        lines = (({"symbol": each.head.symbol} if named else {}) | _point(p) for each in told for p in each.points)
        return b"".join(map(to_json, lines))
    head: tuple[str, ...] = (*(("symbol",) if named else ()), *HISTORY_COLUMNS)
    rows = ((*((each.head.symbol,) if named else ()), *_texts(point)) for each in told for point in each.points)
    if form.dialect == "excel":
        price = head.index("price")
        numbers = ([Decimal(text) if at == price else text for at, text in enumerate(row)] for row in rows)
        return _csv([head, *numbers], locales.locale_of(lang))
    return _csv([head, *rows])


def _point(point: Point) -> Row:
    as_of, price, price_type, source, fetched_at, _ = _texts(point)
    return {
        "as_of": as_of,
        "price": raw_number(price),
        "price_type": price_type,
        "source": source,
        "fetched_at": fetched_at,
        "revision": point.revision,
    }


def _texts(point: Point) -> tuple[str, ...]:
    as_of, fetched_at = _moment(point.as_of, point.offset), _moment(point.fetched_at, 0)
    return as_of, point.price, point.price_type, point.source, fetched_at, f"{point.revision}"


def _moment(micros: int, minutes: int) -> str:
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
