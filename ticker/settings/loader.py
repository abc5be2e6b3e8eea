"""Reading the configuration: layers, where each value came from, and what is wrong with them.

The shipped files lie at the bottom, the user's file and calendars over them, then TICKER_… variables, then flags.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, SecretStr, ValidationError

from ticker.scheduling import check_cron
from ticker.settings.errors import REMOVED, ConfigurationError, explain, nearest, place, redact
from ticker.settings.models import Settings
from ticker.sources import KEYED, SOURCES

PREFIX = "TICKER_"
# Read by the command line or by tools around it; they are no settings of the service.
NOT_SETTINGS = frozenset({"TICKER_CONFIG", "TICKER_LOG_FORMAT", "TICKER_LOG_LEVEL", "TICKER_REQUIRE_ALL"})
# The flags that are not called as the key they override.
FLAGS = {"store.url": "--store"}
# What a running process cannot change under its own connections.
FIXED = ("server.host", "server.port", "server.metrics_host", "server.metrics_port", "store")
# The tables whose entries are records with names of their own.
_RECORDS = ("instruments", "calendars", "sources", "checks", "webhooks")
# The field in which a record knows the name of its table; nobody writes it.
_NAMES = {"instruments": "symbol", "checks": "name"}
_DEPTH_OF_RECORD = 2
# At which key of a table's entries stands a name, and of what.
_REFERENCES = {
    "instruments": {"calendar": "calendar", "sources": "source", "fallbacks": "source", "codes": "source"},
    "checks": {"numerator": "instrument", "denominator": "instrument", "sources": "source"},
    "sources": {"calendar": "calendar"},
    "webhooks": {"symbols": "instrument"},
}
_OTHER_FORM = {"timetables": ("opens", "closes"), "opens": ("timetables",), "closes": ("timetables",)}
_Path: TypeAlias = tuple[str, ...]
_PACKAGE = Path(__file__).resolve().parent.parent
# Characters of a file: a thousand instruments have a tenth of it.
_LARGEST = 4_000_000


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between two configurations: records by table and name, values by their dotted key."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings in force, the file asked for, and where each value, by dotted key, came from.

    `changes` is what file, environment and flags make of the shipped configuration.
    """

    settings: Settings
    origins: Mapping[str, str]
    file: str
    changes: Changes


def shipped() -> Path:
    """The configuration this package ships: the copy inside it, or the repository's own where it runs from there."""
    inside = _PACKAGE / "_config" / "ticker.toml"
    return inside if inside.exists() else _PACKAGE.parent / "config" / "ticker.toml"


def load(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any]) -> Loaded:
    """The configuration of `file`, `environment` and `flags`, which are dotted keys to values.

    Without `file`, that of TICKER_CONFIG, or ./config/ticker.toml, or the shipped one. Every file is laid over the
    shipped configuration key by key. Raises ConfigurationError with all that is wrong.
    """
    layers = _Layers(file or _configured(environment))
    tree, origins, path = layers.tree, layers.origins, str(layers.path)
    before = _flat(tree)
    try:
        layers.lay_files()
        wrong = layers.lay_environment(environment)
        layers.lay_flags(flags)
        after = _flat(tree)
    except RecursionError:
        raise ConfigurationError(f"{path}, environment or flags: tables within tables, too many of them") from None
    wrong += _dangling(tree, origins, path)
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        raise ConfigurationError("\n".join([*explain(error, origins, path, keys_at), *wrong])) from None
    # What a name means can be asked only where all of them mean something.
    wrong = wrong or [f"{place(key, origins, path)}: {key}: {message}" for key, message in _unusable(settings)]
    if wrong:
        raise ConfigurationError("\n".join(wrong))
    return Loaded(settings, origins, path, _changes(before, after))


def _configured(environment: Mapping[str, str]) -> Path:
    if named := environment.get("TICKER_CONFIG"):
        return Path(named)
    local = Path("config/ticker.toml")
    return local if local.exists() else shipped()


