"""Which locale a language tag means: itself, or what CLDR's aliases and likely subtags make of it; in Babel's order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

# Language, script, territory, variant; what is not said is empty.
Parts: TypeAlias = tuple[str, str, str, str]

_SCRIPT, _COUNTRY, _REGION, _VARIANT = 4, 2, 3, 5


def parts_of(tag: str) -> Parts | None:
    """The subtags in CLDR's spelling; None where one of them is out of its place."""
    language, *rest = tag.split("-")
    script = rest.pop(0).title() if rest and len(rest[0]) == _SCRIPT and rest[0].isalpha() else ""
    territory = rest.pop(0).upper() if rest and _territory(rest[0]) else ""
    variant = rest.pop(0).upper() if rest and _variant(rest[0]) else ""
    return None if rest else (language.lower(), script, territory, variant)


def identifier(parts: Parts) -> str:
    """CLDR's identifier: "zh_Hant_TW"."""
    return "_".join(filter(None, parts))


def candidates(parts: Parts, likely: Callable[[str], str | None]) -> Iterator[Parts]:
    """The locales that may be meant, the likeliest first; `likely` tells what CLDR says of a name."""
    yield parts
    language, script, territory, variant = parts
    language = likely(f"language {language}") or language
    territory = likely(f"territory {territory}") or territory
    known = (language, "" if script == "Zzzz" else script, "" if territory == "ZZ" else territory, variant)
    yield from _whole(likely(identifier(known)))
    meant = likely(language)
    if meant is not None:
        language, script, _, variant = _read(meant)
        yield from ((language, script, known[2], variant), (language, "", known[2], ""))


def _whole(meant: str | None) -> Iterator[Parts]:
    """What is meant, and the same without script and variant."""
    if meant is not None:
        language, script, territory, variant = _read(meant)
        yield from ((language, script, territory, variant), (language, "", territory, ""))


def _read(name: str) -> Parts:
    parts = parts_of(name.replace("_", "-"))
    return parts or ("", "", "", "")


def _territory(subtag: str) -> bool:
    return (len(subtag) == _COUNTRY and subtag.isalpha()) or (len(subtag) == _REGION and subtag.isdigit())


def _variant(subtag: str) -> bool:
    return (len(subtag) == _SCRIPT and subtag[0].isdigit()) or (len(subtag) >= _VARIANT and subtag[0].isalpha())
