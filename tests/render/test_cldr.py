"""What is kept of CLDR, against Babel: every locale, every currency, every name a locale may be asked for by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from babel import Locale, UnknownLocaleError, localedata
from babel.core import get_global
from hypothesis import given
from hypothesis import strategies as st

from tests.render import babelled, cldr
from ticker.render import locales

VALUES = [Decimal(text) for text in ("0", "-0.006", "7.005", "-999.999", "1234.5", "98765432.1", "-1234567890.123456")]
YEAR = datetime(2024, 1, 1, tzinfo=UTC)
# Every month and every hour, the seconds that have names, and years of one and four digits.
MOMENTS = [YEAR + timedelta(days=31 * n, hours=n, minutes=7 * n, seconds=n) for n in range(12)]
MOMENTS += [YEAR.replace(day=3, hour=hour) for hour in range(24)]
MOMENTS += [YEAR.replace(hour=12, second=1), YEAR.replace(second=1), YEAR.replace(year=7)]


def test_the_files_are_what_babel_says() -> None:
    """`python -m tests.render.cldr` would write the same ones: with another Babel they have to be made anew."""
    kept = {each.name: each.read_text(encoding="utf-8") for each in cldr.FOLDER.glob("*.tsv")}
    assert kept == cldr.files()


def test_every_locale_writes_as_babel_does() -> None:
    """Numbers, changes, days, minutes, names of currencies and its own."""
    codes = [*babelled.read("en").currencies, "BRENT", "ZZZ", "US", ""]
    for name in localedata.locale_identifiers():
        tag = name.replace("_", "-")
        ours, theirs = locales.locale_of(tag), babelled.read(tag)
        assert (str(ours), ours.language, ours.character_order) == (name, theirs.language, theirs.character_order)
        assert locales.own_name(tag) == (theirs.get_display_name() or tag)
        assert [locales.currency(code, ours) for code in codes] == [babelled.currency(code, theirs) for code in codes]
        for value in VALUES:
            assert locales.change(value, ours) == babelled.change(value, theirs), tag
            for decimals in (0, 2, 4):
                assert locales.number(value, decimals, ours) == babelled.number(value, decimals, theirs), tag
        for form in ("day", "minute", "brief"):
            found = [getattr(locales, form)(moment, ours) for moment in MOMENTS]
            assert found == [getattr(babelled, form)(moment, theirs) for moment in MOMENTS], (tag, form)


def test_every_name_that_cldr_knows_means_the_locale_that_babel_finds() -> None:
    """Aliases, likely subtags, and each with a country."""
    likely, languages = get_global("likely_subtags"), get_global("language_aliases")
    names = {*likely, *languages, *localedata.locale_identifiers()}
    countries = [f"{name}_{country}" for name in languages for country in ("RS", "SU", "ZZ", "AN", "840")]
    for name in (*names, *countries, *(f"sr_{alias}" for alias in get_global("territory_aliases"))):
        _same(name.replace("_", "-"))


@given(st.from_regex(r"\A[a-z]{2,3}(-([A-Z][a-z]{3}|Latn|Cyrl|Zzzz))?(-([A-Z]{2}|[0-9]{3}|RU|TW))?(-[A-Z0-9]{4,8})?\Z"))
def test_any_tag_means_the_locale_that_babel_finds(tag: str) -> None:
    """Or none."""
    _same(tag)


@pytest.mark.parametrize("tag", ["zh-TW", "iw", "sh", "sr-ME", "und-AT", "ZH-hant-hk", "ca-es-valencia", "pt", "mo-SU"])
def test_a_tag_means_the_locale_that_babel_finds(tag: str) -> None:
    """As people write them."""
    _same(tag)


def _same(tag: str) -> None:
    try:
        ours = str(locales.locale_of(tag))
    except locales.UnknownLanguageError:
        ours = ""
    assert ours == _found(tag), tag


def _found(tag: str) -> str:
    try:
        return str(Locale.parse(tag, sep="-"))
    except (UnknownLocaleError, ValueError):
        return ""
