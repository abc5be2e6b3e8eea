"""What is said of a configuration that cannot be used: where, which key, and the mend."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from ticker.settings import model
from ticker.settings.types import masked
from ticker.settings.words import worded


class ConfigurationError(Exception):
    """The configuration cannot be used; each line of the text names where, which key, and the mend."""


# Keys that were there once, and what to do instead.
REMOVED: Mapping[str, str] = {
    "server.workers": "was removed: take it out, and run several processes over one store, each with"
    " `ticker serve --reuse-port`",
}
# The tables by the place they stand at; "*" is a name that the configuration chooses.
_TABLES: Mapping[tuple[str, ...], tuple[type[model.Part], ...]] = {
    (): (model.Settings,),
    ("server",): (model.Server,),
    ("store",): (model.Store,),
    ("sources", "*"): (model.Source,),
    ("sources", "*", "schedule"): (model.Schedule,),
    ("instruments", "*"): (model.Instrument,),
    ("checks", "*"): (model.Check,),
    ("calendars", "*"): (model.PublicationCalendar, model.SessionCalendar),
}


def fields(path: list[str]) -> dict[str, str]:
    """The keys of the table at `path` and the names of their types; none inside free tables as texts by language."""
    place = tuple("*" if depth == 1 else key for depth, key in enumerate(path))
    return {name: str(kind) for table in _TABLES.get(place, ()) for name, kind in table.__annotations__.items()}


def explain(error: ValidationError, origins: Mapping[str, str], path: str) -> list[str]:
    """Each error of `error` as a line; `origins` tells where a key came from, `path` is the file."""
    return [_line(problem, origins, path) for problem in error.errors(include_url=False)]


def _line(problem: Any, origins: Mapping[str, str], path: str) -> str:  # noqa: ANN401 - pydantic's own record
    keys = [str(key) for key in problem["loc"] if key not in {"publication", "session", "[key]"}]
    dotted = ".".join(keys)
    where = place(dotted, origins, path)
    if problem["type"] == "extra_forbidden":
        mend = REMOVED.get(dotted) or f"no such key{nearest(keys[-1], list(fields(keys[:-1])))}"
        return f"{where}: {dotted}: {mend}"
    message, given = masked(worded(problem)), problem["input"]
    # A whole table might hold a secret; a plain value does where the key says so.
    plain = isinstance(given, str | int | float) and "api_key" not in keys
    shown = masked(given)[:60] if isinstance(given, str) else given
    told = isinstance(given, str) and repr(shown) in message
    return f"{where}: {dotted}: {message}" + (f" (it is {shown!r})" if plain and not told else "")


def placed(error: ConfigurationError, origins: Mapping[str, str]) -> ConfigurationError:
    """`error`, each of whose lines begins with a key, as one that also says where the key was written."""
    lines = [(place(line.partition(":")[0], origins, ""), line) for line in str(error).splitlines()]
    return ConfigurationError("\n".join(f"{where}: {line}" if where else line for where, line in lines))


def place(key: str, origins: Mapping[str, str], path: str) -> str:
    """Where `key` was written, or the table it stands in: a file, a variable, a flag; of what is shipped, `path`."""
    while key and key not in origins:
        key = key.rpartition(".")[0]
    where = origins.get(key, path)
    return path if where == "shipped" else where


def nearest(name: str, known: list[str]) -> str:
    """A hint that names the closest of `known`, or all of them where none is close."""
    close = difflib.get_close_matches(name.lower(), [key.lower() for key in known], n=1, cutoff=0.6)
    right = next((key for key in known if close and key.lower() == close[0]), None)
    return f"; did you mean {right!r}?" if right else f"; there are {', '.join(sorted(known))}" if known else ""
