"""Each view of a snapshot is made once a version and kept in a bounded cache."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from babel import localedata

from tests.rendering.quotes import DOLLAR, FRESH, STALE, board
from tests.support.upstream import NOON
from ticker.rendering.locales import UnknownLanguageError, locale_of
from ticker.rendering.renderer import KEPT, Renderer, View

KINDS = ("quotes", "quote", "widget", "event")


@pytest.fixture
def renderer() -> Renderer:
    """A renderer with nothing kept."""
    return Renderer({"cbr": {"en": "Bank of Russia"}})


@pytest.mark.parametrize("kind", KINDS)
def test_a_view_is_made_once_a_version(renderer: Renderer, kind: str) -> None:
    """The very same bytes object is handed out until the board moves on."""
    view = View(kind, ("USD",))
    first = renderer.render(board(FRESH), view)
    assert renderer.render(board(FRESH), view) is first
    assert renderer.render(board(STALE, version=2), view) is not first


def test_nothing_of_an_older_version_is_kept(renderer: Renderer) -> None:
    """A version that is over is never served again, nor held in memory."""
    views = [View("widget", ("USD",), lang) for lang in ("en", "ru", "de")]
    for view in views:
        renderer.render(board(FRESH), view)
    renderer.render(board(FRESH, version=2), views[0])
    assert len(renderer._views) == 1


def test_the_cache_is_bounded_whatever_is_asked(renderer: Renderer) -> None:
    """Somebody trying every combination costs time, not memory."""
    for number in range(KEPT + 50):
        renderer.render(board(FRESH), View("quote", ("USD",), hour=NOON + timedelta(hours=number)))
    assert len(renderer._views) == KEPT


@pytest.mark.parametrize("kind", KINDS)
def test_every_language_of_cldr_renders(renderer: Renderer, kind: str) -> None:
    """None of them stops the service or invents a number."""
    for tag in list(localedata.locale_identifiers())[::23]:
        view = View(kind, ("USD",), str(locale_of(tag.replace("_", "-"))).replace("_", "-"))
        assert b"100.6798" in renderer.render(board(FRESH), view).body


def test_the_order_asked_for_is_the_order_shown(renderer: Renderer) -> None:
    """Each order is a view of its own; without one it is the board's."""
    both = board(FRESH, replace(FRESH, instrument=replace(DOLLAR, symbol="EUR")))
    for asked in (("USD", "EUR"), ("EUR", "USD"), ()):
        body = renderer.render(both, View("quotes", asked)).body
        assert tuple(q["symbol"] for q in json.loads(body)["quotes"]) == (asked or ("USD", "EUR"))


def test_an_unknown_symbol_or_language_is_an_error(renderer: Renderer) -> None:
    """And leaves nothing behind."""
    with pytest.raises(KeyError):
        renderer.render(board(FRESH), View("quotes", ("GBP",)))
    with pytest.raises(UnknownLanguageError):
        renderer.render(board(FRESH), View("quotes", (), "zz"))
    assert len(renderer._views) == 0


def test_a_view_is_dated_by_its_snapshot(renderer: Renderer) -> None:
    """It changed when the board did, not when somebody first asked."""
    assert renderer.render(board(FRESH), View("widget")).modified == board(FRESH).generated_at
