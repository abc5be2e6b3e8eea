"""Numbers, percents and dates as people of a language write them: CLDR through Babel, no table of our own.

Rounding happens here and nowhere else, half up, as rates are quoted.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import NumberPattern, get_minus_sign_symbol, get_plus_sign_symbol, parse_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

DASH = "\N{EM DASH}"
DEFAULT = "en"
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


class UnknownLanguageError(ValueError):
    """CLDR has no locale for a language tag."""


@lru_cache(maxsize=512)
def locale_of(tag: str) -> Locale:
    """The CLDR locale of a BCP 47 language tag such as "ru" or "pt-BR". Raises UnknownLanguageError."""
    if not _TAG.fullmatch(tag):
        message = f"{tag[:40]!r} is not a language tag such as 'en', 'ru' or 'pt-BR'"
        raise UnknownLanguageError(message)
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError) as error:
        message = f"{tag!r} is not a language CLDR has a locale for"
        raise UnknownLanguageError(message) from error


def rounded(value: Decimal, decimals: int) -> Decimal:
    """`value` with `decimals` digits after the point, half up, and zero without a sign."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) + 0


def number(value: Decimal, decimals: int, locale: Locale) -> str:
    """`value` as the language writes it, with exactly `decimals` digits after the point."""
    shown = rounded(value, decimals)
    return str(_pattern(locale.decimal_formats[None].pattern, decimals).apply(shown, locale))


def change(percent: Decimal, locale: Locale) -> str:
    """A change in percent with its sign: "+0.46%", in Russian "+0,46 %"."""
    shown = rounded(percent, 2)
    text = str(_pattern(locale.percent_formats[None].pattern, 2).apply(abs(shown) / 100, locale))
    sign = get_plus_sign_symbol(locale) if shown > 0 else get_minus_sign_symbol(locale)
    return f"{sign}{text}" if shown else text


@lru_cache(maxsize=512)
def _pattern(text: str, decimals: int) -> NumberPattern:
    """CLDR's pattern with exactly `decimals` digits after the point; one of our own, since Babel's are shared."""
    pattern = parse_pattern(text)
    pattern.frac_prec = (decimals, decimals)
    return pattern


def day(moment: datetime, locale: Locale) -> str:
    """The date of `moment` in its own zone, in the language's medium form."""
    return format_date(moment.date(), "medium", locale=locale)


def minute(moment: datetime, locale: Locale) -> str:
    """Date and time of `moment` in its own zone, in the language's medium form."""
    return format_datetime(moment, "medium", tzinfo=moment.tzinfo, locale=locale)


def chosen(texts: Mapping[str, str], locale: Locale, otherwise: str) -> str:
    """The text for the locale, for its language, in English, else `otherwise`."""
    tag = str(locale).replace("_", "-")
    return next((texts[key] for key in (tag, locale.language, DEFAULT) if key in texts), otherwise)
