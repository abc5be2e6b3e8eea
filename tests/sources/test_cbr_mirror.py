from __future__ import annotations

import time
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import wounds
from tests.support.refusals import denied, refused, ticks_by_symbol
from tests.support.upstreams import formats
from ticker.quotes import PriceType, Reason, Tick
from ticker.sources.base import MOSCOW
from ticker.sources.cbr_mirror import ADAPTER, parse

RATES = {"USD": Decimal("100.6798"), "EUR": Decimal("106.0762")}
BEFORE = {"USD": Decimal("100.2192"), "EUR": Decimal("105.8067")}
TABLE = formats.cbr_mirror(
    date(2024, 11, 22), date(2024, 11, 21), datetime(2024, 11, 22, 12, tzinfo=MOSCOW), RATES, BEFORE
)
RECORDED = {
    "daily_json_2025-06-26.js": ("2025-06-26 2025-06-25", "USD 78.1959 78.3892 EUR 91.0599 91.7370"),
    "daily_json_2022-08-27.js": ("2022-08-27 2022-08-26", "USD 60.0924 59.7699 EUR 59.8784 59.5983"),
    "daily_json_2021-12-31_newyear.js": ("2021-12-31 2021-12-30", "USD 74.2926 73.6514 EUR 84.0695 83.2040"),
    "daily_json_2020-03-12_mojibake_pycharm.json": (
        "2020-03-12 2020-03-11",
        "USD 71.4720 72.0208 EUR 81.0207 81.8588",
    ),
}


def changed(old: str, new: str) -> bytes:
    """The table with the first `old` replaced."""
    assert old.encode() in TABLE
    return TABLE.replace(old.encode(), new.encode(), 1)


def of(body: bytes) -> dict[str, Tick]:
    """The ticks by currency."""
    return ticks_by_symbol(parse(body).ticks)


def midnight(day: str) -> datetime:
    """The start of `day` in Moscow."""
    return datetime.fromisoformat(day).replace(tzinfo=MOSCOW)


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_table_gives_its_rates(payloads: Path, name: str) -> None:
    """Every recording gives rate and previous rate, each with its own date and without the constant time of day."""
    ticks = of((payloads / "cbr_xml_daily" / name).read_bytes())
    (day, before), figures = RECORDED[name][0].split(), RECORDED[name][1].split()
    for code, rate, previous in zip(figures[::3], figures[1::3], figures[2::3], strict=True):
        tick = ticks[code]
        assert (tick.price / tick.nominal, tick.previous) == (Decimal(rate), Decimal(previous))
        assert (tick.as_of, tick.previous_as_of) == (midnight(day), midnight(before))


def test_a_table_as_documented() -> None:
    """The same numbers as the Bank's own table, with the table before."""
    expected = Tick(
        "USD",
        Decimal("100.6798"),
        "RUB",
        midnight("2024-11-22"),
        PriceType.FIXING,
        1,
        Decimal("100.2192"),
        midnight("2024-11-21"),
        raw="100.6798",
    )
    assert of(TABLE)["USD"] == expected
    assert ADAPTER.publisher == "cbr"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"EUR": {', '"USD": {', Reason.SCHEMA),  # a currency twice
        ('"CharCode": "USD"', '"CharCode": "EUR"', Reason.SCHEMA),
        ('"Valute"', '"Valuta"', Reason.SCHEMA),
        ('"Value": 100.6798', '"Value": null', Reason.SCHEMA),
        ('"Value": 100.6798', '"Value": true', Reason.SCHEMA),
        ('"Value": 100.6798', '"Value": {}', Reason.SCHEMA),
        ('"Value": 100.6798', '"Value": "-"', Reason.PARSE),
        ('"Value": 100.6798', '"Value": NaN', Reason.PARSE),
        ('"Value": 100.6798', '"Value": Infinity', Reason.PARSE),
        ('"Value": 100.6798', '"Value": 1e999', Reason.PARSE),
        ('"Value": 100.6798', f'"Value": {"9" * 1_000_000}', Reason.PARSE),
        ('"Value": 100.6798', '"Value": 0', Reason.RANGE),
        ('"Value": 100.6798', '"Value": -100.6798', Reason.RANGE),
        ('"Date": "2024-11-22', '"Date": "2024-13-22', Reason.SCHEMA),
        ('"Date": "2024-11-22', '"Date": "0001-01-01', Reason.SCHEMA),
        ('"Date": "2024-11-22', '"Date": "9999-12-31', Reason.SCHEMA),
        ('"PreviousDate": "2024-11-21', '"PreviousDate": "2024-11-22', Reason.SCHEMA),
    ],
)
def test_a_wound_is_refused_by_name(old: str, new: str, reason: Reason) -> None:
    """Each way a table can go wrong has its own reason, and none gives a number."""
    assert denied(parse, changed(old, new), "USD") is reason


