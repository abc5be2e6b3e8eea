"""The models of what is sent, and what is sent."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from tests.render.quotes import FRESH, GONE, STALE, board
from ticker.render import forms, wire
from ticker.render.locales import locale_of
from ticker.render.models import quotes

QUOTE = TypeAdapter(quotes.WireQuote)


def keys(model: type) -> tuple[str, ...]:
    """The members of a model but `demo`, which no reader chooses."""
    return tuple(name for name in model.__annotations__ if name != "demo")


def test_the_fields_that_can_be_asked_for_are_the_models_own() -> None:
    """In its order, which is that of the columns of CSV."""
    assert keys(quotes.WireQuote) == forms.FIELDS
    assert {"agreement": keys(quotes.WireAgreement), "display": keys(quotes.WireDisplay)} == forms.NESTED


@pytest.mark.parametrize("demo", [False, True])
def test_what_is_written_is_what_the_models_say(demo: bool) -> None:  # noqa: FBT001 - a parameter
    """Every member in the models' order, and no other."""
    for quote in (FRESH, STALE, GONE):
        row = wire.quote_of(quote, locale_of("en"), demo=demo)
        assert tuple(row) == (*forms.FIELDS, *(["demo"] if demo else []))
        assert QUOTE.validate_python(row) == row
    whole = wire.quotes_of(board(FRESH), (FRESH,), locale_of("en"))
    assert tuple(whole) == keys(quotes.WireQuotes)


@pytest.mark.parametrize("change", [{"prise": 1}, {"status": "new"}, {"fallback": None}, {"display": {}}])
def test_the_models_refuse_what_they_do_not_know(change: dict[str, Any]) -> None:
    """A schema that takes anything would tell its readers nothing."""
    with pytest.raises(ValidationError):
        QUOTE.validate_python({**wire.quote_of(FRESH, locale_of("en")), **change})
