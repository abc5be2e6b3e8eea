"""A row of history, and a snapshot, as a store keeps them, and back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from ticker.quotes import EPOCH, Candidate, Contract, Instrument, PriceType, Quote, Snapshot
from ticker.storage.base import QUOTE, RecordEntry, Row, is_version

_MICRO = timedelta(microseconds=1)


def micros(value: datetime | date | timedelta) -> int:
    """A moment, the start of a day in UTC, or a duration, in whole microseconds."""
    if isinstance(value, timedelta):
        return value // _MICRO
    if not isinstance(value, datetime):
        value = datetime.combine(value, time(), UTC)
    return (value - EPOCH) // _MICRO


def moment_of(value: int, minutes: int = 0) -> datetime:
    """The moment of so many microseconds, in the zone so many minutes east."""
    seconds, micro = divmod(value, 1_000_000)
    moment = datetime.fromtimestamp(seconds, _zone(minutes))
    return moment.replace(microsecond=micro) if micro else moment


@lru_cache(maxsize=256)
def _zone(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes)) if minutes else UTC


def columns_of_row(row: Row) -> dict[str, object]:
    """The row's columns."""
    offset = row.as_of.utcoffset() or timedelta(0)
    return {
        "symbol": row.symbol,
        "source": row.source,
        "as_of": micros(row.as_of),
        "price": f"{row.price:f}",
        "price_type": str(row.price_type),
        "publisher": row.publisher,
        "offset": offset // timedelta(minutes=1),
        "day": row.as_of.date().isoformat(),
        "fetched_at": micros(row.fetched_at),
        "seen_at": micros(row.seen_at),
        "previous": None if row.previous is None else f"{row.previous:f}",
        "previous_as_of": None if row.previous_as_of is None else row.previous_as_of.isoformat(),
        "contract": row.contract,
        "archived": int(row.archived),
    }


# A number as sources write them. What a damaged file holds instead (1E+999999) would be a million digits.
_NUMBER = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,100})?(?:[eE]-[0-9]{1,2})?", re.ASCII)


def is_number(text: str) -> bool:
    """Whether that could be a price; what a store holds otherwise is damaged and shown nowhere."""
    return _NUMBER.fullmatch(text) is not None


def number_of(text: str | None) -> Decimal | None:
    """The number, None for what is none."""
    return Decimal(text) if text is not None and is_number(text) else None


def row_of_columns(columns: Iterable[Any]) -> Row | None:
    """The row of `columns`, which are all of the table's in its order: a line has thousands, so by place.

    None where its price is damaged.
    """
    symbol, source, as_of, revision, price, price_type, publisher, offset, _, *others = columns
    fetched_at, seen_at, previous, previous_as_of, contract, archived = others
    found = number_of(price)
    if found is None:
        return None
    return Row(
        symbol,
        source,
        publisher,
        PriceType(price_type),
        moment_of(as_of, offset),
        found,
        moment_of(fetched_at),
        moment_of(seen_at),
        number_of(previous),
        None if previous_as_of is None else datetime.fromisoformat(previous_as_of),
        contract,
        bool(archived),
        revision,
    )


def identity(row: Row | None) -> object:
    """What makes a row another one than the last."""
    return row and (row.source, row.as_of, row.price, row.price_type)


def contract_text(contract: Contract | None) -> str | None:
    """A contract as a row keeps it: its code, and its last trading day behind it where that is known."""
    if contract is None:
        return None
    return contract.code if contract.expires is None else f"{contract.code} {contract.expires}"


def contract_of(text: str | None) -> Contract | None:
    """The contract that a row kept."""
    if text is None:
        return None
    code, _, expires = text.partition(" ")
    return Contract(code, date.fromisoformat(expires) if expires else None)


# The fields that a row has from whatever it is made of.
_ALIKE = ("source", "publisher", "as_of", "price", "fetched_at", "previous", "previous_as_of")


def row_of_quote(quote: Quote, shown_at: datetime) -> Row | None:
    """The row that the quote is kept as from the moment it is shown; None without a number or its whole provenance.

    What is upcoming has none: it may be issued anew or refused before its date, and then it was never in force.
    """
    if not (quote.source and quote.price_type and quote.price is not None and quote.as_of and quote.fetched_at):
        return None
    names = {"publisher": quote.publisher or quote.source, "contract": contract_text(quote.contract)}
    seen_at = max(shown_at, quote.fetched_at)
    return _row(quote.instrument, quote, price_type=quote.price_type, seen_at=seen_at, **names)


