"""Which view of a snapshot was asked for, and the bounded cache that makes each only once a version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cachetools import LRUCache

from ticker.render import wire
from ticker.render.html import Pages
from ticker.render.locales import locale_of
from ticker.render.representation import Representation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from babel import Locale

    from ticker.quotes import Quote, Snapshot

# Views kept ready. A site uses a handful; anything above is somebody trying every combination.
KEPT = 512

JSON = "application/json"
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class View:
    """What was asked for: the kind of representation, the symbols in the order wanted, and the language."""

    kind: str
    symbols: tuple[str, ...] = ()
    lang: str = "en"


class Renderer:
    """Renders views of snapshots, each once a version."""

    def __init__(self, attributions: Mapping[str, Mapping[str, str]]) -> None:
        self._pages = Pages(attributions)
        self._version = 0
        self._ready: LRUCache[View, Representation] = LRUCache(KEPT)
        self._kinds: dict[str, tuple[str, Callable[[Snapshot, tuple[Quote, ...], Locale], bytes]]] = {
            "quotes": (JSON, self._quotes),
            "quote": (JSON, self._quote),
            "widget": (HTML, self._widget),
            "page": (HTML, self._page),
        }

    def render(self, snapshot: Snapshot, view: View) -> Representation:
        """The representation of `view`. Raises UnknownLanguageError, and KeyError for a symbol not on the board."""
        if snapshot.version != self._version:
            self._ready.clear()
            self._version = snapshot.version
        if view not in self._ready:
            self._ready[view] = self._make(snapshot, view)
        return self._ready[view]

    def once(self, snapshot: Snapshot, view: View) -> Representation:
        """The representation of a view out of the past, which takes no place from the present ones."""
        return self._make(snapshot, view)

    def _make(self, snapshot: Snapshot, view: View) -> Representation:
        board = {quote.symbol: quote for quote in snapshot.quotes}
        quotes = tuple(board[symbol] for symbol in view.symbols) if view.symbols else snapshot.quotes
        content_type, write = self._kinds[view.kind]
        return Representation(write(snapshot, quotes, locale_of(view.lang)), content_type, snapshot.generated_at)

    def _quotes(self, snapshot: Snapshot, quotes: tuple[Quote, ...], locale: Locale) -> bytes:
        return wire.dump(wire.quotes_of(snapshot, quotes, locale))

    def _quote(self, snapshot: Snapshot, quotes: tuple[Quote, ...], locale: Locale) -> bytes:
        return wire.dump(wire.quote_of(quotes[0], locale, demo=snapshot.demo))

    def _widget(self, snapshot: Snapshot, quotes: tuple[Quote, ...], locale: Locale) -> bytes:
        return self._pages.widget(snapshot, quotes, locale).encode()

    def _page(self, snapshot: Snapshot, quotes: tuple[Quote, ...], locale: Locale) -> bytes:
        return self._pages.page(snapshot, quotes, locale).encode()
