"""JSON that keeps a Decimal's own digits, which the standard encoder refuses to write."""

from __future__ import annotations

import json
import re
from decimal import Decimal

_MARK = "\ue000"  # private use: no name, symbol or address holds it
_MARKED = re.compile(f'"{_MARK}([^"]*)"')


def _mark(value: object) -> str:
    if isinstance(value, Decimal):
        return f"{_MARK}{value:f}"
    raise TypeError(f"{type(value).__name__} has no JSON form")


def dumps(value: object, indent: int | None = None) -> str:
    """Write `value` as JSON, each Decimal as a number with exactly its digits (73.70 stays 73.70).

    Raises TypeError for anything else JSON does not know.
    """
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, default=_mark, ensure_ascii=False, indent=indent, separators=separators)
    return _MARKED.sub(r"\1", text)
