"""Values for tests, each a plain one of its kind; say what matters and leave the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from ticker.quotes import Instrument, PriceType, Quote, Snapshot, Status, Tick

NOON: Final = datetime(2024, 11, 22, 12, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)


def instrument(symbol: str = "USD", **other: Any) -> Instrument:  # noqa: ANN401 - any field of it
    """The instrument `symbol` in roubles."""
    plain = {
        "symbol": symbol,
        "base": symbol,
        "quote": "RUB",
        "unit": f"1 {symbol}",
        "decimals": 2,
        "sources": ("cbr", "cbr_mirror"),
        "max_age": timedelta(days=14),
        "max_move": Decimal("0.08"),
        "tolerance": Decimal("0.0005"),
    }
    return Instrument(**{**plain, **other})


def quote(symbol: str = "USD", price: str | None = "100.6798", **other: Any) -> Quote:  # noqa: ANN401 - any field of it
    """A fresh quote of `symbol`, late in an hour and worth nothing in ten; without a price unavailable."""
    if price is None:
        return Quote(instrument(symbol), **other)
    plain = {
        "price": Decimal(price),
        "price_type": PriceType.FIXING,
        "as_of": NOON,
        "fetched_at": NOON,
        "source": "cbr",
        "publisher": "cbr",
        "status": Status.FRESH,
        "fresh_until": NOON + HOUR,
        "usable_until": NOON + 10 * HOUR,
    }
    return Quote(instrument(symbol), **{**plain, **other})


def snapshot(*quotes: Quote, version: int = 1, at: datetime = NOON) -> Snapshot:
    """A snapshot of `quotes`."""
    return Snapshot(version, at, quotes)


def tick(symbol: str = "USD", price: str = "100.6798", currency: str = "RUB", **other: Any) -> Tick:  # noqa: ANN401
    """A fixing as of noon."""
    return Tick(symbol, Decimal(price), currency, other.pop("as_of", NOON), PriceType.FIXING, **other)
