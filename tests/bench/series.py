"""Five years of daily truth: Brent as FRED recorded it, rouble fixings that move as they truly did in 2022."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

from ticker.calendars.days import is_holiday

RECORDED = Path(__file__).parents[3] / "shared" / "payloads" / "fred" / "fredgraph_DCOILBRENTEU_new_2026-04.csv"
# The Bank of Russia's dollar, 22 February to 31 March 2022, as moves in percent of the table before.
CRISIS_STARTS = date(2022, 2, 22)
CRISIS: tuple[float, ...] = (
    3.3,
    0.2,
    1.0,
    8.1,
    -3.9,
    12.0,
    -1.9,
    12.5,
    8.2,
    -5.3,
    9.7,
    3.7,
    -3.7,
    -0.7,
    -3.2,
    -4.4,
    0.7,
    -2.9,
    1.1,
)
CRISIS += (0.7, -2.9, 1.1, -1.8, -5.6, -2.1, -4.2, 0.8, -9.6, -2.0, -2.6)


@dataclass(frozen=True, slots=True)
class Day:
    """One working day's truth: the fixings set that afternoon (roubles) and Brent's last price (US dollars)."""

    day: date
    usd: Decimal
    eur: Decimal
    oil: Decimal


def brent() -> dict[date, Decimal]:
    """The recorded daily Brent by date, US dollars a barrel, closed days left out."""
    with RECORDED.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return {date.fromisoformat(day): Decimal(price) for day, price in rows if price not in {"", "."}}


def truth(seed: int = 1) -> list[Day]:
    """The days on which the Bank set rates and Brent traded; the same for the same seed."""
    random, oil = Random(seed), brent()  # noqa: S311 - a reproducible walk, not a secret
    usd, cross, days = 74.0, 1.18, []
    crisis = iter(CRISIS)
    for day in _working(min(oil), max(oil)):
        in_crisis = next(crisis, None) if day >= CRISIS_STARTS else None
        usd *= math.exp(random.gauss(0, 0.009)) if in_crisis is None else 1 + in_crisis / 100
        usd += (85 - usd) * 0.002
        cross = min(1.25, max(1.0, cross * math.exp(random.gauss(0, 0.004))))
        if day in oil:
            days.append(Day(day, _four(usd), _four(usd * cross), oil[day]))
    return days


def _working(first: date, last: date) -> list[date]:
    span = [first + timedelta(days=offset) for offset in range((last - first).days + 1)]
    return [day for day in span if day.weekday() < 5 and not is_holiday("RU", day)]


def _four(value: float) -> Decimal:
    return Decimal(str(round(value, 4)))
