"""The fragment and the page: Jinja templates with autoescape, so that nothing a source says is ever markup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ticker.quotes import Status
from ticker.render import locales, wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from babel import Locale

    from ticker.quotes import Quote, Snapshot


@dataclass(frozen=True, slots=True)
class Row:
    """One instrument as the templates see it: text only, already in the reader's language."""

    symbol: str
    label: str
    name: str
    status: str
    reason: str | None
    price: str | None
    value: str | None
    age: str | None
    when: str | None
    as_of: str | None
    attribution: str | None

    @property
    def note(self) -> str:
        """Where the number is from and of when, as a tooltip."""
        return ", ".join(filter(None, (self.attribution, self.when))) or self.status


class Pages:
    """Renders HTML from snapshots. `attributions` are the sources' names for readers, by source and language."""

    def __init__(self, attributions: Mapping[str, Mapping[str, str]]) -> None:
        self._attributions = attributions
        self._templates = Environment(
            loader=PackageLoader("ticker.render"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
        )

    def widget(self, snapshot: Snapshot, quotes: Sequence[Quote], locale: Locale) -> str:
        """The fragment: a list that is right without script and without style."""
        return self._render("widget.html", snapshot, quotes, locale)

    def page(self, snapshot: Snapshot, quotes: Sequence[Quote], locale: Locale) -> str:
        """The whole page, the fragment in its header."""
        # Markup is safe here: the fragment is this class's own escaped output.
        widget = Markup(self.widget(snapshot, quotes, locale))  # noqa: S704
        return self._render("page.html", snapshot, quotes, locale, widget=widget)

    def _render(
        self, template: str, snapshot: Snapshot, quotes: Sequence[Quote], locale: Locale, **more: object
    ) -> str:
        return self._templates.get_template(template).render(
            rows=[self._row(quote, locale) for quote in quotes],
            version=snapshot.version,
            demo=snapshot.demo,
            lang=str(locale).replace("_", "-"),
            dir="rtl" if locale.character_order == "right-to-left" else "ltr",
            dash=locales.DASH,
            **more,
        )

    def _row(self, quote: Quote, locale: Locale) -> Row:
        what, as_of = quote.instrument, quote.as_of
        dated = as_of is not None and as_of.time().isoformat() == "00:00:00"
        when = None if as_of is None else (locales.day if dated else locales.minute)(as_of, locale)
        return Row(
            symbol=quote.symbol,
            label=locales.chosen(what.labels, locale, quote.symbol),
            name=f"{locales.chosen(what.names, locale, quote.symbol)}, {what.quote} / {what.unit}",
            status=str(quote.status),
            reason=str(quote.reason) if quote.reason else None,
            price=None if quote.price is None else locales.number(quote.price, what.decimals, locale),
            value=None if quote.price is None else format(quote.price, "f"),
            age=locales.day(as_of, locale) if as_of and quote.status is Status.STALE else None,
            when=when if quote.price is not None else None,
            as_of=wire.stamp(as_of),
            attribution=self._attribution(quote, locale),
        )

    def _attribution(self, quote: Quote, locale: Locale) -> str | None:
        if quote.source is None or quote.price is None:
            return None
        return locales.chosen(self._attributions.get(quote.source, {}), locale, quote.source)
