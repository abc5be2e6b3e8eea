"""The day's fixings as an Atom feed (RFC 4287): an entry for each rate in force and each one that is published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlsplit
from xml.sax.saxutils import escape, quoteattr

from babel import Locale

from ticker.quotes import PriceType, Quote, Snapshot
from ticker.rendering import locales
from ticker.rendering.html import HtmlRenderer
from ticker.rendering.page_words import words_for
from ticker.rendering.representation import Representation
from ticker.rendering.schemas import name_of

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
