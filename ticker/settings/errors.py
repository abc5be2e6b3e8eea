"""What is said of a configuration that cannot be used: where, which key, and the mend; all that is wrong at once."""

import difflib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

# What a key that is gone tells whoever still has it.
REMOVED: Mapping[str, str] = {
    "server.workers": "was removed: take it out, and run several processes over one store, each with"
    " `ticker serve --reuse-port`",
    "server.express": "is called fast_path now: rename it",
}
# The values at these keys are told to nobody.
SECRETS = frozenset({"api_key", "secret"})
# In a store's address all before the last @: a password may hold one, and a / too. And what is called a password.
_LOGIN = re.compile(r"(\b(?!https?:)[a-z+]+://)\S*@|(https?://)[^/?#\s]*@")
_NAMED = re.compile(r"([?&][^=&\s]*(?:pas|pw|auth|token|secret|cred)[^=&\s]*=)[^&\s'\"]*")
_LONGEST_SHOWN = 60

_TEXT, _LIST = "must be text, in quotes", 'must be a list: ["…", "…"]'
_TABLE = "must be a table: [its.name] with keys below, or { key = … }"
# The sentence for each of pydantic's errors that our own functions do not find first.
_SENTENCES: Mapping[str, str] = {
    "missing": "is missing and has no default: write one",
    "string_type": _TEXT,
    "date_type": "must be a date, without quotes: 2026-02-23",
    "date_parsing": "must be a date, without quotes: 2026-02-23",
    "date_from_datetime_parsing": "must be a date, without quotes: 2026-02-23",
    "date_from_datetime_inexact": "must be a date without a time: 2026-02-23",
    "literal_error": "must be one of {expected}",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have {max_length} characters at most",
    "too_short": "must not be empty: at least {min_length}",
    "too_long": "must have {max_length} entries, no more",
    "tuple_type": _LIST,
    "bool_type": "must be true or false, without quotes",
    "bool_parsing": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "union_tag_not_found": 'has no kind: write kind = "publication" or kind = "session"',
    "union_tag_invalid": 'has the kind {tag!r}, which is none: write kind = "publication" or kind = "session"',
    **dict.fromkeys(
        ("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type", "dataclass_exact_type"),
        _TABLE.replace("{", "{{").replace("}", "}}"),
    ),
}
_UNKNOWN = frozenset({"extra_forbidden", "unexpected_keyword_argument"})
# What pydantic puts into the place of an error besides keys: the member of a union, and the mark of a key.
_KINDS = frozenset({"publication", "session"})
_DEPTH_OF_KIND = 2


class ConfigurationError(Exception):
    """The configuration cannot be used; each line of the text names where, which key, and the mend."""


def explain(
    error: ValidationError, origins: Mapping[str, str], path: str, keys_at: Callable[[Sequence[str]], Iterable[str]]
) -> list[str]:
    """Each error of `error` as a line; `origins` tells where a key came from, `path` is the file.

    `keys_at` tells the keys that a table may have.
    """
    problems = error.errors(include_url=False)
    # Of a list whose entries are wrong pydantic says too that it is too short.
    lists = {each["loc"][:-1] for each in problems if each["loc"] and isinstance(each["loc"][-1], int)}
    told = [each for each in problems if not (each["type"] == "too_short" and each["loc"] in lists)]
    return list(dict.fromkeys(_line(each, origins, path, keys_at) for each in told))


def _line(
    problem: Any,  # noqa: ANN401 - pydantic's own record
    origins: Mapping[str, str],
    path: str,
    keys_at: Callable[[Sequence[str]], Iterable[str]],
) -> str:
    keys = _keys(problem["loc"])
    dotted = ".".join(keys)
    where = place(dotted, origins, path)
    if problem["type"] in _UNKNOWN:
        return f"{where}: {dotted}: {REMOVED.get(dotted) or f'no such key{nearest(keys[-1], keys_at(keys[:-1]))}'}"
    message, given = redact(_sentence(problem)), problem["input"]
    # A whole table might hold a secret; a plain value does where the key says so.
    plain = isinstance(given, str | int | float) and not SECRETS & set(keys)
    shown = redact(given)[:_LONGEST_SHOWN] if isinstance(given, str) else given
    told = isinstance(given, str) and repr(shown) in message
    return f"{where}: {dotted}: {message}" + (f" (it is {shown!r})" if plain and not told else "")


def _keys(place_of_error: Sequence[str | int]) -> list[str]:
    tagged = place_of_error[:1] == ("calendars",) and place_of_error[_DEPTH_OF_KIND:][:1]
    return [
        str(key)
        for depth, key in enumerate(place_of_error)
        if key != "[key]" and not (tagged and depth == _DEPTH_OF_KIND and key in _KINDS)
    ]


def _sentence(problem: Mapping[str, Any]) -> str:
    if problem["type"] == "missing" and isinstance(problem["loc"][-1], int):
        return "is missing: the list has too few entries"
    sentence = _SENTENCES.get(problem["type"])
    return (
        sentence.format_map(problem.get("ctx", {})) if sentence else str(problem["msg"]).removeprefix("Value error, ")
    )


def place(key: str, origins: Mapping[str, str], path: str) -> str:
    """Where `key` was written, or the table it stands in: a file, a variable, a flag; of what is shipped, `path`."""
    while key and key not in origins:
        key = key.rpartition(".")[0]
    where = origins.get(key, path)
    return path if where == "shipped" else where


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """A hint that names the closest of `known`, or all of them where none is close."""
    by_lower_case = {key.lower(): key for key in known}
    close = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=cutoff)
    if close:
        return f"; did you mean {by_lower_case[close[0]]!r}?"
    return f"; there are {', '.join(sorted(by_lower_case.values()))}" if by_lower_case else ""


def redact(text: str) -> str:
    """`text` with what stands before the @ of an address in it hidden, and what is called a password."""
    return _NAMED.sub(r"\1***", _LOGIN.sub(r"\1\2***@", text))
