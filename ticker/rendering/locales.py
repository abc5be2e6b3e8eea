"""Numbers, percents and dates as people of a language write them: CLDR, read by Babel.

Rounding for display happens here and nowhere else, half up, as exchange rates are quoted.
"""

from __future__ import annotations

import re
import weakref
from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError, localedata
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import NumberPattern, get_currency_name, parse_pattern
from babel.units import format_unit

DASH = "\N{EM DASH}"
DEFAULT = "en"
# A site speaks a handful of languages; a request for one more costs 5 ms, and a loaded one holds 0.1 MB.
LOADED = 64
# What is read of a locale's data. All of it would be 0.8 MB.
_USED = {
    "character_order",
    "currency_names",
    "date_formats",
    "datetime_formats",
    "datetime_skeletons",
    "day_period_rules",
    "day_periods",
    "days",
    "decimal_formats",
    "default_numbering_system",
    "eras",
    "months",
    "number_symbols",
    "percent_formats",
    "plural_form",
    "time_formats",
}
_BY_MEASURE = {"unit_display_names", "unit_patterns"}
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
# The zero of each numbering system that is some locale's default. Babel knows the names and signs of the systems but
# not their digits; Unicode keeps the ten digits of a system in one row.
_ZEROS = {
    "adlm": "\N{ADLAM DIGIT ZERO}",
    "arab": "\N{ARABIC-INDIC DIGIT ZERO}",
    "arabext": "\N{EXTENDED ARABIC-INDIC DIGIT ZERO}",
    "beng": "\N{BENGALI DIGIT ZERO}",
    "cakm": "\N{CHAKMA DIGIT ZERO}",
    "deva": "\N{DEVANAGARI DIGIT ZERO}",
    "hmnp": "\N{NYIAKENG PUACHUE HMONG DIGIT ZERO}",
    "mtei": "\N{MEETEI MAYEK DIGIT ZERO}",
    "mymr": "\N{MYANMAR DIGIT ZERO}",
    "nkoo": "\N{NKO DIGIT ZERO}",
    "olck": "\N{OL CHIKI DIGIT ZERO}",
    "tibt": "\N{TIBETAN DIGIT ZERO}",
}
# The configured measures that CLDR has a name for.
_MEASURES = {"1 barrel": "volume-barrel", "1 tonne": "mass-tonne", "1 troy ounce": "mass-ounce-troy"}


class UnknownLanguageError(ValueError):
    """CLDR has no locale for a language tag."""


@lru_cache(maxsize=512)
def normalize_tag(tag: str) -> str:
    """The BCP 47 tag of the locale that `tag` means: "pt-br" is "pt-BR", "iw" is "he". Raises UnknownLanguageError."""
    if not _TAG.fullmatch(tag):
        raise UnknownLanguageError(f"{tag[:40]!r} is not a language tag such as 'en', 'ru' or 'pt-BR'")
    try:
        return str(Locale.parse(tag, sep="-")).replace("_", "-")
    except (UnknownLocaleError, ValueError):
        raise UnknownLanguageError(f"{tag!r} is not a language CLDR has a locale for") from None


def locale_of(tag: str) -> Locale:
    """The CLDR locale of a BCP 47 language tag such as "ru" or "pt-BR". Raises UnknownLanguageError."""
    return _load(normalize_tag(tag))


@lru_cache(maxsize=LOADED)
def _load(tag: str) -> Locale:
    """A locale with data of its own, and of them what is asked for here: a tenth."""
    locale, data = _read(tag)
    for key in data.keys() - _USED - _BY_MEASURE:
        del data[key]
    for key in _BY_MEASURE:
        data[key] = {measure: each for measure, each in data[key].items() if measure in _MEASURES.values()}
    return locale


def _read(tag: str) -> tuple[Locale, dict[str, Any]]:
    """A locale and its data, which nobody else has.

    Babel keeps all data it has ever read, a megabyte a locale, and lets locales share what they inherit as the first
    one resolved it: after a Bashkir page Arabic months read "M11". Hence its cache is emptied, under its own lock.
    What a locale has resolved points back at its data, and the collector looks too seldom for a megabyte each: the data
    go as soon as nobody uses the locale.
    """
    with localedata._cache_lock:  # noqa: SLF001 - Babel has no public way
        localedata._cache.clear()  # noqa: SLF001 - the same
        locale = Locale.parse(tag, sep="-")
        locale.number_symbols  # noqa: B018 - reading it loads the data
        data = localedata.load(str(locale))
        localedata._cache.clear()  # noqa: SLF001 - the same
    weakref.finalize(locale, data.clear)
    return locale, data


def tag_of(locale: Locale) -> str:
    """The BCP 47 tag of the locale."""
    return str(locale).replace("_", "-")


def direction_of(locale: Locale) -> str:
    """How the language is written, as the HTML attribute `dir` has it: "ltr" or "rtl"."""
    return "rtl" if locale.character_order == "right-to-left" else "ltr"


