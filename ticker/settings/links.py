"""What one table says of another must be there: sources, calendars, instruments, and the adapters that read sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ticker.settings.errors import nearest, place
from ticker.settings.types import masked
from ticker.sources import SOURCES

# At which key of a table's entries stands a name, and of what.
_SAID = {
    "instruments": {"calendar": "calendar", "sources": "source", "codes": "source"},
    "checks": {"numerator": "instrument", "denominator": "instrument", "sources": "source"},
    "sources": {"calendar": "calendar"},
}


def dangling(tree: Mapping[str, Any], origins: Mapping[str, str], path: str) -> list[str]:
    """A line for each name that means nothing; of what is no table or no name, others complain."""
    tables = {what: tree.get(f"{what}s") for what in ("source", "calendar", "instrument")}
    # Where there is no table at all, that is what is wrong.
    known = {"adapter": list(SOURCES), **{what: list(each) for what, each in tables.items() if isinstance(each, dict)}}
    lines = (
        f"{place(key, origins, path)}: {key}: no {what} {masked(name)!r}{nearest(name, known[what])}"
        for key, what, name in _names(tree)
        if what in known and name not in known[what]
    )
    return list(dict.fromkeys(lines))


def _names(tree: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Every name of one table that stands in another: at which key, of what kind, which."""
    for table, said in _SAID.items():
        for name, entry in _entries(tree, table).items():
            for key, what in said.items():
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
