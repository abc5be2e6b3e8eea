"""What CLDR tells of a language and we ask: one line a locale, in one file a language, read when it is first asked for.

The files are made from Babel by `python -m tests.render.cldr`; tests/render/test_cldr.py holds every one of them
against it; data/LICENSE is Unicode's. Babel itself takes 3 ms and 60 kB a language, most of it for what nobody here
asks, and 8 ms of every start.
"""

from __future__ import annotations

from functools import lru_cache
from pkgutil import get_data
from typing import NamedTuple

from ticker.render.cldr.tags import Parts, candidates, identifier, parts_of

# Files that are at hand: a page asks for some names of one language in a row. The largest, English, has 50 kB.
_FILES = 4


class Locale(NamedTuple):
    """How a locale writes; a field each of its line. The three dates are patterns for `%`, names lists with "|".

    `digits` is its zero, or nothing where it writes Western ones; `units` one of each measure of trade, behind its
    English name and "="; `names` the number of the line with those names of currencies that are not its language's.
    """

    name: str
    own_name: str
    character_order: str
    digits: str
    decimal: str
    group: str
    plus: str
    minus: str
    percent_sign: str
    grouping: str
    percent: str
    day: str
    minute: str
    brief: str
    months: str
    alone: str
    periods: str
    units: str
    names: str

    @property
    def language(self) -> str:
        """Its first subtag."""
        return self.name.partition("_")[0]

    def __str__(self) -> str:
        """CLDR's identifier: "pt_BR"."""
        return self.name


def read(tag: str) -> Locale | None:
    """The locale of a well-formed BCP 47 tag, as it is or by what CLDR says is likely meant; None without one."""
    parts = parts_of(tag)
    return next(filter(None, map(_read, candidates(parts, _likely))), None) if parts else None


def name_of(code: str, locale: Locale) -> str | None:
    """The name of a currency in the locale."""
    lines = _lines(locale.language)
    known = [lines[int(locale.names)]] if locale.names else []
    entries = (each for line in (*known, lines[0]) for each in line.split("|"))
    return next((each[3:] for each in entries if each[:3] == code), None) or None


def _read(parts: Parts) -> Locale | None:
    opening = f"{identifier(parts)}\t"
    line = next((line for line in _lines(parts[0]) if line.startswith(opening)), None)
    return Locale(*line.split("\t")) if line else None


@lru_cache(maxsize=_FILES)
def _lines(language: str) -> tuple[str, ...]:
    """The lines of a language's file, its names of currencies first; none where there is none."""
    try:
        return tuple((get_data(__name__, f"data/{language}.tsv") or b"").decode().split("\n"))
    except OSError:
        return ()


def _likely(name: str) -> str | None:
    """What CLDR says is meant by an incomplete or old identifier."""
    opening = f"{name}\t"
    return next((line[len(opening) :] for line in _lines("likely") if line.startswith(opening)), None)
