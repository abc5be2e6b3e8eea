"""The two tables of the dollar, `open_er_api` and `fawazahmed0`: indicative, every other pair is a cross of them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.support.answers import BEFORE, DAY, LIVE, NOON, changed
from tests.support.refusals import refused
from ticker.quotes import PriceType, Reason
from ticker.sources import SOURCES

PATHS = {
    "open_er_api": "/v6/latest/USD",
    "fawazahmed0": "/npm/@fawazahmed0/currency-api@latest/v1/currencies/usd.min.json",
}
STAMPS = {
    "open_er_api": datetime(2024, 11, 22, 0, 2, 31, tzinfo=UTC),
    "fawazahmed0": datetime(2024, 11, 22, tzinfo=UTC),
}
OTHERS = [
    ("open_er_api", '"success"', '"error"', Reason.SCHEMA),
    ("open_er_api", '"rates"', '"conversion_rates"', Reason.SCHEMA),
    ("open_er_api", '"base_code":"USD"', '"base_code":"EUR"', Reason.SCHEMA),
    ("open_er_api", '"time_last_update_unix":17', '"time_last_update_unix":"Fri', Reason.PARSE),
    ("open_er_api", '"time_last_update_unix":17', '"time_last_update_unix":99999999', Reason.SCHEMA),
    ("open_er_api", '"time_eol_unix":0', '"time_eol_unix":1700000000', Reason.FROZEN),
    ("fawazahmed0", '"usd":{', '"eur":{', Reason.SCHEMA),
    ("fawazahmed0", '"date":"2024-11-22"', '"date":"latest"', Reason.SCHEMA),
]


@pytest.mark.parametrize("source", PATHS)
def test_one_table_answers_for_every_pair(source: str) -> None:
    """The dollar in roubles directly, the euro by way of the dollar; of the kind `mid`, by the source's own time."""
    adapter = SOURCES[source]
    assert [request.path for request in adapter.requests(["USD", "EUR"], NOON)] == [PATHS[source]]
    ticks = {tick.currency: tick for tick in adapter.parse(LIVE[source]).ticks}
    assert {(tick.symbol, tick.price_type, tick.as_of) for tick in ticks.values()} == {
        ("USD", PriceType.MID, STAMPS[source])
    }
    assert ticks["RUB"].price == Decimal("100.679800")
    assert "USD" not in ticks


@pytest.mark.parametrize(("source", "old", "new", "reason"), OTHERS)
def test_another_answer_is_refused(source: str, old: str, new: str, reason: Reason) -> None:
    """An error, another base, times that are none, an interface that has ended, a wanted row gone wrong."""
    assert refused(SOURCES[source].parse, changed(source, old, new)) is reason


def test_an_end_that_is_announced_is_no_failure_yet() -> None:
    """`time_eol_unix` may name a day to come."""
    body = changed("open_er_api", '"time_eol_unix":0', '"time_eol_unix":1900000000')
    assert SOURCES["open_er_api"].parse(body).ticks


@pytest.mark.parametrize("junk", ['"doge":0,', '"1inch":null,', '"xyz":"none",', '"": -3,'])
def test_a_coin_of_no_price_is_left_out(junk: str) -> None:
    """fawazahmed0 lists what nobody checks: a row that is junk costs no other row."""
    found = SOURCES["fawazahmed0"].parse(changed("fawazahmed0", '"eur"', f'{junk}"eur"'))
    assert found.ticks == SOURCES["fawazahmed0"].parse(LIVE["fawazahmed0"]).ticks


def test_the_archive_is_asked_by_the_day() -> None:
    """Every file has its day in its version."""
    archive = SOURCES["fawazahmed0"].archive
    assert archive is not None
    paths = [request.path for request in archive([], BEFORE, DAY)]
    assert [path.split("/")[3] for path in paths] == ["currency-api@2024-11-21", "currency-api@2024-11-22"]


def test_a_currency_in_two_spellings_is_refused() -> None:
    """`rub` and `RUB` are one currency: of two prices nobody can say which is meant."""
    body = changed("fawazahmed0", '"rub":', '"RUB":1,"rub":')
    found = SOURCES["fawazahmed0"].parse(body)
    why = found.why_not("RUB")
    assert "RUB" not in {tick.currency for tick in found.ticks}
    assert why is not None
    assert why.reason is Reason.SCHEMA


@pytest.mark.parametrize(
    ("source", "old", "new", "code", "reason"),
    [
        ("open_er_api", '"RUB":1', '"RUB":-1', "RUB", Reason.RANGE),
        ("fawazahmed0", '"rub":1', '"rub":-1', "RUB", Reason.RANGE),
        ("fawazahmed0", '"eur":0', '"eur":"none","x":0', "EUR", Reason.PARSE),
    ],
)
def test_a_wound_costs_its_own_currency(source: str, old: str, new: str, code: str, reason: Reason) -> None:
    """Whoever asked for it is told why, and every other one is read."""
    found, whole = SOURCES[source].parse(changed(source, old, new)), SOURCES[source].parse(LIVE[source])
    why = found.why_not(code)
    assert why is not None
    assert why.reason is reason
    assert {tick.currency for tick in whole.ticks} - {tick.currency for tick in found.ticks} == {code}
