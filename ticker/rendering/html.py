"""Quotes as HTML: the fragment and the pages, by templates with autoescape, so that no text is ever markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from babel import Locale

from ticker.quotes import Quote, Snapshot, Status, worst
from ticker.rendering import locales
from ticker.rendering.chart import Sparkline, sparkline
from ticker.rendering.schemas import name_of, valid_until
from ticker.rendering.templates import fill
from ticker.rendering.words import fragment_phrases, reasons, speaks
from ticker.storage.base import Point

STYLES = ("plain", "change", "sparkline", "upcoming")


@dataclass(frozen=True, slots=True)
class Links:
    """Where the service's own files stand: `base` is its public address without a slash at the end, "" for here."""

    base: str = ""
    widget_js: str = "/widget.js"
    widget_css: str = "/widget.css"
    page_js: str = "/page.js"
    page_css: str = "/page.css"
    icon_svg: str = "/icon.svg"
    favicon_ico: str = "/favicon.ico"
    docs_js: str = "/docs.js"
    docs_css: str = "/docs.css"


@dataclass(frozen=True, slots=True)
class UpcomingItem:
    """The number that comes into force next: `price` for people, `value` for programs, `day` its date in short.

    `doubt` says why nobody should count on it yet; None where an independent copy says the same.
    """

    price: str
    value: str
    day: str
    as_of: str
    note: str
    doubt: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """One instrument as the templates see it: its quote, and all that is text already in the reader's language.

    `price` is the number for people and `value` the same for programs; `when` is of when it is, `day` its date, and
    `age` the same where it has to be seen. `note` is the tooltip, `href` where more is told, `edited` the note of an
    editor who holds the number.
    """

    quote: Quote
    label: str
    name: str
    price: str | None
    value: str | None
    age: str | None
    when: str | None
    day: str | None
    attribution: str | None
    change: str | None
    direction: str | None
    note: str
    edited: str | None
    href: str | None
    upcoming: UpcomingItem | None = None
    line: Sparkline | None = None


class HtmlRenderer:
    """Renders HTML from snapshots. `attributions` are the sources' names for readers, by source and language."""

    def __init__(self, attributions: Mapping[str, Mapping[str, str]], links: Links | None = None) -> None:
        self.links = links or Links()
        self._attributions = attributions

    def widget(
        self,
        snapshot: Snapshot,
        quotes: Sequence[Quote],
        locale: Locale,
        style: str = "plain",
        *,
        seen: datetime | None = None,
        dated: bool = False,
        past: Mapping[str, Sequence[Point]] | None = None,
    ) -> str:
        """The fragment: a list that is right without script and without style. `style` is one of STYLES.

        With `dated` every number tells of when it is, as a stale one does: for where nobody will mark it later. A
        plain fragment seen at `seen` shows the date of a stale number only where it is of another day: a number of
        today is marked as stale, and the header's text stays what it is. A number whose date lies ahead always shows
        it. `past` are the lines to draw by symbol.
        """

        def aged(quote: Quote) -> bool:
            if dated or _lies_ahead(quote, snapshot.generated_at):
                return True
            is_of_today = style == "plain" and seen is not None and _is_of_the_day(quote, seen)
            return quote.status is Status.STALE and not is_of_today

        items = [
            self._item(
                quote,
                locale,
                aged=aged(quote),
                line=_line(quote, past, locale) if past and style == "sparkline" else None,
            )
            for quote in quotes
        ]
        return self.fill(
            "fragment.html",
            locale,
            items=items,
            style=style,
            status=worst(quote.status for quote in quotes),
            version=snapshot.version,
            valid_until=valid_until(quotes),
            words=fragment_phrases(locale),
            demo=snapshot.demo,
        )

    def fill(self, template: str, locale: Locale, **values: object) -> str:
        """A template filled in for readers of `locale`."""
        return fill(template, locale, links=self.links, **values)

    def items(self, quotes: Sequence[Quote], locale: Locale) -> list[Item]:
        """The instruments as a template sees them."""
        return [self._item(quote, locale, aged=quote.status is Status.STALE) for quote in quotes]

    def attribution(self, source: str, locale: Locale) -> str:
        """The source's name for readers."""
        return locales.chosen(self._attributions.get(source, {}), locale, source)

    def _item(self, quote: Quote, locale: Locale, *, aged: bool, line: Sparkline | None = None) -> Item:
        what, price, as_of, percent = quote.instrument, quote.price, quote.as_of, quote.change_percent
        words, override = fragment_phrases(locale), quote.override
        attribution = None if price is None else self._speaker(quote, locale)
        when = None if price is None or as_of is None else _moment(as_of, locale)
        reason = str(quote.reason) if quote.reason else None
        told = (attribution, when, quote.contract.code if quote.contract and price is not None else None)
        return Item(
            quote=quote,
            label=locales.chosen(what.label, locale, quote.symbol),
            name=f"{name_of(what, locale)}, {what.quote} / {locales.unit(what.unit, locale)}",
            price=None if price is None else locales.number(price, what.decimals, locale),
            value=None if price is None else format(price, "f"),
            age=_short_moment(as_of, locale) if as_of and aged and price is not None else None,
            when=when,
            day=None if price is None or as_of is None else locales.day(as_of, locale),
            attribution=attribution,
            change=None if percent is None else locales.change(percent, locale),
            direction=None if percent is None else _direction(locales.rounded(percent, 2)),
            note=", ".join(filter(None, told)) or _absence(reason, locale),
            edited=None if override is None else f"{words['edited']}: {override.note}",
            href=f"{self.links.base}/?lang={locales.tag_of(locale)}#{quote.symbol}" if self.links.base else None,
            upcoming=self._upcoming(quote, locale),
            line=line,
        )

    def _speaker(self, quote: Quote, locale: Locale) -> str | None:
        """Whose number it is."""
        if quote.override is not None and quote.override.mode == "price":
            return fragment_phrases(locale)["edited"]
        return self.attribution(quote.source, locale) if quote.source else None

    def _upcoming(self, quote: Quote, locale: Locale) -> UpcomingItem | None:
        upcoming = quote.upcoming
        if upcoming is None or (quote.override is not None and quote.override.mode == "hide"):
            return None
        reason = str(upcoming.reason) if upcoming.reason else None
        unconfirmed = fragment_phrases(locale)["unconfirmed"]
        told = (self.attribution(upcoming.source, locale), locales.day(upcoming.as_of, locale))
        return UpcomingItem(
            price=locales.number(upcoming.price, quote.instrument.decimals, locale),
            value=format(upcoming.price, "f"),
            day=locales.short_day(upcoming.as_of, locale),
            as_of=upcoming.as_of.date().isoformat(),
            note=", ".join(told),
            doubt=None if upcoming.confirmed and not reason else _explained(unconfirmed, reason, locale),
        )


