"""The files of ticker/render/cldr/data, made from Babel: python -m tests.render.cldr."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import time
from itertools import chain
from pathlib import Path

from babel import Locale, localedata
from babel.core import get_global, get_locale_identifier, parse_locale
from babel.dates import format_time, get_era_names, match_skeleton, tokenize_pattern
from babel.numbers import parse_pattern

from tests.render.babelled import ZEROS, read, signs

FOLDER = Path(__file__).parents[2] / "ticker" / "render" / "cldr" / "data"
NUMBERS = {"y": "y", "M": "M", "L": "M", "d": "d", "H": "H", "h": "h", "m": "m", "s": "s"}
# In what is traded by measure, by its name in a configuration.
MEASURES = {"barrel": "volume-barrel", "tonne": "mass-tonne", "troy ounce": "mass-ounce-troy"}
# Where a part of the day may begin or end: each half hour, and a second after midnight and noon, which have names.
SECONDS = sorted({*range(0, 86_400, 1800), 1, 43_201})


def files() -> dict[str, str]:
    """Every file's text by its name."""
    lines, shared = defaultdict[str, list[str]](list), dict[str, dict[str, str]]()
    for name in sorted(localedata.locale_identifiers()):
        locale = read(name.replace("_", "-"))
        mine = {code: own for code, own in locale.currencies.items() if own != code}
        base, each = shared.setdefault(locale.language, mine), lines[locale.language]
        differing = _joined({code: mine.get(code, "") for code in {*mine, *base} if mine.get(code) != base.get(code)})
        each += [] if each else [_joined(base)]
        each += [differing] if differing not in ("", *each) else []
        each.append("\t".join((*_fields(name, locale), str(each.index(differing)) if differing else "")))
    made = {f"{language}.tsv": "\n".join(each) + "\n" for language, each in lines.items()}
    return {**made, "likely.tsv": "".join(f"{name}\t{meant}\n" for name, meant in _likely())}


def _joined(names: dict[str, str]) -> str:
    assert not any("|" in name for name in names.values())
    return "|".join(f"{code}{name}" for code, name in sorted(names.items()))


def _fields(name: str, locale: Locale) -> Iterator[str]:
    """The line's fields, without its names of currencies."""
    symbols = locale.number_symbols[signs(locale)]
    yield from (name, str(locale.get_display_name() or ""), locale.character_order)
    yield ZEROS.get(locale.default_numbering_system, "")
    yield from (symbols[each] for each in ("decimal", "group", "plusSign", "minusSign", "percentSign"))
    percent = parse_pattern(locale.percent_formats[None].pattern)
    yield _grouping(locale.decimal_formats[None].pattern)
    yield f"{percent.prefix[0]}|{_grouping(percent.pattern)}|{percent.suffix[0]}"
    date, clock = (each["medium"].pattern for each in (locale.date_formats, locale.time_formats))
    skeletons = locale.datetime_skeletons
    when, hour = (skeletons[each if each in skeletons else match_skeleton(each, skeletons)].pattern
                  for each in ("MMMd", "Hm"))  # fmt: skip
    yield _pattern(date, locale)
    whole = str(locale.datetime_formats["medium"]).replace("'", "").replace("%", "%%")
    yield whole.replace("{0}", _pattern(clock, locale)).replace("{1}", _pattern(date, locale))
    yield str(locale.datetime_formats["short"]).format(_pattern(hour, locale), _pattern(when, locale))
    yield "|".join(locale.months["format"]["abbreviated"].values())
    yield "|".join(locale.months["stand-alone"]["abbreviated"].values()) if "LLL" in date + when else ""
    letters = {value[0] for _, value in tokenize_pattern(f"{clock} {hour}") if isinstance(value, tuple)} & {"a", "B"}
    yield "".join(_periods(letter, locale) for letter in letters)
    yield "|".join(f"{ours}={said}" for ours, said in _units(locale) if said != ours)


def _units(locale: Locale) -> Iterator[tuple[str, str]]:
    """One of each measure of trade, spelt out or else short."""
    form = locale.plural_form(1)
    one = chr(ord(ZEROS.get(locale.default_numbering_system, "0")) + 1)
    for name, key in MEASURES.items():
        lengths = locale._data["unit_patterns"][key]
        pattern = next((lengths[each][form] for each in ("long", "short") if form in lengths.get(each, ())), None)
        if pattern:
            yield f"1 {name}", pattern.replace("{0}", one)


def _grouping(pattern: str) -> str:
    """How many digits stand together, last and before it; 0 for all."""
    last, other = parse_pattern(pattern).grouping
    return f"{last} {other}" if last < 1000 else "0 0"


def _pattern(pattern: str, locale: Locale) -> str:
    """CLDR's pattern for the % of Python."""
    pieces = (value for _, value in tokenize_pattern(pattern))
    return "".join(each.replace("%", "%%") if isinstance(each, str) else _field(*each, locale) for each in pieces)


def _field(letter: str, width: int, locale: Locale) -> str:
    if letter in "ML" and width == 3:
        return f"%({letter * 3})s"
    if letter in "aB":
        return "%(p)s"
    if letter == "G":
        return str(get_era_names("abbreviated", locale)[1])
    assert width <= 2 - (letter == "y"), (letter, width)
    return f"%({NUMBERS[letter]}){'0' * (width - 1)}{width if width > 1 else ''}d"


def _periods(letter: str, locale: Locale) -> str:
    """Each part of the day behind the second it begins with."""
    parts, last = list[str](), ""
    for second in SECONDS:
        moment = time(second // 3600, second // 60 % 60, second % 60)
        name = format_time(moment, letter, locale=locale)
        if name != last:
            parts.append(f"{second} {name}")
        last = name
    return "|".join(parts)


def _likely() -> Iterator[tuple[str, str]]:
    """What is meant by names that are no locale's, where one may be found by it."""
    subtags, languages = get_global("likely_subtags"), get_global("language_aliases")
    found = {name for name, meant in subtags.items() if _loads(meant) or "_" not in name}
    known = {each.partition("_")[0] for each in localedata.locale_identifiers()}
    likely = {name: subtags[name] for name in found if parse_locale(subtags[name])[0] in known}
    old = {alias: meant for alias, meant in languages.items() if meant in likely}
    places = {alias: meant[0] for alias, meant in get_global("territory_aliases").items()}
    yield from sorted(chain(likely.items(), ((f"language {a}", b) for a, b in old.items()),
                            ((f"territory {a}", b) for a, b in places.items())))  # fmt: skip


def _loads(name: str) -> bool:
    parts = parse_locale(name)
    return any(localedata.exists(get_locale_identifier(each)) for each in (parts, parts[:2]))


def main() -> None:
    """Write them."""
    for old in FOLDER.glob("*.tsv"):
        old.unlink()
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
