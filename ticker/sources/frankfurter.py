"""Frankfurter v2 (https://frankfurter.dev), asked for the Bank of Russia's rates alone: `providers=CBR`.

Without `providers` it answers a blend of many banks. It leaves out tables dated Saturday or Sunday, so on a weekend it
is one table behind the Bank. v1 is the European Central Bank's table, which has no rouble; its shape is read as well.

It rounds (v1 to two decimals above 80), so it is a publisher of its own: copies of the Bank must agree to the digit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from ticker.quotes import PriceType, Tick
from ticker.sources.base import (
    MOSCOW,
    Adapter,
    Extract,
    Request,
    as_json,
    brief,
    midnight,
    newest,
    number,
    raw_of,
    schema,
    table,
)


def requests(codes: Sequence[str], _now: datetime) -> Sequence[Request]:
    """The last rate of each of `codes` in roubles, which is all the Bank quotes in."""
    return [_request(code) for code in codes]


def archive(codes: Sequence[str], first: date, last: date) -> Sequence[Request]:
    """The rates of the days from `first` to `last`, a currency a request."""
    return [_request(code, **{"from": f"{first}", "to": f"{last}"}) for code in codes]


def parse(body: bytes) -> Extract:
    """The ticks of one answer, v2 (a row or many) or v1, the newest of each pair. Raises SourceError."""
    return newest(parse_archive(body))


def parse_archive(body: bytes) -> Extract:
    """The ticks of an answer that may have many days, or none. Raises SourceError."""
    rows = _rows(as_json(body))
    return table(rows, _key, _tick, fewest=min(1, len(rows)))


def _request(code: str, **more: str) -> Request:
    return Request("/v2/rates", {"base": code, "quotes": "RUB", "providers": "CBR", **more})


def _rows(answer: Any) -> list[Any]:  # noqa: ANN401 - untrusted JSON
    if isinstance(answer, dict) and isinstance(answer.get("rates"), dict):
        if answer.get("amount") != 1:
            raise schema(f"rates for an amount of {brief(answer.get('amount'))}")
        return [{**answer, "quote": code, "rate": rate} for code, rate in answer["rates"].items()]
    rows = answer if isinstance(answer, list) else [answer]
    # Each answer of v2 may carry the base in terms of itself, which is 1 and no news.
    return [row for row in rows if not isinstance(row, dict) or not row.get("base") or row["base"] != row.get("quote")]


def _key(row: Any) -> str:  # noqa: ANN401 - untrusted JSON
    if not isinstance(row, dict) or not {"date", "base", "quote", "rate"} <= row.keys():
        raise schema(f"no rate: {brief(row)}")
    return f"{row['base']}/{row['quote']} {row['date']}"


def _tick(row: Any, _key: str) -> Tick:  # noqa: ANN401 - untrusted JSON
    base, currency = str(row["base"]), str(row["quote"])
    # The Bank quotes in roubles only: of any other pair the answer does not say whose number it is.
    kind = PriceType.FIXING if currency == "RUB" else PriceType.MID
    as_of = midnight(row["date"], "%Y-%m-%d", MOSCOW, base)
    return Tick(base, number(row["rate"], currency), currency, as_of, kind, raw=raw_of(row["rate"]))


ADAPTER = Adapter(
    publisher="frankfurter",
    base_url="https://api.frankfurter.dev",
    requests=requests,
    parse=parse,
    codes={"USD/RUB": "USD", "EUR/RUB": "EUR"},
    archive=archive,
    parse_archive=parse_archive,
)
