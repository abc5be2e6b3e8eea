"""Numbers, percents and dates as people of a language write them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ticker.rendering.locales import UnknownLanguageError, change, chosen, day, locale_of, minute, number, rounded, unit

MOSCOW = ZoneInfo("Europe/Moscow")
PRICES = st.decimals(0, 10**9, places=6, allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("lang", "text"),
    [("en", "1,234.50"), ("ru", "1\N{NO-BREAK SPACE}234,50"), ("de", "1.234,50"), ("de-CH", "1’234.50")],
)
def test_a_number_is_written_as_the_language_does(lang: str, text: str) -> None:
    """CLDR's separators, and as many digits as the instrument has."""
    assert number(Decimal("1234.5"), 2, locale_of(lang)) == text


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        ("100.6798", 2, "100.68"),
        ("0.125", 2, "0.13"),
        ("0.115", 2, "0.12"),
        ("2.5", 0, "3"),
        ("3.5", 0, "4"),
        ("99.995", 2, "100.00"),
        ("1", 4, "1.0000"),
        ("0.004", 2, "0.00"),
        ("0.005", 2, "0.01"),
    ],
)
def test_a_price_is_rounded_half_up(value: str, decimals: int, text: str) -> None:
    """As rates are quoted; half even would show 2.5 as 2."""
    assert number(Decimal(value), decimals, locale_of("en")) == text


@given(PRICES, st.integers(0, 6))
def test_the_english_number_is_the_rounded_one(value: Decimal, decimals: int) -> None:
    """No digit is lost on the way through the pattern, whatever the size."""
    shown = number(value, decimals, locale_of("en")).replace(",", "")
    assert Decimal(shown) == rounded(value, decimals)
    assert len(shown.partition(".")[2]) == decimals


@given(PRICES, st.integers(0, 6))
def test_rounding_is_off_by_half_a_digit_at_most(value: Decimal, decimals: int) -> None:
    """And a half goes up."""
    off = rounded(value, decimals) - value
    half = Decimal(1).scaleb(-decimals) / 2
    assert -half < off <= half


@pytest.mark.parametrize(
    ("percent", "en", "ru"),
    [
        ("0.4596", "+0.46%", "+0,46\N{NO-BREAK SPACE}%"),
        ("-2.005", "-2.01%", "-2,01\N{NO-BREAK SPACE}%"),
        ("0", "0.00%", "0,00\N{NO-BREAK SPACE}%"),
        ("-0.001", "0.00%", "0,00\N{NO-BREAK SPACE}%"),
        ("1234.5", "+1,234.50%", "+1\N{NO-BREAK SPACE}234,50\N{NO-BREAK SPACE}%"),
    ],
)
def test_a_change_has_its_sign_and_nothing_has_none(percent: str, en: str, ru: str) -> None:
    """What rounds to nothing is neither up nor down."""
    assert change(Decimal(percent), locale_of("en")) == en
    assert change(Decimal(percent), locale_of("ru")) == ru


def test_a_date_is_that_of_its_own_zone() -> None:
    """Midnight in Moscow is the day in Moscow, not the evening before in Greenwich."""
    moment = datetime(2024, 11, 22, tzinfo=MOSCOW)
    assert day(moment, locale_of("en")) == "Nov 22, 2024"
    assert " ".join(day(moment, locale_of("ru")).split()) == "22 нояб. 2024 г."
    assert "11:45" in minute(moment.replace(hour=11, minute=45), locale_of("en"))


@pytest.mark.parametrize("tag", ["xx", "english", "e", "", "en_US", "en-", "ru/../..", "en-US-x-y-z-w", "en\n", "١٢"])
def test_a_tag_without_a_locale_is_refused(tag: str) -> None:
    """By name; nothing is guessed."""
    with pytest.raises(UnknownLanguageError, match="language"):
        locale_of(tag)


@given(st.text(max_size=20))
def test_any_text_is_a_language_or_named_as_none(tag: str) -> None:
    """No other error, whatever is asked for."""
    try:
        locale_of(tag)
    except UnknownLanguageError as error:
        assert "language" in str(error)  # noqa: PT017 - most texts are none, some are


def test_a_text_falls_back_from_region_to_language_to_english() -> None:
    """And to what stands for itself where there is none."""
    texts = {"en": "oil", "ru": "нефть", "pt-BR": "óleo"}
    found = [chosen(texts, locale_of(tag), "OIL") for tag in ("ru-RU", "pt-BR", "pt-PT", "de")]
    assert found == ["нефть", "óleo", "oil", "oil"]
    assert chosen({}, locale_of("en"), "OIL") == "OIL"


@pytest.mark.parametrize(
    ("lang", "text"),
    [("en", "1 barrel"), ("ru", "1 баррель"), ("de", "1 Barrel"), ("zh", "1桶"), ("fa", "۱ بشکه")],
)
def test_a_measure_is_called_what_the_language_calls_it(lang: str, text: str) -> None:
    """By CLDR, digits included."""
    assert unit("1 barrel", locale_of(lang)) == text


@pytest.mark.parametrize("text", ["1 USD", "100 JPY", "2 barrel", "", "a bundle"])
def test_a_unit_that_cldr_does_not_measure_stays_as_it_is_configured(text: str) -> None:
    """A currency's code is the same everywhere."""
    assert unit(text, locale_of("ru")) == text