@lru_cache(maxsize=512)
def own_name(tag: str) -> str:
    """What a language calls itself. Raises UnknownLanguageError."""
    locale, _ = _read(normalize_tag(tag))
    return locale.get_display_name() or tag


def rounded(value: Decimal, decimals: int) -> Decimal:
    """`value` with `decimals` digits after the point, half up, and zero without a sign."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) + 0


def number(value: Decimal, decimals: int, locale: Locale) -> str:
    """`value` as the language writes it, with exactly `decimals` digits after the point."""
    pattern = _pattern(locale.decimal_formats[None].pattern, decimals)
    text = pattern.apply(rounded(value, decimals), locale, numbering_system=_signs(locale))
    return with_own_digits(str(text), locale)


def plain(digits: str, locale: Locale) -> str:
    """A number in plain digits, all of them kept, as the language writes it: "1234.50" is in Russian "1 234,50"."""
    return number(Decimal(digits), len(digits.partition(".")[2]), locale)


def change(percent: Decimal, locale: Locale) -> str:
    """A change in percent with its sign: "+0.46%", in Russian "+0,46 %"."""
    shown = rounded(percent, 2)
    pattern = _pattern(locale.percent_formats[None].pattern, 2)
    text = pattern.apply(abs(shown) / 100, locale, numbering_system=_signs(locale))
    symbols = locale.number_symbols[_signs(locale)]
    sign = symbols["plusSign" if shown > 0 else "minusSign"] if shown else ""
    return with_own_digits(f"{sign}{text}".replace("%", symbols["percentSign"]), locale)


def with_own_digits(text: str, locale: Locale) -> str:
    """`text` with its digits as the default numbering system of the locale writes them."""
    zero = _ZEROS.get(locale.default_numbering_system)
    return text if zero is None else text.translate({ord("0") + n: ord(zero) + n for n in range(10)})


def day(moment: datetime, locale: Locale) -> str:
    """The date of `moment` in its own zone, in the language's medium form: "Nov 22, 2024"."""
    return with_own_digits(format_date(moment.date(), "medium", locale=locale), locale)


def short_day(moment: datetime, locale: Locale) -> str:
    """Day and month of `moment` in its own zone: "Nov 22"."""
    return with_own_digits(format_skeleton("MMMd", moment, moment.tzinfo, locale=locale), locale)


def minute(moment: datetime, locale: Locale) -> str:
    """Date and time of `moment` in its own zone, in the language's medium form."""
    return with_own_digits(format_datetime(moment, "medium", tzinfo=moment.tzinfo, locale=locale), locale)


def short_minute(moment: datetime, locale: Locale) -> str:
    """Day, month, hour and minute of `moment` in its own zone: "Nov 22, 11:45"."""
    date, time = (format_skeleton(skeleton, moment, moment.tzinfo, locale=locale) for skeleton in ("MMMd", "Hm"))
    return with_own_digits(str(locale.datetime_formats["short"]).format(time, date), locale)


def skeleton(pattern: str, moment: datetime, locale: Locale) -> str:
    """`moment` in its own zone by a CLDR skeleton: "yMMM" is "Nov 2024"."""
    return with_own_digits(format_skeleton(pattern, moment, moment.tzinfo, locale=locale), locale)


def currency(code: str, locale: Locale) -> str | None:
    """The name of an ISO 4217 currency in the language, or None where CLDR has none."""
    name = get_currency_name(code, locale=locale)
    return None if name == code else name


def unit(text: str, locale: Locale) -> str:
    """A configured measure such as "1 barrel" as the language says it; any other as it stands."""
    measure = _MEASURES.get(text)
    forms = [format_unit(1, measure, length, locale=locale) for length in ("long", "short")] if measure else []
    # Babel writes its own name for the measure where the locale has none.
    said = next((form for form in forms if measure and measure not in form), text)
    return with_own_digits(said, locale) if said is not text else text


def chosen(texts: Mapping[str, str], locale: Locale, otherwise: str) -> str:
    """The text for the locale, for its language, in English, else `otherwise`."""
    return own(texts, locale) or texts.get(DEFAULT, otherwise)


def own(texts: Mapping[str, str], locale: Locale) -> str | None:
    """The text for the locale or for its language, or None."""
    return next((texts[key] for key in (tag_of(locale), locale.language) if key in texts), None)


def _signs(locale: Locale) -> str:
    """The numbering system whose signs go with the locale's digits; the Latin one where CLDR gives it no signs."""
    system: str = locale.default_numbering_system
    return system if locale.number_symbols.get(system, {}).get("decimal") else "latn"


@lru_cache(maxsize=512)
def _pattern(text: str, decimals: int) -> NumberPattern:
    """CLDR's pattern with exactly `decimals` digits after the point; a copy, since Babel shares its patterns."""
    pattern = parse_pattern(text)
    pattern.frac_prec = (decimals, decimals)
    return pattern
