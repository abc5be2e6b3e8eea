from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import wounds
from tests.support.refusals import denied, refused
from tests.support.upstreams import formats
from ticker.quotes import PriceType, Reason, Tick
from ticker.sources.base import FEWEST_ROWS, MOSCOW
from ticker.sources.cbr import ADAPTER, effective, parse

NOON = datetime(2024, 11, 22, 12, tzinfo=MOSCOW)
TABLE = formats.cbr_daily(date(2024, 11, 22), {"USD": Decimal("100.6798"), "EUR": Decimal("106.0762")})
SMALL = TABLE[: TABLE.index(b"</ValCurs>")]
RECORDED = {
    "XML_daily_2022-07-23_novunitrate.xml": "2022-07-23 USD 57.3917 EUR 57.7608 CNY 8.58282 JPY 0.417941",
    "XML_daily_2022-03-15_novunitrate.xml": "2022-03-15 USD 115.1963 EUR 127.2343 JPY 0.994486 CNY 18.2218",
    "XML_daily_2020-04-25.xml": "2020-04-25 USD 74.7163 EUR 80.2528 JPY 0.694035",
    "XML_daily_2016-12-09_pretty_indented.xml": "2016-12-09 USD 63.3901 EUR 68.2458 JPY 0.558405 CNY 9.21421",
}
REFUSED = {
    "XML_daily_error_in_parameters.xml": Reason.SCHEMA,
    "xml_metall_2026-03-01_05.xml": Reason.SCHEMA,
    "XML_dynamic_USD_2026-03-01_05.xml": Reason.SCHEMA,
    "XML_dynamic_JPY_nominal100_2026-03-01_05.xml": Reason.SCHEMA,
    "ddos_guard_splash_TRUNCATED.html": Reason.BLOCKED,
}


def changed(old: str, new: str) -> bytes:
    """The table with the first `old` replaced."""
    assert old.encode("cp1251") in TABLE
    return TABLE.replace(old.encode("cp1251"), new.encode("cp1251"), 1)


def of(body: bytes) -> dict[str, Tick]:
    """The ticks by currency."""
    return {tick.symbol: tick for tick in parse(body).ticks}


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_table_gives_its_rates(payloads: Path, name: str) -> None:
    """Every recording gives the rates of one unit that stand in it, in force from its date."""
    ticks = of((payloads / "cbr" / name).read_bytes())
    day, *pairs = RECORDED[name].split()
    for code, rate in zip(pairs[::2], pairs[1::2], strict=True):
        assert ticks[code].price / ticks[code].nominal == Decimal(rate)
        assert ticks[code].as_of == datetime.fromisoformat(day).replace(tzinfo=MOSCOW)


@pytest.mark.parametrize("name", REFUSED)
def test_a_recorded_error_is_refused(payloads: Path, name: str) -> None:
    """What came with status 200 and is no table is refused with its reason."""
    assert refused(parse, (payloads / "cbr" / name).read_bytes()) is REFUSED[name]


def test_a_table_as_documented() -> None:
    """Windows-1251, decimal comma, VunitRate: the digits of the Bank, a fixing in roubles without a table before."""
    dollar = of(TABLE)["USD"]
    midnight = datetime(2024, 11, 22, tzinfo=MOSCOW)
    assert dollar == Tick("USD", Decimal("100.6798"), "RUB", midnight, PriceType.FIXING, 1, raw="100,6798")
    assert (of(TABLE)["JPY"].nominal, of(TABLE)["JPY"].price) == (100, Decimal("65.0600"))


def test_it_is_asked_without_a_date() -> None:
    """One request, whatever is wanted: without a date it answers the newest table."""
    assert [request.path for request in ADAPTER.requests(["USD", "EUR"], NOON)] == ["/scripts/XML_daily.asp"]


def test_an_error_with_status_200_is_named() -> None:
    """The Bank's "Error in parameters" is another answer, not an empty table."""
    assert refused(parse, formats.CBR_REFUSAL) is Reason.SCHEMA


def test_utf8_under_a_windows_prolog_is_refused() -> None:
    """A transcoding proxy keeps the prolog and changes the bytes: nobody can say what else it changed."""
    assert refused(parse, TABLE.decode("cp1251").encode()) is Reason.ENCODING


def test_utf8_with_its_own_prolog_is_read() -> None:
    """A proxy that transcodes properly does no harm, with a byte order mark or without."""
    text = TABLE.decode("cp1251").replace("windows-1251", "utf-8")
    assert of(text.encode()) == of(text.encode("utf-8-sig")) == of(TABLE)


@pytest.mark.parametrize("rows", [0, 1, FEWEST_ROWS - 1])
def test_a_truncated_table_is_refused(rows: int) -> None:
    """A body cut by a proxy and closed again is well-formed, and holds too few rows."""
    end = b"</Valute>"
    kept = end.join(TABLE.split(end)[:rows]) + (end if rows else SMALL[: SMALL.index(b"<Valute")])
    assert refused(parse, kept + b"</ValCurs>") is Reason.SCHEMA


