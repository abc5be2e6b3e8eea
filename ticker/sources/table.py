"""What the readers of the Bank of Russia's table share: its time zone, and what a whole table is.

Apart from both, so that neither adapter imports the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from ticker.sources.base import schema

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ticker.quotes import Tick

MOSCOW = ZoneInfo("Europe/Moscow")
# A body cut by a proxy can stay well-formed and hold only the first few currencies; real tables had 33 and more.
FEWEST_ROWS = 30


def whole_table(ticks: Sequence[Tick]) -> Sequence[Tick]:
    """`ticks`, if they can be a whole table of the Bank: enough rows, each currency once, dollar and euro in it."""
    symbols = {tick.symbol for tick in ticks}
    if len(symbols) != len(ticks):
        raise schema("a currency stands in the table twice")
    if len(ticks) < FEWEST_ROWS or not {"USD", "EUR"} <= symbols:
        raise schema(f"a truncated table: {len(ticks)} rows, a whole one has {FEWEST_ROWS} at least with USD and EUR")
    return ticks
