"""Reading a request's parameters strictly."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from tests.support.upstream import NOON
from ticker.quotes import Quote, Snapshot
from ticker.settings.loader import load, shipped
from ticker.web import parameters
from ticker.web.problems import Problem

BOARD = Snapshot(1, NOON, tuple(Quote(each) for each in load(shipped(), {}, {}).settings.instruments.values()))


def asked(**query: str) -> web.Request:
    """A request with that query."""
    return make_mocked_request("GET", str(URL("/v1/quotes").with_query(query)))


def test_symbols_keep_their_order_and_come_once() -> None:
    """Blanks around a comma do not matter."""
    assert parameters.symbols(asked(symbols="OIL, USD ,OIL"), BOARD) == ("OIL", "USD")


def test_no_symbols_means_all() -> None:
    """An absent parameter is not an empty one."""
    assert parameters.symbols(asked(), BOARD) == ()
    with pytest.raises(Problem) as problem:
        parameters.symbols(asked(symbols=""), BOARD)
    assert problem.value.members["parameter"] == "symbols"


def test_no_symbol_is_dropped_however_many_are_asked_for() -> None:
    """The last one of a long list counts as the first one."""
    assert parameters.symbols(asked(symbols="USD," * 500 + "OIL"), BOARD) == ("USD", "OIL")


@given(st.text(max_size=30))
def test_any_symbols_are_on_the_board_or_a_problem(text: str) -> None:
    """Nothing else is raised, and nothing else gets through."""
    try:
        found = parameters.symbols(asked(symbols=text), BOARD)
    except Problem as problem:
        assert problem.status == 400  # noqa: PT017 - most texts are problems, some are not
    else:
        assert set(found) <= {"USD", "EUR", "OIL"}


@given(st.text(max_size=20))
def test_any_language_is_one_of_cldr_or_a_problem(text: str) -> None:
    """Nothing else is raised."""
    try:
        assert parameters.language(asked(lang=text))
    except Problem as problem:
        assert problem.members["parameter"] == "lang"  # noqa: PT017 - as above


@pytest.mark.parametrize(
    ("tag", "shown"), [("ru", "ru"), ("RU", "ru"), ("pt-br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("en-GB", "en-GB")]
)
def test_a_language_is_spelt_as_cldr_does(tag: str, shown: str) -> None:
    """So that one language is one entry of the cache."""
    assert parameters.language(asked(lang=tag)) == shown


def test_a_parameter_that_a_route_has_none_of_says_so() -> None:
    """Not "there are" followed by nothing."""
    with pytest.raises(Problem, match="this route has none"):
        parameters.only(asked(x="1"), ())
