"""The JSON that the world sees: the models that handlers, OpenAPI and tests share, and the writer that keeps digits."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import simplejson
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from ticker.quotes import PriceType, Reason, Status
from ticker.render import locales

if TYPE_CHECKING:
    from ticker.quotes import Instrument, Quote, Snapshot
    from ticker.render.cldr import Locale

Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
# A JSON number with the digits that the source wrote.
Number = Annotated[Decimal, WithJsonSchema({"type": "number"})]
DEMO = Field(None, description="true where the numbers are invented; absent otherwise")


class Wire(BaseModel):
    """A JSON object of the API."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class WireAgreement(Wire):
    """How many sources say the same, and how far apart they are."""

    sources: int = Field(description="sources within the instrument's tolerance, the shown one among them")
    spread_percent: Number = Field(description="between the highest and the lowest comparable source, in percent")


class WireDisplay(Wire):
    """The quote as text, rounded once, in the language asked for; null where there is no number."""

    label: str
    price: str | None
    change: str | None


class WireQuote(Wire):
    """One instrument's published number with where it is from and how old it is."""

    symbol: str
    name: str
    base: str
    quote: str
    unit: str
    price: Number | None
    price_type: PriceType | None
    previous: Number | None
    previous_as_of: Moment | None
    change: Number | None
    change_percent: Number | None
    as_of: Moment | None
    fetched_at: Moment | None
    next_update_at: Moment | None
    source: str | None
    fallback: bool
    status: Status
    reason: Reason | None
    agreement: WireAgreement | None
    display: WireDisplay
    demo: bool | None = DEMO


class WireQuotes(Wire):
    """All quotes of one snapshot; `status` is the worst of theirs."""

    version: int
    generated_at: Moment
    status: Status
    quotes: tuple[WireQuote, ...]
    demo: bool | None = DEMO


def quote_of(quote: Quote, locale: Locale, *, demo: bool = False) -> WireQuote:
    """A quote in the words of the API."""
    what, agreement = quote.instrument, quote.agreement
    percent = quote.change_percent
    return WireQuote(
        symbol=quote.symbol,
        name=name_of(what, locale),
        base=what.base,
        quote=what.quote,
        unit=what.unit,
        price=quote.price,
        price_type=quote.price_type,
        previous=quote.previous,
        previous_as_of=stamp(quote.previous_as_of),
        change=quote.change,
        change_percent=None if percent is None else locales.rounded(percent, 2),
        as_of=stamp(quote.as_of),
        fetched_at=utc(quote.fetched_at),
        next_update_at=utc(quote.next_update_at),
        source=quote.source,
        fallback=quote.fallback,
        status=quote.status,
        reason=quote.reason,
        agreement=None
        if agreement is None
        else WireAgreement(sources=agreement.sources, spread_percent=locales.rounded(agreement.spread_percent, 2)),
        display=WireDisplay(
            label=locales.chosen(what.labels, locale, quote.symbol),
            price=None if quote.price is None else locales.number(quote.price, what.decimals, locale),
            change=None if percent is None else locales.change(percent, locale),
        ),
        demo=True if demo else None,
    )


def quotes_of(snapshot: Snapshot, quotes: tuple[Quote, ...], locale: Locale) -> WireQuotes:
    """A board of `quotes` cut from `snapshot`."""
    rows = tuple(quote_of(quote, locale, demo=snapshot.demo) for quote in quotes)
    return WireQuotes(
        version=snapshot.version,
        generated_at=utc(snapshot.generated_at) or "",
        status=max((row.status for row in rows), key=list(Status).index, default=Status.UNAVAILABLE),
        quotes=rows,
        demo=True if snapshot.demo else None,
    )


def name_of(what: Instrument, locale: Locale) -> str:
    """The instrument's name: the configuration's in that language, else CLDR's of the currency, else the English."""
    found = locales.own(what.names, locale) or locales.currency(what.base, locale)
    return found or locales.chosen(what.names, locale, what.symbol)


def dump(model: BaseModel) -> bytes:
    """UTF-8 JSON with every decimal as the number it is, digit for digit."""
    return dumped(model.model_dump(by_alias=True))


def dumped(tree: object) -> bytes:
    """The same of what a model gives."""
    return (simplejson.dumps(_written(tree), ensure_ascii=False) + "\n").encode()


def stamp(moment: datetime | None) -> str | None:
    """RFC 3339 in the source's own offset, to the second."""
    return None if moment is None else moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def utc(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _written(tree: object) -> object:
    """The tree as it is sent: decimals digit for digit, never 1E-7, and `demo` only in a demo (the contract)."""
    if isinstance(tree, Decimal):
        return simplejson.RawJSON(f"{tree:f}")
    if isinstance(tree, dict):
        return {key: _written(value) for key, value in tree.items() if not (key == "demo" and value is None)}
    return [_written(item) for item in tree] if isinstance(tree, (list, tuple)) else tree
