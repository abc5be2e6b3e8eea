"""fawazahmed0/exchange-api: what one dollar costs in some 200 currencies and coins; a file a day, CC0, the last resort.

Nobody answers for these numbers and some are junk. Of a coin nothing is told when it is left out; of a currency it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from ticker.quotes import PriceType, Tick
from ticker.sources.base import (
    Adapter,
    Extract,
    Request,
    as_json,
    brief,
    midnight,
    number,
    raw_of,
    schema,
    spans,
    table,
)

_ZONE = ZoneInfo("UTC")
_CODE = 3  # letters of a currency by ISO 4217; coins have others


def requests(_codes: Sequence[str], _now: datetime) -> Sequence[Request]:
    """The one file of the dollar; every other pair is a cross of it."""
    return [_file("latest")]


def archive(_codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The files from `first` to `last`, a day a request."""
    return [_file(f"{day}") for day, _ in spans(first, last, 1)]


def parse(body: bytes) -> Extract:
    """The ticks of one file: the dollar in each other currency. Raises SourceError."""
    answer = as_json(body)
    rates = answer.get("usd") if isinstance(answer, dict) else None
    if not isinstance(rates, dict):
        raise schema(f"no rates of the dollar: {brief(answer)}")
    as_of = midnight(answer.get("date"), "%Y-%m-%d", _ZONE, "date")

    def read(row: tuple[str, object], code: str) -> Tick:
        return Tick("USD", number(row[1], code), code, as_of, PriceType.MID, raw=raw_of(row[1]))

    # `rub` and `RUB` are one currency.
    rows = [row for row in rates.items() if row[0].upper() != "USD"]
    found = table(rows, lambda row: row[0].upper(), read)
    return replace(found, skipped=tuple(row for row in found.skipped if len(row.symbol or "") == _CODE))


def _file(version: str) -> Request:
    return Request(f"/npm/@fawazahmed0/currency-api@{version}/v1/currencies/usd.min.json")


ADAPTER = Adapter(
    publisher="fawazahmed0",
    base_url="https://cdn.jsdelivr.net",
    requests=requests,
    parse=parse,
    archive=archive,
)
