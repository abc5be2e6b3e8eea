from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from tests.support.answers import BEFORE, DAY, HISTORY, LIVE, NOON, changed
from tests.support.refusals import refused
from ticker.quotes import PriceType, Reason, Tick
from ticker.sources.ecb import ADAPTER, FRANKFURT, parse, parse_archive

EURUSD = Decimal("1.0536")  # 106.0762 roubles over 100.6798


def test_a_table_is_what_one_euro_costs() -> None:
    """Units of each currency for one euro, a fixing of the day that the table names, and no rouble among them."""
    ticks = {tick.currency: tick for tick in parse(LIVE["ecb"]).ticks}
    friday = datetime(2024, 11, 22, tzinfo=FRANKFURT)
    assert ticks["USD"] == Tick("EUR", EURUSD, "USD", friday, PriceType.FIXING, raw="1.0536")
    assert "RUB" not in ticks


def test_it_is_asked_for_the_newest_table() -> None:
    """One request, whatever is wanted."""
    assert [request.path for request in ADAPTER.requests(["EUR"], NOON)] == ["/stats/eurofxref/eurofxref-daily.xml"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (" time='2024-11-22'", "", Reason.SCHEMA),
        ("2024-11-22", "22.11.2024", Reason.SCHEMA),
        ("vocabulary/2002-08-01/eurofxref", "vocabulary/another", Reason.SCHEMA),
        ("</Cube>", "", Reason.PARSE),
    ],
)
def test_another_table_is_refused(old: str, new: str, reason: Reason) -> None:
    """No day, no number, a currency twice or by no code, another namespace, an open end."""
    assert refused(parse, changed("ecb", old, new)) is reason


def test_history_is_another_host_and_a_year_at_a_time() -> None:
    """SDMX has its own address; a request holds a year, both ends included."""
    assert ADAPTER.archive is not None
    asked = ADAPTER.archive([], date(2023, 1, 1), date(2024, 6, 30))
    spans = [(request.query["startPeriod"], request.query["endPeriod"]) for request in asked]
    assert spans == [("2023-01-01", "2024-01-01"), ("2024-01-02", "2024-06-30")]
    assert ADAPTER.archive_url is not None


def test_history_gives_every_day() -> None:
    """A line a currency and day; a closed day has a line and no value."""
    found = {(tick.currency, tick.as_of.date()): tick.price for tick in parse_archive(HISTORY["ecb"]).ticks}
    assert found["USD", BEFORE] == found["USD", DAY] == EURUSD
    closed = HISTORY["ecb"].replace(b"1.0536", b"NaN", 1)
    assert len(parse_archive(closed).ticks) == len(found) - 1
    assert not parse_archive(HISTORY["ecb"].splitlines()[0]).ticks


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("'1.0536'", "'1,05,36'", Reason.PARSE),
        ("'1.0536'", "'0'", Reason.RANGE),
        ("'CNY'", "'USD'", Reason.SCHEMA),
        ("'USD'", "'DOLLAR'", None),
    ],
)
def test_a_wound_costs_its_own_currency(old: str, new: str, reason: Reason | None) -> None:
    """No number, nothing, a currency twice: the dollar is not known, and the pound is."""
    found = parse(changed("ecb", old, new))
    currencies = {tick.currency for tick in found.ticks}
    why = found.why_not("USD")
    assert "USD" not in currencies
    assert currencies
    assert (why.reason if why else None) is reason
    assert found.skipped


@pytest.mark.parametrize(("old", "new"), [(b",D,", b",M,"), (b",EUR,SP00", b",USD,SP00"), (b",1.0536\r", b"\r")])
def test_what_is_no_rate_of_the_euro_is_left_out(old: bytes, new: bytes) -> None:
    """Monthly means, rates of another currency, a line cut off."""
    found = parse_archive(HISTORY["ecb"].replace(old, new))
    assert "USD" not in {tick.currency for tick in found.ticks}
    assert found.skipped


def test_another_history_is_refused() -> None:
    """Other columns are another table."""
    assert refused(parse_archive, HISTORY["ecb"].replace(b"OBS_VALUE", b"VALUE")) is Reason.SCHEMA


@pytest.mark.parametrize("junk", [b"hello", b"{}", b"Not Found\n", b"a,b,c\n", b"No results found.\r\n\r\n"])
def test_what_is_no_history_is_not_an_empty_one(junk: bytes) -> None:
    """A line without rows under it is a header of this history, or a refusal in other words."""
    assert refused(parse_archive, junk) is Reason.SCHEMA
    assert not parse_archive(b"").ticks
