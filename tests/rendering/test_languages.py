"""Every language CLDR knows, through the same fragment."""

from __future__ import annotations

import gc
import os
import re
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import islice

import pytest
from babel import localedata

from tests.bench.start import resident
from tests.rendering.quotes import DOLLAR, FRESH, STALE, board
from ticker.rendering import locales, schemas
from ticker.rendering.html import HtmlRenderer

COUNTRY = re.compile(r"_(?:[A-Z]{2}|[0-9]{3})\b")
PRICE = Decimal("1234.5")


def test_every_locale_writes_the_fragment() -> None:
    """Numbers, dates, names and direction, without an error; the value a program reads is the same in all.

    Without the countries, which inherit from their languages: the whole list takes half a minute.
    """
    html = HtmlRenderer({})
    for name in (each for each in localedata.locale_identifiers() if not COUNTRY.search(each)):
        locale = locales.locale_of(name.replace("_", "-"))
        text = html.widget(board(FRESH, STALE), (FRESH, STALE), locale, "change")
        assert 'value="100.6798"' in text
        assert f'dir="{"rtl" if locale.character_order == "right-to-left" else "ltr"}"' in text


@pytest.mark.parametrize(
    ("tag", "shown", "changed"),
    [
        ("en", "1,234.50", "+0.46%"),
        ("ru", "1 234,50", "+0,46 %"),
        ("de", "1.234,50", "+0,46 %"),
        ("ar", "1,234.50", "\u200e+0.46\u200e%\u200e"),
        ("ar-EG", "١٬٢٣٤٫٥٠", "\u061c+٠٫٤٦٪\u061c"),
        ("fa", "۱٬۲۳۴٫۵۰", "\u200e+۰٫۴۶٪"),
        ("bn", "১,২৩৪.৫০", "+০.৪৬%"),
        ("hi", "1,234.50", "+0.46%"),
    ],
)
def test_digits_and_signs_are_those_of_the_locale(tag: str, shown: str, changed: str) -> None:
    """By CLDR's default numbering system: Egypt has its own digits, the Emirates the Western ones."""
    locale = locales.locale_of(tag)
    assert locales.number(PRICE, 2, locale).replace("\xa0", " ") == shown
    assert locales.change(Decimal("0.4596"), locale).replace("\xa0", " ") == changed


def test_one_language_does_not_spoil_another() -> None:
    """Babel resolves what locales inherit for whoever asks first; Arabic months were "M11" after a Bashkir page."""
    moment = datetime(2024, 11, 22, 12, 5, tzinfo=UTC)
    locales._load.cache_clear()
    for tag in ("ba", "ann", "dv"):
        locales.short_minute(moment, locales.locale_of(tag))
    assert "نوفمبر" in locales.short_minute(moment, locales.locale_of("ar"))


def test_languages_are_bounded_in_memory_whatever_is_asked() -> None:
    """Half of CLDR is asked for while the garbage collector sleeps: some megabytes stay, none of them in Babel."""
    names = list(islice(localedata.locale_identifiers(), 600))
    locales._load.cache_clear()
    gc.collect()
    gc.disable()
    try:
        before = resident(os.getpid())
        for name in names:
            locales.short_minute(datetime(2024, 11, 22, tzinfo=UTC), locales.locale_of(name.replace("_", "-")))
        assert locales._load.cache_info().currsize == locales.LOADED
        assert resident(os.getpid()) - before < 60
        assert not localedata._cache
    finally:
        gc.enable()


def test_a_currency_that_the_configuration_does_not_name_is_named_by_cldr() -> None:
    """The configuration's own word goes first; what is no currency keeps its English name."""
    assert schemas.name_of(DOLLAR, locales.locale_of("en")) == DOLLAR.name["en"]
    assert schemas.name_of(DOLLAR, locales.locale_of("de")) == "US-Dollar"
    oil = replace(DOLLAR, base="BRENT", name={"en": "Brent crude oil"})
    assert schemas.name_of(oil, locales.locale_of("de")) == "Brent crude oil"
