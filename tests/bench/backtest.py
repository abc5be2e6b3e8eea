"""Wrong numbers thrown at a service that goes on for years: what is stopped, and is the right one shown?

`uv run python -m tests.bench.backtest [--n N] [--case NAME] [--kind NAME] [--only fixings|oil]`: every kind of slip at
least N times in each case.

The world is `tests/world`: the Bank's own days, both markets by their timetables, every answer in its source's own
format, read by its own adapter and judged by the product on the world's clock. Faults are in the first source of each
instrument: `cbr` for dollar and euro, `moex` for oil; a fault of a table is in the whole process, so the same number is
told until the next table, and in "2 tables" and "3 tables" the next ones are wrong by the same share.

`stopped`: the wrong number was never called fresh (nor shown without a mark). `right`: on the morning when its table is
in force, or half an hour into a market's lie, the right number is the one shown. For oil, errors up to 0.3 % are told
apart: two exchanges differ by as much.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from random import Random
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.slips import WRONG, Given
from tests.world import truth
from tests.world.facts.bank import DAY, MOSCOW
from tests.world.harness import Product, Shown
from tests.world.play import ALL, EVER, NO_OIL
from tests.world.wires import Row as BoardRow
from tests.world.world import CROSSES, MARKETS, Fixing, Print, Spell

FIRST, LAST = date(2025, 1, 20), date(2026, 12, 18)
SMALL = Decimal("0.003")
TABLES = {**dict.fromkeys(WRONG, 1), "2 tables, 4-20 %": 2, "3 tables, 4-20 %": 3, "2 tables, 0.5-4 %": 2}
CASES: dict[str, tuple[str, ...]] = {
    "one source": ("cbr", "moex"),
    "two sources": ("cbr", "cbr_mirror", "moex", "yahoo"),
    "one source, ECB and crosses": ("cbr", "ecb", *CROSSES, "moex"),
    "two sources, ECB and crosses": ("cbr", "cbr_mirror", "ecb", *CROSSES, "moex", "yahoo"),
}
# After the table appears; the night; the morning; before the next table.
LOOKS = (time(17), time(20), time(23, 58))
NEXT_LOOKS = (time(0, 2), time(9), time(15, 20))
OIL_LOOKS = (5, 16, 32, 60, 120, 197)


@dataclass
class Row:
    """What became of one kind of fault."""

    injected: int = 0
    through: int = 0
    marked: int = 0
    right: int = 0
    small: int = 0
    small_through: int = 0
    examples: list[str] = field(default_factory=list)


@dataclass
class Tally:
    """What a case found, by kind; truth's own waits apart."""

    fixings: dict[str, Row] = field(default_factory=dict)
    oil: dict[str, Row] = field(default_factory=dict)
    clean: Counter[str] = field(default_factory=Counter)


