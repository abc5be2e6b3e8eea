"""The page `/`, the frame, the card that a link unfurls to, and the feed of fixings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from importlib.resources import files
from operator import itemgetter
from urllib.parse import urlencode, urlsplit

import resvg_py
from babel import Locale
from cachetools import LRUCache
from markupsafe import Markup

from ticker.corrections import Correction
from ticker.quotes import Instrument, PriceType, Quote, Snapshot
from ticker.rendering import locales
from ticker.rendering.chart import RANGES
from ticker.rendering.embeds import COLOURS, THEMES, WidgetChoice, embeds
from ticker.rendering.html import STYLES, HtmlRenderer, shown_quotes
from ticker.rendering.representation import HTML, PNG, Representation
from ticker.rendering.schemas import name_of
from ticker.rendering.words import LANGUAGES, PAGE_LANGUAGES, reasons, words_for
from ticker.storage.base import Point

_KEPT = 32


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
class Drawing:
    """The history chart of one instrument: an SVG element, "" where there is nothing to draw; `zone` is its days'."""

    symbol: str
    svg: str
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Converted:
    """What the converter shows: what was asked, and its result in plain digits.

    `result` is None where a number on the way is not known. `failed` says that the amount could not be read, or that
    no number leads from one to the other.
    """

    amount: str
    origin: str
    to: str
    result: str | None = None
    as_of: datetime | None = None
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one page shows beside the snapshot.

    `lang` is the page's own language, one of PAGE_LANGUAGES; `day` is the day of which the numbers are told, None
    for now. `drawings` is None where the store cannot be read.
    """

    choice: WidgetChoice
    lang: str = "en"
    sources: tuple[SourceState, ...] = ()
    span: str = "1m"
    drawings: tuple[Drawing, ...] | None = ()
    day: date | None = None
    since: date | None = None
    today: date | None = None
    converted: Converted | None = None
    codes: tuple[str, ...] = ()
    none_chosen: bool = False
    evidence: bool = False
    corrections: tuple[Correction, ...] = ()


class Site:
    """Renders the page and the frame, each once for the same snapshot, choice and state of the sources."""

    def __init__(self, html: HtmlRenderer) -> None:
        self._html = html
        self._ready: LRUCache[tuple[int, str, Sheet], Representation] = LRUCache(_KEPT)

    def page(
        self,
        snapshot: Snapshot,
        sheet: Sheet,
        past: Mapping[str, Sequence[Point]] | None = None,
        then: Snapshot | None = None,
    ) -> Representation:
        """The page. Raises UnknownLanguageError, and KeyError for a symbol not on the board.

        `past` are the last days of each symbol, for the sparklines. `then` is the board of the sheet's day.
        """
        if then is not None:
            return self._made("page.html", snapshot, sheet, past or {}, then)
        return self._kept("page.html", snapshot, sheet, past or {})

    def frame(
        self, snapshot: Snapshot, choice: WidgetChoice, past: Mapping[str, Sequence[Point]] | None = None
    ) -> Representation:
        """The page that an iframe holds: the widget and nothing else."""
        return self._kept("frame.html", snapshot, Sheet(choice, choice.lang), past or {})

    def problem(self, lang: str, title: str, detail: str) -> bytes:
        """The page for people who asked for what there is not; `title` is a key of the page's words."""
        locale = locales.locale_of(lang)
        words = words_for(locale)
        return self._html.fill("problem.html", locale, words=words, title=words[title], detail=detail).encode()

    def _kept(
        self, template: str, snapshot: Snapshot, sheet: Sheet, past: Mapping[str, Sequence[Point]]
    ) -> Representation:
        key = (snapshot.version, template, sheet)
        if key not in self._ready:
            self._ready[key] = self._made(template, snapshot, sheet, past, snapshot)
        return self._ready[key]

    def _made(
        self, template: str, snapshot: Snapshot, sheet: Sheet, past: Mapping[str, Sequence[Point]], then: Snapshot
    ) -> Representation:
        choice, locale = sheet.choice, locales.locale_of(sheet.lang)
        spoken, words = locales.locale_of(choice.lang), words_for(locale)
        quotes = shown_quotes(snapshot, choice.symbols)
        # Markup is safe here: the fragment is our own template's escaped output.
        widget = Markup(self._html.widget(snapshot, quotes, spoken, choice.style, past=past))  # noqa: S704 # nosec B704
        labels = {quote.symbol: _label(quote, locale) for quote in snapshot.quotes}
        host = urlsplit(self._html.links.base).netloc or words["this_service"]
        text = self._html.fill(
            template,
            locale,
            widget=widget,
            words=words,
            reasons=reasons(locale),
            demo=snapshot.demo,
            choice=choice,
            sheet=sheet,
            labels=labels,
            cards=[self._card(quote, sheet, locale) for quote in shown_quotes(then, choice.symbols)],
            embeds=embeds(
                choice,
                self._html.links,
                {quote.symbol: _label(quote, spoken) for quote in snapshot.quotes},
                words_for(spoken)["title"],
            ),
            languages=_languages(choice.lang),
            page_languages=[(tag, locales.own_name(tag).capitalize()) for tag in PAGE_LANGUAGES],
            styles=STYLES,
            themes=THEMES,
            sizes=("small", "normal", "large"),
            colours=COLOURS,
            ranges=RANGES,
            own_query=_own_query(sheet),
            sources=[(each, self._html.attribution(each.id, locale)) for each in sheet.sources],
            answering=sum(source.up is True for source in sheet.sources),
            day=None if sheet.day is None else _day(sheet.day, locale),
            privacy=words["privacy_text"].format(host=host),
        )
        successes = [source.last_success for source in sheet.sources if source.last_success]
        return Representation(text.encode(), HTML, max([snapshot.generated_at, *successes]))

    def _card(self, quote: Quote, sheet: Sheet, locale: Locale) -> dict[str, object]:
        """One instrument: what the fragment says of it, its chart, and when the next number is due."""
        drawing = next((each for each in sheet.drawings or () if each.symbol == quote.symbol), None)
        due = quote.next_update_at
        return {
            "item": self._html.items((quote,), locale)[0],
            # The chart is our own, of numbers and escaped text.
            "chart": Markup(drawing.svg) if drawing and drawing.svg else None,  # noqa: S704 # nosec B704
            "zone": drawing.zone if drawing else "UTC",
            "due": None if due is None or quote.as_of is None else locales.short_minute(_in_zone(due, quote), locale),
        }


