from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.support.answers import LIVE, NOON, changed
from tests.support.refusals import refused
from ticker.quotes import PriceType, Reason, Tick
from ticker.sources.twelvedata import ADAPTER, parse


def test_a_quote_is_a_dealers_price() -> None:
    """Of the kind `mid`, by the time it was made, after the close before."""
    (tick,) = parse(LIVE["twelvedata"]).ticks
    assert replace(tick, market=None) == Tick(
        *("XBR/USD", Decimal("73.73"), "USD", NOON.astimezone(UTC), PriceType.MID),
        previous=Decimal("72.81"),
        raw="73.73",
    )


def test_a_quote_without_its_time_is_as_old_as_its_candle() -> None:
    """Better too old than too new."""
    (tick,) = parse(changed("twelvedata", '"last_quote_at":1732266000', '"last_quote_at":null')).ticks
    assert tick.as_of == datetime(2024, 11, 22, 9, tzinfo=UTC)


def test_each_symbol_is_asked_for() -> None:
    """One request a symbol, the key not among what an adapter writes."""
    assert [dict(r.query) for r in ADAPTER.requests(["XBR/USD", "USD/RUB"], NOON)] == [
        {"symbol": "XBR/USD"},
        {"symbol": "USD/RUB"},
    ]
    assert ADAPTER.key_parameter == "apikey"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"code":429,"message":"out of credits","status":"error"}', Reason.RATE_LIMITED),
        (b'{"code":401,"message":"apikey is incorrect","status":"error"}', Reason.SCHEMA),
        (changed("twelvedata", '"symbol":"XBR/USD"', '"symbol":"XBR"'), Reason.SCHEMA),
        (changed("twelvedata", '"close":"73.73"', '"close":null'), Reason.SCHEMA),
        (changed("twelvedata", '"close":"73.73"', '"close":"0"'), Reason.RANGE),
        (changed("twelvedata", '"last_quote_at":17', '"last_quote_at":1e99,"x":17'), Reason.SCHEMA),
        (b"[]", Reason.SCHEMA),
    ],
)
def test_another_answer_is_refused(body: bytes, reason: Reason) -> None:
    """An error by its code, a symbol that is no pair, a price or a time that is none."""
    assert refused(parse, body) is reason
