"""Which view of a snapshot was asked for, and the bounded cache that makes each only once for the same snapshot."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cachetools import LRUCache

from ticker.quotes import Snapshot
from ticker.rendering import formats
from ticker.rendering.html import HtmlRenderer, Links, shown_quotes
from ticker.rendering.locales import DEFAULT, locale_of
from ticker.rendering.representation import EVENTS, HTML, JSON, Representation, to_json
from ticker.rendering.schemas import BoardSchema, QuoteSchema
from ticker.rendering.site import Site
from ticker.storage.base import Point

# Views kept ready. A site uses a handful; anything above is somebody trying every combination.
KEPT = 512
_STEADY = 8
_PLAIN = formats.Form()


@dataclass(frozen=True, slots=True)
class View:
    """What was asked for: the kind of representation, the symbols in their order, the language, a widget's style.

    `kind` is "quotes", "quote", "event" or "widget". `hour` is the hour it is looked at, given where the text depends
    on the day: where a number is stale. `dated` is a widget in which every number tells of when it is.
    """

    kind: str
    symbols: tuple[str, ...] = ()
    lang: str = DEFAULT
    style: str = "plain"
    hour: datetime | None = None
    form: formats.Form = _PLAIN
    dated: bool = False


class Renderer:
    """Renders views of snapshots, each once for the same snapshot.

    `attributions` are the sources' names for readers, by source and language.
    """

    def __init__(self, attributions: Mapping[str, Mapping[str, str]], links: Links | None = None) -> None:
        self.html = HtmlRenderer(attributions, links)
        self.site = Site(self.html)
        self._snapshot: Snapshot | None = None
        self._steady: LRUCache[Hashable, Representation] = LRUCache(_STEADY)
        self._views: LRUCache[View, Representation] = LRUCache(KEPT)

    def render(
        self, snapshot: Snapshot, view: View, past: Mapping[str, Sequence[Point]] | None = None
    ) -> Representation:
        """The representation of `view`. Raises UnknownLanguageError, and KeyError for a symbol not on the board.

        `past` are the last days of each symbol, oldest first, which the style "sparkline" draws.
        """
        if snapshot is not self._snapshot:
            if snapshot != self._snapshot:
                self._views.clear()
            self._snapshot = snapshot
        if view not in self._views:
            self._views[view] = self.render_uncached(snapshot, view, past)
        return self._views[view]

    def render_uncached(
        self, snapshot: Snapshot, view: View, past: Mapping[str, Sequence[Point]] | None = None
    ) -> Representation:
        """The same for a board out of the past, which takes no place from the present one's views."""
        quotes, locale = shown_quotes(snapshot, view.symbols), locale_of(view.lang)
        if view.kind == "widget":
            text = self.html.widget(
                snapshot, quotes, locale, view.style, seen=view.hour, dated=view.dated, past=past or {}
            )
            return Representation(text.encode(), HTML, snapshot.generated_at)
        if view.form != _PLAIN:
            body = formats.write_quotes(snapshot, quotes, locale, view.form, alone=view.kind == "quote")
            return Representation(body, formats.CONTENT_TYPES[view.form.format], snapshot.generated_at)
        if view.kind == "quote":
            body = to_json(QuoteSchema.of(quotes[0], locale, demo=snapshot.demo))
            return Representation(body, JSON, snapshot.generated_at)
        board = to_json(BoardSchema.of(snapshot, quotes, locale))
        if view.kind == "event":
            # The chunk that every listener of the view is sent, the same bytes for all (HTML, 9.2.6).
            event = b"id: %d\nevent: quotes\ndata: %b\n" % (snapshot.version, board)
            return Representation(event, EVENTS, snapshot.generated_at)
        return Representation(board, JSON, snapshot.generated_at)

    def steady(self, key: Hashable, make: Callable[[], Representation]) -> Representation:
        """What follows from the configuration alone, made once for `key`."""
        if key not in self._steady:
            self._steady[key] = make()
        return self._steady[key]
