"""The page `/` and the frame: the widget in its surroundings, with everything a person may choose and copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cachetools import LRUCache
from markupsafe import Markup

from ticker.render import locales
from ticker.render.embeds import Choice, embeds
from ticker.render.html import STYLES
from ticker.render.reasons import reasons_for
from ticker.render.render import HTML, quotes_of
from ticker.render.representation import Representation
from ticker.render.words import words_for
from ticker.values import Struct

if TYPE_CHECKING:
    from datetime import datetime

    from ticker.quotes import Quote, Snapshot
    from ticker.render.cldr import Locale
    from ticker.render.html import Pages

THEMES = ("auto", "light", "dark")
# A choice of languages for the page's control; the widget itself speaks all that CLDR knows.
LANGUAGES = ("en", "ru", "ar", "de", "es", "fa", "fr", "he", "hi", "it", "ja", "kk", "ko", "pl", "pt", "tr", "uk", "zh")
_KEPT = 64


class SourceState(Struct, frozen=True):
    """How one source stands: `up` is None before it was asked; `terms` where its publisher says what one may do."""

    id: str
    feeds: tuple[str, ...]
    up: bool | None
    reason: str | None
    last_success: datetime | None
    terms: str | None


class Sheet(Struct, frozen=True):
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
    return locales.chosen(quote.instrument.labels, locale, quote.symbol)


def _languages(chosen: str) -> list[tuple[str, str]]:
    """Tags with the languages' own names, the chosen one among them."""
    tags = LANGUAGES if chosen in LANGUAGES else (chosen, *LANGUAGES)
    return [(tag, locales.own_name(tag)) for tag in tags]
