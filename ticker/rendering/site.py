"""The page `/` and the frame: the widget in its surroundings, with everything a person may choose and copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib.resources import files
from urllib.parse import urlencode, urlsplit
from xml.sax.saxutils import escape, quoteattr

import resvg_py
from babel import Locale
from cachetools import LRUCache
from markupsafe import Markup

from ticker.quotes import PriceType, Quote, Snapshot
from ticker.rendering import locales
from ticker.rendering.chart import RANGES
from ticker.rendering.embeds import COLOURS, SIZES, THEMES, WidgetChoice, embeds
from ticker.rendering.html import STYLES, HtmlRenderer, Item, shown_quotes
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
class CorrectionRow:
    """One entry of the public record; `until` is None while it lasts, and prices are in plain digits."""

    symbol: str
    kind: str
    since: datetime
    until: datetime | None
    shown: str | None
    right: str | None


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
    corrections: tuple[CorrectionRow, ...] = ()


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
        key = (snapshot.version, "page.html", sheet)
        if key not in self._ready:
            self._ready[key] = self._made("page.html", snapshot, sheet, past or {}, snapshot)
        return self._ready[key]

    def frame(
        self, snapshot: Snapshot, choice: WidgetChoice, past: Mapping[str, Sequence[Point]] | None = None
    ) -> Representation:
        """The page that an iframe holds: the widget and nothing else."""
        key = (snapshot.version, "frame.html", Sheet(choice))
        if key not in self._ready:
            self._ready[key] = self._made("frame.html", snapshot, Sheet(choice, choice.lang), past or {}, snapshot)
        return self._ready[key]

    def problem(self, lang: str, title: str, detail: str) -> bytes:
        """The page for people who asked for what there is not; `title` is a key of the page's words."""
        words = words_for(locales.locale_of(lang))
        filled = self._html.fill(
            "problem.html", locales.locale_of(lang), words=words, title=words[title], detail=detail
        )
        return filled.encode()

    def _made(
        self, template: str, snapshot: Snapshot, sheet: Sheet, past: Mapping[str, Sequence[Point]], then: Snapshot
    ) -> Representation:
        body = self._filled(template, snapshot, sheet, past, then).encode()
        successes = [source.last_success for source in sheet.sources if source.last_success]
        return Representation(body, HTML, max([snapshot.generated_at, *successes]))

    def _filled(
        self, template: str, snapshot: Snapshot, sheet: Sheet, past: Mapping[str, Sequence[Point]], then: Snapshot
    ) -> str:
        choice, locale = sheet.choice, locales.locale_of(sheet.lang)
        spoken, words = locales.locale_of(choice.lang), words_for(locale)
        quotes = shown_quotes(snapshot, choice.symbols)
        # Markup is safe here: the fragment is our own template's escaped output.
        widget = Markup(self._html.widget(snapshot, quotes, spoken, choice.style, past=past))  # noqa: S704 # nosec B704
        labels = {quote.symbol: _label(quote, locale) for quote in snapshot.quotes}
        host = urlsplit(self._html.links.base).netloc or words["this_service"]
        return self._html.fill(
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
            converted=None if sheet.converted is None else _converted(sheet.converted, locale),
            corrections=[_correction(each, labels, locale) for each in sheet.corrections],
            privacy=words["privacy_text"].format(host=host),
        )

    def _card(self, quote: Quote, sheet: Sheet, locale: Locale) -> Card:
        drawing = next((each for each in sheet.drawings or () if each.symbol == quote.symbol), None)
        due = quote.next_update_at
        return Card(
            item=self._html.items((quote,), locale)[0],
            # The chart is our own, of numbers and escaped text.
            chart=Markup(drawing.svg) if drawing and drawing.svg else None,  # noqa: S704 # nosec B704
            zone=drawing.zone if drawing else "UTC",
            decimals=quote.instrument.decimals,
            due=None if due is None or quote.as_of is None else locales.short_minute(_in_zone(due, quote), locale),
        )


@dataclass(frozen=True, slots=True)
class Card:
    """One instrument on the page: what the fragment says of it, its chart, and when the next number is due."""

    item: Item
    chart: Markup | None
    zone: str
    decimals: int
    due: str | None


