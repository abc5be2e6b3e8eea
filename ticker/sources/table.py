"""What the readers of central banks' tables share: what is whole, and the Bank of Russia's zone and identifiers.

Apart from all of them, so that no adapter imports another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from ticker.quotes import Tick
from ticker.sources.base import as_json, brief, schema

MOSCOW = ZoneInfo("Europe/Moscow")
# A body cut by a proxy can stay well-formed and hold only the first few currencies; real tables had 33 and more.
FEWEST_ROWS = 30
# The Bank's own identifiers, by which histories are asked for.
# fmt: off
IDS = {
    "AUD": "R01010", "GBP": "R01035", "AMD": "R01060", "BYN": "R01090B", "BRL": "R01115", "HUF": "R01135",
    "HKD": "R01200", "GEL": "R01210", "DKK": "R01215", "AED": "R01230", "USD": "R01235", "EUR": "R01239",
    "INR": "R01270", "KZT": "R01335", "CAD": "R01350", "KGS": "R01370", "CNY": "R01375", "NOK": "R01535",
    "PLN": "R01565", "SGD": "R01625", "THB": "R01675", "TRY": "R01700J", "UZS": "R01717", "UAH": "R01720",
    "CZK": "R01760", "SEK": "R01770", "CHF": "R01775", "ZAR": "R01810", "KRW": "R01815", "JPY": "R01820",
}
# fmt: on
CURRENCIES = {bank: code for code, bank in IDS.items()}


def cross_table(ticks: Sequence[Tick]) -> Sequence[Tick]:
    """`ticks`, if a cross rate to the rouble can be made of them: each currency once, dollar and rouble in it."""
    symbols = {tick.symbol for tick in ticks}
    if len(symbols) != len(ticks) or not {"USD", "RUB"} <= symbols:
        raise schema(f"{len(ticks)} rows: a truncated table, or a currency in it twice")
    return ticks


def listed(body: bytes, tick: Callable[[Any], Tick]) -> Sequence[Tick]:
    """The cross table of a JSON list, each row read by `tick`. Raises SourceError."""
    rows = as_json(body)
    if not isinstance(rows, list):
        raise schema(f"no table of rates: {brief(rows)}")
    return cross_table([tick(row) for row in rows])


def whole_table(ticks: Sequence[Tick]) -> Sequence[Tick]:
    """`ticks`, if they can be a whole table of the Bank: enough rows, each currency once, dollar and euro in it."""
    symbols = {tick.symbol for tick in ticks}
    if len(symbols) != len(ticks):
        raise schema("a currency stands in the table twice")
    if len(ticks) < FEWEST_ROWS or not {"USD", "EUR"} <= symbols:
        raise schema(f"a truncated table: {len(ticks)} rows, a whole one has {FEWEST_ROWS} at least with USD and EUR")
    return ticks
