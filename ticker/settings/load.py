"""Reading the configuration: layers, where each value came from, and errors that name file, key and mend."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ticker.settings.environment import overrides
from ticker.settings.errors import ConfigurationError, explain
from ticker.settings.links import dangling
from ticker.settings.memory import memory_of
from ticker.settings.model import Settings
from ticker.settings.validation import validated

# The flags that are not called as the key they override.
FLAGS = {"store.url": "--store"}
_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force and where each value, by dotted key, came from."""

    settings: Settings
    origins: Mapping[str, str]
    # A service has begun with just these before: what can be found out only by beginning is known as well.
    sound: bool = False


class Layers:
    """What was written, one layer over the other, and where each value came from; `path` is the file asked for.

    `wrong` is said of variables that mean nothing.
    No record, which would show what it holds: keys stand in it.
    """

    __slots__ = ("origins", "path", "tree", "wrong")

    def __init__(self, tree: Mapping[str, Any], origins: Mapping[str, str], path: str, wrong: list[str]) -> None:
        self.tree, self.origins, self.path, self.wrong = tree, origins, path, wrong


def shipped() -> Path:
    """The configuration this package ships: the copy inside it, or the repository's own where it runs from there."""
    inside = _PACKAGE / "_config" / "ticker.toml"
    return inside if inside.exists() else _PACKAGE.parent / "config" / "ticker.toml"


def load(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any]) -> Loaded:
    """The configuration of `file` (default: ./config/ticker.toml, else the shipped one), environment and flags.

    `flags` are dotted keys to values. What a file does not say of sources and calendars is as shipped; its instruments
    are all there are. Raises ConfigurationError.
    """
    return _validated(_layers(file, environment, flags))


def recall(
    file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any]
) -> tuple[Loaded, Callable[[], None] | None]:
    """As `load`, but what the same code has found good before is not looked through again.

    With what is looked through comes a function that writes it down for the next start.
    """
    layers = _layers(file, environment, flags)
    memory = memory_of(layers.tree, environment)
    if memory is not None and not layers.wrong and (known := memory.recall()) is not None:
        return Loaded(known, layers.origins, sound=True), None
    loaded = _validated(layers)
    return loaded, partial(memory.remember, loaded.settings) if memory is not None else None


def _layers(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any]) -> Layers:
    local = Path("config/ticker.toml")
    path = file or (local if local.exists() else shipped())
    first, text = _text(shipped()), _text(path)
    own = _parsed(path, text)
    base = own if text == first else _parsed(shipped(), first)
    if base is not own and isinstance(own.get("instruments"), dict):
        kept = {symbol: table for symbol, table in base.get("instruments", {}).items() if symbol in own["instruments"]}
        order = {symbol: kept.get(symbol, {}) for symbol in own["instruments"]}
        base["instruments"] = order
        base["checks"] = {name: each for name, each in base.get("checks", {}).items() if _both(each, order)}
    origins: dict[str, str] = {}
    tree: dict[str, Any] = {}
    layers = [(base, "shipped"), (own, str(path))] if base is not own else [(own, str(path))]
    for layer, origin in layers:
        _merge(tree, layer, origins, origin)
    told, wrong = overrides(environment, tree)
    for key, value, origin in told:
        _merge(tree, _nest(key, value), origins, origin)
    for dotted, value in flags.items():
        _merge(tree, _nest(dotted.split("."), value), origins, FLAGS.get(dotted, f"--{dotted.rpartition('.')[2]}"))
    return Layers(tree, origins, str(path), wrong)


def _validated(layers: Layers) -> Loaded:

    found = layers.wrong + dangling(layers.tree, layers.origins, layers.path)
    try:
        settings = validated(layers.tree)
    except ValidationError as error:
        found = explain(error, layers.origins, layers.path) + found
        raise ConfigurationError("\n".join(found)) from None
    if found:
        raise ConfigurationError("\n".join(found))
    return Loaded(settings, layers.origins)


def _both(check: Mapping[str, Any], instruments: Mapping[str, Any]) -> bool:
    return check["numerator"] in instruments and check["denominator"] in instruments


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        message = f"{path}: no such file; name one with --config, or leave it out for the shipped configuration"
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read: {error}"
    raise ConfigurationError(message)


def _parsed(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{path}: not TOML: {error}; text stands in quotes, a table's name in [brackets]"
        raise ConfigurationError(message) from None


def _merge(tree: dict[str, Any], layer: Mapping[str, Any], origins: dict[str, str], origin: str, at: str = "") -> None:
    for key, value in layer.items():
        dotted = f"{at}{key}"
        # A schedule is one value: half of one and half of another would be neither.
        if isinstance(value, dict) and key != "schedule":
            below = tree.setdefault(key, {})
            if isinstance(below, dict):
                _merge(below, value, origins, origin, f"{dotted}.")
                continue
        tree[key] = value
        origins[dotted] = origin


def _nest(path: list[str], value: object) -> dict[str, Any]:
    for key in reversed(path):
        value = {key: value}
    return value if isinstance(value, dict) else {}