def _in_zone(moment: datetime, quote: Quote) -> datetime:
    return moment.astimezone(quote.as_of.tzinfo if quote.as_of else None)


def _day(day: date, locale: Locale) -> str:
    return locales.day(datetime(day.year, day.month, day.day), locale)  # noqa: DTZ001 - a day, no moment


def _converted(found: Converted, locale: Locale) -> dict[str, str | None]:
    """The converter's answer as it is read."""
    shown = None if found.result is None else locales.plain(found.result, locale)
    return {"result": shown, "day": None if found.as_of is None else locales.day(found.as_of, locale)}


def _correction(row: CorrectionRow, labels: Mapping[str, str], locale: Locale) -> dict[str, str | None]:
    """An entry of the record as it is read."""
    return {
        "label": labels.get(row.symbol, row.symbol),
        "kind": f"kind_{row.kind}",
        "since": locales.short_minute(row.since.astimezone(UTC), locale),
        "until": None if row.until is None else locales.short_minute(row.until.astimezone(UTC), locale),
        "shown": None if row.shown is None else locales.plain(row.shown, locale),
        "right": None if row.right is None else locales.plain(row.right, locale),
    }


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


__all__ = ["COLOURS", "SIZES", "THEMES", "Converted", "CorrectionRow", "Drawing", "Sheet", "Site", "SourceState"]


# The picture that a link to the page unfurls to in messengers and social networks: an SVG, drawn as PNG by resvg.


WIDTH, HEIGHT = 1200, 630
# Rows that are still read where the picture is shown as wide as a hand.
MOST_ROWS = 4
_PAPER, _INK, _SOFT, _LINE, _UP, _DOWN = "#faf8f4", "#1b1a18", "#5f5a52", "#dfd9cd", "#15693d", "#b42318"
# A slim image has no fonts: these come along, cut down to the letters of the page's languages.
_FONTS = [str(files("ticker.rendering").joinpath("fonts", name)) for name in ("card.ttf", "card-serif.ttf")]
_SANS, _SERIF = "DejaVu Sans", "DejaVu Serif"


def card(snapshot: Snapshot, quotes: Sequence[Quote], html: HtmlRenderer, locale: Locale) -> Representation:
    """The card of `quotes`: one large, several in rows; each with its date, since a picture is kept for long."""
    words = words_for(locale)
    items = html.items(quotes[:MOST_ROWS], locale)
    title = words["title"] + (f" ({words['demo']})" if snapshot.demo else "")
    drawn = [
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{_PAPER}"/>',
        _text(72, 104, title, 34, font=_SERIF, weight=700),
        _text(WIDTH - 72, 104, words["card_line"], 26, colour=_SOFT, anchor="end"),
        f'<path d="M72 136H{WIDTH - 72}" stroke="{_LINE}" stroke-width="2"/>',
        *(_large(items[0], words) if len(items) == 1 else _rows(items, words)),
    ]
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(drawn)}</svg>'
    png = resvg_py.svg_to_bytes(svg_string=svg, width=WIDTH, height=HEIGHT, skip_system_fonts=True, font_files=_FONTS)
    return Representation(bytes(png), PNG, snapshot.generated_at)


def _large(item: Item, words: Mapping[str, str]) -> list[str]:
    return [
        _text(72, 210, item.name, 36, colour=_SOFT),
        _text(72, 400, item.price or locales.DASH, 170, font=_SERIF),
        _move(item, 72, 480, 48, "start"),
        _text(72, 560, _told(item, words), 30, colour=_SOFT),
    ]


def _rows(items: Sequence[Item], words: Mapping[str, str]) -> list[str]:
    drawn, step = [], (HEIGHT - 150) / max(len(items), 3)
    for place, item in enumerate(items):
        base = 150 + step * (place + 0.62)
        drawn += [
            _text(72, base, item.label, 46, weight=700),
            _text(690, base, item.price or locales.DASH, 76, font=_SERIF, anchor="end"),
            _move(item, 730, base, 36, "start"),
            _text(WIDTH - 72, base, item.day or "", 24, colour=_SOFT, anchor="end"),
            _text(WIDTH - 72, base + 32, _status(item, words), 24, colour=_DOWN, anchor="end"),
        ]
    return drawn


