"""A snapshot as files: what a site's own server, a CDN or an object store can give without asking anybody.

A file cannot grow old by itself, so each number is there in four ways:

    LANG/…         for whoever reads plain files: every number tells of when it is
    now/LANG/…     what the service says, to the byte, for as long as somebody vouches for it
    marked/LANG/…  the same numbers marked as stale, for when nobody does any more
    gone/LANG/…    no number at all
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ticker.quotes import Quote, Snapshot, Status
from ticker.rendering.html import STYLES
from ticker.rendering.renderer import Renderer, View
from ticker.rendering.representation import Representation
from ticker.storage.base import Point

# What a widget of a style is called.
WIDGETS = {style: "widget.html" if style == "plain" else f"widget-{style}.html" for style in STYLES}

# Milliseconds between two looks at a file of events.
POLLED = 15_000


def tree_of(
    renderer: Renderer,
    snapshot: Snapshot,
    langs: Iterable[str],
    now: datetime,
    past: Mapping[str, Sequence[Point]] | None = None,
) -> dict[str, Representation]:
    """The files of `snapshot` as it stands at `now`, by path; `past` are the lines to draw, by symbol."""
    shown = [each for lang in langs for each in _views(snapshot, lang, now)]
    made = {path: renderer.render_uncached(board, view, past) for path, board, view in shown}
    return {path: _paced(each) if path.endswith("/stream") else each for path, each in made.items()}


def _paced(events: Representation) -> Representation:
    """A file of events ends at once; who listens asks again after the pause that it names (HTML, 9.2.6)."""
    return replace(events, body=b"retry: %d\n" % POLLED + events.body)


def marked(snapshot: Snapshot) -> Snapshot:
    """The same numbers, none of them fresh: nobody has looked since whether there are newer ones."""
    quotes = (replace(q, status=Status.STALE) if q.status is Status.FRESH else q for q in snapshot.quotes)
    return replace(snapshot, version=snapshot.version + 1, quotes=tuple(quotes))


def gone(snapshot: Snapshot) -> Snapshot:
    """The same instruments without a number."""
    return replace(snapshot, version=0, quotes=tuple(Quote(quote.instrument) for quote in snapshot.quotes))


def _views(snapshot: Snapshot, lang: str, now: datetime) -> Iterator[tuple[str, Snapshot, View]]:
    old = marked(snapshot)
    stale = any(quote.status is Status.STALE for quote in snapshot.quotes)
    # As the service's own handler has it.
    hour = now.replace(minute=0, second=0, microsecond=0) if stale else None
    for folder in (lang, f"now/{lang}"):
        yield from _json(f"{folder}/v1", snapshot, lang)
        yield f"{folder}/v1/stream", snapshot, View("event", lang=lang)
    yield from _json(f"marked/{lang}/v1", old, lang)
    for style, name in WIDGETS.items():
        yield f"{lang}/{name}", snapshot, View("widget", lang=lang, style=style, dated=True)
        yield f"now/{lang}/{name}", snapshot, View("widget", lang=lang, style=style, hour=hour)
        yield f"marked/{lang}/{name}", old, View("widget", lang=lang, style=style, dated=True)
        yield f"gone/{lang}/{name}", gone(snapshot), View("widget", lang=lang, style=style)


def _json(folder: str, snapshot: Snapshot, lang: str) -> Iterator[tuple[str, Snapshot, View]]:
    yield f"{folder}/quotes.json", snapshot, View("quotes", lang=lang)
    for quote in snapshot.quotes:
        yield f"{folder}/quotes/{quote.symbol}.json", snapshot, View("quote", (quote.symbol,), lang)
