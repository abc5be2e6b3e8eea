"""National Bank of Belarus, official rates: a table in Belarusian roubles, from which Russian ones are a cross rate.

Five digits for 100 Russian roubles, the finest of the crosses (https://www.nbrb.by/apihelp/exrates).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from ticker.quotes import PriceType, Tick
from ticker.sources.base import Adapter, Extract, Request, listed, midnight, nominal, number, raw_of, spans

MINSK = ZoneInfo("Europe/Minsk")


def requests(_codes: Sequence[str], _now: datetime) -> Sequence[Request]:
    """The one table of today; periodicity 0 are the rates set daily."""
    return [Request("/exrates/rates", {"periodicity": "0"})]


def archive(_codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The tables from `first` to `last`, a day a request."""
    return [Request("/exrates/rates", {"ondate": f"{day}", "periodicity": "0"}) for day, _ in spans(first, last, 1)]


def parse(body: bytes) -> Extract:
    """The ticks of one table, a currency each, in Belarusian roubles. Raises SourceError."""
    return listed(body, "Cur_Abbreviation", _tick)


def _tick(row: Any, code: str) -> Tick:  # noqa: ANN401 - untrusted JSON
    rate = row.get("Cur_OfficialRate")
    as_of = midnight(row.get("Date"), "%Y-%m-%dT%H:%M:%S", MINSK, code)
    units = nominal(row.get("Cur_Scale"), code)
    return Tick(code, number(rate, code), "BYN", as_of, PriceType.FIXING, units, raw=raw_of(rate))


ADAPTER = Adapter(publisher="nbrb", base_url="https://api.nbrb.by", requests=requests, parse=parse, archive=archive)
