"""A quote and the board in the words of the API: plain members of the models that OpenAPI and type checkers share."""

from __future__ import annotations

from datetime import UTC, datetime

from ticker.quotes import Agreement, Instrument, Quote, Snapshot, Status
from ticker.render import locales
from ticker.render.cldr import Locale
from ticker.render.models.quotes import WireAgreement, WireQuote, WireQuotes


def quote_of(quote: Quote, locale: Locale, *, demo: bool = False) -> WireQuote:
    """A quote in the words of the API."""
    what, percent = quote.instrument, quote.change_percent
    row: WireQuote = {
        "symbol": quote.symbol,
        "name": name_of(what, locale),
        "base": what.base,
        "quote": what.quote,
        "unit": what.unit,
        "price": quote.price,
        "price_type": quote.price_type,
        "previous": quote.previous,
        "previous_as_of": stamp(quote.previous_as_of),
        "change": quote.change,
        "change_percent": None if percent is None else locales.rounded(percent, 2),
        "as_of": stamp(quote.as_of),
        "fetched_at": utc(quote.fetched_at),
        "next_update_at": utc(quote.next_update_at),
        "source": quote.source,
        "fallback": quote.fallback,
        "status": quote.status,
        "reason": quote.reason,
        "agreement": _agreement(quote.agreement),
        "display": {
            "label": locales.chosen(what.label, locale, quote.symbol),
            "price": None if quote.price is None else locales.number(quote.price, what.decimals, locale),
            "change": None if percent is None else locales.change(percent, locale),
        },
    }
    return {**row, "demo": True} if demo else row


def quotes_of(snapshot: Snapshot, quotes: tuple[Quote, ...], locale: Locale) -> WireQuotes:
    """A board of `quotes` cut from `snapshot`."""
    board: WireQuotes = {
        "version": snapshot.version,
        "generated_at": utc(snapshot.generated_at) or "",
        "status": max((quote.status for quote in quotes), key=list(Status).index, default=Status.UNAVAILABLE),
        "quotes": tuple(quote_of(quote, locale, demo=snapshot.demo) for quote in quotes),
    }
    return {**board, "demo": True} if snapshot.demo else board


def name_of(what: Instrument, locale: Locale) -> str:
    """The instrument's name: the configuration's in that language, else CLDR's of the currency, else the English."""
    found = locales.own(what.name, locale) or locales.currency(what.base, locale)
    return found or locales.chosen(what.name, locale, what.symbol)


def stamp(moment: datetime | None) -> str | None:
    """RFC 3339 in the source's own offset, to the second."""
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def utc(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _agreement(told: Agreement | None) -> WireAgreement | None:
    if told is None:
        return None
    return {"sources": told.sources, "spread_percent": locales.rounded(told.spread_percent, 2)}