def _in_zone(moment: datetime, quote: Quote) -> datetime:
    return moment.astimezone(quote.as_of.tzinfo if quote.as_of else None)


def _day(day: date, locale: Locale) -> str:
    return locales.day(datetime(day.year, day.month, day.day), locale)  # noqa: DTZ001 - a day, no moment


def _own_query(sheet: Sheet) -> str:
    """The choice and the page's language as the page's own links carry them on."""
    choice = sheet.choice
    given = {
        "lang": choice.lang,
        "ui": sheet.lang,
        "symbols": ",".join(choice.symbols),
        "style": choice.style if choice.style != "plain" else "",
        "theme": choice.theme if choice.theme != "auto" else "",
        "size": choice.size if choice.size != "normal" else "",
        "colours": choice.colours if choice.colours != "text" else "",
        "at": sheet.day.isoformat() if sheet.day else "",
    }
    return urlencode({name: value for name, value in given.items() if value}, safe=",")


def _label(quote: Quote, locale: Locale) -> str:
    """What the header calls it."""
    return locales.chosen(quote.instrument.label, locale, quote.symbol)


def _languages(chosen: str) -> list[tuple[str, str]]:
    """Tags with the languages' own names, the chosen one among them."""
    tags = LANGUAGES if chosen in LANGUAGES else (chosen, *LANGUAGES)
    return [(tag, locales.own_name(tag)) for tag in tags]


# The picture that a link to the page unfurls to in messengers and social networks: an SVG, drawn as PNG by resvg.

# Rows that are still read where the picture is shown as wide as a hand.
MOST_ROWS = 4
# A slim image has no fonts: these come along, cut down to the letters of the page's languages.
_FONTS = [str(files("ticker.rendering").joinpath("fonts", name)) for name in ("card.ttf", "card-serif.ttf")]


def card(snapshot: Snapshot, quotes: Sequence[Quote], html: HtmlRenderer, locale: Locale) -> Representation:
    """The card of `quotes`: one large, several in rows; each with its date, since a picture is kept for long."""
    words = words_for(locale)
    items = html.items(quotes[:MOST_ROWS], locale)
    svg = html.fill("card.svg", locale, title=_title(words, snapshot), items=items, words=words)
    png = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True, font_files=_FONTS)
    return Representation(bytes(png), PNG, snapshot.generated_at)


def _title(words: Mapping[str, str], snapshot: Snapshot) -> str:
    return words["title"] + (f" ({words['demo']})" if snapshot.demo else "")


# The day's fixings as an Atom feed (RFC 4287): an entry for each rate in force and each one that is published.

ATOM = "application/atom+xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """An entry of an Atom feed; `path` is its address on this service."""

    id: str
    title: str
    updated: datetime
    path: str
    summary: str
    published: datetime | None = None


def feed(snapshot: Snapshot, html: HtmlRenderer, locale: Locale) -> Representation:
    """The feed in the words of `locale`; its addresses are absolute where the service knows its own."""
    tag, words = locales.tag_of(locale), words_for(locale)
    host = urlsplit(html.links.base).netloc or "market-ticker"
    fixings = sorted(_fixings(snapshot), key=itemgetter(0), reverse=True)
    updated = max((known for known, *_ in fixings), default=snapshot.generated_at)

    def entry(known: datetime, what: Instrument, price: Decimal, as_of: datetime, source: str) -> FeedEntry:
        written = locales.plain(format(price, "f"), locale)
        return FeedEntry(
            id=f"tag:{host},2024:fixings/{what.symbol}/{as_of.date().isoformat()}",
            title=f"{name_of(what, locale)}: {written} {what.quote}, {locales.day(as_of, locale)}",
            updated=known,
            path=f"/?lang={tag}#{what.symbol}",
            summary=f"{html.attribution(source, locale)}. {what.quote} / {locales.unit(what.unit, locale)}",
        )

    text = html.fill(
        "feed.atom",
        locale,
        id=f"tag:{host},2024:fixings/{tag}",
        title=_title(words, snapshot),
        author=words["title"],
        updated=updated,
        path=f"/feed.atom?lang={tag}",
        page=f"/?lang={tag}",
        entries=[entry(*each) for each in fixings],
    )
    return Representation(text.encode(), ATOM, updated)


def _fixings(snapshot: Snapshot) -> Iterator[tuple[datetime, Instrument, Decimal, datetime, str]]:
    """What is known and published: since when we know it, of what, how much, of which day and whose.

    A number that is held back or withdrawn is none.
    """
    for quote in snapshot.quotes:
        if quote.override is not None and quote.override.mode == "hide":
            continue
        fixing = quote.price_type is PriceType.FIXING
        if fixing and quote.price is not None and quote.as_of and quote.source and quote.fetched_at:
            yield quote.fetched_at, quote.instrument, quote.price, quote.as_of, quote.source
        upcoming = quote.upcoming
        if upcoming is not None and upcoming.reason is None:
            yield upcoming.fetched_at, quote.instrument, upcoming.price, upcoming.as_of, upcoming.source
