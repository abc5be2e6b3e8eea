"""The page `/` and the frame: the widget in its surroundings, with everything a person may choose and copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from babel import Locale
from cachetools import LRUCache
from markupsafe import Markup

from ticker.quotes import Quote, Snapshot
from ticker.rendering import locales, phrases
from ticker.rendering.embeds import WidgetChoice, embeds
from ticker.rendering.html import STYLES, HtmlRenderer, shown_quotes
from ticker.rendering.page_words import words_for
from ticker.rendering.representation import HTML, Representation
from ticker.storage.base import Point

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

    choice: WidgetChoice
    sources: tuple[SourceState, ...] = ()
    history: tuple[str, ...] = ()


class Site:
    """Renders the page and the frame, each once for the same snapshot, choice and state of the sources."""

    def __init__(self, html: HtmlRenderer) -> None:
        self._html = html
        self._ready: LRUCache[tuple[int, str, Sheet], Representation] = LRUCache(_KEPT)

    def page(
        self, snapshot: Snapshot, sheet: Sheet, past: Mapping[str, Sequence[Point]] | None = None
    ) -> Representation:
        """The page. Raises UnknownLanguageError, and KeyError for a symbol not on the board.

        `past` are the last days of each symbol, for the sparklines.
        """
        return self._kept("page.html", snapshot, sheet, past or {})

    def frame(
        self, snapshot: Snapshot, choice: WidgetChoice, past: Mapping[str, Sequence[Point]] | None = None
    ) -> Representation:
        """The page that an iframe holds: the widget and nothing else."""
        return self._kept("frame.html", snapshot, Sheet(choice), past or {})

    def _kept(
        self, template: str, snapshot: Snapshot, sheet: Sheet, past: Mapping[str, Sequence[Point]]
    ) -> Representation:
        key = (snapshot.version, template, sheet)
        if key not in self._ready:
            body = self._filled(template, snapshot, sheet, past).encode()
            successes = [source.last_success for source in sheet.sources if source.last_success]
            self._ready[key] = Representation(body, HTML, max([snapshot.generated_at, *successes]))
        return self._ready[key]

    def _filled(self, template: str, snapshot: Snapshot, sheet: Sheet, past: Mapping[str, Sequence[Point]]) -> str:
        choice, locale = sheet.choice, locales.locale_of(sheet.choice.lang)
        quotes = shown_quotes(snapshot, choice.symbols)
        known = tuple(quote.symbol for quote in snapshot.quotes)
        labels = {quote.symbol: _label(quote, locale) for quote in snapshot.quotes}
        # Markup is safe here: the fragment is our own template's escaped output.
        widget = Markup(self._html.widget(snapshot, quotes, locale, choice.style, past=past))  # noqa: S704 # nosec B704
        return self._html.fill(
            template,
            locale,
            widget=widget,
            words=words_for(locale),
            reasons=phrases.reasons(locale),
            demo=snapshot.demo,
            rows=self._html.items(quotes, locale),
            choice=choice,
            labels=labels,
            embeds=embeds(choice, self._html.links, known),
            languages=_languages(choice.lang),
            styles=STYLES,
            themes=THEMES,
            sources=[(each, self._html.attribution(each.id, locale)) for each in sheet.sources],
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