class Run:
    """One service in one case, month after month."""

    def __init__(self, case: str, seed: int, tally: Tally, flags: Mapping[str, Any] | None = None) -> None:
        self.tally = tally
        self.random = Random(seed)  # noqa: S311 - reproducible
        self.world = truth.world(FIRST, LAST, seed)
        self.world.now = datetime.combine(FIRST, time(9), MOSCOW)
        self.alive = CASES[case]
        self.base = [Spell(source, *EVER) for source in ALL if source not in self.alive]
        self.world.spells = list(self.base)
        self.product = Product(self.world, flags=flags)

    def read_once(self) -> None:
        """Bytes that came before are not parsed again: most answers of a table are the same from look to look."""
        targets = self.product.service.poller.targets
        targets.feeds = {
            source: replace(feed, adapter=replace(feed.adapter, parse=lru_cache(16)(feed.adapter.parse)))
            for source, feed in targets.feeds.items()
        }

    async def look(self, at: datetime, sources: tuple[str, ...] = ALL) -> dict[str, Shown]:
        """Go on to `at`, ask who of `sources` is alive, and look."""
        self.world.now = at
        await self.product.poll(source for source in self.alive if source in sources)
        return self.product.look()

    async def through_fixings(self, kind: str, place: int) -> int:
        """Let the table at `place` be wrong, and those after it by the same share; the place to go on from."""
        world, count = self.world, TABLES[kind]
        symbol = self.random.choice(("USD", "EUR"))
        tables = world.fixings[place : place + count]
        told = self._told(kind, symbol, place)
        row = self.tally.fixings.setdefault(kind, Row())
        world.spells = [*self.base, Spell("cbr", *EVER, fixing=lambda table: _lied(table, symbol, told))]
        statuses: set[str] = set()
        right = True
        for offset, table in enumerate(tables):
            for at in self._moments(table, world.fixings[place + offset + 1]):
                shown = (await self.look(at))[symbol]
                # The number of an earlier day under its own date is the last good one, kept.
                if self._lies(shown, symbol, told, dated=kind == "yesterday relabelled"):
                    statuses.add(shown.status)
                    if shown.status == "fresh" and len(row.examples) < 3:
                        row.examples.append(f"{at:%Y-%m-%d %H:%M} {symbol} {shown.price} {shown.source}")
                if at.time() == time(9) and _day(at) >= table.day:
                    right &= shown.price == _rate(world.in_force() or table, symbol)
        row.injected += 1
        row.through += "fresh" in statuses
        row.marked += bool(statuses) and "fresh" not in statuses
        row.right += right and "fresh" not in statuses
        await self._clean(symbol, place + count)
        return place + count + 2

    async def _clean(self, symbol: str, place: int) -> None:
        """Two clean tables: what was learnt of a fault must not keep the truth away."""
        world = self.world
        world.spells = list(self.base)
        for number in (1, 2):
            for at in self._moments(world.fixings[place + number - 1], world.fixings[place + number]):
                shown = await self.look(at)
                true = world.in_force()
                if at.time() == NEXT_LOOKS[0]:
                    self.tally.clean["tables"] += 1
                    for each in (symbol, *{"USD", "EUR"} - {symbol}):
                        whose = "the same" if each == symbol else "the other"
                        late = true is None or shown[each].price != _rate(true, each)
                        self.tally.clean[f"{whose}, table {number} after a fault not shown past midnight"] += late

    def _told(self, kind: str, symbol: str, place: int) -> dict[date, Decimal]:
        """What is told of each wrong table's day."""
        tables = self.world.fixings[place : place + TABLES[kind]]
        wrong = self._wrong(kind, symbol, place)
        factor = wrong / _rate(tables[0], symbol)
        told = {each.day: (_rate(each, symbol) * factor).quantize(Decimal("0.0001")) for each in tables[1:]}
        return told | {tables[0].day: wrong}

    def _lies(self, shown: Shown, symbol: str, told: dict[date, Decimal], *, dated: bool) -> bool:
        """Whether a wrong number is what is shown; where `dated`, only under the date that it was told of."""
        true = self.world.in_force()
        return any(
            shown.price == price
            and (true is None or price != _rate(true, symbol))
            and (not dated or (shown.as_of is not None and _day(shown.as_of) == day))
            for day, price in told.items()
        )

    def _moments(self, table: Fixing, then: Fixing) -> list[datetime]:
        """The looks from the evening the table appears to the afternoon before the next one."""
        evening, last = _day(table.at), _day(then.at)
        looks = [datetime.combine(evening, at, MOSCOW) for at in LOOKS]
        looks += [datetime.combine(table.day, at, MOSCOW) for at in NEXT_LOOKS]
        if last > table.day:
            looks += [datetime.combine(last, at, MOSCOW) for at in NEXT_LOOKS[1:]]
        return [at for at in looks if table.at < at < then.at]

    def _wrong(self, kind: str, symbol: str, place: int) -> Decimal:
        table, before = self.world.fixings[place], self.world.fixings[place - 1]
        true, other = _rate(table, symbol), _rate(table, "EUR" if symbol == "USD" else "USD")
        given = Given(true, _rate(before, symbol), other, self.random)
        while True:
            if kind in WRONG:
                price = WRONG[kind](given)
            else:
                low, high = (float(part) for part in kind.removesuffix(" %").split(", ")[1].split("-"))
                price = given.shifted(low, high)
            if price not in {true, Decimal(0)}:
                return price

    def _true(self, shown: Shown) -> Decimal:
        """What the market that speaks has really paid at the moment that is told with the price."""
        market = self.world.yahoo if shown.source == "yahoo" else self.world.moex
        assert market is not None
        return market.price(shown.as_of) if shown.as_of is not None else Decimal(1)

    def trades(self, day: date) -> bool:
        """Whether every market that is alive trades at noon and for hours: two sources are two only then."""
        noon = datetime.combine(day, time(12), MOSCOW)
        alive = {"moex": self.world.moex, "yahoo": self.world.yahoo}
        markets = [market for source, market in alive.items() if source in self.alive and market is not None]
        return all(market.in_session(noon + timedelta(hours=hour)) for market in markets for hour in (-2, 0, 4))

    async def through_oil(self, kind: str, day: date) -> None:
        """Let the market be wrong from 12:00 to 15:20 of `day`."""
        world = self.world
        noon = datetime.combine(day, time(12), MOSCOW)
        assert world.moex is not None
        # Asked as often as a service asks, it knows by noon how far the two markets are apart.
        for minutes in range(-50, 0, 5):
            await self.look(noon + timedelta(minutes=minutes), MARKETS)
        true, other = world.moex.price(noon), (world.in_force() or world.fixings[0]).usd
        before = world.moex.price(noon - DAY)
        price = true
        while abs(price / true - 1) < Decimal("0.0009"):
            price = WRONG[kind](Given(true, before, other, self.random))
        factor = price / true
        # Half of the lies are in one cell, half in the whole row: day's range, bid and offer tell the first kind.
        lie = _cell if self.random.random() < 0.5 else _row
        row = self.tally.oil.setdefault(kind, Row())
        small = abs(factor - 1) <= SMALL
        world.spells = [*self.base, lie(factor, noon, noon + timedelta(minutes=200))]
        through = marked = False
        right = False
        for minutes in OIL_LOOKS:
            shown = (await self.look(noon + timedelta(minutes=minutes), MARKETS))["OIL"]
            true = self._true(shown)
            # The second market is right throughout, whatever it has in common with the first one's lie.
            lied = shown.source == "moex" and abs(shown.price / true - 1) > abs(factor - 1) / 3
            through |= lied and shown.status == "fresh"
            marked |= lied
            if lied and shown.status == "fresh" and len(row.examples) < 3 and not small:
                row.examples.append(f"{world.now:%Y-%m-%d %H:%M} {shown.price} for {true} {lie.__name__}")
            if minutes == 32 and shown.as_of is not None:
                right = shown.price == true and world.now - shown.as_of < timedelta(minutes=30)
        if small:
            row.small += 1
            row.small_through += through
        else:
            row.injected += 1
            row.through += through
            row.marked += marked and not through
            row.right += right and not through
        world.spells = list(self.base)
        await self.look(noon + timedelta(minutes=205), MARKETS)
        shown = (await self.look(noon + timedelta(minutes=225), MARKETS))["OIL"]
        self.tally.clean["markets"] += 1
        if shown.status != "fresh" or shown.price != self._true(shown):
            self.tally.clean["market not shown fresh 25 minutes after its lie"] += 1


