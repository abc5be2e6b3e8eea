"""Frankfurter v2 (https://frankfurter.dev), asked for the Bank of Russia's rates alone: `providers=CBR`.

Without `providers` it answers a blend of many banks. It leaves out tables dated Saturday or Sunday, so on a weekend it
is one table behind the Bank. v1 is the European Central Bank's table, which has no rouble; its shape is read as well.

It rounds (v1 to two decimals above 80), so it is a publisher of its own: copies of the Bank must agree to the digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from ticker.quotes import PriceType, Tick
from ticker.sources.adapter import Adapter, Request
from ticker.sources.base import as_json, brief, number, schema
from ticker.sources.series import midnight
from ticker.sources.table import MOSCOW


def requests(codes: Sequence[str]) -> Sequence[Request]:
    """The last rate of each of `codes` in roubles, which is all the Bank quotes in."""
    return [Request("/v2/rates", {"base": code, "quotes": "RUB", "providers": "CBR"}) for code in codes]


def archive(codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The rates of the days from `first` to `last`, a currency a request."""
    return [Request(r.path, {**r.query, "from": f"{first}", "to": f"{last}"}) for r in requests(codes)]


def parse(body: bytes) -> Sequence[Tick]:
    """The ticks of one answer, v2 (a row or many) or v1, the newest of each pair. Raises SourceError."""
    days = sorted(parse_archive(body), key=lambda tick: tick.as_of)
    ticks = {(tick.symbol, tick.currency): tick for tick in days}
    if not ticks:
        raise schema("no rates")
    return list(ticks.values())


def parse_archive(body: bytes) -> Sequence[Tick]:
    """The ticks of an answer that may have many days, or none. Raises SourceError."""
    ticks = [_tick(row) for row in _rows(as_json(body))]
    if len({(tick.symbol, tick.currency, tick.as_of) for tick in ticks}) != len(ticks):
        raise schema("a rate stands in the answer twice")
    return ticks


def _rows(answer: Any) -> list[Any]:  # noqa: ANN401 - untrusted JSON
    if isinstance(answer, dict) and isinstance(answer.get("rates"), dict):
        if answer.get("amount") != 1:
            raise schema(f"rates for an amount of {str(answer.get('amount'))[:20]}")
        return [{**answer, "quote": code, "rate": rate} for code, rate in answer["rates"].items()]
    rows = answer if isinstance(answer, list) else [answer]
    # Each answer of v2 may carry the base in terms of itself, which is 1 and no news.
    return [row for row in rows if not isinstance(row, dict) or not row.get("base") or row["base"] != row.get("quote")]


def _tick(row: Any) -> Tick:  # noqa: ANN401 - untrusted JSON
    if not isinstance(row, dict) or not {"date", "base", "quote", "rate"} <= row.keys():
        raise schema(f"no rate: {brief(row)}")
    base, currency = str(row["base"]), str(row["quote"])
    # The Bank quotes in roubles only: of any other pair the answer does not say whose number it is.
    kind = PriceType.FIXING if currency == "RUB" else PriceType.MID
    return Tick(base, number(row["rate"], currency), currency, midnight(row["date"], "%Y-%m-%d", MOSCOW, base), kind)


ADAPTER = Adapter(
    publisher="frankfurter",
    base_url="https://api.frankfurter.dev",
    requests=requests,
    parse=parse,
    codes={"USD/RUB": "USD", "EUR/RUB": "EUR"},
    archive=archive,
    parse_archive=parse_archive,
)
