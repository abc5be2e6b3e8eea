"""What the service says in words of its own: in each of its languages all of it."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from ticker.quotes import Reason, Status
from ticker.rendering.locales import locale_of
from ticker.rendering.words import LANGUAGES, fragment_phrases, reasons, words_for


def test_the_page_says_the_same_in_russian_as_in_english() -> None:
    """No word is missing, and every status has one."""
    english, russian = words_for(locale_of("en")), words_for(locale_of("ru"))
    assert english.keys() == russian.keys()
    assert set(Status) <= english.keys()


def test_every_language_has_its_file_and_is_offered() -> None:
    """A translation that nobody can choose would be forgotten."""
    there = {path.name for path in files("ticker.rendering").joinpath("languages").iterdir()}
    assert there == {f"{lang}.toml" for lang in LANGUAGES}


def test_a_translation_keeps_what_is_filled_in() -> None:
    """`{day}` and its like, each where the English has it."""
    english, russian = words_for(locale_of("en")), words_for(locale_of("ru"))
    for key, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", russian[key])), key


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_every_reason_is_said_in_words(lang: str) -> None:
    """A slug is for programs."""
    assert set(reasons(locale_of(lang))) == set(Reason)


def test_another_language_is_spoken_to_in_english() -> None:
    """Rather than in nothing."""
    assert words_for(locale_of("sw")) is words_for(locale_of("en"))
    assert reasons(locale_of("sw")) is reasons(locale_of("en"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_demo_is_called_so_in_every_language_of_the_page(lang: str) -> None:
    """In the letters of the language."""
    word = fragment_phrases(locale_of(lang))["demo"]
    assert word
    assert word.isascii() is (lang in {"en", "de", "es", "it", "pl", "pt", "tr"})


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_fragment_has_every_phrase_in_every_language_of_the_page(lang: str) -> None:
    """And none of them is left in English."""
    english, said = fragment_phrases(locale_of("en")), fragment_phrases(locale_of(lang))
    assert said.keys() == english.keys()
    assert all(said.values())
    if lang != "en":
        assert not {key for key in said if said[key] == english[key]} - {"demo"}
