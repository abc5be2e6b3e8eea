"""A snapshot as text, and back as a later start may still show it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ticker.quotes import Agreement, PriceType, Quote, Reason, Snapshot, Status
from ticker.values import replace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ticker.quotes import Instrument

# Clocks are set; a snapshot further ahead than this is of another clock than ours.
_SKEW = timedelta(minutes=5)
_PLAIN = ("source", "publisher", "contract", "fallback")
_MOMENTS = ("previous_as_of", "as_of", "fetched_at", "next_update_at", "fresh_until", "usable_until")
_PRICES = ("price", "previous")


def written(snapshot: Snapshot) -> str:
    """The snapshot as JSON; prices and moments are text, exactly."""
    quotes = {quote.symbol: _written(quote) for quote in snapshot.quotes}
    moment = snapshot.generated_at.isoformat()
    return json.dumps({"version": snapshot.version, "generated_at": moment, "quotes": quotes})


def restored(text: str, instruments: Sequence[Instrument], now: datetime) -> Snapshot | None:
    """The snapshot of `text` for today's `instruments`, as it stood when it was written.

    An instrument that has changed its meaning or lost the source starts anew. None for a text that cannot be read or
    that is from the future of `now`.
    """
    try:
        tree = json.loads(text)
        generated_at = datetime.fromisoformat(tree["generated_at"])
        if generated_at > now + _SKEW:
            return None
        quotes = tuple(_restored(tree["quotes"].get(each.symbol), each) for each in instruments)
        return Snapshot(int(tree["version"]), generated_at, quotes)
    except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
        return None


def _written(quote: Quote) -> dict[str, object]:
    def text(value: object) -> str | None:
        return None if value is None else str(value)

    moments = {name: getattr(quote, name) for name in _MOMENTS}
    return {
        "of": _meaning(quote.instrument),
        **{name: getattr(quote, name) for name in _PLAIN},
        **{name: text(getattr(quote, name)) for name in (*_PRICES, "price_type", "status", "reason")},
        **{name: None if moment is None else moment.isoformat() for name, moment in moments.items()},
        "agreement": None
        if quote.agreement is None
        else [quote.agreement.sources, str(quote.agreement.spread_percent)],
    }


def _restored(tree: Any, instrument: Instrument) -> Quote:  # noqa: ANN401 - read from a file
    if tree is None or tree["of"] != _meaning(instrument) or tree["source"] not in instrument.sources:
        return Quote(instrument)

    def moment(name: str) -> datetime | None:
        return None if tree[name] is None else datetime.fromisoformat(tree[name])

    def price(name: str) -> Decimal | None:
        return None if tree[name] is None else Decimal(tree[name])

    agreement = tree["agreement"]
    quote = Quote(
        instrument=instrument,
        **{name: tree[name] for name in _PLAIN},
        **{name: moment(name) for name in _MOMENTS},  # type: ignore[arg-type] # by their names
        **{name: price(name) for name in _PRICES},  # type: ignore[arg-type] # the same
        price_type=None if tree["price_type"] is None else PriceType(tree["price_type"]),
        status=Status(tree["status"]),
        reason=None if tree["reason"] is None else Reason(tree["reason"]),
        agreement=None if agreement is None else Agreement(int(agreement[0]), Decimal(agreement[1])),
    )
    return replace(quote, usable_until=quote.as_of + instrument.max_age if quote.as_of else None)


def _meaning(instrument: Instrument) -> list[str]:
    return [instrument.base, instrument.quote, instrument.unit]
