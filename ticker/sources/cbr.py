"""Bank of Russia, official rates: XML_daily.asp (https://www.cbr.ru/development/sxml/).

Windows-1251 XML, decimal comma, a price per `Nominal` units; the date is the one from which the rates are in force, in
the evening therefore tomorrow's. No ETag, no Last-Modified. Errors come with status 200.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from ticker.quotes import PriceType, Reason, SourceError, Tick
from ticker.sources.base import Adapter, Request, as_xml, nominal, number, sane, schema
from ticker.sources.table import MOSCOW, whole_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element


# Rates of one unit run to many decimals, and a writer of tiny ones may put an exponent.
_UNIT_RATE = re.compile(r"[0-9]{1,12}(?:[.,][0-9]{1,20})?(?:[eE]-?[0-9]{1,2})?")


def requests(_codes: Sequence[str]) -> Sequence[Request]:
    """The one table with every currency; without a date it is the last one registered."""
    return [Request("/scripts/XML_daily.asp")]


def parse(body: bytes) -> Sequence[Tick]:
    """The ticks of one table, a currency each, in roubles. Raises SourceError."""
    root = as_xml(body)
    if root.tag != "ValCurs":
        raise schema(f"<{root.tag[:40]}> where <ValCurs> was asked for")
    rows = root.findall("Valute")
    if not rows:
        raise schema(f"no rows: {(root.text or '').strip()[:80] or 'an empty table'}")
    as_of = in_force(root.get("Date") or "")
    ticks = [_tick(row, as_of) for row in rows]
    return whole_table(ticks)


def in_force(text: str) -> datetime:
    """Midnight in Moscow of the table's DD.MM.YYYY (older tables write DD/MM/YYYY). Raises SourceError (`schema`)."""
    try:
        return sane(datetime.strptime(text.replace("/", "."), "%d.%m.%Y").replace(tzinfo=MOSCOW), "Date")
    except ValueError as error:
        raise schema(f"no date of the table: {text[:40]!r}") from error


def _tick(row: Element, as_of: datetime) -> Tick:
    code = _cell(row, "CharCode")
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


ADAPTER = Adapter(publisher="cbr", base_url="https://www.cbr.ru", requests=requests, parse=parse)
