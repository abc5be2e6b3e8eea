"""Quotes in the form a client asks for: some fields of them, fewer digits, a flat map, CSV or NDJSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ticker.quotes import Quote, Snapshot
from ticker.render import encoder, locales, wire
from ticker.render.cldr import Locale

SHAPES = ("records", "map")
# Of a quote and of the objects in it, in the order of the models (a test holds both to be the same).
FIELDS = (
    *("symbol", "name", "base", "quote", "unit", "price", "price_type", "previous", "previous_as_of", "change"),
    *("change_percent", "as_of", "fetched_at", "next_update_at", "source", "fallback", "status", "reason"),
    *("agreement", "display"),
)
# What `precision` shortens: prices. Percentages have two digits as they are.
_PRICES = ("price", "previous", "change")
NESTED: dict[str, tuple[str, ...]] = {
    "agreement": ("sources", "spread_percent"),
    "display": ("label", "price", "change"),
}
TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8; header=present", "ndjson": "application/x-ndjson"}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked: the shape, the fields in their order (none means all), the digits after the point at most."""

    shape: str = "records"
    fields: tuple[str, ...] = ()
    precision: int | None = None
    format: str = "json"


def written(snapshot: Snapshot, quotes: Sequence[Quote], locale: Locale, form: Form, *, alone: bool) -> bytes:
    """The quotes in that form; `alone` where one was asked for by its name."""
    whole: Row = {**wire.quotes_of(snapshot, tuple(quotes), locale)}
    rows = [_shortened(row, form.precision) for row in whole["quotes"]]
    return _WRITERS[form.format](whole, rows, form, alone=alone)


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


def _json(whole: Row, rows: Sequence[Row], form: Form, *, alone: bool) -> bytes:
    if form.shape == "map":
        return encoder.line(_map(rows, form.fields) | ({"demo": True} if "demo" in whole else {}))
    cut = [_cut(row, form.fields) for row in rows]
    return encoder.line(cut[0] if alone else whole | {"quotes": cut})


def _map(rows: Sequence[Row], fields: Sequence[str]) -> Row:
    """By symbol the price alone, or the fields that were asked for."""
    if not fields:
        return {row["symbol"]: row["price"] for row in rows}
    return {row["symbol"]: {name: row[name] for name in fields} for row in rows}


def _ndjson(_whole: Row, rows: Sequence[Row], form: Form, *, alone: bool) -> bytes:  # noqa: ARG001 - one line a quote
    return b"".join(encoder.line(_cut(row, _columns(form))) for row in rows)


def _csv(whole: Row, rows: Sequence[Row], form: Form, *, alone: bool) -> bytes:  # noqa: ARG001 - one line a quote
    """A header and a quote a line (RFC 4180); what is not known is an empty cell."""
    names = [*_columns(form), *(["demo"] if "demo" in whole else [])]
    flat = [_flat(name) for name in names]
    lines = [[column for columns in flat for column, _ in columns]]
    lines += [[_cell(value(row)) for columns in flat for _, value in columns] for row in rows]
    return "".join(f"{','.join(line)}\r\n" for line in lines).encode()


def _columns(form: Form) -> Sequence[str]:
    return form.fields or (("symbol", "price") if form.shape == "map" else FIELDS)


def _flat(name: str) -> list[tuple[str, Callable[[Mapping[str, Any]], object]]]:
    """The columns of a field: one, or one for each member of an object, `display_price` and so on."""

    def member(inner: str) -> Callable[[Mapping[str, Any]], object]:
        return lambda row: (row[name] or {}).get(inner)

    if name in NESTED:
        return [(f"{name}_{inner}", member(inner)) for inner in NESTED[name]]
    return [(name, lambda row: row[name])]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return text if not set(text) & set(',"\r\n') else '"{}"'.format(text.replace('"', '""'))


_WRITERS = {"json": _json, "csv": _csv, "ndjson": _ndjson}
