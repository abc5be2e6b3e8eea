"""Reading the configuration: layers, where each value came from, and errors that name file, key and mend."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ticker.settings.environment import overrides
from ticker.settings.errors import ConfigurationError, explain, nearest
from ticker.settings.model import Settings

_PACKAGE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force and where each value, by dotted key, came from."""

    settings: Settings
    origins: Mapping[str, str]


def shipped() -> Path:
    """The configuration this package ships: the copy inside it, or the repository's own where it runs from there."""
    inside = _PACKAGE / "_config" / "ticker.toml"
    return inside if inside.exists() else _PACKAGE.parent / "config" / "ticker.toml"


def load(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any]) -> Loaded:
    """The configuration of `file` (default: ./config/ticker.toml, else the shipped one), environment and flags.

    `flags` are dotted keys to values. What a file does not say of sources and calendars is as shipped; its instruments
    are all there are. Raises ConfigurationError.
    """
    local = Path("config/ticker.toml")
    path = file or (local if local.exists() else shipped())
    base, own = _read(shipped()), _read(path)
    if "instruments" in own:
        kept = {symbol: table for symbol, table in base.get("instruments", {}).items() if symbol in own["instruments"]}
        order = {symbol: kept.get(symbol, {}) for symbol in own["instruments"]}
        base["instruments"] = order
        base["checks"] = {name: each for name, each in base.get("checks", {}).items() if _both(each, order)}
    origins: dict[str, str] = {}
    tree: dict[str, Any] = {}
    layers = [(base, "shipped"), (own, str(path))] if path != shipped() else [(base, str(path))]
    for layer, origin in layers:
        _merge(tree, layer, origins, origin)
    for key, value, origin in overrides(environment, tree):
        _merge(tree, _nest(key, value), origins, origin)
    for dotted, value in flags.items():
        _merge(tree, _nest(dotted.split("."), value), origins, "flag")
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigurationError(explain(error, origins, str(path))) from None
    _cross_check(settings, origins, str(path))
    return Loaded(settings, origins)


def _both(check: Mapping[str, Any], instruments: Mapping[str, Any]) -> bool:
    return check["numerator"] in instruments and check["denominator"] in instruments


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"{path}: no such file; name one with --config, or leave it out for the shipped configuration"
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read: {error}"
    except tomllib.TOMLDecodeError as error:
        message = f"{path}: not TOML: {error}; text stands in quotes, a table's name in [brackets]"
    raise ConfigurationError(message)


def _merge(tree: dict[str, Any], layer: Mapping[str, Any], origins: dict[str, str], origin: str, at: str = "") -> None:
    for key, value in layer.items():
        dotted = f"{at}{key}"
        # A schedule is one value: half of one and half of another would be neither.
        if isinstance(value, Mapping) and key != "schedule":
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


def _cross_check(settings: Settings, origins: Mapping[str, str], path: str) -> None:
    """What one table says of another must exist. Raises ConfigurationError."""
    known: dict[str, Mapping[str, object]] = {
        "source": settings.sources,
        "calendar": settings.calendars,
        "instrument": settings.instruments,
    }
    problems = [
        f"{origins.get(key, path)}: {key}: no {what} {name!r}{nearest(name, list(known[what]))}"
        for key, what, name in _references(settings)
        if name not in known[what]
    ]
    if problems:
        raise ConfigurationError("\n".join(problems))


def _references(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Every name of one table that stands in another: at which key, of what kind, which."""
    for symbol, instrument in settings.instruments.items():
        if instrument.calendar is not None:
            yield f"instruments.{symbol}.calendar", "calendar", instrument.calendar
        yield from ((f"instruments.{symbol}.sources", "source", source) for source in instrument.sources)
    for name, check in settings.checks.items():
        yield f"checks.{name}.numerator", "instrument", check.numerator
        yield f"checks.{name}.denominator", "instrument", check.denominator
        yield from ((f"checks.{name}.sources", "source", source) for source in check.sources)
    for name, each in settings.sources.items():
        yield f"sources.{name}.calendar", "calendar", each.calendar