def test_a_short_table_is_refused() -> None:
    """Two currencies are not the Bank's table, even the right two."""
    rows = ",".join(f'"{code}": {{"Nominal": 1, "Value": 100}}' for code in ("USD", "EUR"))
    body = f'{{"Date": "2024-11-22T11:30:00+03:00", "Valute": {{{rows}}}}}'
    assert refused(parse, body.encode()) is Reason.SCHEMA


@pytest.mark.parametrize("lost", ['"Previous": 100.2192', '"PreviousDate": "2024-11-21T11:30:00+03:00"'])
def test_without_the_table_before_there_is_no_change(lost: str) -> None:
    """A previous number without a date, or a date without a number, is not known."""
    dollar = of(changed(lost, '"Nothing": 0'))["USD"]
    assert (dollar.price, dollar.previous, dollar.previous_as_of) == (Decimal("100.6798"), None, None)


def test_a_previous_rate_for_another_nominal_is_not_known() -> None:
    """When the Bank went from ten yuan to one, the mirror's previous was still for ten: no change of 900 %."""
    yuan = of(changed('"Previous": 100.2192', '"Previous": 1002.192'))["USD"]
    assert (yuan.price, yuan.previous, yuan.previous_as_of) == (Decimal("100.6798"), None, None)


@pytest.mark.parametrize("previous", ["0", "0.0", "null", "-1", '"?"', '""', "true", "{}", "NaN"])
def test_a_previous_rate_of_nothing_costs_the_change_alone(previous: str) -> None:
    """The rate stands in a cell of its own."""
    dollar = of(changed('"Previous": 100.2192', f'"Previous": {previous}'))["USD"]
    assert (dollar.price, dollar.previous, dollar.previous_as_of) == (Decimal("100.6798"), None, None)


@pytest.mark.parametrize("value", ["null", '""', '"n/a"', "0", "[]", "NaN", "1e999"])
def test_a_cell_of_another_currency_costs_that_currency_alone(value: str) -> None:
    """The won is wounded: every other rate is read as if nothing were, and the row is told."""
    found = parse(changed('"Value": 71.94,', f'"Value": {value},'))
    assert ticks_by_symbol(found.ticks) == {code: tick for code, tick in of(TABLE).items() if code != "KRW"}
    assert [skipped.symbol for skipped in found.skipped] == ["KRW"]


def test_the_table_before_comes_as_ticks_of_its_own_date() -> None:
    """In the evening it is the one in force: with the Bank away nobody else tells it."""
    dollars = [tick for tick in parse(TABLE).ticks if tick.symbol == "USD"]
    assert [(tick.price, tick.as_of) for tick in dollars] == [
        (Decimal("100.6798"), midnight("2024-11-22")),
        (Decimal("100.2192"), midnight("2024-11-21")),
    ]
    assert ADAPTER.parse_archive is not None
    assert len(ADAPTER.parse_archive(TABLE).ticks) == len(of(TABLE))


def test_a_currency_that_stands_twice_alike_counts_once() -> None:
    """JSON lets a name stand twice; said again with the same numbers it says nothing new."""
    start = TABLE.index(b'"USD": {')
    row = TABLE[start : TABLE.index(b"}", start) + 1]
    twice = parse(TABLE.replace(row, row + b"," + row))
    assert ticks_by_symbol(twice.ticks) == of(TABLE)
    assert [skipped.symbol for skipped in twice.skipped] == ["USD"]


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/Los_Angeles"])
def test_a_date_without_offset_is_the_banks(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The zone of this machine never moves the date of a table."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert of(changed('"2024-11-22T11:30:00+03:00"', '"2024-11-22"'))["USD"].as_of == midnight("2024-11-22")
    finally:
        monkeypatch.undo()
        time.tzset()


@settings(max_examples=300)
@given(st.data())
def test_no_wound_gives_a_number_that_is_not_there(data: st.DataObject) -> None:
    """Mutated tables are refused by a SourceError or read as they are written."""
    body = data.draw(wounds.wounded(TABLE))
    assert not wounds.invented(wounds.read(ADAPTER, body), body)


@pytest.mark.parametrize(
    "day", ["null", '""', '"?"', '"0001-01-01T00:00:00+03:00"', '"2024-13-21T11:30:00+03:00"', "5", "[]"]
)
def test_a_date_before_that_is_none_costs_the_change_alone(day: str) -> None:
    """The table has a date of its own."""
    dollar = of(changed('"PreviousDate": "2024-11-21T11:30:00+03:00"', f'"PreviousDate": {day}'))["USD"]
    assert (dollar.price, dollar.previous, dollar.previous_as_of) == (Decimal("100.6798"), None, None)
