"""Central Bank of Uzbekistan, official rates: a table in sum, from which roubles are a cross rate.

Every number is a string, every day is written DD.MM.YYYY (https://cbu.uz/en/arkhiv-kursov-valyut/veb-masteram/).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ticker.quotes import PriceType, Tick
from ticker.sources.base import Adapter, Extract, Request, before, listed, midnight, nominal, number, raw_of, spans

TASHKENT = ZoneInfo("Asia/Tashkent")
_PATH = "/en/arkhiv-kursov-valyut/json/"


def requests(_codes: Sequence[str], _now: datetime) -> Sequence[Request]:
    """The one table in force."""
    return [Request(_PATH)]


def archive(_codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The tables from `first` to `last`, a day a request."""
    return [Request(f"{_PATH}all/{day}/") for day, _ in spans(first, last, 1)]


def parse(body: bytes) -> Extract:
    """The ticks of one table, a currency each, in sum, with the rate before. Raises SourceError."""
    return listed(body, "Ccy", _tick)


def _tick(row: Any, code: str) -> Tick:  # noqa: ANN401 - untrusted JSON
    price, units = number(row.get("Rate"), code), nominal(row.get("Nominal"), code)
    as_of = midnight(row.get("Date"), "%d.%m.%Y", TASHKENT, code)
    previous = before(price, row.get("Diff"), code)
    return Tick(code, price, "UZS", as_of, PriceType.FIXING, units, previous, raw=raw_of(row.get("Rate")))


ADAPTER = Adapter(publisher="cbu_uz", base_url="https://cbu.uz", requests=requests, parse=parse, archive=archive)
