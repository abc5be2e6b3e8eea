"""Every parameter of the API, with the values it takes."""

from __future__ import annotations

from typing import Any

from ticker.quotes import PriceType
from ticker.rendering.formats import DIALECTS, FIELDS, SHAPES
from ticker.rendering.html import STYLES
from ticker.storage.history import INTERVALS
from ticker.web import handlers, history
from ticker.web import parameters as reading

_MOMENT = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}


# Symbols and codes are a configuration's: they may change at a reload, so a client is not made for a list of them.
_SYMBOL = r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}"


def parameters() -> dict[str, dict[str, Any]]:
    """By a key of ours; `from` and `to` mean a day in history and a code in a conversion."""
    symbol = {"type": "string", "pattern": f"^{_SYMBOL}$"}
    told = (
        ("symbols", _listed(symbol), "Which instruments, in that order; default all.", ["USD", "EUR"]),
        ("lang", _language(), "Language of names and display texts, a BCP 47 tag that CLDR knows.", "ru"),
        ("at", _MOMENT, "The board as it stood: a date, or an RFC 3339 time, not in the future.", "2024-11-22"),
        ("shape", _one_of(SHAPES), "`map` gives `{symbol: price}`, or with `fields` `{symbol: {…}}`.", "map"),
        ("fields", _listed(_one_of(FIELDS)), "Only these fields of a quote, in that order.", ["symbol", "price"]),
        ("precision", _whole(0, reading.MOST), "Digits of prices after the point at most; default all there are.", 2),
        (
            "dialect",
            _one_of(DIALECTS),
            "`excel`: separator and decimals as in `lang`, and a file name.",
            "excel",
        ),
        ("interval", _one_of(INTERVALS), "One number for each stretch, its last; default raw.", "1d"),
        ("limit", _whole(1, history.MOST), f"Points a page; default {history.LIMIT}.", 100),
        (
            "order",
            _one_of(history.ORDERS),
            "`desc` is newest first: with `limit` the last so many; default asc.",
            "desc",
        ),
        ("source", {"type": "string", "pattern": f"^{_SYMBOL}$"}, "One source alone.", "cbr"),
        ("price_type", _one_of(PriceType), "One kind of number, of whatever source.", "fixing"),
        ("cursor", {"type": "string", "pattern": f"^{history.CURSOR.pattern}$"}, "`next` of the page before.", None),
        ("amount", _amount(), "How much; default 1.", "100"),
        ("digits", _whole(0, handlers.MOST), f"Digits of `result` after the point; default {handlers.PRECISION}.", 2),
        ("style", _one_of(STYLES), "How much of each quote is shown.", "plain"),
        ("days", _whole(1, history.MOST_DAYS), f"How far back; default {history.DAYS}.", 30),
    )
    found = {name: _query(name, schema, text, example) for name, schema, text, example in told}
    found["digits"]["name"] = "precision"
    return found | {
        "symbol": _query("symbol", symbol, "The instrument.", "USD", required=True) | {"in": "path"},
        "about": _query("symbol", symbol, "Only of this instrument.", "USD"),
        "since": _query("from", _MOMENT, "The first day or moment.", "2024-11-01"),
        "until": _query("to", _MOMENT, "The last day or moment, included.", "2024-11-22"),
        "origin": _query(
            "from", symbol, "What the amount is in: a code, or an instrument's symbol.", "USD", required=True
        ),
        "target": _query("to", symbol, "What the result is in.", "EUR", required=True),
    }


def _query(name: str, schema: Any, text: str, example: Any, *, required: bool = False) -> dict[str, Any]:  # noqa: ANN401 - JSON
    listed = {"style": "form", "explode": False} if schema.get("type") == "array" else {}
    found = {"name": name, "in": "query", "required": required, "description": text, **listed, "schema": schema}
    return found if example is None else found | {"example": example}


def _one_of(values: Any) -> dict[str, Any]:  # noqa: ANN401 - any names
    return {"type": "string", "enum": list(values)}


def _listed(each: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Values with commas between them (`style: form`, `explode: false`)."""
    return {"type": "array", "items": each, "minItems": 1}


def _whole(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


def _language() -> dict[str, Any]:
    return {"type": "string", "pattern": r"^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$"}


def _amount() -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{handlers.AMOUNT.pattern}$"}
