"""A truth for the long runs: published timetables, and numbers that walk as real ones do; by seed always the same."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random

from tests.world.facts import bank, moex, nymex
from tests.world.wires import CENT, FOUR
from tests.world.world import MOEX_DELAY, YAHOO_DELAY, Fixing, Market, World, moment

# A table's ordinary move, in shares of one: the standard deviation of 2024 and 2025 [K], and the most.
_ORDINARY, _MOST = 0.008, 0.025
_MASK = (1 << 64) - 1


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
    """Brent at a moment of trading: a walk of 0.05 % a minute, as a year of 30 % has it, and of some percent a day."""
    seconds = at.timestamp()
    minute, part = divmod(seconds, 60)
    walked = _walk(int(minute), 0) + (_walk(int(minute) + 1, 0) - _walk(int(minute), 0)) * part / 60
    return _cents((68 + 5 * math.sin(seconds / 900_000)) * math.exp(walked))


def abroad(at: datetime) -> Decimal:
    """The same barrel in New York: a tenth of a percent dearer, half as much more or less from hour to hour.

    Trades of the two exchanges in one minute are not of one second: a few hundredths of a percent lie between them.
    """
    minute = int(at.timestamp()) // 60
    apart = 0.001 + 0.0004 * math.sin(minute / 140) + 0.0003 * _normal(minute, 99)
    return _cents(float(brent(at)) * (1 + apart))


@lru_cache(20_000)
def _walk(minute: int, series: int) -> float:
    """The logarithm of a price: noise of one, two, four … minutes up to two weeks, the longer the larger."""
    found = 0.0
    for octave in range(15):
        place, part = divmod(minute, 1 << octave)
        share = part / (1 << octave)
        near, far = _normal(place, series + octave), _normal(place + 1, series + octave)
        found += 0.00025 * math.sqrt(1 << octave) * (near + (far - near) * share)
    return found


@lru_cache(100_000)
def _normal(place: int, series: int) -> float:
    """About normally distributed, by place and series always the same."""
    state = (place * 0x9E3779B97F4A7C15 + series * 0xD1B54A32D192ED03 + 0x632BE59BD9B4E019) & _MASK
    total = 0.0
    for _ in range(3):
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
        total += state / _MASK - 0.5
    return total * 2


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


def _cents(value: float) -> Decimal:
    return Decimal(str(round(value, 2))).quantize(CENT)
