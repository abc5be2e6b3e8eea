from __future__ import annotations

from datetime import timedelta

from tests.support.factories import NOON, quote, snapshot
from tests.support.fragments import folded
from ticker.export.files import gone, marked, tree_of
from ticker.quotes import Status
from ticker.rendering.renderer import Renderer

BOARD = snapshot(quote(), quote("OIL", "73.73"), quote("EUR", None))


def text(html: bytes) -> str:
    """The text of a fragment as the contract reads it."""
    return folded(html.decode())


def test_each_widget_is_there_four_times() -> None:
    """Dated for readers of plain files, as the service's, marked as stale, and without a number."""
    tree = tree_of(Renderer({}), BOARD, ("en",), NOON)
    assert text(tree["now/en/widget.html"].body) == "USD100.68 OIL73.73 EUR—"
    dated = "USD100.68 Nov 22, 12:00 OIL73.73 Nov 22, 12:00 EUR—"
    assert text(tree["en/widget.html"].body) == dated
    assert b'data-status="fresh"' in tree["en/widget.html"].body
    assert text(tree["marked/en/widget.html"].body) == dated
    assert b'data-status="fresh"' not in tree["marked/en/widget.html"].body
    assert text(tree["gone/en/widget.html"].body) == "USD— OIL— EUR—"


def test_marked_is_never_better_than_it_was() -> None:
    """What is fresh becomes stale; what is stale or gone stays so."""
    board = snapshot(quote(), quote("OIL", status=Status.STALE), quote("EUR", None))
    assert [each.status for each in marked(board).quotes] == [Status.STALE, Status.STALE, Status.UNAVAILABLE]
    assert [each.price for each in gone(board).quotes] == [None, None, None]


def test_a_file_of_events_names_its_pause() -> None:
    """Who listens to a file would ask again at once."""
    body = tree_of(Renderer({}), BOARD, ("en",), NOON)["en/v1/stream"].body
    assert body.startswith(b"retry: 15000\nid: 1\nevent: quotes\ndata: {")
    assert body.endswith(b"\n\n")


def test_a_stale_number_shows_its_date_from_the_next_day_on() -> None:
    """As the service's own fragment does."""
    old = snapshot(quote(status=Status.STALE))
    today, tomorrow = (tree_of(Renderer({}), old, ("en",), NOON + timedelta(days=days)) for days in (0, 1))
    assert text(today["now/en/widget.html"].body) == "USD100.68"
    assert text(tomorrow["now/en/widget.html"].body) == "USD100.68 Nov 22, 12:00"
