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
from ticker.sources.adapter import Adapter, Request
from ticker.sources.base import as_xml, nominal, number, schema
from ticker.sources.series import midnight, spans
from ticker.sources.table import CURRENCIES, IDS, MOSCOW, whole_table

_YEARS = 3650  # days in one request: about 330 KB


# Rates of one unit run to many decimals, and a writer of tiny ones may put an exponent.
_UNIT_RATE = re.compile(r"[0-9]{1,12}(?:[.,][0-9]{1,20})?(?:[eE]-?[0-9]{1,2})?")


def requests(_codes: Sequence[str]) -> Sequence[Request]:
    """The one table with every currency; without a date it is the last one registered."""
    return [Request("/scripts/XML_daily.asp")]


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


def parse(body: bytes) -> Sequence[Tick]:
    """The ticks of one table, a currency each, in roubles. Raises SourceError."""
    root = _table(body)
    rows = root.findall("Valute")
    if not rows:
        raise schema(f"no rows: {(root.text or '').strip()[:80] or 'an empty table'}")
    as_of = in_force(root.get("Date") or "")
    ticks = [_tick(row, _cell(row, "CharCode"), as_of) for row in rows]
    return whole_table(ticks)


def parse_archive(body: bytes) -> Sequence[Tick]:
    """The ticks of one currency's history, a table each; none for days without one. Raises SourceError."""
    root = _table(body)
    bank = root.get("ID", "")
    code = CURRENCIES.get(bank)
    if code is None:
        raise schema(f"the history of {bank[:20]!r}: {(root.text or '').strip()[:80] or 'no currency asked for'}")
    rows = root.findall("Record")
    if any(row.get("Id", bank) != bank for row in rows):
        raise schema(f"a row of another currency in the history of {code}")
    return [_tick(row, code, in_force(row.get("Date") or "")) for row in rows]


def in_force(text: str) -> datetime:
    """Midnight in Moscow of the table's DD.MM.YYYY (older tables write DD/MM/YYYY). Raises SourceError (`schema`)."""
    return midnight(text.replace("/", "."), "%d.%m.%Y", MOSCOW, "the table's date")


def _table(body: bytes) -> Element:
    root = as_xml(body)
    if root.tag != "ValCurs":
        raise schema(f"<{root.tag[:40]}> where <ValCurs> was asked for")
    return root


def _tick(row: Element, code: str, as_of: datetime) -> Tick:
    price = number(_cell(row, "Value"), code)
    units = nominal(_cell(row, "Nominal"), code)
    if row.find("VunitRate") is not None:
        _check(_cell(row, "VunitRate"), price / units, code)
    return Tick(code, price, "RUB", as_of, PriceType.FIXING, units)


def _cell(row: Element, name: str) -> str:
    """The text of the one cell `name`; one with an element inside would be read to there only."""
    cells = row.findall(name)
    text = (cells[0].text or "").strip() if len(cells) == 1 and not len(cells[0]) else ""
    if not text:
        raise schema(f"a row without its one <{name}>")
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
    archive=archive,
    parse_archive=parse_archive,
)
