"""National Bank of Kazakhstan, official rates: a table in tenge, from which roubles are a cross rate.

The rouble has two decimals (5.87), so the cross is good to a tenth of a percent and no better.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from ticker.quotes import PriceType, Tick
from ticker.sources.adapter import Adapter, Day, Request
from ticker.sources.base import as_xml, nominal, number, schema
from ticker.sources.series import before, midnight, spans
from ticker.sources.table import cross_table

ALMATY = ZoneInfo("Asia/Almaty")
_PATH = "/rss/get_rates.cfm"
_DAY = "%d.%m.%Y"


def requests(_codes: Sequence[str]) -> Sequence[Request]:
    """The one table of today."""
    return [Request(_PATH, day=Day("fdate", _DAY, ALMATY))]


def archive(_codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The tables from `first` to `last`, a day a request."""
    return [Request(_PATH, {"fdate": f"{day:{_DAY}}"}) for day, _ in spans(first, last, 1)]


def parse(body: bytes) -> Sequence[Tick]:
    """The ticks of one table, a currency each, in tenge, with the rate before. Raises SourceError."""
    root = as_xml(body)
    if root.tag != "rates":
        raise schema(f"<{root.tag[:40]}> where <rates> was asked for")
    as_of = midnight(root.findtext("date", "").strip(), _DAY, ALMATY, "date")
    return cross_table([_tick(row, as_of) for row in root.findall("item")])


def _tick(row: Element, as_of: datetime) -> Tick:
    code = row.findtext("title", "").strip()
    if not code:
        raise schema("a row without a currency")
    price, units = number(row.findtext("description", ""), code), nominal(row.findtext("quant"), code)
    return Tick(code, price, "KZT", as_of, PriceType.FIXING, units, before(price, row.findtext("change"), code))


ADAPTER = Adapter(
    publisher="nbk",
    base_url="https://nationalbank.kz",
    requests=requests,
    parse=parse,
    archive=archive,
    parse_archive=parse,
)
