"""Moscow Exchange ISS, its copy of the Bank of Russia's rates: the same numbers by a way without the Bank's guard.

One row with a column for everything: CBRF_USD_LAST, CBRF_USD_TRADEDATE and the like (block `cbrf`).
"""

from __future__ import annotations

from collections.abc import Sequence

from ticker.quotes import PriceType, Tick
from ticker.sources.adapter import Adapter, Request
from ticker.sources.base import as_json, number, schema
from ticker.sources.iss import HOST, rows
from ticker.sources.series import midnight
from ticker.sources.table import MOSCOW


def requests(_codes: Sequence[str]) -> Sequence[Request]:
    """The one row."""
    path = "/iss/statistics/engines/currency/markets/selt/rates.json"
    return [Request(path, {"iss.meta": "off", "iss.only": "cbrf"})]


def parse(body: bytes) -> Sequence[Tick]:
    """The ticks of dollar and euro, in roubles. Raises SourceError."""
    table = rows(as_json(body), "cbrf", "CBRF_USD_LAST")
    if len(table) != 1:
        raise schema(f"{len(table)} rows where one was asked for")
    row = table[0]
    ticks = [
        Tick(code, number(row[f"CBRF_{code}_LAST"], code), "RUB", midnight(day, "%Y-%m-%d", MOSCOW, code), kind)
        for code, kind in (("USD", PriceType.FIXING), ("EUR", PriceType.FIXING))
        if (day := row.get(f"CBRF_{code}_TRADEDATE")) and row.get(f"CBRF_{code}_LAST") is not None
    ]
    if not ticks:
        raise schema("neither dollar nor euro in the row")
    return ticks


ADAPTER = Adapter(publisher="cbr", base_url=HOST, requests=requests, parse=parse)
