"""National Bank of Kazakhstan, official rates: a table in tenge, from which roubles are a cross rate.

The rouble has two decimals (5.87), so the cross is good to a tenth of a percent and no better.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from ticker.quotes import PriceType, Tick
from ticker.sources.base import (
    Adapter,
    Extract,
    Request,
    as_xml,
    before,
    midnight,
    nominal,
    number,
    raw_of,
    schema,
    spans,
    table,
    with_both,
)

ALMATY = ZoneInfo("Asia/Almaty")
_PATH = "/rss/get_rates.cfm"
_DAY = "%d.%m.%Y"


def requests(_codes: Sequence[str], now: datetime) -> Sequence[Request]:
    """The one table of today, by the bank's own date."""
    return [Request(_PATH, {"fdate": f"{now.astimezone(ALMATY):{_DAY}}"})]


def archive(_codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The tables from `first` to `last`, a day a request."""
    return [Request(_PATH, {"fdate": f"{day:{_DAY}}"}) for day, _ in spans(first, last, 1)]


def parse(body: bytes) -> Extract:
    """The ticks of one table, a currency each, in tenge, with the rate before. Raises SourceError."""
    root = as_xml(body)
    if root.tag != "rates":
        raise schema(f"<{root.tag[:40]}> where <rates> was asked for")
    as_of = midnight(root.findtext("date", "").strip(), _DAY, ALMATY, "date")
    return with_both(table(root.findall("item"), _code, lambda row, code: _tick(row, code, as_of)), "RUB")


def _code(row: Element) -> str:
    code = row.findtext("title", "").strip()
    if not code:
        raise schema("a row without a currency")
    return code


def _tick(row: Element, code: str, as_of: datetime) -> Tick:
    written = row.findtext("description", "")
    price, units = number(written, code), nominal(row.findtext("quant"), code)
    previous = before(price, row.findtext("change"), code)
    return Tick(code, price, "KZT", as_of, PriceType.FIXING, units, previous, raw=raw_of(written))


ADAPTER = Adapter(publisher="nbk", base_url="https://nationalbank.kz", requests=requests, parse=parse, archive=archive)
