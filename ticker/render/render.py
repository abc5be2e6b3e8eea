"""Which view of a snapshot was asked for, and the bounded cache that makes each only once a version."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cachetools import LRUCache
from markupsafe import Markup

from ticker.quotes import Quote, Snapshot
from ticker.render import encoder, forms, locales, wire
from ticker.render.cldr import Locale
from ticker.render.embeds import Choice, embeds
from ticker.render.html import STYLES, Links, Pages
from ticker.render.locales import locale_of
from ticker.render.reasons import reasons_for
from ticker.render.representation import Representation
from ticker.render.words import words_for

# Views kept ready. A site uses a handful; anything above is somebody trying every combination.
KEPT = 512
_STEADY = 8

JSON = "application/json"
HTML = "text/html; charset=utf-8"
EVENTS = "text/event-stream"


_PLAIN = forms.Form()


@dataclass(frozen=True, slots=True)
class View:
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


# The page `/` and the frame: the widget in its surroundings, with everything a person may choose and copy.


THEMES = ("auto", "light", "dark")
# A choice of languages for the page's control; the widget itself speaks all that CLDR knows.
LANGUAGES = ("en", "ru", "ar", "de", "es", "fa", "fr", "he", "hi", "it", "ja", "kk", "ko", "pl", "pt", "tr", "uk", "zh")
_KEPT = 64


@dataclass(frozen=True, slots=True)
class SourceState:
    """How one source stands: `up` is None before it was asked; `terms` where its publisher says what one may do."""

    id: str
    feeds: tuple[str, ...]
    up: bool | None
    reason: str | None
    last_success: datetime | None
    terms: str | None


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one page shows beside the snapshot; `history` are the symbols of which there is any to draw."""

    choice: Choice
    sources: tuple[SourceState, ...] = ()
    history: tuple[str, ...] = ()


class Site:
    """Renders the page and the frame, each once for the same snapshot, choice and state of the sources."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._ready: LRUCache[tuple[int, str, Sheet], Representation] = LRUCache(_KEPT)

    def page(self, snapshot: Snapshot, sheet: Sheet) -> Representation:
        """The page. Raises UnknownLanguageError, and KeyError for a symbol not on the board."""
        return self._kept("page.html", snapshot, sheet)

    def frame(self, snapshot: Snapshot, choice: Choice) -> Representation:
        """The page that an iframe holds: the widget and nothing else."""
        return self._kept("frame.html", snapshot, Sheet(choice))

    def _kept(self, template: str, snapshot: Snapshot, sheet: Sheet) -> Representation:
        key = (snapshot.version, template, sheet)
        if key not in self._ready:
            body = self._filled(template, snapshot, sheet).encode()
            successes = [source.last_success for source in sheet.sources if source.last_success]
            self._ready[key] = Representation(body, HTML, max([snapshot.generated_at, *successes]))
        return self._ready[key]

    def _filled(self, template: str, snapshot: Snapshot, sheet: Sheet) -> str:
        choice, locale = sheet.choice, locales.locale_of(sheet.choice.lang)
        quotes = quotes_of(snapshot, choice.symbols)
        known = tuple(quote.symbol for quote in snapshot.quotes)
        labels = {quote.symbol: _label(quote, locale) for quote in snapshot.quotes}
        # Markup is safe here: the fragment is our own escaped output.
        widget = Markup(self._pages.widget(snapshot, quotes, locale, choice.style))  # noqa: S704 # nosec B704
        return self._pages.fill(
            template,
            locale,
            widget=widget,
            words=words_for(locale),
            reasons=reasons_for(locale),
            demo=snapshot.demo,
            rows=self._pages.rows(quotes, locale),
            choice=choice,
            labels=labels,
            embeds=embeds(choice, self._pages.links, known),
            languages=_languages(choice.lang),
            styles=STYLES if self._pages.links.pictures else STYLES[:2],
            themes=THEMES,
            sources=[(each, self._pages.title(each.id, locale)) for each in sheet.sources],
            history=[_charted(quote, locale) for quote in snapshot.quotes if quote.symbol in sheet.history],
        )


def _charted(quote: Quote, locale: Locale) -> tuple[str, str, int]:
    """What a chart is called by, what it is titled, and how many digits its prices are shown with."""
    return quote.symbol, _label(quote, locale), quote.instrument.decimals


def _label(quote: Quote, locale: Locale) -> str:
    """What the header calls it."""
    return locales.chosen(quote.instrument.label, locale, quote.symbol)


def _languages(chosen: str) -> list[tuple[str, str]]:
    """Tags with the languages' own names, the chosen one among them."""
    tags = LANGUAGES if chosen in LANGUAGES else (chosen, *LANGUAGES)
    return [(tag, locales.own_name(tag)) for tag in tags]
