"""Numbers, percents and dates as people of a language write them: by CLDR, no table of our own making.

Rounding happens here and nowhere else, half up, as rates are quoted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from ticker.render.cldr import Locale, name_of, read

DASH = "\N{EM DASH}"
DEFAULT = "en"
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


class UnknownLanguageError(ValueError):
    """CLDR has no locale for a language tag."""


# Each kept locale holds 2 kB. A site speaks a handful; anything above is somebody trying every language.
@lru_cache(maxsize=512)
def locale_of(tag: str) -> Locale:
    """The CLDR locale of a BCP 47 language tag such as "ru" or "pt-BR". Raises UnknownLanguageError."""
    if not _TAG.fullmatch(tag):
        message = f"{tag[:40]!r} is not a language tag such as 'en', 'ru' or 'pt-BR'"
        raise UnknownLanguageError(message)
    locale = read(tag)
    if locale is None:
        message = f"{tag!r} is not a language CLDR has a locale for"
        raise UnknownLanguageError(message)
    return locale


def own_name(tag: str) -> str:
    """What a language calls itself."""
    return locale_of(tag).own_name or tag


def rounded(value: Decimal, decimals: int) -> Decimal:
    """`value` with `decimals` digits after the point, half up, and zero without a sign."""
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) + 0


def number(value: Decimal, decimals: int, locale: Locale) -> str:
    """`value` as the language writes it, digits included, with exactly `decimals` of them after the point."""
    shown = rounded(value, decimals)
    return native(f"{'-' if shown < 0 else ''}{_figures(shown, locale, locale.grouping)}", locale)


def change(percent: Decimal, locale: Locale) -> str:
    """A change in percent with its sign: "+0.46%", in Russian "+0,46 %"."""
    shown = rounded(percent, 2)
    before, grouping, after = locale.percent.split("|")
    sign = (locale.plus if shown > 0 else locale.minus) if shown else ""
    text = f"{sign}{before}{_figures(shown, locale, grouping)}{after}"
    return native(text.replace("%", locale.percent_sign), locale)


def native(text: str, locale: Locale) -> str:
    """`text` with its digits as the locale's own numbering system writes them (CLDR's default of the locale)."""
    zero = locale.digits
    return text.translate({ord("0") + n: ord(zero) + n for n in range(10)}) if zero else text


def _figures(value: Decimal, locale: Locale, grouping: str) -> str:
    """The digits of `value` without a sign; `grouping` says how many stand together, last and before it."""
    whole, point, rest = f"{abs(value):f}".partition(".")
    last, *others = map(int, grouping.split())
    groups = []
    while last and len(whole) > last:
        groups.append(whole[-last:])
        whole = whole[:-last]
        last = others[0]
    return locale.group.join((whole, *reversed(groups))) + (locale.decimal if point else "") + rest


def day(moment: datetime, locale: Locale) -> str:
    """The date of `moment` in its own zone, in the language's medium form."""
    return _written(locale.day, moment, locale)


def minute(moment: datetime, locale: Locale) -> str:
    """Date and time of `moment` in its own zone, in the language's medium form."""
    return _written(locale.minute, moment, locale)


def brief(moment: datetime, locale: Locale) -> str:
    """Day, month, hour and minute of `moment` in its own zone, as short as a header needs it."""
    return _written(locale.brief, moment, locale)


def _written(pattern: str, moment: datetime, locale: Locale) -> str:
    """`pattern` filled in; its fields are those that CLDR's patterns of the three forms have."""
    month, hour = moment.month, moment.hour
    numbers = {"y": moment.year, "M": month, "d": moment.day, "H": hour, "h": hour % 12 or 12}
    numbers |= {"m": moment.minute, "s": moment.second}
    texts = {"MMM": locale.months.split("|")[month - 1], "LLL": (locale.alone or locale.months).split("|")[month - 1]}
    return native(pattern % {**numbers, **texts, "p": _period(moment, locale)}, locale)


def _period(moment: datetime, locale: Locale) -> str:
    """The part of the day: each stands behind the second of the day with which it begins."""
    second = (moment.hour * 60 + moment.minute) * 60 + moment.second
    parts = (each.partition(" ") for each in locale.periods.split("|")) if locale.periods else ()
    return max(((int(begins), name) for begins, _, name in parts if int(begins) <= second), default=(0, ""))[1]


@lru_cache(maxsize=2048)
def currency(code: str, locale: Locale) -> str | None:
    """The name of an ISO 4217 currency in the language, or None where CLDR has none."""
    return name_of(code, locale)


def unit(text: str, locale: Locale) -> str:
    """A configured measure such as "1 barrel" as the language says it; else as it stands."""
    named = (each.partition("=") for each in locale.units.split("|"))
    return next((said for name, _, said in named if name == text), text)


def chosen(texts: Mapping[str, str], locale: Locale, otherwise: str) -> str:
    """The text for the locale, for its language, in English, else `otherwise`."""
    return own(texts, locale) or texts.get(DEFAULT, otherwise)


def own(texts: Mapping[str, str], locale: Locale) -> str | None:
    """The text for the locale or for its language, or None."""
    return next((texts[key] for key in (tag_of(locale), locale.language) if key in texts), None)


def tag_of(locale: Locale) -> str:
    """The locale's BCP 47 tag."""
    return locale.name.replace("_", "-")