def test_a_body_cut_anywhere_is_refused() -> None:
    """No prefix of a table is a table."""
    for end in range(0, len(TABLE) - 1, 97):
        refused(parse, TABLE[:end])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<CharCode>EUR<", "<CharCode>USD<", Reason.SCHEMA),  # a currency twice
        ("<Value>100,6798</Value>", "", Reason.SCHEMA),
        ("<Value>100,6798</Value>", "<Value/>", Reason.SCHEMA),
        ("<Value>100,6798</Value>", "<Value>100<x/>,6798</Value>", Reason.SCHEMA),
        ("<Value>100,6798</Value>", "<Value>1,0</Value><Value>100,6798</Value>", Reason.SCHEMA),
        ("<Value>100,6798<", "<Value>0<", Reason.RANGE),
        ("<Value>100,6798<", "<Value>-100,6798<", Reason.RANGE),
        ("<Value>100,6798<", "<Value>NaN<", Reason.PARSE),
        ("<Value>100,6798<", "<Value>Infinity<", Reason.PARSE),
        ("<Value>100,6798<", "<Value>1e999<", Reason.PARSE),
        ("<Value>100,6798<", "<Value>1 006,798<", Reason.PARSE),
        ("<Value>100,6798<", f"<Value>{'9' * 1_000_000}<", Reason.PARSE),
        ("<Value>100,6798<", "<Value>1006,798<", Reason.UNIT),  # VunitRate says otherwise
        ("<VunitRate>100,6798<", "<VunitRate>10,06798<", Reason.UNIT),
        ("<VunitRate>100,6798<", "<VunitRate>?<", Reason.PARSE),
        ("USD</CharCode><Nominal>1<", "USD</CharCode><Nominal>3<", Reason.UNIT),
        ("USD</CharCode><Nominal>1<", "USD</CharCode><Nominal>0<", Reason.UNIT),
        ('Date="22.11.2024"', "", Reason.SCHEMA),
        ('Date="22.11.2024"', 'Date="2024-11-22"', Reason.SCHEMA),
        ('Date="22.11.2024"', 'Date="31.02.2024"', Reason.SCHEMA),
        ('Date="22.11.2024"', 'Date="01.01.0001"', Reason.SCHEMA),
        ("ValCurs Date", "Metall Date", Reason.PARSE),
    ],
)
def test_a_wound_is_refused_by_name(old: str, new: str, reason: Reason) -> None:
    """Each way a table can go wrong has its own reason, and none gives a number."""
    assert denied(parse, changed(old, new), "USD") is reason


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<Value>71,9400</Value>", "<Value/>"),  # the won
        ("<Value>71,9400</Value>", "<Value>n/a</Value>"),
        ("<Value>71,9400</Value>", ""),
        ("<Nominal>1000<", "<Nominal>1200<"),
        ("<VunitRate>0,07194<", "<VunitRate>7,194<"),
        ("<CharCode>KRW</CharCode>", ""),
        ("<CharCode>KRW<", "<CharCode>XXX<"),
    ],
)
def test_a_cell_of_another_currency_costs_that_currency_alone(old: str, new: str) -> None:
    """The won is wounded: every other rate is read as if nothing were, and the row is told."""
    found = parse(changed(old, new))
    ticks = {tick.symbol: tick for tick in found.ticks}
    assert {code: ticks[code] for code in of(TABLE) if code != "KRW"} == {
        code: tick for code, tick in of(TABLE).items() if code != "KRW"
    }
    assert "KRW" not in ticks
    assert len(found.skipped) == ("XXX" not in new)


def test_a_row_that_stands_twice_alike_counts_once() -> None:
    """Repeated to the digit it says nothing new; repeated with another number nobody can say which is meant."""
    start = TABLE.index(b'<Valute ID="R01235"')
    row = TABLE[start : TABLE.index(b"</Valute>", start) + len(b"</Valute>")]
    twice = parse(TABLE.replace(row, row + row))
    assert {tick.symbol: tick for tick in twice.ticks} == of(TABLE)
    assert [skipped.symbol for skipped in twice.skipped] == ["USD"]
    other = TABLE.replace(row, row + row.replace(b"100,6798", b"100,6799"))
    assert denied(parse, other, "USD") is Reason.SCHEMA
    assert "EUR" in of(other)


def test_the_table_of_a_day_can_be_asked_for() -> None:
    """In the evening the newest table is tomorrow's: the one in force is asked for by its day."""
    assert ADAPTER.earlier is not None
    (request,) = ADAPTER.earlier(["USD"], date(2024, 11, 22))
    assert (request.path, dict(request.query)) == ("/scripts/XML_daily.asp", {"date_req": "22/11/2024"})


def test_a_document_type_is_refused() -> None:
    """A table has none: it would only be there to expand."""
    bomb = '<!DOCTYPE ValCurs [<!ENTITY n "100,6798">]><ValCurs '
    assert refused(parse, changed("<ValCurs ", bomb).replace(b">100,6798<", b">&n;<")) is Reason.PARSE


def test_tables_without_vunitrate_are_read() -> None:
    """Before 2023 the table did not state the rate of one unit."""
    assert of(changed("<VunitRate>100,6798</VunitRate>", ""))["USD"].price == Decimal("100.6798")


def test_a_tiny_unit_rate_may_have_an_exponent() -> None:
    """A rate of one unit below a ten-thousandth is written so by the usual formatters."""
    assert of(changed("<VunitRate>0,004128<", "<VunitRate>4,128E-03<"))["VND"].nominal == 10_000


@pytest.mark.parametrize(("text", "day"), [("23.07.2022", 23), ("09/12/2016", 9)])
def test_older_tables_write_slashes(text: str, day: int) -> None:
    """The day comes first in both."""
    assert effective(text).day == day


@settings(max_examples=300)
@given(st.data())
def test_no_wound_gives_a_number_that_is_not_there(data: st.DataObject) -> None:
    """Mutated tables are refused by a SourceError or read as they are written."""
    body = data.draw(wounds.wounded(TABLE))
    assert not wounds.invented(wounds.read(ADAPTER, body), body)
