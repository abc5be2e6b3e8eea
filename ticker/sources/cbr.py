"""Bank of Russia, official rates: XML_daily.asp (https://www.cbr.ru/development/sxml/).

Windows-1251 XML, decimal comma, a price per `Nominal` units; the date is the one from which the rates are in force, in
the evening therefore tomorrow's. No ETag, no Last-Modified. Errors come with status 200.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ticker.quotes import PriceType, Reason, SourceError, Tick, decimal_of
from ticker.sources.base import Adapter, Request, as_xml, nominal, number, schema
from ticker.sources.table import MOSCOW, whole_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element


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
        return datetime.strptime(text.replace("/", "."), "%d.%m.%Y").replace(tzinfo=MOSCOW)
    except ValueError as error:
        raise schema(f"no date of the table: {text[:40]!r}") from error


def _tick(row: Element, as_of: datetime) -> Tick:
    code = _cell(row, "CharCode")
    price = number(_cell(row, "Value"), code)
    units = nominal(_cell(row, "Nominal"), code)
    unit_rate = row.findtext("VunitRate")
    # The table states the rate twice since 2023: where both disagree one of them has slipped by a nominal.
    if unit_rate and abs(decimal_of(unit_rate.strip()) * units - price) > price / 1000:
        raise SourceError(Reason.UNIT, f"{code}: {price} for {units} is not {unit_rate[:20]} for one")
    return Tick(code, price, "RUB", as_of, PriceType.FIXING, units)


def _cell(row: Element, name: str) -> str:
    text = (row.findtext(name) or "").strip()
    if not text:
        raise schema(f"a row without <{name}>")
    return text


ADAPTER = Adapter(publisher="cbr", base_url="https://www.cbr.ru", requests=requests, parse=parse)