def _cell(factor: Decimal, since: datetime, until: datetime) -> Spell:
    """LAST alone is wrong."""

    def rows(board: list[BoardRow]) -> list[BoardRow]:
        front = board[0]
        assert front.last is not None
        return [replace(front, cells=(("LAST", (front.last * factor).quantize(Decimal("0.01"))),)), *board[1:]]

    return Spell("moex", since, until, rows=rows)


def _row(factor: Decimal, since: datetime, until: datetime) -> Spell:
    """The whole market is wrong, each row in keeping with itself."""

    def told(true: Print) -> Print:
        return replace(true, price=(true.price * factor).quantize(Decimal("0.01")))

    return Spell("moex", since, until, market=told)


def _rate(table: Fixing, symbol: str) -> Decimal:
    return table.usd if symbol == "USD" else table.eur


def _lied(table: Fixing, symbol: str, told: dict[date, Decimal]) -> Fixing:
    price = told.get(table.day)
    if price is None:
        return table
    return replace(table, usd=price) if symbol == "USD" else replace(table, eur=price)


def _day(at: datetime) -> date:
    return at.astimezone(MOSCOW).date()


async def run(case: str, count: int, seed: int, tally: Tally, told: Iterable[str] = TABLES, only: str = "") -> None:
    """Throw each kind `count` times; a service lives for as long as the tables reach, then another begins."""
    kinds = [kind for kind in told for _ in range(count if only != "oil" else 0)]
    oil = [
        kind
        for kind in WRONG
        if kind != "yesterday relabelled" and kind in told
        for _ in range(count if only != "fixings" else 0)
    ]
    Random(seed).shuffle(kinds)  # noqa: S311 - reproducible
    Random(seed).shuffle(oil)  # noqa: S311 - reproducible
    life = 0
    while kinds or oil:
        life += 1
        one = Run(case, seed * 1000 + life, tally, NO_OIL if only == "fixings" else None)
        async with one.product:
            await one.product.poll()  # who is silent is known to be
            one.read_once()
            place = 25
            while (kinds or oil) and place < len(one.world.fixings) - 12:
                at = one.world.fixings[place].at
                if oil and at.weekday() < 5 and one.trades(_day(at)):
                    await one.through_oil(oil.pop(), _day(at))
                if kinds:
                    place = await one.through_fixings(kinds.pop(), place)
                else:
                    place += 1