class _Layers:
    """What was written, one layer over the other, and where each value came from.

    It is no record, which would show what it holds: keys stand in it.
    """

    def __init__(self, path: Path) -> None:
        """Begin with what is shipped; `path` is the file asked for. Raises ConfigurationError, as everything here."""
        self.path = path
        self.tree: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self._own = not (path.exists() and path.samefile(shipped()))
        for file, layer in _files(shipped()):
            self._merge(self.tree, layer, "shipped" if self._own else str(file))

    def lay_files(self) -> None:
        """The file asked for and the calendars beside it, over what is shipped."""
        for file, layer in _files(self.path) if self._own else ():
            self._merge(self.tree, layer, str(file))
            self._order(layer.get("instruments"))

    def lay_environment(self, environment: Mapping[str, str]) -> list[str]:
        """Every TICKER_… variable, in any case; a line for each that means nothing."""
        wrong: list[str] = []
        for name, text in sorted(environment.items()):
            if name.startswith(PREFIX) and name not in NOT_SETTINGS:
                try:
                    path = _resolve(name, text, self.tree)
                    self._merge(self.tree, _nest(path, _value(text, path)), f"environment {name}")
                except ConfigurationError as error:
                    wrong.append(str(error))
        return wrong

    def lay_flags(self, flags: Mapping[str, Any]) -> None:
        """The flags of the command line, over everything."""
        for dotted, value in flags.items():
            origin = FLAGS.get(dotted, f"--{dotted.rpartition('.')[2].replace('_', '-')}")
            self._merge(self.tree, _nest(dotted.split("."), value), origin)

    def _merge(self, tree: dict[str, Any], layer: Mapping[str, Any], origin: str, at: str = "") -> None:
        for key, value in layer.items():
            dotted = f"{at}{key}"
            if at.startswith("calendars."):
                self._make_way(tree, key, at)
            below = tree.get(key)
            if isinstance(value, dict) and isinstance(below, dict) and not _is_one_value(key, value, below):
                self._merge(below, value, origin, f"{dotted}.")
            elif isinstance(value, dict) and key != "schedule":
                # Each key below has an origin of its own.
                tree[key] = {}
                if below is not None:
                    self._forget(dotted)
                self._merge(tree[key], value, origin, f"{dotted}.")
            elif key == "exceptions" and isinstance(value, list) and isinstance(below, list):
                # Dated facts of a calendar add up; of one date the last one holds.
                tree[key] = below + value
                self.origins[dotted] = origin
            else:
                tree[key] = value
                if isinstance(below, dict):
                    self._forget(dotted)
                self.origins[dotted] = origin
                if key == "sources" and self.origins.get(f"{at}fallbacks") in {"shipped", str(shipped())}:
                    # Whoever lists an instrument's sources lists all that shall be asked for it.
                    tree["fallbacks"] = []
                    self.origins[f"{at}fallbacks"] = origin

    def _make_way(self, calendar: dict[str, Any], key: str, at: str) -> None:
        """A market's hours have two forms; the one that is laid over takes the place of the other."""
        for other in _OTHER_FORM.get(key, ()):
            if calendar.pop(other, None) is not None:
                self._forget(f"{at}{other}")

    def _forget(self, dotted: str) -> None:
        for key in [key for key in self.origins if key == dotted or key.startswith(f"{dotted}.")]:
            del self.origins[key]

    def _order(self, own: object) -> None:
        """A file that names every instrument that is on gives their order; else new ones stand behind the shipped."""
        found = self.tree.get("instruments")
        if not isinstance(own, dict) or not isinstance(found, dict):
            return
        on = [symbol for symbol, table in found.items() if not isinstance(table, dict) or table.get("enabled", True)]
        if all(symbol in own for symbol in on):
            self.tree["instruments"] = {symbol: found[symbol] for symbol in (*own, *(s for s in found if s not in own))}


def _is_one_value(key: str, value: Mapping[str, Any], below: Mapping[str, Any]) -> bool:
    """Whether a table replaces another whole: half of one schedule and half of another would be neither."""
    return key == "schedule" or value.get("kind", below.get("kind")) != below.get("kind")


