"""Every parameter of the API, with the values it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ticker.rendering.formats import FIELDS, SHAPES
from ticker.rendering.html import STYLES
from ticker.storage.history import INTERVALS
from ticker.web import handlers, history
from ticker.web import parameters as parameters_module
from ticker.web.negotiation import FORMATS

_MOMENT = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}


@dataclass(frozen=True, slots=True)
class Names:
    """What the document names of one configuration: its symbols, and the codes that can be converted."""

    symbols: Sequence[str]
    codes: Sequence[str]


def parameters(names: Names) -> dict[str, dict[str, Any]]:
    """By a key of ours; `from` and `to` mean a day in history and a code in a conversion."""
    symbol = {"type": "string", "enum": list(names.symbols)}
    code = {"type": "string", "enum": list(names.codes)}
    told = (
        ("symbols", _listed(names.symbols), "Which instruments, in that order; default all.", "USD,EUR"),
        ("lang", _language(), "Language of names and display texts, a BCP 47 tag that CLDR knows.", "ru"),
        ("at", _MOMENT, "The board as it stood: a date, or an RFC 3339 time, not in the future.", "2024-11-22"),
        ("shape", _one_of(SHAPES), "`map` gives `{symbol: price}`, or with `fields` `{symbol: {…}}`.", "map"),
        ("fields", _listed(FIELDS), "Only these fields of a quote, in that order.", "symbol,price,as_of"),
        (
            "precision",
            _whole(0, parameters_module.MOST),
            "Digits of prices after the point at most; default all there are.",
            2,
        ),
        ("format", _one_of(FORMATS), "Goes before `Accept`; default json.", "csv"),
        ("interval", _one_of(INTERVALS), "One number for each stretch, its last; default raw.", "1d"),
        ("limit", _whole(1, history.MOST), f"Points a page; default {history.LIMIT}.", 100),
        ("cursor", {"type": "string", "pattern": history.CURSOR.pattern}, "`next` of the page before.", None),
        ("amount", _amount(), "How much; default 1.", "100"),
        ("digits", _whole(0, handlers.MOST), f"Digits of `result` after the point; default {handlers.PRECISION}.", 2),
        ("style", _one_of(STYLES), "How much of each quote is shown.", "plain"),
        ("days", _whole(1, history.MOST_DAYS), f"How far back; default {history.DAYS}.", 30),
    )
    found = {name: _query(name, schema, text, example) for name, schema, text, example in told}
    found["digits"]["name"] = "precision"
    return found | {
        "symbol": _query("symbol", symbol, "The instrument.", "USD", required=True) | {"in": "path"},
        "since": _query("from", _MOMENT, "The first day or moment.", "2024-11-01"),
        "until": _query("to", _MOMENT, "The last day or moment, included.", "2024-11-22"),
        "origin": _query(
            "from", code, "What the amount is in: a code, or an instrument's symbol.", "USD", required=True
        ),
        "target": _query("to", code, "What the result is in.", "EUR", required=True),
    }


def _query(name: str, schema: Any, text: str, example: Any, *, required: bool = False) -> dict[str, Any]:  # noqa: ANN401 - JSON
    found = {"name": name, "in": "query", "required": required, "description": text, "schema": schema}
    return found if example is None else found | {"example": example}


def _one_of(values: Any) -> dict[str, Any]:  # noqa: ANN401 - any names
    return {"type": "string", "enum": list(values)}


def _listed(names: Sequence[str]) -> dict[str, Any]:
    each = "|".join(name.replace(".", r"\.") for name in names)
    return {"type": "string", "pattern": f"^(?:{each})(?:,(?:{each}))*$"}


def _whole(least: int, most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": least, "maximum": most}


def _language() -> dict[str, Any]:
    return {"type": "string", "pattern": r"^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$"}


def _amount() -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{handlers.AMOUNT.pattern}$"}