def _move(item: Item, x: float, y: float, size: int, anchor: str) -> str:
    colour = {"up": _UP, "down": _DOWN}.get(item.direction or "", _SOFT)
    return _text(x, y, item.change or "", size, colour=colour, anchor=anchor)


def _told(item: Item, words: Mapping[str, str]) -> str:
    return ", ".join(filter(None, (item.attribution, item.when, _status(item, words))))


def _status(item: Item, words: Mapping[str, str]) -> str:
    """What has to be said of a number that is not fresh."""
    return "" if item.status == "fresh" else words[item.status]


def _text(
    x: float,
    y: float,
    text: str,
    size: int,
    *,
    colour: str = _INK,
    font: str = _SANS,
    weight: int = 400,
    anchor: str = "start",
) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-family="{font}" font-size="{size}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )


# The day's fixings as an Atom feed (RFC 4287): an entry for each rate in force and each one that is published.


ATOM = "application/atom+xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One fixing: of which day, how much, who says so, and since when we know it."""

    quote: Quote
    price: Decimal
    as_of: datetime
    source: str
    known: datetime


def feed(snapshot: Snapshot, html: HtmlRenderer, locale: Locale) -> Representation:
    """The feed in the words of `locale`; its addresses are absolute where the service knows its own."""
    base, tag = html.links.base, locales.tag_of(locale)
    words, entries = words_for(locale), sorted(_entries(snapshot), key=lambda each: each.known, reverse=True)
    updated = max((each.known for each in entries), default=snapshot.generated_at)
    host = urlsplit(base).netloc or "market-ticker"
    title = words["title"] + (f" ({words['demo']})" if snapshot.demo else "")
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang={quoteattr(tag)}>',
        f"<id>tag:{host},2024:fixings/{tag}</id>",
        f"<title>{escape(title)}</title>",
        f"<updated>{_stamp(updated)}</updated>",
        f"<author><name>{escape(words['title'])}</name></author>",
        f'<link rel="self" type="application/atom+xml" href="{base}/feed.atom?lang={tag}"/>',
        f'<link rel="alternate" type="text/html" href="{base}/?lang={tag}"/>',
        *(_written(each, html, locale, host) for each in entries),
        "</feed>\n",
    ]
    return Representation("\n".join(lines).encode(), ATOM, updated)


def _entries(snapshot: Snapshot) -> Iterator[_Entry]:
    """What is known and published; a number that is held back or withdrawn is none."""
    for quote in snapshot.quotes:
        if quote.override is not None and quote.override.mode == "hide":
            continue
        fixing = quote.price_type is PriceType.FIXING
        if fixing and quote.price is not None and quote.as_of and quote.source and quote.fetched_at:
            yield _Entry(quote, quote.price, quote.as_of, quote.source, quote.fetched_at)
        upcoming = quote.upcoming
        if upcoming is not None and upcoming.reason is None:
            yield _Entry(quote, upcoming.price, upcoming.as_of, upcoming.source, upcoming.fetched_at)


def _written(entry: _Entry, html: HtmlRenderer, locale: Locale, host: str) -> str:
    what, tag = entry.quote.instrument, locales.tag_of(locale)
    price = locales.plain(format(entry.price, "f"), locale)
    day = locales.day(entry.as_of, locale)
    title = f"{name_of(what, locale)}: {price} {what.quote}, {day}"
    summary = f"{html.attribution(entry.source, locale)}. {what.quote} / {locales.unit(what.unit, locale)}"
    return (
        f"<entry><id>tag:{host},2024:fixings/{what.symbol}/{entry.as_of.date().isoformat()}</id>"
        f"<title>{escape(title)}</title><updated>{_stamp(entry.known)}</updated>"
        f'<link rel="alternate" type="text/html" href="{html.links.base}/?lang={tag}#{what.symbol}"/>'
        f"<summary>{escape(summary)}</summary></entry>"
    )


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
