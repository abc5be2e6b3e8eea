"""Quotes as HTML: the fragment, and the templates of the pages with autoescape, so that no text is ever markup."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from jinja2 import Environment, PackageLoader, StrictUndefined

from ticker.quotes import Quote, Snapshot, Status
from ticker.render import locales, wire
from ticker.render.cldr import Locale
from ticker.render.fragment import Row, fragment
from ticker.render.words import demo_in

STYLES = ("plain", "change", "sparkline")


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
    pictures: bool = False


def _demo(locale: Locale) -> str:

    return demo_in(locale)


def _same_day(quote: Quote, seen: datetime) -> bool:
    return quote.as_of is not None and quote.as_of.date() == seen.astimezone(quote.as_of.tzinfo).date()


class Pages:
    """Renders HTML from snapshots. `attributions` are the sources' names for readers, by source and language."""

    def __init__(self, attributions: Mapping[str, Mapping[str, str]], links: Links | None = None) -> None:
        self._attributions = attributions
        self.links = links or Links()
        self._made: Environment | None = None

    @property
    def _templates(self) -> Environment:

        self._made = self._made or Environment(
            loader=PackageLoader("ticker.render"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )
        return self._made

    def widget(
        self,
        snapshot: Snapshot,
        quotes: Sequence[Quote],
        locale: Locale,
        style: str = "plain",
        seen: datetime | None = None,
        *,
        dated: bool = False,
    ) -> str:
        """The fragment: a list that is right without script and without style. `style` is one of STYLES.

        With `dated` every number tells of when it is, as a stale one does: for where nobody will mark it later.

        A plain fragment seen at `seen` tells a stale number's date only where it is of another day: of today it is
        marked (`data-status`, its look, its title), and the header's text stays what it is.
        """
        rows = self.rows(quotes, locale, dated=dated)
        if style == "plain" and seen is not None and not dated:
            rows = [
                replace(row, age=None) if _same_day(quote, seen) else row
                for quote, row in zip(quotes, rows, strict=True)
            ]
        demo = _demo(locale) if snapshot.demo else None
        about = {"lang": locales.tag_of(locale), "dir": _direction_of(locale), "data-version": f"{snapshot.version}"}
        styled = about if style == "plain" else about | {"data-style": style}
        return fragment(rows, styled, self.links, locales.DASH, demo)

    def fill(self, template: str, locale: Locale, **values: object) -> str:
        """A template filled in for readers of `locale`."""
        return self._templates.get_template(template).render(
            lang=locales.tag_of(locale),
            dir=_direction_of(locale),
            dash=locales.DASH,
            links=self.links,
            **values,
        )

    def rows(self, quotes: Sequence[Quote], locale: Locale, *, dated: bool = False) -> list[Row]:
        """The instruments as a template sees them; `dated` shows the age of the fresh ones too."""
        return [self._row(quote, locale, aged=dated or quote.status is Status.STALE) for quote in quotes]

    def _row(self, quote: Quote, locale: Locale, *, aged: bool) -> Row:
        what, as_of = quote.instrument, quote.as_of
        dated = as_of is not None and as_of.time().isoformat() == "00:00:00"
        known = quote.price is not None
        percent = quote.change_percent
        return Row(
            symbol=quote.symbol,
            label=locales.chosen(what.label, locale, quote.symbol),
            name=f"{wire.name_of(what, locale)}, {what.quote} / {locales.unit(what.unit, locale)}",
            status=str(quote.status),
            reason=str(quote.reason) if quote.reason else None,
            price=None if quote.price is None else locales.number(quote.price, what.decimals, locale),
            value=None if quote.price is None else format(quote.price, "f"),
            age=(locales.day if dated else locales.brief)(as_of, locale) if as_of and aged else None,
            when=(locales.day if dated else locales.minute)(as_of, locale) if as_of and known else None,
            as_of=wire.stamp(as_of),
            attribution=self._attribution(quote, locale),
            change=None if percent is None else locales.change(percent, locale),
            direction=None if percent is None else _direction(locales.rounded(percent, 2)),
        )

    def _attribution(self, quote: Quote, locale: Locale) -> str | None:
        return None if quote.source is None or quote.price is None else self.title(quote.source, locale)

    def title(self, source: str, locale: Locale) -> str:
        """The source's name for readers."""
        return locales.chosen(self._attributions.get(source, {}), locale, source)


def _direction_of(locale: Locale) -> str:
    return "rtl" if locale.character_order == "right-to-left" else "ltr"


def _direction(change: Decimal) -> str:
    """Where the change goes as it is shown, 0.00% nowhere: up, down or flat."""
    return "up" if change > 0 else "down" if change < 0 else "flat"
