"""Every minute of 2025 and 2026 by the published timetables, sources cut at random: what is called fresh, and is it?

`uv run python -m tests.bench.year [--n WEEKS] [--seed S] [--only fixings|oil] [--week DAY]`. The world is
`tests/world`: facts that know nothing of the product's calendars. Each week begins over an empty store; the product's
own sources, fetch shapes, selection and board run on the world's clock. Weeks are spread evenly over both years; 104
are all of them. Minutes of which the facts do not say whether a market was open are judged for the tables only. What is
not as it should be is told week by week.

Wrong is:
- a table called fresh that is not the one in force, or that a source has told a newer one of that is in force;
- oil called fresh although a source that was asked has told a print newer by more than 25 minutes (Moscow is delayed by
  15 minutes, Yahoo by 10, a clearing takes 15);
- oil called fresh 75 minutes after the last print of a market that traded all the while.
False stale is:
- the table in force, shown and not called fresh;
- oil not called fresh although a market in session is alive and its newest visible print was asked for; or although
  both markets are alive and there is nothing newer in the world to be had.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.world import truth
from tests.world.facts import moex, nymex
from tests.world.harness import Product, Shown
from tests.world.play import ALL, NO_OIL, ONLY_OIL
from tests.world.world import CROSSES, MARKETS, MIDS, MINUTE, Market, Spell, World

FIRST, LAST = date(2025, 1, 1), date(2026, 12, 30)
WEEK = timedelta(days=7)
SLACK, SILENT, SETTLED = timedelta(minutes=25), timedelta(minutes=75), timedelta(minutes=20)
# How often each source is asked, in minutes: markets as often as it takes to see prints, tables more seldom.
EVERY = {"moex": 5, "yahoo": 5, "cbr": 20, "cbr_mirror": 30, "frankfurter": 60, "ecb": 240, "fred": 360}
OTHERS = 360
# What is switched off, and how often it is decided anew while nobody has news, in minutes: as often as the first source
# is asked.
ONLY: dict[str, tuple[Mapping[str, Any], int]] = {"": ({}, 5), "oil": (ONLY_OIL, 5), "fixings": (NO_OIL, 20)}
MOST = 12
SYMBOLS = ("USD", "EUR", "OIL")
OUTAGES = (20, 120, 540, 1800, 5760)


@dataclass
class Verdicts:
    """Minutes by symbol and verdict; of each the first moments, an hour of such minutes apart, for a reader."""

    minutes: Counter[tuple[str, str]] = field(default_factory=Counter)
    first: defaultdict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))


class Judge:
    """Holds what is shown against what the world knows, minute by minute."""

    def __init__(self, world: World, verdicts: Verdicts) -> None:
        self.world = world
        self.verdicts = verdicts
        first, last = (each.date() for each in (world.now - 9 * timedelta(days=1), world.now + 9 * timedelta(days=1)))
        # Of a whole day nobody can say whether anything newer should be known before some market has opened again.
        opens = sorted(start for market in self._markets() for start, _ in market.sessions)
        days = [(start, next((each for each in opens if each >= end), end)) for start, end in moex.unknown(first, last)]
        self._unknown = [*days, *nymex.unknown(first, last)]
        self._asked: dict[str, datetime] = {}
        self._cut: dict[str, datetime] = {}

    def asked(self, source: str) -> None:
        """`source` was asked now."""
        if self.world.alive(source):
            self._asked[source] = self.world.now
        else:
            self._cut[source] = self.world.now

    def look(self, shown: dict[str, Shown]) -> None:
        """Judge one minute."""
        for symbol in shown.keys() & {"USD", "EUR"}:
            self._table(symbol, shown[symbol])
        now = self.world.now
        # What may have traded until then is waited for as long as a silence is none.
        if "OIL" in shown and not any(start <= now < end + SILENT for start, end in self._unknown):
            self._oil(shown["OIL"])

    def _table(self, symbol: str, shown: Shown) -> None:
        self.verdicts.minutes[symbol, "looks"] += 1
        true = self.world.in_force()
        if true is None:
            return
        price = getattr(true, symbol.lower())
        day = shown.as_of and shown.as_of.astimezone(moex.MOSCOW).date()
        told = [self.world.delivered.get(source) for source in ("cbr", "cbr_mirror")]
        known = any(isinstance(each, date) and each >= true.day for each in told)
        right = day == true.day and shown.price == price
        if shown.status == "fresh" and not right:
            self._tell(symbol, "WRONG: fresh and not in force", shown)
        if right and shown.status != "fresh":
            self._tell(symbol, "FALSE STALE", shown)
        if known and not right:
            self._tell(symbol, "WRONG: known and not shown", shown)
        if not right and shown.status == "stale":
            self.verdicts.minutes[symbol, "true stale"] += 1
        if shown.price is None and self._asked:
            self._tell(symbol, "no number", shown)

    def _oil(self, shown: Shown) -> None:
        now = self.world.now
        self.verdicts.minutes["OIL", "looks"] += 1
        prints = {s: at for s in MARKETS if isinstance(at := self.world.delivered.get(s), datetime)}
        if shown.status == "fresh" and shown.as_of is not None:
            newest = max(prints.values(), default=shown.as_of)
            if newest - shown.as_of > SLACK:
                self._tell("OIL", "WRONG: older than told", shown)
            if any(self._traded_through(market) for market in self._markets()) and now - shown.as_of > SILENT:
                self._tell("OIL", "WRONG: silent and fresh", shown)
        elif shown.status != "fresh" and self._entitled(prints):
            self._tell("OIL", "FALSE STALE", shown)
        if shown.status == "stale":
            self.verdicts.minutes["OIL", "stale"] += 1
        if shown.price is None and prints:
            self._tell("OIL", "no number", shown)

    def _tell(self, symbol: str, verdict: str, shown: Shown) -> None:
        minutes, told = self.verdicts.minutes, self.verdicts.first[symbol, verdict]
        minutes[symbol, verdict] += 1
        if len(told) < MOST and minutes[symbol, verdict] % 60 == 1:
            silent = " ".join(source for source in ALL if not self.world.alive(source))
            said = f"{shown.price} {shown.status} {shown.reason} {shown.source} of {_clock(shown.as_of)}"
            told.append(f"{_clock(self.world.now)} {said}, silent: {silent}")

    def _markets(self) -> list[Market]:
        return [market for market in (self.world.moex, self.world.yahoo) if market is not None]

    def _traded_through(self, market: Market) -> bool:
        """Whether there was trading at every minute of the last 75 but for a clearing."""
        now = self.world.now
        return all(market.in_session(now - step * 5 * MINUTE) for step in (0, 5, 10, 15, 20))

    def _entitled(self, prints: dict[str, datetime]) -> bool:
        """Whether what there is to be had has been asked for."""
        now, steady = self.world.now, {}
        for source, market in zip(MARKETS, (self.world.moex, self.world.yahoo), strict=True):
            seen = self._asked.get(source)
            alive = self.world.alive(source) and seen is not None and now - seen <= 6 * MINUTE
            calm = now - self._cut.get(source, now - 2 * SETTLED) > SETTLED
            current = market is not None and seen is not None and prints.get(source) == market.visible(seen)
            steady[source] = bool(alive and calm and current)
            if steady[source] and market and market.in_session(now) and market.in_session(now - SLACK):
                return True
        return all(steady.values())


def _clock(at: datetime | None) -> str:
    return f"{at.astimezone(moex.MOSCOW):%Y-%m-%d %a %H:%M}" if at else "no day"


def cuts(world: World, start: datetime, end: datetime, random: Random) -> None:
    """Cut each source at random: alive for days, silent for minutes to days; sometimes all of one kind at once."""
    kinds = (("cbr",), ("cbr_mirror",), ("moex",), ("yahoo",), ("frankfurter",), CROSSES, MIDS, ("ecb",),
             ("cbr", "cbr_mirror", "frankfurter"), MARKETS)  # fmt: skip
    for together in kinds:
        now = start + timedelta(hours=random.expovariate(1 / 50))
        while now < end:
            until = now + random.choice(OUTAGES) * random.uniform(0.5, 1.5) * MINUTE
            world.spells += [Spell(source, now, until) for source in together]
            now = until + timedelta(hours=random.expovariate(1 / (80 if len(together) == 1 else 160)))


async def week(
    first: date, seed: int, verdicts: Verdicts, only: str = "", *, days: int = 7, whole: bool = False
) -> None:
    """Live through one week, or other `days`, from `first` on, or `only` of "fixings" or "oil".

    With `whole` everybody is asked when it is time, with news or without.
    """
    flags, rest = ONLY[only]
    random = Random(seed)  # noqa: S311 - reproducible
    world = truth.world(first, first + WEEK, seed)
    end = world.now + timedelta(days=days)
    cuts(world, world.now + timedelta(hours=2), end, random)
    judge = Judge(world, verdicts)
    async with Product(world, flags=flags, unwritten=not whole) as product:
        phases = {source: random.randrange(EVERY.get(source, OTHERS)) for source in product.feeds}
        await product.poll()
        for source in product.feeds:
            judge.asked(source)
        minute = 0
        while world.now < end:
            minute += 1
            world.now += MINUTE
            due = [s for s in product.feeds if minute % EVERY.get(s, OTHERS) == phases[s]]
            if due:
                await (product.poll(due) if whole else product.poll_news(due, rest * MINUTE))
                for source in due:
                    judge.asked(source)
            else:
                product.age()
            # The first minutes are a cold start's.
            if minute > 40:
                judge.look(product.look())


def weeks(count: int) -> list[date]:
    """`count` first days of weeks, spread evenly over both years."""
    starts = [FIRST + n * WEEK for n in range((LAST - FIRST).days // 7)]
    return [starts[n * len(starts) // count] for n in range(min(count, len(starts)))]


async def main() -> None:
    """The weeks, and the table of what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=104)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=[*ONLY], default="")
    parser.add_argument("--whole", action="store_true", help="everybody is asked whether there is news or not")
    parser.add_argument("--week", type=date.fromisoformat, action="append", help="this week alone")
    given = parser.parse_args()
    logging.disable()
    verdicts, began = Verdicts(), perf_counter()
    for number, first in enumerate(given.week or weeks(given.n)):
        found = Verdicts()
        await week(first, given.seed * 1000 + number, found, given.only, whole=given.whole)
        verdicts.minutes += found.minutes
        bad = [f"{symbol} {verdict}: {each}" for (symbol, verdict), told in found.first.items() for each in told]
        print("\n  ".join([f"{first} {sum(found.minutes[s, 'looks'] for s in SYMBOLS)} minutes", *bad]), flush=True)
    out, table = Console(width=150), Table("instrument", "verdict", "minutes")
    for (symbol, verdict), count in sorted(verdicts.minutes.items()):
        table.add_row(symbol, verdict, str(count))
    out.print(table)
    out.print(f"{perf_counter() - began:.0f} s")


if __name__ == "__main__":
    asyncio.run(main())