def _sum(rows: Iterable[Row]) -> Row:
    whole = Row()
    for row in rows:
        for name in ("injected", "through", "marked", "right", "small", "small_through"):
            setattr(whole, name, getattr(whole, name) + getattr(row, name))
    return whole


def table(case: str, title: str, rows: dict[str, Row]) -> Table:
    """One case's table."""
    made = Table("kind", "injected", "stopped", "%", "shown, marked", "right shown", "%", "up to 0.3 %", "stopped",
                 title=f"{case}: {title}")  # fmt: skip
    single, several = (_sum(row for kind, row in rows.items() if (TABLES[kind] == 1) is one) for one in (True, False))
    sums = [("all single ones", single), *([("all consecutive ones", several)] if several.injected else [])]
    for kind, row in [*((kind, rows[kind]) for kind in TABLES if kind in rows), *sums]:
        share = 100 / row.injected if row.injected else 0
        stopped = row.injected - row.through
        made.add_row(kind, str(row.injected), str(stopped), f"{stopped * share:.2f}", str(row.marked), str(row.right),
                     f"{row.right * share:.1f}", str(row.small), str(row.small - row.small_through))  # fmt: skip
    return made


async def main() -> None:
    """Every case, each kind `n` times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", choices=[*CASES], action="append")
    parser.add_argument("--kind", choices=[*TABLES], action="append", default=[])
    parser.add_argument("--only", choices=["fixings", "oil"], default="")
    given = parser.parse_args()
    logging.disable()
    out = Console(width=140)
    for case in given.case or CASES:
        tally, began = Tally(), perf_counter()
        await run(case, given.n, given.seed, tally, given.kind or TABLES, given.only)
        for title, rows in (("dollar and euro", tally.fixings), ("oil", tally.oil)):
            out.print(table(case, title, rows))
            for kind, row in rows.items():
                for example in row.examples:
                    out.print(f"  {kind}: {example}")
        for what, count in sorted(tally.clean.items()):
            out.print(f"{what}: {count}")
        out.print(f"{perf_counter() - began:.0f} s\n")


if __name__ == "__main__":
    asyncio.run(main())
