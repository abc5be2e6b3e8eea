from __future__ import annotations

from datetime import datetime

import pytest

from tests.support.answers import EUR, LIVE, NOON, USD, changed
from tests.support.refusals import denied, refused
from ticker.quotes import PriceType, Reason
from ticker.sources.base import MOSCOW
from ticker.sources.moex import CBR as ADAPTER
from ticker.sources.moex import parse_rates as parse


def test_it_is_asked_for_the_banks_rates_alone() -> None:
    """One request, of the one block that is read."""
    (request,) = ADAPTER.requests(["USD", "EUR"], NOON)
    assert request.path == "/iss/statistics/engines/currency/markets/selt/rates.json"
    assert request.query["iss.only"] == "cbrf"


def test_it_is_the_banks_number() -> None:
    """Dollar and euro in roubles, fixings of the Bank by its own day, for its copies to be compared with."""
    ticks = parse(LIVE["moex_cbr"]).ticks
    assert [(tick.symbol, tick.price, tick.currency) for tick in ticks] == [("USD", USD, "RUB"), ("EUR", EUR, "RUB")]
    assert {tick.as_of for tick in ticks} == {datetime(2024, 11, 22, tzinfo=MOSCOW)}
    assert {tick.price_type for tick in ticks} == {PriceType.FIXING}
    assert ADAPTER.publisher == "cbr"


def test_a_currency_without_a_number_is_left_out() -> None:
    """A null is no rate; without any there is no answer."""
    body = changed("moex_cbr", str(USD), "null")
    assert [tick.symbol for tick in parse(body).ticks] == ["EUR"]
    assert refused(parse, body.replace(str(EUR).encode(), b"null")) is Reason.SCHEMA


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("cbrf", "wap_rates", Reason.SCHEMA),
        ("CBRF_USD_LAST", "CBRF_LAST", Reason.SCHEMA),
        ("2024-11-22", "2024-13-22", Reason.SCHEMA),
        (str(USD), "0", Reason.RANGE),
    ],
)
def test_another_answer_is_refused(old: str, new: str, reason: Reason) -> None:
    """Another block, other columns, a day that is none, a price of nothing."""
    assert denied(parse, changed("moex_cbr", old, new), "USD") is reason
