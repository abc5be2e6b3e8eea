"""Moscow Exchange ISS as one source: futures and currencies, each code asked for on the market that knows it.

`moex_fx` is the same currency market under a name of its own, for those who want its cadence apart from Brent's.
"""

from __future__ import annotations

from collections.abc import Sequence

from ticker.quotes import Tick
from ticker.sources.adapter import Adapter, Request
from ticker.sources.base import as_json
from ticker.sources.iss import HOST
from ticker.sources.moex import forts, fx


def requests(codes: Sequence[str]) -> Sequence[Request]:
    """The futures board where an asset of it is among `codes`, and the currency market for the rest."""
    futures = [code for code in codes if code in forts.ASSETS]
    currencies = [code for code in codes if code not in forts.ASSETS]
    return [*(forts.requests(futures) if futures else ()), *(fx.requests(currencies) if currencies else ())]


def parse(body: bytes) -> Sequence[Tick]:
    """The ticks of an answer of either market, told apart by the last trading day that only futures have."""
    answer = as_json(body)
    securities = answer.get("securities") if isinstance(answer, dict) else None
    columns = securities.get("columns") if isinstance(securities, dict) else None
    currencies = isinstance(columns, list) and "LASTTRADEDATE" not in columns
    return fx.parse(body) if currencies else forts.parse(body)


ADAPTER = Adapter(
    publisher="moex",
    base_url=HOST,
    requests=requests,
    parse=parse,
    codes={"BRENT/USD": "BR", **fx.CODES},
)
FX = Adapter(publisher="moex", base_url=HOST, requests=fx.requests, parse=fx.parse, codes=fx.CODES)
