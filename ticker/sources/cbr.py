"""Bank of Russia, official rates: XML_daily.asp and XML_dynamic.asp (https://www.cbr.ru/development/sxml/).

Windows-1251 XML, decimal comma, a price per `Nominal` units; the date is the one from which the rates are in force, in
the evening therefore tomorrow's. No ETag, no Last-Modified. Errors come with status 200.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from xml.etree.ElementTree import Element

from ticker.quotes import PriceType, Reason, SourceError, Tick
from ticker.sources.base import (
    FEWEST_ROWS,
    MOSCOW,
    Adapter,
    Extract,
    Request,
    as_xml,
    midnight,
    nominal,
    number,
    schema,
    spans,
    table,
)

# The Bank's own identifiers, by which histories are asked for.
# fmt: off
IDS = {
    "AUD": "R01010", "GBP": "R01035", "AMD": "R01060", "BYN": "R01090B", "BRL": "R01115", "HUF": "R01135",
    "HKD": "R01200", "GEL": "R01210", "DKK": "R01215", "AED": "R01230", "USD": "R01235", "EUR": "R01239",
    "INR": "R01270", "KZT": "R01335", "CAD": "R01350", "KGS": "R01370", "CNY": "R01375", "NOK": "R01535",
    "PLN": "R01565", "SGD": "R01625", "THB": "R01675", "TRY": "R01700J", "UZS": "R01717", "UAH": "R01720",
    "CZK": "R01760", "SEK": "R01770", "CHF": "R01775", "ZAR": "R01810", "KRW": "R01815", "JPY": "R01820",
}
# fmt: on
CURRENCIES = {bank: code for code, bank in IDS.items()}
_TABLE = "/scripts/XML_daily.asp"
_YEARS = 3650  # days in one request: about 330 KB
# Rates of one unit run to many decimals, and a writer of tiny ones may put an exponent.
_UNIT_RATE = re.compile(r"[0-9]{1,12}(?:[.,][0-9]{1,20})?(?:[eE]-?[0-9]{1,2})?")


def requests(_codes: Sequence[str], _now: datetime) -> Sequence[Request]:
    """The one table with every currency; without a date it is the last one registered, in the evening tomorrow's."""
    return [Request(_TABLE)]


def earlier(_codes: Sequence[str], day: date) -> Sequence[Request]:
    """The table that holds on `day` in Moscow; of a weekend or holiday the Bank answers the last one before."""
    return [Request(_TABLE, {"date_req": f"{day:%d/%m/%Y}"})]


def archive(codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The tables in force from `first` to `last`, a currency a request; currencies outside `IDS` are left out."""
    return [
        Request(
            "/scripts/XML_dynamic.asp",
            {"date_req1": f"{start:%d/%m/%Y}", "date_req2": f"{end:%d/%m/%Y}", "VAL_NM_RQ": IDS[code]},
        )
        for code in codes
        if code in IDS
        for start, end in spans(first, last, _YEARS)
    ]


def parse(body: bytes) -> Extract:
    """The ticks of one table, a currency each, in roubles. Raises SourceError."""
    root = _root(body)
    rows = root.findall("Valute")
    if not rows:
        raise schema(f"no rows: {(root.text or '').strip()[:80] or 'an empty table'}")
    as_of = effective(root.get("Date") or "")
    return table(
        rows, lambda row: _cell(row, "CharCode"), lambda row, code: _tick(row, code, as_of), fewest=FEWEST_ROWS
    )


def parse_archive(body: bytes) -> Extract:
    """The ticks of one currency's history, a table each; none for days without one. Raises SourceError."""
    root = _root(body)
    bank = root.get("ID", "")
    code = CURRENCIES.get(bank)
    if code is None:
        raise schema(f"the history of {bank[:20]!r}: {(root.text or '').strip()[:80] or 'no currency asked for'}")

    def read(row: Element, day: str) -> Tick:
        if row.get("Id", bank) != bank:
            raise schema(f"a row of another currency in the history of {code}")
        return _tick(row, code, effective(day))

    return table(root.findall("Record"), lambda row: row.get("Date") or "", read, fewest=0)


def effective(text: str) -> datetime:
    """Midnight in Moscow of the table's DD.MM.YYYY (older tables write DD/MM/YYYY). Raises SourceError (`schema`)."""
    return midnight(text.replace("/", "."), "%d.%m.%Y", MOSCOW, "the table's date")


def _root(body: bytes) -> Element:
    root = as_xml(body)
    if root.tag != "ValCurs":
        raise schema(f"<{root.tag[:40]}> where <ValCurs> was asked for")
    return root


def _tick(row: Element, code: str, as_of: datetime) -> Tick:
    written = _cell(row, "Value", code)
    price = number(written, code)
    units = nominal(_cell(row, "Nominal", code), code)
    if row.find("VunitRate") is not None:
        _check(_cell(row, "VunitRate", code), price / units, code)
    return Tick(code, price, "RUB", as_of, PriceType.FIXING, units, raw=written)


def _cell(row: Element, name: str, code: str = "") -> str:
    """The text of the one cell `name`; one with an element inside would be read to there only."""
    cells = row.findall(name)
    text = (cells[0].text or "").strip() if len(cells) == 1 and not len(cells[0]) else ""
    if not text:
        raise schema(f"{code or 'a row'} without its one <{name}>")
    return text


def _check(unit_rate: str, price: Decimal, code: str) -> None:
    """The table states the rate twice since 2023: where both disagree one of them has slipped by a nominal."""
    if not _UNIT_RATE.fullmatch(unit_rate):
        raise SourceError(Reason.PARSE, f"{code}: VunitRate is not a number: {unit_rate[:40]!r}")
    if abs(Decimal(unit_rate.replace(",", ".")) - price) > price / 1000:
        raise SourceError(Reason.UNIT, f"{code}: {price} is not its VunitRate of {unit_rate}")


ADAPTER = Adapter(
    publisher="cbr",
    base_url="https://www.cbr.ru",
    requests=requests,
    parse=parse,
    earlier=earlier,
    archive=archive,
    parse_archive=parse_archive,
)
