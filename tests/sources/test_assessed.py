"""The assessed spot price of Brent by three ways: `fred`, `eia` and `alphavantage`, each the EIA's own digits."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from time import thread_time
from zoneinfo import ZoneInfo

import pytest

from tests.support.answers import LIVE, NOON, OIL, changed
from tests.support.refusals import refused
from tests.support.upstreams import prices
from ticker.quotes import PriceType, Reason, Tick
from ticker.sources import SOURCES, Extract

NEW_YORK = ZoneInfo("America/New_York")
WORDS = {"fred": "DCOILBRENTEU", "eia": "RBRTE", "alphavantage": "BRENT"}
THURSDAY, FRIDAY = (datetime(2024, 11, day, tzinfo=NEW_YORK) for day in (21, 22))
OTHERS = [
    ("fred", "DCOILBRENTEU", "DCOILMARS", Reason.SCHEMA),
    ("fred", "observation_date", "Date", Reason.SCHEMA),
    ("fred", "76.10", "N/D", Reason.PARSE),
    ("fred", "76.10", "0", Reason.RANGE),
    ("fred", "2024-11-21", "2024-11-22", Reason.SCHEMA),
    ("eia", '"response"', '"error"', Reason.SCHEMA),
    ("eia", "$/BBL", "$/KG", Reason.UNIT),
    ("eia", '"value":"76.10"', '"value":"76,1,0"', Reason.PARSE),
    ("eia", "2024-11-21", "2024-11-22", Reason.SCHEMA),
    ("alphavantage", "dollars per barrel", "percent", Reason.UNIT),
    ("alphavantage", "Crude Oil Prices Brent", "Global Price of Cotton", Reason.SCHEMA),
    ("alphavantage", '"data"', '"feed"', Reason.SCHEMA),
    ("alphavantage", "2024-11-21", "2024-11-22", Reason.SCHEMA),
]


@pytest.mark.parametrize("source", WORDS)
def test_the_newest_price_counts(source: str) -> None:
    """The last day that has a price, with the one before; a fixing, never to be measured by what a future did."""
    adapter = SOURCES[source]
    assert adapter.codes["BRENT/USD"] == WORDS[source]
    assert adapter.parse(LIVE[source]) == Extract(
        (
            Tick(
                WORDS[source],
                Decimal("76.10"),
                "USD",
                FRIDAY,
                PriceType.FIXING,
                1,
                Decimal("75.09"),
                THURSDAY,
                raw="76.10",
            ),
        )
    )


@pytest.mark.parametrize("source", WORDS)
def test_history_is_every_price(source: str) -> None:
    """Oldest first whatever the order of the answer, the first without a price before."""
    parse = SOURCES[source].parse_archive
    assert parse is not None
    assert [(tick.price, tick.previous) for tick in parse(LIVE[source]).ticks] == [
        (Decimal("75.09"), None),
        (Decimal("76.10"), Decimal("75.09")),
    ]
    assert SOURCES[source].publisher == "eia"


@pytest.mark.parametrize(("source", "old", "new", "reason"), OTHERS)
def test_another_answer_is_refused(source: str, old: str, new: str, reason: Reason) -> None:
    """Another series, other units, a day twice or by no date, a price that is none."""
    assert refused(SOURCES[source].parse, changed(source, old, new)) is reason


@pytest.mark.parametrize(
    ("source", "old", "new"),
    [
        ("fred", "75.09", "n/a"),
        ("fred", "75.09", "0"),
        ("fred", "75.09", "75.09,1"),
        ("fred", "2024-11-21", "21.11.2024"),
        ("eia", '"value":"75.09"', '"value":"n/a"'),
        ("eia", '"period":"2024-11-21"', '"period":"2024-11"'),
        ("alphavantage", '"value":"75.09"', '"value":"n/a"'),
        ("alphavantage", '"value":"75.09"', '"value":null'),
    ],
)
def test_a_wound_of_an_old_day_costs_that_day_alone(source: str, old: str, new: str) -> None:
    """The newest price stands; where the row before it cannot be read it has no price before."""
    found = SOURCES[source].parse(changed(source, old, new))
    assert [(tick.price, tick.as_of, tick.previous) for tick in found.ticks] == [(Decimal("76.10"), FRIDAY, None)]
    assert len(found.skipped) == 1


@pytest.mark.parametrize("missing", ["", "."])
@pytest.mark.parametrize("head", ["observation_date", "DATE"])
def test_both_headers_of_fred_are_read(head: str, missing: str) -> None:
    """The older file says DATE and a point for a day without a price, the newer one leaves the cell empty."""
    body = f"{head},DCOILBRENTEU\n2024-11-21,75.09\n2024-11-22,76.10\n2024-11-25,{missing}\n".encode()
    assert SOURCES["fred"].parse(body) == SOURCES["fred"].parse(LIVE["fred"])
    assert refused(SOURCES["fred"].parse, f"{head},DCOILBRENTEU\n2024-11-25,{missing}\n".encode()) is Reason.SCHEMA


def test_freds_json_names_nothing() -> None:
    """Its observations have a date and a value; whose they are only the request knew, so no instrument gets them."""
    body = b'{"observations":[{"date":"2024-11-22","value":"76.10"},{"date":"2024-11-25","value":"."}]}'
    (tick,) = SOURCES["fred"].parse(body).ticks
    assert (tick.symbol, tick.currency, tick.price) == ("", "", Decimal("76.10"))


def test_fred_is_asked_for_the_last_weeks() -> None:
    """The whole history has 135 KB: the request names the day from which on, by the publisher's own date."""
    (request,) = SOURCES["fred"].requests(["DCOILBRENTEU"], datetime(2024, 11, 22, 3, tzinfo=UTC))
    assert dict(request.query) == {"id": "DCOILBRENTEU", "cosd": "2024-09-22"}


