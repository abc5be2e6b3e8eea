"""Numbers, percents and dates as Babel writes them: what ticker.render.locales is held against."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from babel import Locale, localedata
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import NumberPattern, get_currency_name, parse_pattern

from ticker.render.locales import rounded

# The zero of every numbering system that is some locale's own. Babel knows the systems' names and signs, not their
# digits; Unicode has each system's ten in one row.
ZEROS = {
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


@lru_cache(maxsize=1)
def read(tag: str) -> Locale:
    """A locale with data of its own.

    Babel lets locales share what they inherit and resolves it for the first that asks: after one Bashkir page, Arabic
    months read "M11". And it keeps all that it has ever read, a megabyte each.
    """
    localedata._cache.clear()
    locale = Locale.parse(tag, sep="-")
    locale.number_symbols  # noqa: B018 - reading it loads the copy
    localedata._cache.clear()
    return locale


def number(value: Decimal, decimals: int, locale: Locale) -> str:
    """`value` as the language writes it, digits included, with exactly `decimals` of them after the point."""
    shown = rounded(value, decimals)
    pattern = _pattern(locale.decimal_formats[None].pattern, decimals)
    return native(str(pattern.apply(shown, locale, numbering_system=signs(locale))), locale)


def change(percent: Decimal, locale: Locale) -> str:
    """A change in percent with its sign: "+0.46%", in Russian "+0,46 %"."""
    shown = rounded(percent, 2)
    pattern = _pattern(locale.percent_formats[None].pattern, 2)
    text = str(pattern.apply(abs(shown) / 100, locale, numbering_system=signs(locale)))
    symbols = locale.number_symbols[signs(locale)]
    sign = symbols["plusSign" if shown > 0 else "minusSign"] if shown else ""
    return native(f"{sign}{text}".replace("%", symbols["percentSign"]), locale)


def native(text: str, locale: Locale) -> str:
    """`text` with its digits as the locale's own numbering system writes them (CLDR's default of the locale)."""
    zero = ZEROS.get(locale.default_numbering_system)
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


def signs(locale: Locale) -> str:
    """The numbering system whose signs go with the locale's digits; where CLDR gives it none of its own, Latin ones."""
    system: str = locale.default_numbering_system
    return system if locale.number_symbols.get(system, {}).get("decimal") else "latn"
