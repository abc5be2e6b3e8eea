"""TICKER_… environment variables as keys of the configuration; one that means no key is refused, not ignored."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from typing import Any

from ticker.settings.errors import REMOVED, ConfigurationError, fields, nearest

PREFIX = "TICKER_"
# Read by other parts of the program or by tools around it; they are not settings of the service.
NOT_SETTINGS = frozenset({"TICKER_REQUIRE_ALL"})

# Of the types in `model`, those that are text: what is written as a number or a date is text there all the same.
TEXTS = frozenset({"str", "Code", "Days", "Holidays", "Key", "Link", "StoreAddress", "Symbol", "WebAddress"})


def overrides(
    environment: Mapping[str, str], tree: Mapping[str, Any]
) -> tuple[list[tuple[list[str], Any, str]], list[str]]:
    """Every TICKER_… variable as a path of keys and a value, in any case; and what is wrong with others."""
    found: list[tuple[list[str], Any, str]] = []
    wrong: list[str] = []
    for name, text in sorted(environment.items()):
        if name.startswith(PREFIX) and name not in NOT_SETTINGS:
            try:
                _readable(name, text)
                path = _resolve(name, name.removeprefix(PREFIX).split("__"), tree)
                found.append((path, _value(text, path), f"environment {name}"))
            except ConfigurationError as error:
                wrong.append(str(error))
    return found, wrong


def _readable(name: str, text: str) -> None:
    """Raises ConfigurationError for bytes that are no text: they would stand in every answer and break it."""
    try:
        f"{name}{text}".encode()
    except UnicodeEncodeError:
        message = f"environment {name!a}: neither name nor value may have bytes that are not UTF-8"
        raise ConfigurationError(message) from None


def _resolve(name: str, parts: list[str], tree: Mapping[str, Any]) -> list[str]:
    """The real keys that the parts of a variable's name mean. Raises ConfigurationError for one that means none."""
    path: list[str] = []
    here: Any = tree
    for depth, part in enumerate(parts):
        known = list(fields(path)) or (list(here) if depth == 1 and isinstance(here, Mapping) else [])
        match = {key.casefold(): key for key in known}.get(part.casefold())
        if match is None:
            key = ".".join([*path, part.lower()])
            if key in REMOVED:
                raise ConfigurationError(f"environment {name}: {key}: {REMOVED[key]}")
            if known:
                hint = nearest(part, known) if depth or len(parts) > 1 else _spelt(name) or nearest(part, known)
                raise ConfigurationError(f"environment {name}: no setting {part!r} in {_where(path)}{hint}")
            match = part.lower()
        path.append(match)
        here = here.get(match, {}) if isinstance(here, Mapping) else {}
    return path


def _spelt(name: str) -> str:
    """A hint for a name that wants its table, or has one underscore too few before its key."""
    right = [f"{PREFIX}{table}__{key}".upper() for table in ("server", "store") for key in fields([table])]

    close = difflib.get_close_matches(name.upper(), right, n=1, cutoff=0.7)
    return f"; did you mean {close[0]}? Two underscores stand between a table and its key" if close else ""


def _value(text: str, path: list[str]) -> Any:  # noqa: ANN401 - whatever TOML can write
    """A variable's text as the TOML value it writes, else as plain text; a key of digits stays text."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    field = fields(path[:-1]).get(path[-1])
    is_text = field is not None and field.removesuffix(" | None").removeprefix("rules.") in TEXTS
    return text if is_text and not isinstance(value, str) else value


def _where(path: list[str]) -> str:
    return f"[{'.'.join(path)}]" if path else "the configuration"
