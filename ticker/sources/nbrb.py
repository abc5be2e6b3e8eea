"""National Bank of Belarus, official rates: a table in Belarusian roubles, from which Russian ones are a cross rate.

Five digits for 100 Russian roubles, the finest of the crosses (https://www.nbrb.by/apihelp/exrates).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from ticker.quotes import PriceType, Tick
from ticker.sources.adapter import Adapter, Request
from ticker.sources.base import brief, nominal, number, schema
from ticker.sources.series import midnight, spans
from ticker.sources.table import listed

MINSK = ZoneInfo("Europe/Minsk")


def requests(_codes: Sequence[str]) -> Sequence[Request]:
    """The one table of today; periodicity 0 are the rates set daily."""
    return [Request("/exrates/rates", {"periodicity": "0"})]


def archive(_codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The tables from `first` to `last`, a day a request."""
    return [Request("/exrates/rates", {"ondate": f"{day}", "periodicity": "0"}) for day, _ in spans(first, last, 1)]


def parse(body: bytes) -> Sequence[Tick]:
    """The ticks of one table, a currency each, in Belarusian roubles. Raises SourceError."""
    return listed(body, _tick)


def _tick(row: Any) -> Tick:  # noqa: ANN401 - untrusted JSON
    if not isinstance(row, dict) or not row.get("Cur_Abbreviation"):
        raise schema(f"no rate: {brief(row)}")
    code = str(row["Cur_Abbreviation"])
    price, units = number(row.get("Cur_OfficialRate"), code), nominal(row.get("Cur_Scale"), code)
    return Tick(
        code, price, "BYN", midnight(row.get("Date"), "%Y-%m-%dT%H:%M:%S", MINSK, code), PriceType.FIXING, units
    )


ADAPTER = Adapter(
    publisher="nbrb",
    base_url="https://api.nbrb.by",
    requests=requests,
    parse=parse,
    archive=archive,
    parse_archive=parse,
)
