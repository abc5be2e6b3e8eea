"""A truth for the long runs: published timetables, and numbers that walk as real ones do; by seed always the same."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from tests.world.facts import bank, moex, nymex
from tests.world.wires import CENT, FOUR
from tests.world.world import MOEX_DELAY, YAHOO_DELAY, Fixing, Market, World, moment

# A table's ordinary move, in shares of one: the standard deviation of 2024 and 2025 [K], and the most.
_ORDINARY, _MOST = 0.008, 0.025
_ABROAD = Decimal("1.001")


def tables(first: date, last: date, seed: int) -> list[Fixing]:
    """A table for each working day of the Bank from `first` to `last`."""
    random, usd, cross = Random(seed), 88.0, 1.12  # noqa: S311 - the same walk every time
    found = []
    for setting in bank.settings(first, last):
        usd *= math.exp(min(_MOST, max(-_MOST, random.gauss(0, _ORDINARY) - (usd / 88 - 1) * 0.01)))
        cross *= math.exp(min(0.012, max(-0.012, random.gauss(0, 0.004) - (cross / 1.12 - 1) * 0.02)))
        found.append(Fixing(setting.at, setting.day, _four(usd), _four(usd * cross)))
    return found


def brent(at: datetime) -> Decimal:
    """Brent at a moment of trading: some percent a day, a cent or so a minute."""
    seconds = at.timestamp()
    wave = 68 + 5 * math.sin(seconds / 900_000) + 0.8 * math.sin(seconds / 41_000) + 0.02 * math.sin(seconds / 70)
    return Decimal(str(round(wave, 2)))


def abroad(at: datetime) -> Decimal:
    """The same barrel in New York: a tenth of a percent dearer."""
    return (brent(at) * _ABROAD).quantize(CENT)


def world(first: date, last: date, seed: int) -> World:
    """The trio's truth from `first` to `last`, every source alive."""
    since, until = first - timedelta(days=25), last + timedelta(days=8)
    made = World(moment(f"{first} 00:00"), tables(since, last, seed))
    made.moex = Market(moex.sessions(since, until), brent, MOEX_DELAY)
    made.yahoo = Market(nymex.sessions(since, until), abroad, YAHOO_DELAY)
    weekdays = [day for day in (since + timedelta(days=n) for n in range((last - since).days)) if day.weekday() < 5]
    spot = [brent(datetime.combine(day, datetime.min.time(), bank.MOSCOW)) + 2 for day in weekdays]
    made.spot = [(day, price, day + timedelta(days=5)) for day, price in zip(weekdays, spot, strict=True)]
    return made


def _four(value: float) -> Decimal:
    return Decimal(str(value)).quantize(FOUR)
