"""fawazahmed0/exchange-api: what one dollar costs in some 200 currencies and coins; a file a day, CC0, the last resort.

Nobody answers for these numbers and some are junk. A row is left out unless its currency is one that the Bank of
Russia lists too: there a wrong value means that the file is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

from ticker.quotes import PriceType, SourceError, Tick
from ticker.sources.adapter import Adapter, Request
from ticker.sources.base import as_json, brief, number, schema
from ticker.sources.series import midnight, spans
from ticker.sources.table import IDS

_ZONE = ZoneInfo("UTC")
_CHECKED = {*IDS, "RUB"}


def requests(_codes: Sequence[str]) -> Sequence[Request]:
    """The one file of the dollar; every other pair is a cross of it."""
    return [_file("latest")]


def archive(_codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The files from `first` to `last`, a day a request."""
    return [_file(f"{day}") for day, _ in spans(first, last, 1)]


def parse(body: bytes) -> Sequence[Tick]:
    """The ticks of one file: the dollar in each other currency. Raises SourceError."""
    answer = as_json(body)
    rates = answer.get("usd") if isinstance(answer, dict) else None
    if not isinstance(rates, dict):
        raise schema(f"no rates of the dollar: {brief(answer)}")
    if len({code.upper() for code in rates}) != len(rates):
        raise schema("a currency stands there twice")
    as_of = midnight(answer.get("date"), "%Y-%m-%d", _ZONE, "date")
    priced = {code.upper(): _price(code.upper(), value) for code, value in rates.items() if code.upper() != "USD"}
    return [Tick("USD", price, code, as_of, PriceType.MID) for code, price in priced.items() if price is not None]


def _price(code: str, value: object) -> Decimal | None:
    try:
        return number(value, code)
    except SourceError:
        if code in _CHECKED:
            raise
        return None


def _file(version: str) -> Request:
    return Request(f"/npm/@fawazahmed0/currency-api@{version}/v1/currencies/usd.min.json")


ADAPTER = Adapter(
    publisher="fawazahmed0",
    base_url="https://cdn.jsdelivr.net",
    requests=requests,
    parse=parse,
    archive=archive,
    parse_archive=parse,
)