def row_of_candidate(found: Candidate, instrument: Instrument) -> Row:
    """In force from its own date: what an archive tells was so then, whenever it is asked."""
    contract = contract_text(found.contract)
    named = {"price_type": found.price_type, "seen_at": found.as_of, "contract": contract, "archived": True}
    return _row(instrument, found, **named)


def _row(instrument: Instrument, said: Quote | Candidate, **others: Any) -> Row:  # noqa: ANN401 - a row's
    alike = {name: getattr(said, name) for name in _ALIKE}
    return Row(**{"symbol": instrument.series, **alike, **others})


# Clocks are set; a snapshot further ahead than this is of another clock than ours.
_SKEW = timedelta(minutes=5)


def snapshot_text(snapshot: Snapshot) -> str:
    """The snapshot as JSON; prices and moments are text, exactly."""
    quotes = {quote.symbol: tree_of_quote(quote) for quote in snapshot.quotes}
    moment = snapshot.generated_at.isoformat()
    return json.dumps({"version": snapshot.version, "generated_at": moment, "quotes": quotes})


def snapshot_of_text(text: str, instruments: Sequence[Instrument], now: datetime) -> Snapshot | None:
    """The snapshot of `text` for today's `instruments`, as it stood when it was written.

    An instrument that has changed its meaning or lost the source starts anew. None for a text that cannot be read or
    that is from the future of `now`.
    """
    try:
        tree = json.loads(text)
        generated_at = datetime.fromisoformat(tree["generated_at"])
        if generated_at > now + _SKEW:
            return None
        kept = [quote_of_tree(tree["quotes"].get(each.symbol), each) for each in instruments]
        quotes = tuple(each.of_its_day(generated_at) for each in kept)
        version = int(tree["version"])
        return Snapshot(version, generated_at, quotes) if is_version(version) else None
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return None


def entry_of_quote(quote: Quote, version: int, at: datetime) -> RecordEntry:
    """The record that this is shown from `at` on."""
    tree = {name: value for name, value in tree_of_quote(quote).items() if value is not None}
    return RecordEntry(QUOTE, quote.symbol, f"{version}", at, json.dumps(tree, separators=(",", ":")))


def quote_of_entry(entry: RecordEntry | None, instrument: Instrument) -> Quote:
    """The quote of the record for today's `instrument`; a bare one where there is none of it, or none to be read."""
    try:
        return quote_of_tree(json.loads(entry.text) if entry else None, instrument)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return Quote(instrument)


def tree_of_quote(quote: Quote) -> dict[str, object]:
    """The quote as plain values that JSON can carry; `quote_of_tree` reads it back."""
    # The instrument is written by its meaning alone; the rest of it is the configuration's.
    tree = {each.name: msgspec.to_builtins(getattr(quote, each.name)) for each in fields(quote)}
    return {**tree, "instrument": None, "of": _meaning(quote.instrument)}


def quote_of_tree(tree: Any, instrument: Instrument) -> Quote:  # noqa: ANN401 - read from a file
    """The quote of `tree` for today's `instrument`; one without a number where that has changed its meaning."""
    if (
        tree is None
        or tree["of"] != _meaning(instrument)
        or tree.get("source", instrument.sources[0]) not in (None, *instrument.all_sources)
    ):
        return Quote(instrument)
    if isinstance(tree.get("agreement"), list):  # version 0.1.0 wrote a pair
        tree["agreement"] = {"sources": tree["agreement"][0], "spread_percent": tree["agreement"][1]}
    if isinstance(tree.get("contract"), str):
        tree["contract"] = {"code": tree["contract"]}
    quote = msgspec.convert({**tree, "instrument": msgspec.to_builtins(instrument)}, Quote)
    return replace(quote, instrument=instrument)


def _meaning(instrument: Instrument) -> list[str]:
    return instrument.series.split("/", 2)


def meanings_of_text(text: str) -> dict[str, str]:
    """Under which series the instruments of a kept snapshot have their history, by symbol; none where unreadable."""
    try:
        quotes = json.loads(text)["quotes"]
        return {symbol: "/".join(each["of"]) for symbol, each in quotes.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
