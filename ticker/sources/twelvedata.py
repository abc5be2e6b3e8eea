"""Twelve Data, quote: an indicative price of Brent (XBR/USD) or of a pair. Needs a key.

Dealers' prices without an exchange behind them, so of the kind `mid`. Errors come with `status: error` and a code.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ticker.quotes import MarketData, PriceType, Reason, SourceError, Tick
from ticker.sources.base import (
    Adapter,
    Extract,
    Request,
    as_json,
    number,
    optional_number,
    raw_of,
    schema,
    unix,
)

_TOO_MANY = 429


def requests(codes: Sequence[str], _now: datetime) -> Sequence[Request]:
    """One quote a symbol."""
    return [Request("/quote", {"symbol": code}) for code in codes]


def parse(body: bytes) -> Extract:
    """The one tick of a quote. Raises SourceError."""
    answer = as_json(body)
    if not isinstance(answer, dict):
        raise schema("no quote")
    if answer.get("status") == "error":
        raise _refusal(answer)
    symbol = str(answer.get("symbol") or "")
    base, _, currency = symbol.partition("/")
    if not base or not currency:
        raise schema(f"a quote of no pair: {symbol[:40]!r}")
    price = number(answer.get("close"), symbol)
    # `timestamp` is when the day's candle began, `last_quote_at` when its price was made.
    as_of = unix(answer.get("last_quote_at") or answer.get("timestamp"), symbol)
    before = optional_number(answer.get("previous_close"))
    market = MarketData(low=optional_number(answer.get("low")), high=optional_number(answer.get("high")))
    raw = raw_of(answer.get("close"))
    return Extract((Tick(symbol, price, currency, as_of, PriceType.MID, previous=before, market=market, raw=raw),))


def _refusal(answer: Any) -> SourceError:  # noqa: ANN401 - untrusted JSON
    reason = Reason.RATE_LIMITED if answer.get("code") == _TOO_MANY else Reason.SCHEMA
    return SourceError(reason, f"error {str(answer.get('code'))[:10]}: {str(answer.get('message'))[:100]}")


ADAPTER = Adapter(
    publisher="twelvedata",
    base_url="https://api.twelvedata.com",
    requests=requests,
    parse=parse,
    codes={"BRENT/USD": "XBR/USD", "USD/RUB": "USD/RUB", "EUR/RUB": "EUR/RUB", "EUR/USD": "EUR/USD"},
    key_parameter="apikey",
)
