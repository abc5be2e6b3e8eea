"""What is kept of a quote that was published, and of a candidate out of an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.stores.base import Row

if TYPE_CHECKING:
    from ticker.quotes import Candidate, Quote


def identity(row: Row | None) -> object:
    """What makes a row another one than the last."""
    return row and (row.source, row.as_of, row.price, row.price_type)


def of_quote(quote: Quote) -> Row | None:
    """The row that the quote is kept as; None for one without a number or without its whole provenance."""
    source, price_type, price = quote.source, quote.price_type, quote.price
    as_of, fetched_at = quote.as_of, quote.fetched_at
    if source is None or price_type is None or price is None or as_of is None or fetched_at is None:
        return None
    return Row(
        symbol=quote.symbol,
        source=source,
        publisher=quote.publisher or source,
        price_type=price_type,
        as_of=as_of,
        price=price,
        fetched_at=fetched_at,
        seen_at=fetched_at,
        previous=quote.previous,
        previous_as_of=quote.previous_as_of,
        contract=quote.contract,
    )


def of_candidate(found: Candidate) -> Row:
    """In force from its own date: what an archive tells was so then, whenever it is asked."""
    return Row(
        symbol=found.symbol,
        source=found.source,
        publisher=found.publisher,
        price_type=found.price_type,
        as_of=found.as_of,
        price=found.price,
        fetched_at=found.fetched_at,
        seen_at=found.as_of,
        previous=found.previous,
        previous_as_of=found.previous_as_of,
        contract=found.contract,
        archived=True,
    )