def shown_quotes(snapshot: Snapshot, symbols: tuple[str, ...]) -> tuple[Quote, ...]:
    """The quotes of `symbols` in that order; none means all. Raises KeyError for one not on the board."""
    board = {quote.symbol: quote for quote in snapshot.quotes}
    return tuple(board[symbol] for symbol in symbols) if symbols else snapshot.quotes


def _absence(reason: str | None, locale: Locale) -> str:
    """Why there is no number."""
    return _explained(fragment_phrases(locale)["unavailable"], reason, locale)


def _explained(what: str, reason: str | None, locale: Locale) -> str:
    """With the reason where we have the words of the language for it."""
    return f"{what}: {reasons(locale)[reason]}" if reason and speaks(locale) else what


def _line(quote: Quote, past: Mapping[str, Sequence[Point]], locale: Locale) -> Sparkline | None:
    points = past.get(quote.symbol, ())
    # A number that is withdrawn stands nowhere, in no line either.
    return sparkline(points, quote, locale) if points and quote.price is not None else None


def _lies_ahead(quote: Quote, now: datetime) -> bool:
    """Whether a number is shown before it is in force: dated a later day than it is in its publisher's zone."""
    if quote.as_of is None or quote.instrument.rate != "latest":
        return False
    return quote.as_of.date() > now.astimezone(quote.as_of.tzinfo).date()


def _is_of_the_day(quote: Quote, seen: datetime) -> bool:
    """Whether the number is of the day on which it is looked at, in its source's zone."""
    return quote.as_of is not None and quote.as_of.date() >= seen.astimezone(quote.as_of.tzinfo).date()


def _is_day(moment: datetime) -> bool:
    """Whether a number is of a day rather than of a moment: a fixing counts from midnight."""
    return moment.time().isoformat() == "00:00:00"


def _moment(moment: datetime, locale: Locale) -> str:
    return (locales.day if _is_day(moment) else locales.minute)(moment, locale)


def _short_moment(moment: datetime, locale: Locale) -> str:
    return (locales.day if _is_day(moment) else locales.short_minute)(moment, locale)


def _direction(change: Decimal) -> str:
    """Where the change goes as it is shown, 0.00% nowhere: up, down or flat."""
    return "up" if change > 0 else "down" if change < 0 else "flat"
