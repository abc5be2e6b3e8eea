"""Reading the configuration: layers, where each value came from, and errors that name file, key and mend."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from ticker.settings.model import Settings

PREFIX = "TICKER_"
# Read by other parts of the program or by tools around it; they are not settings of the service.
NOT_SETTINGS = frozenset({"TICKER_REQUIRE_ALL"})
_PACKAGE = Path(__file__).resolve().parent.parent


class ConfigurationError(Exception):
    """The configuration cannot be used; each line of the text names where, which key, and the mend."""


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
    for key, value, origin in _environment(environment, tree):
        _merge(tree, _nest(key, value), origins, origin)
    for dotted, value in flags.items():
        _merge(tree, _nest(dotted.split("."), value), origins, "flag")
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigurationError(_explain(error, origins, str(path))) from None
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
        # A schedule or a text by language is one value: half of one and half of another would be neither.
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


def _environment(environment: Mapping[str, str], tree: Mapping[str, Any]) -> list[tuple[list[str], Any, str]]:
    """Every TICKER_… variable as a path of keys and a value; names are matched whatever their case."""
    found: list[tuple[list[str], Any, str]] = []
    for name, text in sorted(environment.items()):
        if name.startswith(PREFIX) and name not in NOT_SETTINGS:
            path = _resolve(name, name.removeprefix(PREFIX).split("__"), tree)
            found.append((path, _value(text), f"environment {name}"))
    return found


def _resolve(name: str, parts: list[str], tree: Mapping[str, Any]) -> list[str]:
    """The real keys that the parts of a variable's name mean. Raises ConfigurationError for one that means none."""
    path: list[str] = []
    here: Any = tree
    model: type[BaseModel] | None = Settings
    for depth, part in enumerate(parts):
        known = _keys(model, here, depth)
        match = {key.casefold(): key for key in known}.get(part.casefold())
        if match is None:
            if known:
                raise ConfigurationError(
                    f"environment {name}: no setting {part!r} in {_where(path)}{_nearest(part, known)}"
                )
            match = part.lower()
        path.append(match)
        here = here.get(match, {}) if isinstance(here, Mapping) else {}
        model = _below(path)
    return path


def _keys(model: type[BaseModel] | None, here: object, depth: int) -> list[str]:
    fields = list(model.model_fields) if model else []
    present = list(here) if isinstance(here, Mapping) else []
    return fields or (present if depth == 1 else [])


def _below(path: list[str]) -> type[BaseModel] | None:
    """The model of the table at `path`; None inside free tables such as texts by language."""
    from ticker.settings import model  # noqa: PLC0415 - names of its classes, looked up by table

    single: dict[str, type[BaseModel]] = {"server": model.Server, "store": model.Store}
    many: dict[str, type[BaseModel]] = {"sources": model.Source, "instruments": model.Instrument, "checks": model.Check}
    if len(path) == 1:
        return single.get(path[0])
    if len(path) == 2:  # noqa: PLR2004 - [table.name]
        return many.get(path[0])
    return model.Schedule if path[-1] == "schedule" else None


def _value(text: str) -> Any:  # noqa: ANN401 - whatever TOML can write
    """A variable's text as the TOML value it writes, else as plain text."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _explain(error: ValidationError, origins: Mapping[str, str], path: str) -> str:
    return "\n".join(_line(problem, origins, path) for problem in error.errors(include_url=False))


def _line(problem: Any, origins: Mapping[str, str], path: str) -> str:  # noqa: ANN401 - pydantic's own record
    keys = [str(key) for key in problem["loc"] if key not in {"publication", "session"}]
    dotted = ".".join(keys)
    where = next((origins[known] for known in (dotted, dotted.rpartition(".")[0]) if known in origins), path)
    if where == "shipped":
        where = path
    if problem["type"] == "extra_forbidden":
        model = _below(keys[:-1]) if len(keys) > 1 else Settings
        return f"{where}: {dotted}: no such key{_nearest(keys[-1], list(model.model_fields) if model else [])}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    got = "" if problem["type"] == "missing" or "api_key" in keys else f" (it is {str(problem['input'])[:60]!r})"
    return f"{where}: {dotted}: {message}{got}"


def _cross_check(settings: Settings, origins: Mapping[str, str], path: str) -> None:
    """What one table says of another must exist. Raises ConfigurationError."""
    problems: list[str] = []

    def named(key: str, name: str, known: Mapping[str, object], what: str) -> None:
        if name not in known:
            where = origins.get(key, path)
            problems.append(f"{where}: {key}: no {what} {name!r}{_nearest(name, list(known))}")

    for symbol, instrument in settings.instruments.items():
        for source in instrument.sources:
            named(f"instruments.{symbol}.sources", source, settings.sources, "source")
    for name, check in settings.checks.items():
        for source in check.sources:
            named(f"checks.{name}.sources", source, settings.sources, "source")
        for key in ("numerator", "denominator"):
            named(f"checks.{name}.{key}", getattr(check, key), settings.instruments, "instrument")
    for name, each in settings.sources.items():
        named(f"sources.{name}.calendar", each.calendar, settings.calendars, "calendar")
    if problems:
        raise ConfigurationError("\n".join(problems))


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name.lower(), [key.lower() for key in known], n=1, cutoff=0.5)
    right = next((key for key in known if close and key.lower() == close[0]), None)
    return f"; did you mean {right!r}?" if right else f"; there are {', '.join(sorted(known))}" if known else ""


def _where(path: list[str]) -> str:
    return f"[{'.'.join(path)}]" if path else "the configuration"
