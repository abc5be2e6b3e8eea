"""Numbers, percents and dates as people of a language write them: CLDR through Babel, no table of our own.

Rounding happens here and nowhere else, half up, as rates are quoted.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from babel import Locale, UnknownLocaleError, localedata
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import NumberPattern, get_currency_name, parse_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

DASH = "\N{EM DASH}"
DEFAULT = "en"
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
# The zero of every numbering system that is some locale's own. Babel knows the systems' names and signs, not their
# digits; Unicode has each system's ten in one row.
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


class UnknownLanguageError(ValueError):
    """CLDR has no locale for a language tag."""


# What CLDR tells of a language and nobody here asks: nine tenths of it.
_UNUSED = """
    compact_currency_formats compact_decimal_formats compound_unit_patterns currency_formats currency_names_plural
    currency_symbols currency_unit_patterns date_fields interval_formats languages list_patterns measurement_systems
    meta_zones scientific_formats scripts territories time_zones unit_display_names unit_patterns variants zone_formats
"""


# Each kept locale holds about 60 kB. A site speaks a handful; anything above is somebody trying every language.
@lru_cache(maxsize=256)
def locale_of(tag: str) -> Locale:
    """The CLDR locale of a BCP 47 language tag such as "ru" or "pt-BR". Raises UnknownLanguageError."""
    if not _TAG.fullmatch(tag):
        message = f"{tag[:40]!r} is not a language tag such as 'en', 'ru' or 'pt-BR'"
        raise UnknownLanguageError(message)
    try:
        locale = _read(tag)
    except (UnknownLocaleError, ValueError) as error:
        message = f"{tag!r} is not a language CLDR has a locale for"
        raise UnknownLanguageError(message) from error
    systems = {"latn", locale.default_numbering_system}
    for name in _UNUSED.split():
        locale._data._data.pop(name, None)  # noqa: SLF001 - there is no public way to have less
    for name in locale.number_symbols.keys() - systems:
        del locale.number_symbols[name]
    return locale


@lru_cache(maxsize=256)
def own_name(tag: str) -> str:
    """What a language calls itself."""
    return str(_read(tag).get_display_name() or tag)


def _read(tag: str) -> Locale:
    """A locale with data of its own.

    Babel lets locales share what they inherit and resolves it for the first that asks: after one Bashkir page, Arabic
    months read "M11". And it keeps all that it has ever read, a megabyte each.
    """
    localedata._cache.clear()  # noqa: SLF001 - there is no public way
    locale = Locale.parse(tag, sep="-")
    locale.number_symbols  # noqa: B018 - reading it loads the copy
    localedata._cache.clear()  # noqa: SLF001 - as above
    return locale


def rounded(value: Decimal, decimals: int) -> Decimal:
    """`value` with `decimals` digits after the point, half up, and zero without a sign."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) + 0


def number(value: Decimal, decimals: int, locale: Locale) -> str:
    """`value` as the language writes it, digits included, with exactly `decimals` of them after the point."""
    shown = rounded(value, decimals)
    pattern = _pattern(locale.decimal_formats[None].pattern, decimals)
    return native(str(pattern.apply(shown, locale, numbering_system=_signs(locale))), locale)


def change(percent: Decimal, locale: Locale) -> str:
    """A change in percent with its sign: "+0.46%", in Russian "+0,46 %"."""
    shown, signs = rounded(percent, 2), _signs(locale)
    pattern = _pattern(locale.percent_formats[None].pattern, 2)
    text = str(pattern.apply(abs(shown) / 100, locale, numbering_system=signs))
    symbols = locale.number_symbols[signs]
    sign = symbols["plusSign" if shown > 0 else "minusSign"] if shown else ""
    return native(f"{sign}{text}".replace("%", symbols["percentSign"]), locale)


def native(text: str, locale: Locale) -> str:
    """`text` with its digits as the locale's own numbering system writes them (CLDR's default of the locale)."""
    zero = _ZEROS.get(locale.default_numbering_system)
    return text if zero is None else text.translate({ord("0") + n: ord(zero) + n for n in range(10)})


@lru_cache(maxsize=512)
def _pattern(text: str, decimals: int) -> NumberPattern:
    """CLDR's pattern with exactly `decimals` digits after the point; one of our own, since Babel's are shared."""
    pattern = parse_pattern(text)
    pattern.frac_prec = (decimals, decimals)
    return pattern


def day(moment: datetime, locale: Locale) -> str:
    """The date of `moment` in its own zone, in the language's medium form."""
    return native(format_date(moment.date(), "medium", locale=locale), locale)


def minute(moment: datetime, locale: Locale) -> str:
    """Date and time of `moment` in its own zone, in the language's medium form."""
    return native(format_datetime(moment, "medium", tzinfo=moment.tzinfo, locale=locale), locale)


def brief(moment: datetime, locale: Locale) -> str:
    """Day, month, hour and minute of `moment` in its own zone, as short as a header needs it."""
    date, time = (format_skeleton(skeleton, moment, moment.tzinfo, locale=locale) for skeleton in ("MMMd", "Hm"))
    return native(str(locale.datetime_formats["short"]).format(time, date), locale)


def currency(code: str, locale: Locale) -> str | None:
    """The name of an ISO 4217 currency in the language, or None where CLDR has none."""
    name = get_currency_name(code, locale=locale)
    return None if name == code else name


def chosen(texts: Mapping[str, str], locale: Locale, otherwise: str) -> str:
    """The text for the locale, for its language, in English, else `otherwise`."""
    return own(texts, locale) or texts.get(DEFAULT, otherwise)


def own(texts: Mapping[str, str], locale: Locale) -> str | None:
    """The text for the locale or for its language, or None."""
    return next((texts[key] for key in (tag_of(locale), locale.language) if key in texts), None)


def tag_of(locale: Locale) -> str:
    """The locale's BCP 47 tag."""
    return str(locale).replace("_", "-")


def _signs(locale: Locale) -> str:
    """The numbering system whose signs go with the locale's digits; where CLDR gives it none of its own, Latin ones."""
    system: str = locale.default_numbering_system
    return system if locale.number_symbols.get(system, {}).get("decimal") else "latn"
