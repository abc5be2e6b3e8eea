"""Settings as JSON and back, each value as the type it is. What came from a secret layer is not told but pointed at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from ticker.settings import model
from ticker.settings.secret import Secret
from ticker.settings.types import masked

# Where a start is told an address of its own, and where one may hold a password.
_LAYERED = (("server", "host"), ("server", "port"), ("store", "url"))
_TABLES: Mapping[str, Callable[..., model.Part]] = {table.__name__: table for table in model.TABLES}


class UnwritableError(Exception):
    """A value that is not written down: a secret outside its place."""


def coded(value: object, tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> object:
    """`value` as JSON takes it: plain as it is, all else as its kind and what it holds.

    Raises UnwritableError for a password where none should be.
    """
    if path in _LAYERED and _same(_at(tree, path), value):
        return ["layer", path]
    if isinstance(value, Secret):
        return ["secret", path]
    if isinstance(value, model.Part):
        held = {name: coded(getattr(value, name), tree, (*path, name)) for name in value.__struct_fields__}
        return [type(value).__name__, held]
    if isinstance(value, dict):
        return ["names", {key: coded(each, tree, (*path, key)) for key, each in value.items()}]
    if isinstance(value, tuple):
        return ["several", [coded(each, tree, path) for each in value]]
    return _single(value)


def _single(value: object) -> object:
    if isinstance(value, timedelta):
        return ["span", [value.days, value.seconds, value.microseconds]]
    if isinstance(value, time):
        return ["time", value.isoformat()]
    if isinstance(value, Decimal):
        return ["number", str(value)]
    if isinstance(value, ZoneInfo):
        return ["zone", value.key]
    if not isinstance(value, str | int | None) or (isinstance(value, str) and masked(value) != value):
        raise UnwritableError
    return value


def read(code: Any, tree: Mapping[str, Any]) -> object:  # noqa: ANN401 - whatever JSON can write
    """The value that `coded` wrote. Raises whatever it may for anything else."""
    if not isinstance(code, list):
        return code
    kind, held = code
    if table := _TABLES.get(kind):
        return table(**{name: read(each, tree) if type(each) is list else each for name, each in held.items()})
    if kind == "names":
        return {key: read(each, tree) for key, each in held.items()}
    if kind == "several":
        return tuple(read(each, tree) for each in held)
    if kind in {"layer", "secret"}:
        found = _at(tree, held)
        return found if kind == "layer" else Secret(found)
    return _SINGLE[kind](held)


_SINGLE: Mapping[str, Callable[[Any], object]] = {
    "span": lambda parts: timedelta(*parts),
    "time": time.fromisoformat,
    "number": Decimal,
    "zone": ZoneInfo,
}


def _at(tree: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - whatever a layer says there
    for key in path:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree


def _same(one: object, other: object) -> bool:
    return type(one) is type(other) and one == other
