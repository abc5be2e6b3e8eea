"""The fragment's elements: what is text stays text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.render.test_html import read
from ticker.render.fragment import Html, element, image

NASTY = "\"><script>alert(1)</script>&amp;'"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])) | st.just(NASTY))
def test_a_text_is_never_markup(text: str) -> None:
    """Neither in an element nor in an attribute, and whoever reads gets it back whole."""
    found = read(element("b", [("title", text)], text))
    assert (found.names, found.attributes) == (["b"], [("title", text)])
    assert found.text == text


def test_what_elements_made_is_markup() -> None:
    """An element in another is one; the same letters from anywhere else are text."""
    assert element("ul", (), element("li", (), "1 < 2")) == "<ul><li>1 &lt; 2</li></ul>"
    assert element("ul", (), "<li>") == "<ul>&lt;li&gt;</ul>"


@pytest.mark.parametrize("made", [str.upper, str.strip, lambda html: html + "", lambda html: f"{html}"])
def test_a_text_made_of_markup_is_text_again(made: object) -> None:
    """Only what an element made is taken for markup: whatever was done to it since could have put anything in."""
    assert callable(made)
    assert not isinstance(made(Html("<b>")), Html)


def test_a_picture_has_no_end() -> None:
    """HTML knows none for it."""
    assert image([("alt", '"x"')]) == '<img alt="&#34;x&#34;">'