@pytest.mark.parametrize("text", ["Information", "Note"])
def test_alpha_vantages_limit_is_named_without_its_text(text: str) -> None:
    """The text of a refusal repeats the key."""
    body = f'{{"{text}": "We have detected your API key as GEHEIM and our standard rate limit is 25"}}'.encode()
    with pytest.raises(Exception, match="rate_limited") as caught:
        SOURCES["alphavantage"].parse(body)
    assert "GEHEIM" not in str(caught.value)


def test_several_series_of_the_eia_come_in_one_answer() -> None:
    """One request for all, each its own newest price."""
    (request,) = SOURCES["eia"].requests(["RBRTE", "RWTC"], NOON)
    assert {name: value for name, value in request.query.items() if "facets" in name} == {
        "facets[series][0]": "RBRTE",
        "facets[series][1]": "RWTC",
    }
    rows = [
        prices.eia(series, {day: price for day, price in OIL.items() if price}).partition(b'"data":[')[2][:-3]
        for series in ("RBRTE", "RWTC")
    ]
    body = b'{"response":{"data":[' + b",".join(rows) + b"]}}"
    assert {tick.symbol: tick.price for tick in SOURCES["eia"].parse(body).ticks} == {
        "RBRTE": Decimal("76.10"),
        "RWTC": Decimal("76.10"),
    }


def test_archives_are_asked_for_by_the_span() -> None:
    """From and to where there are such; Alpha Vantage has one answer for all time."""
    span = (date(2024, 11, 1), date(2024, 11, 30))
    asked = {source: adapter.archive(["X"], *span) for source in WORDS if (adapter := SOURCES[source]).archive}
    (fred,), (eia,), (alphavantage,) = (asked[source] for source in ("fred", "eia", "alphavantage"))
    assert (fred.query["cosd"], fred.query["coed"]) == (eia.query["start"], eia.query["end"])
    assert alphavantage in SOURCES["alphavantage"].requests(["X"], NOON)


def test_a_span_without_a_price_is_an_empty_history() -> None:
    """Of a weekend FRED gives the header alone, of a holiday a day without a price: neither is a fault."""
    parse_archive = SOURCES["fred"].parse_archive
    assert parse_archive is not None
    assert not parse_archive(b"observation_date,DCOILBRENTEU\n").ticks
    assert not parse_archive(b"observation_date,DCOILBRENTEU\n2024-12-25,\n").ticks
    assert refused(parse_archive, b"hello\n") is Reason.SCHEMA


def test_many_series_cost_as_much_as_their_rows() -> None:
    """Forty thousand series of a row each would hold the service for minutes if each were looked for among all."""
    row = b'{"period":"2024-11-22","series":"R%d","value":"1","units":"$/BBL"}'
    body = b'{"response":{"data":[' + b",".join(row % each for each in range(30_000)) + b"]}}"
    began = thread_time()
    assert len(SOURCES["eia"].parse(body).ticks) == 30_000
    assert thread_time() - began < 5