def _files(path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The calendars beside the file at `path`, each by the name of its file, and then the file itself."""
    own = _parsed(path)
    folder = path.parent / "calendars"
    for file in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
        yield file, {"calendars": {file.stem: _parsed(file)}}
    yield path, own


def _text(path: Path) -> str:
    """What is written at `path`. Raises OSError, also for what is no file: a named pipe hangs, a device never ends."""
    # `--config <(decrypt …)` and `/dev/stdin` are pipes that somebody writes to.
    if path.exists() and not path.is_file() and not str(path).startswith(("/dev/fd/", "/dev/stdin")):
        raise OSError("not a regular file")
    with path.open(encoding="utf-8") as file:
        text = file.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        raise OSError(f"longer than {_LARGEST} characters")
    return text


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_text(path))
    except FileNotFoundError:
        message = f"{path}: no such file; name one with --config, or leave it out for the shipped configuration"
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: cannot be read: {error}"
    except tomllib.TOMLDecodeError as error:
        message = f"{path}: not TOML: {error}; text stands in quotes, a table's name in [brackets]"
    except RecursionError:
        message = f"{path}: not TOML that can be read: brackets within brackets, too many of them"
    raise ConfigurationError(message)


def _nest(path: Sequence[str], value: object) -> dict[str, Any]:
    for key in reversed(path):
        value = {key: value}
    return value if isinstance(value, dict) else {}


def _resolve(name: str, text: str, tree: Mapping[str, Any]) -> list[str]:
    """The real keys that the parts of a variable's name mean. Raises ConfigurationError for one that means none."""
    try:
        f"{name}{text}".encode()
    except UnicodeEncodeError:
        raise ConfigurationError(
            f"environment {name!a}: neither name nor value may have bytes that are not UTF-8"
        ) from None
    path: list[str] = []
    here: Any = tree
    parts = name.removeprefix(PREFIX).split("__")
    for depth, part in enumerate(parts):
        known = list(_fields_at(path)) or (list(here) if depth == 1 and isinstance(here, Mapping) else [])
        match = {_folded(key): key for key in known}.get(_folded(part))
        if match is None:
            if mend := REMOVED.get(gone := ".".join((*path, part.lower()))):
                raise ConfigurationError(f"environment {name}: {gone}: {mend}")
            if known:
                hint = nearest(part, known) if depth or len(parts) > 1 else _spelt(name) or nearest(part, known)
                where = f"[{'.'.join(path)}]" if path else "the configuration"
                raise ConfigurationError(f"environment {name}: no setting {part!r} in {where}{hint}")
            match = part.lower()
        path.append(match)
        here = here.get(match, {}) if isinstance(here, Mapping) else {}
    return path


def _folded(key: str) -> str:
    # A shell allows no hyphen in the name of a variable.
    return key.casefold().replace("-", "_")


def _spelt(name: str) -> str:
    """A hint for a name that wants its table, or has one underscore too few before its key."""
    single = [table for table in _fields_at([]) if table not in _RECORDS]
    right = {f"{PREFIX}{table}__{key}".upper() for table in single for key in _fields_at([table])}
    close = nearest(name.upper(), right, cutoff=0.7)
    mend = close.partition("did you mean '")[2].removesuffix("'?")
    return f"; did you mean {mend}? Two underscores stand between a table and its key" if mend else ""


def _value(text: str, path: Sequence[str]) -> Any:  # noqa: ANN401 - whatever TOML can write
    """A variable's text as the TOML value it writes, else as plain text; where text is wanted, digits stay text."""
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text
    wanted = set(_plain_types(_fields_at(path[:-1]).get(path[-1], Any)))
    is_text = bool(wanted & {str, SecretStr}) and not isinstance(value, str)
    return text if is_text else value


def keys_at(path: Sequence[str]) -> list[str]:
    """The keys that the table at `path` may have; none inside free tables, as texts by language."""
    return list(_fields_at(path))


def _fields_at(path: Sequence[str]) -> dict[str, Any]:
    """The fields of the table at `path` and their types, as the model declares them."""
    tables: list[Any] = [Settings]
    for key in path:
        if tables == [Any]:
            break  # a free table has no fields, however deep its keys go
        tables = [each for table in tables for each in _plain_types(_below(table, key))]
    own_name = _NAMES.get(path[0]) if len(path) == _DEPTH_OF_RECORD else None
    return {name: kind for table in tables for name, kind in _fields(table).items() if name != own_name}


def _fields(table: Any) -> dict[str, Any]:  # noqa: ANN401 - any type
    if isinstance(table, type) and issubclass(table, BaseModel):
        return {name: each.annotation for name, each in table.model_fields.items()}
    if is_dataclass(table) and isinstance(table, type):
        hints = get_type_hints(table, include_extras=True)
        return {each.name: hints[each.name] for each in fields(table) if each.init}
    return {}


def _below(table: Any, key: str) -> Any:  # noqa: ANN401 - any type
    if get_origin(table) in {dict, Mapping, tuple}:
        return [each for each in get_args(table) if each is not Ellipsis][-1]
    return _fields(table).get(key, Any)


def _plain_types(kind: Any) -> Iterator[Any]:  # noqa: ANN401 - any type
    """The types that `kind` allows, without what is annotated of them."""
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _plain_types(get_args(kind)[0])
    elif origin in {Union, UnionType}:
        for each in get_args(kind):
            yield from _plain_types(each)
    elif origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        yield dict[get_args(kind)]  # type: ignore[misc]  # made of the arguments it has
    else:
        yield kind


def _dangling(tree: Mapping[str, Any], origins: Mapping[str, str], path: str) -> list[str]:
    """A line for each name that means nothing; of what is no table or no name, others complain."""
    tables = {what: tree.get(f"{what}s") for what in ("source", "calendar", "instrument")}
    # Where there is no table at all, that is what is wrong.
    known = {"adapter": list(SOURCES), **{what: list(each) for what, each in tables.items() if isinstance(each, dict)}}
    return list(
        dict.fromkeys(
            f"{place(key, origins, path)}: {key}: no {what} {redact(name)!r}{nearest(name, known[what])}"
            for key, what, name in _references(tree)
            if what in known and name not in known[what]
        )
    )


def _references(tree: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every name of one table that stands in another: at which key, of what kind, which."""
    for table, references in _REFERENCES.items():
        for name, entry in _entries(tree, table).items():
            for key, what in references.items():
                yield from ((f"{table}.{name}.{key}", what, each) for each in _listed(entry.get(key)))
    for name, entry in _entries(tree, "sources").items():
        yield from ((f"sources.{name}.adapter", "adapter", each) for each in _listed(entry.get("adapter", name)))


def _entries(tree: Mapping[str, Any], table: str) -> Mapping[str, Mapping[str, Any]]:
    entries = tree.get(table)
    return {k: each for k, each in entries.items() if isinstance(each, dict)} if isinstance(entries, dict) else {}


def _listed(value: object) -> list[str]:
    """The names that a key holds: one, several, or those of a table's keys."""
    several = value if isinstance(value, list | tuple | dict) else [value]
    return [each for each in several if isinstance(each, str)]


def _unusable(settings: Settings) -> Iterator[tuple[str, str]]:
    """What is right by itself and cannot work all the same: at which key, and why."""
    for source, each in settings.sources.items():
        try:
            check_cron(each.schedule)
        except ValueError as error:
            yield f"sources.{source}.schedule.cron", f"{error}; five fields: minute hour day month weekday"
    active = settings.active(KEYED)
    if not active.instruments:
        yield "instruments", "all of them have enabled = false: leave one on"
    for symbol, instrument in active.instruments.items():
        if not instrument.sources:
            yield f"instruments.{symbol}.sources", _without_sources(settings, settings.instruments[symbol].sources)


def _without_sources(settings: Settings, sources: Iterable[str]) -> str:
    source = next((each for each in sources if settings.sources[each].enabled), None)
    if source is None:
        return "each of them has enabled = false; list another source, or take the instrument out with enabled = false"
    return (
        f"{source} is off until it has a key; set sources.{source}.api_key or "
        f"{PREFIX}SOURCES__{source.upper()}__API_KEY, or list another source"
    )


def compare(before: Settings, after: Settings) -> Changes:
    """What a reload from `before` to `after` adds, removes and changes."""
    return _changes(_flat(before.as_written()), _flat(after.as_written()))


def _changes(before: Mapping[_Path, object], after: Mapping[_Path, object]) -> Changes:
    old, new = _records(before), _records(after)
    kept = {path for path in before.keys() | after.keys() if path[:2] not in old ^ new}
    changed = {path for path in kept if before.get(path) != after.get(path)}
    return Changes(_dotted(new - old), _dotted(old - new), _dotted(changed))


def _flat(tree: Mapping[str, Any], at: _Path = ()) -> dict[_Path, object]:
    """The values of `tree` by their path."""
    found: dict[_Path, object] = {}
    for key, value in tree.items():
        found |= _flat(value, (*at, key)) if isinstance(value, Mapping) else {(*at, key): value}
    return found


def _records(flat: Mapping[_Path, object]) -> set[_Path]:
    """The records that are there and switched on."""
    found = {path[:2] for path in flat if path[0] in _RECORDS}
    return {each for each in found if flat.get((*each, "enabled"), True)}


def _dotted(paths: Iterable[_Path]) -> tuple[str, ...]:
    return tuple(sorted(".".join(path) for path in paths))


def ensure_reloadable(running: Settings, wanted: Settings) -> None:
    """Raises ConfigurationError where `wanted` moves what only a restart can move; every such key is named."""
    old, new = running.as_written(), wanted.as_written()
    moved = [
        f"{key} cannot change while the service runs (it is {_shown(old, key)}); restart it for {_shown(new, key)}"
        for key in FIXED
        if _at(old, key) != _at(new, key)
    ]
    if moved:
        raise ConfigurationError("\n".join(moved))


def _at(tree: Any, dotted: str) -> Any:  # noqa: ANN401 - whatever stands there
    for key in dotted.split("."):
        tree = tree[key]
    return tree


def _shown(tree: Mapping[str, Any], dotted: str) -> str:
    return redact(repr(_at(tree, dotted)))
