"""Which view of a snapshot was asked for, and the bounded cache that makes each only once a version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachetools import LRUCache

from ticker.render import encoder, forms, wire
from ticker.render.html import Links, Pages
from ticker.render.locales import locale_of
from ticker.render.representation import Representation
from ticker.values import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping
    from datetime import datetime

    from ticker.quotes import Quote, Snapshot
    from ticker.render.cldr import Locale
    from ticker.render.page import Site

# Views kept ready. A site uses a handful; anything above is somebody trying every combination.
KEPT = 512
_STEADY = 8

JSON = "application/json"
HTML = "text/html; charset=utf-8"
EVENTS = "text/event-stream"


_PLAIN = forms.Form()


class View(Struct, frozen=True):
    """What was asked for: the kind of representation, the symbols in their order, the language, a widget's style.

    `hour` is the hour it is looked at, given where the text depends on the day: where a number is stale. `dated` is a
    widget that tells of when each number is.
    """

    kind: str
    symbols: tuple[str, ...] = ()
    lang: str = "en"
    style: str = "plain"
    hour: datetime | None = None
    form: forms.Form = _PLAIN
    dated: bool = False


class Renderer:
    """Renders views of snapshots, each once a version."""

    def __init__(self, attributions: Mapping[str, Mapping[str, str]], links: Links | None = None) -> None:
        self.pages = Pages(attributions, links)
        self._site: Site | None = None
        self._version = 0
        self._steady: LRUCache[Hashable, Representation] = LRUCache(_STEADY)
        self._ready: LRUCache[View, Representation] = LRUCache(KEPT)
        self._kinds: dict[str, tuple[str, Callable[[Snapshot, tuple[Quote, ...], Locale], bytes]]] = {
            "quotes": (JSON, self._quotes),
            "quote": (JSON, self._quote),
            "event": (EVENTS, self._event),
        }

    @property
    def site(self) -> Site:
        """The pages for people."""
        from ticker.render.page import Site  # noqa: PLC0415 - a start answers numbers first

        self._site = self._site or Site(self.pages)
        return self._site

    def render(self, snapshot: Snapshot, view: View) -> Representation:
        """The representation of `view`. Raises UnknownLanguageError, and KeyError for a symbol not on the board."""
        if snapshot.version != self._version:
            self._ready.clear()
            self._version = snapshot.version
        if view not in self._ready:
            self._ready[view] = self._make(snapshot, view)
        return self._ready[view]

    def steady(self, key: Hashable, make: Callable[[], Representation]) -> Representation:
        """What follows from the configuration alone, made once for `key`."""
        if key not in self._steady:
            self._steady[key] = make()
        return self._steady[key]

    def once(self, snapshot: Snapshot, view: View) -> Representation:
        """The representation of a view out of the past, which takes no place from the present ones."""
        return self._make(snapshot, view)

    def _make(self, snapshot: Snapshot, view: View) -> Representation:
        quotes, locale = quotes_of(snapshot, view.symbols), locale_of(view.lang)
        if view.kind == "widget":
            text = self.pages.widget(snapshot, quotes, locale, view.style, view.hour, dated=view.dated)
            return Representation(text.encode(), HTML, snapshot.generated_at)
        if view.form != _PLAIN:
            body = forms.written(snapshot, quotes, locale, view.form, alone=view.kind == "quote")
            return Representation(body, forms.TYPES[view.form.format], snapshot.generated_at)
        content_type, write = self._kinds[view.kind]
        return Representation(write(snapshot, quotes, locale), content_type, snapshot.generated_at)

    def _quotes(self, snapshot: Snapshot, quotes: tuple[Quote, ...], locale: Locale) -> bytes:
        return encoder.line(wire.quotes_of(snapshot, quotes, locale))

    def _quote(self, snapshot: Snapshot, quotes: tuple[Quote, ...], locale: Locale) -> bytes:
        return encoder.line(wire.quote_of(quotes[0], locale, demo=snapshot.demo))

    def _event(self, snapshot: Snapshot, quotes: tuple[Quote, ...], locale: Locale) -> bytes:
        """The chunk that every listener of the view is sent, the same bytes for all (HTML, 9.2.6)."""
        return b"id: %d\nevent: quotes\ndata: %b\n" % (snapshot.version, self._quotes(snapshot, quotes, locale))


def quotes_of(snapshot: Snapshot, symbols: tuple[str, ...]) -> tuple[Quote, ...]:
    """The quotes of `symbols` in that order; none means all. Raises KeyError for one not on the board."""
    board = {quote.symbol: quote for quote in snapshot.quotes}
    return tuple(board[symbol] for symbol in symbols) if symbols else snapshot.quotes
