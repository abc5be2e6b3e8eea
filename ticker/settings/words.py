"""What is wrong with one value, in words of our own: what it must be, by the library's name for the fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_WHOLE, _NUMBER = "must be a whole number, without quotes", "must be a number, without quotes"
_TEXT, _TRUTH, _LIST = "must be text, in quotes", "must be true or false, without quotes", 'must be a list: ["…", "…"]'
_TIME, _TABLE = 'must be a time of day: "16:00"', "must be a table: [its.name] with keys below, or {{ key = … }}"
WORDS: Mapping[str, str] = {
    "missing": "is missing and has no default: write one",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "string_type": _TEXT,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "finite_number": "must be a number that ends somewhere",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have {max_length} characters at most",
    "too_short": "must not be empty: at least {min_length}",
    "too_long": "must have {max_length} entries, no more",
    "tuple_type": _LIST,
    "dict_type": _TABLE,
    "model_type": _TABLE,
    "model_attributes_type": _TABLE,
    "time_type": _TIME,
    "time_parsing": _TIME,
    "union_tag_not_found": 'has no kind: write kind = "publication" or kind = "session"',
    "union_tag_invalid": 'has the kind {tag!r}, which is none: write kind = "publication" or kind = "session"',
}


def worded(problem: Mapping[str, Any]) -> str:
    """The sentence for one of pydantic's errors."""
    if problem["type"] == "missing" and isinstance(problem["loc"][-1], int):
        return "is missing: the list has too few entries"
    told = WORDS.get(problem["type"])
    return told.format_map(problem.get("ctx", {})) if told else str(problem["msg"]).removeprefix("Value error, ")
