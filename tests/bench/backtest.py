"""Wrong numbers thrown at a service that goes on for years: what is stopped, and is the right one shown?

`uv run python -m tests.bench.backtest [--n N] [--case NAME] [--kind NAME] [--only fixings|oil] [--liar moex|yahoo]`:
every kind of slip N times in each case.

The world is `tests/world`: the Bank's own days, both markets by their timetables, every answer in its source's own
format, read by its own adapter and judged by the product on the world's clock. A service lives through the years
without a fault; each fault is a branch of its life, from which it is brought back. Faults are in the first source of
each instrument, `cbr` for dollar and euro, `moex` for oil, or in `yahoo`. A fault of a table is in the whole process,
so the same number is told until the next table, and in "2 tables" and "3 tables" the next ones are wrong by the same
share.

An interrupt (Ctrl-C) ends a case early: what was found until then is told.

`stopped`: the wrong number was never called fresh (nor shown without a mark). `right`: on the morning when its table is
in force, or half an hour into a market's lie, the right number is the one shown. For oil, errors up to 0.3 % are told
apart: two exchanges differ by as much.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import re
from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from time import perf_counter
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.slips import WRONG, Given
from tests.world import truth
from tests.world.facts.bank import DAY, MOSCOW
from tests.world.harness import Product, Shown
from tests.world.play import ALL, EVER, NO_OIL, ONLY_OIL
from tests.world.wires import Row as BoardRow
from tests.world.world import CROSSES, MARKETS, Fixing, Print, Spell

FIRST, LAST = date(2025, 1, 20), date(2026, 12, 18)
SMALL = Decimal("0.003")
SATURDAY = 5
TABLES = {**dict.fromkeys(WRONG, 1), "2 tables, 4-20 %": 2, "3 tables, 4-20 %": 3, "2 tables, 0.5-4 %": 2}
MARKET_KINDS = tuple(kind for kind in WRONG if kind != "yesterday relabelled")
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
# The minutes of a day at which a market begins to lie: both have traded for two hours, and will for four.
HOURS = (11 * 60, 18 * 60, 5)
# In what share of the branches the time after a fault is played as well.
CLEAN = 0.02
# How many of each kind that came through are told.
EXAMPLES = 9


def _rows() -> defaultdict[str, Counter[str]]:
    return defaultdict(Counter)


@dataclass
class Tally:
    """What a case found: of each kind how many were injected, came through and so on; truth's own waits apart."""

    fixings: defaultdict[str, Counter[str]] = field(default_factory=_rows)
    oil: defaultdict[str, Counter[str]] = field(default_factory=_rows)
    clean: Counter[str] = field(default_factory=Counter)
    # The first look at which a wrong number was called fresh, by kind.
    through: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    # What was shown at each look of each fault, where somebody wants to know.
    seen: dict[str, list[tuple[datetime, dict[str, Shown]]]] | None = None


class Run(ABC):
    """One service in one case, month after month.

    It lives in a world without faults. From a moment of it each fault is a branch: from there on the world has the
    fault, and when its looks are over, product and world are brought back to that moment, for the next.
    """

    # Whether there is something new at every look.
    always_news = False

    def __init__(self, case: str, seed: int, tally: Tally, flags: Mapping[str, Any], *, whole: bool = False) -> None:
        """With `whole` everybody is asked at every look, with news or without, and all is written down."""
        self.tally = tally
        self.seed = seed
        self.random = Random(seed)  # noqa: S311 - reproducible
        self.whole = whole
        self.told = "none"
        self.world = truth.world(FIRST, LAST, seed)
        self.world.now = datetime.combine(FIRST, time(9), MOSCOW)
        self.product = Product(self.world, flags=flags, unwritten=not whole)
        fed = {source for source in ALL if (source in MARKETS) is (flags is ONLY_OIL)}
        self.alive = [source for source in CASES[case] if source in fed]
        self.base = [Spell(source, *EVER) for source in ALL if source not in self.alive]
        self.world.spells = list(self.base)

    async def look(self, at: datetime) -> dict[str, Shown]:
        """Go on to `at`, ask everyone alive, and look."""
        self.world.now = at
        await (self.product.poll if self.whole or self.always_news else self.product.poll_news)(self.alive)
        shown = self.product.look()
        if self.tally.seen is not None:
            self.tally.seen.setdefault(self.told, []).append((at, shown))
        return shown

    async def through(self, kinds: Sequence[str], place: Any) -> None:  # noqa: ANN401 - a table's or a moment
        """Live up to `place`, then through a fault of each kind that begins there."""
        self.told = "none"
        await self.live(place)
        back = self.product.branch()
        for kind in kinds:
            # The same fault wherever it is played.
            self.told = f"{self.seed} {place} {kind}"
            self.random = Random(self.told)  # noqa: S311 - reproducible
            await self.wrong(kind, place)
            back()

    def came_through(self, kind: str, shown: str) -> None:
        """Note that a wrong number of this kind is `shown` as fresh now."""
        told = self.tally.through[kind]
        if len(told) < EXAMPLES:
            told.append(f"life {self.seed}, {self.world.now:%Y-%m-%d %H:%M} {shown}")

    @abstractmethod
    def places(self) -> Sequence[Any]:
        """Where a fault may begin, in order."""

    @abstractmethod
    async def live(self, place: Any) -> None:  # noqa: ANN401 - a table's or a moment
        """Live through the time before `place`, in which everybody is right."""

    @abstractmethod
    async def wrong(self, kind: str, place: Any) -> None:  # noqa: ANN401 - a table's or a moment
        """Let a fault of this kind begin at `place`, and judge what is shown."""


class OfFixings(Run):
    """Dollar and euro; a place is that of a table."""

    def __init__(self, case: str, seed: int, tally: Tally, *, whole: bool = False) -> None:
        super().__init__(case, seed, tally, NO_OIL, whole=whole)
        self._lived = 0

    def places(self) -> Sequence[int]:
        """All tables but the first, which are judged by few, and the last, after which there must be others."""
        return range(25, len(self.world.fixings) - 12)

    async def live(self, place: int) -> None:
        """The two tables before."""
        for before in range(max(self._lived, place - 2), place):
            for at in self._moments(self.world.fixings[before], self.world.fixings[before + 1]):
                await self.look(at)
        self._lived = place

    async def wrong(self, kind: str, place: int) -> None:
        """Let the table be wrong, and those after it by the same share."""
        world, count = self.world, TABLES[kind]
        symbol = self.random.choice(("USD", "EUR"))
        tables = world.fixings[place : place + count]
        told = self._told(kind, symbol, place)
        world.spells = [*self.base, Spell("cbr", *EVER, fixing=lambda table: _lied(table, symbol, told))]
        statuses: set[str] = set()
        right = True
        for offset, table in enumerate(tables):
            for at in self._moments(table, world.fixings[place + offset + 1]):
                shown = (await self.look(at))[symbol]
                # The number of an earlier day under its own date is the last good one, kept.
                if self._lies(shown, symbol, told, dated=kind == "yesterday relabelled"):
                    if shown.status == "fresh" not in statuses:
                        self.came_through(kind, f"{symbol} {shown.price} {shown.source}")
                    statuses.add(shown.status)
                if at.time() == time(9) and _day(at) >= table.day:
                    right &= shown.price == _rate(world.in_force() or table, symbol)
        through = "fresh" in statuses
        marked, right = bool(statuses) and not through, right and not through
        self.tally.fixings[kind].update(injected=1, through=through, marked=marked, right=right)
        if self.random.random() < CLEAN:
            await self._clean(symbol, place + count)

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


class OfOil(Run):
    """Brent; a place is a moment."""

    always_news = True

    def __init__(self, case: str, seed: int, tally: Tally, *, liar: str = "moex", whole: bool = False) -> None:
        super().__init__(case, seed, tally, ONLY_OIL, whole=whole)
        self.liar = liar

    def places(self) -> Sequence[datetime]:
        """One moment or another of each weekday on which every market that is alive has traded and will, for hours."""
        days = [datetime.combine(FIRST + n * DAY, time(), MOSCOW) for n in range((LAST - FIRST).days)]
        moments = [day + timedelta(minutes=self.random.randrange(*HOURS)) for day in days if day.weekday() < SATURDAY]
        markets = {"moex": self.world.moex, "yahoo": self.world.yahoo}
        alive = [market for source, market in markets.items() if source in self.alive and market is not None]
        hours = [timedelta(hours=hour) for hour in (-2, 0, 4)]
        return [at for at in moments if all(market.in_session(at + hour) for market in alive for hour in hours)]

    async def live(self, place: datetime) -> None:
        """Asked as often as a service asks, it knows by then how far the two markets are apart."""
        for minutes in range(-50, 0, 5):
            await self.look(place + timedelta(minutes=minutes))

    def _true(self, shown: Shown) -> Decimal:
        """What the market that speaks has really paid at the moment that is told with the price."""
        assert self.world.moex is not None
        paid = self.world.abroad if shown.source == "yahoo" else self.world.moex.price
        return paid(shown.as_of) if shown.as_of is not None else Decimal(1)

    async def wrong(self, kind: str, place: datetime) -> None:
        """Let the liar be wrong for three hours and twenty minutes."""
        world, at = self.world, place
        market = world.moex if self.liar == "moex" else world.yahoo
        assert market is not None
        true, before, other = market.price(at), market.price(at - DAY), (world.in_force() or world.fixings[0]).usd
        price = true
        while abs(price / true - 1) < Decimal("0.0009"):
            price = WRONG[kind](Given(true, before, other, self.random))
        factor = price / true
        # Half of Moscow's lies are in one cell, half in the whole row: day's range, bid and offer tell the first kind.
        # Yahoo's are in the price alone, or in its minutes as well.
        cell = self.random.random() < 0.5
        small = abs(factor - 1) <= SMALL
        world.spells = [*self.base, _lie(self.liar, factor, at, at + timedelta(minutes=200), cell=cell)]
        through = marked = False
        right = False
        for minutes in OIL_LOOKS:
            shown = (await self.look(at + timedelta(minutes=minutes)))["OIL"]
            true = self._true(shown)
            # The second market is right throughout, whatever it has in common with the first one's lie.
            lied = shown.source == self.liar and abs(shown.price / true - 1) > abs(factor - 1) / 3
            if lied and shown.status == "fresh" and not through and not small:
                self.came_through(kind, f"{shown.price} for {true}, x{factor:.4f}, {'cell' if cell else 'row'}")
            through |= lied and shown.status == "fresh"
            marked |= lied
            if minutes == 32 and shown.as_of is not None:
                right = shown.price == true and world.now - shown.as_of < timedelta(minutes=30)
        if small:
            self.tally.oil[kind].update(small=1, small_through=through)
        else:
            marked, right = marked and not through, right and not through
            self.tally.oil[kind].update(injected=1, through=through, marked=marked, right=right)
        if self.random.random() < CLEAN:
            world.spells = list(self.base)
            await self.look(at + timedelta(minutes=205))
            shown = (await self.look(at + timedelta(minutes=225)))["OIL"]
            self.tally.clean["markets"] += 1
            if shown.status != "fresh" or shown.price != self._true(shown):
                self.tally.clean["market not shown fresh 25 minutes after its lie"] += 1


def _lie(liar: str, factor: Decimal, since: datetime, until: datetime, *, cell: bool) -> Spell:
    """The price alone is wrong, where `cell`; else the whole answer, each part in keeping with the others."""
    cent = Decimal("0.01")

    def rows(board: list[BoardRow]) -> list[BoardRow]:
        front = board[0]
        assert front.last is not None
        return [replace(front, cells=(("LAST", (front.last * factor).quantize(cent)),)), *board[1:]]

    def body(text: bytes) -> bytes:
        found = re.search(rb'"regularMarketPrice":([0-9.]+)', text)
        assert found is not None
        wrong = str((Decimal(found[1].decode()) * factor).quantize(cent)).encode()
        return text[: found.start(1)] + wrong + text[found.end(1) :]

    def market(true: Print) -> Print:
        return replace(true, price=(true.price * factor).quantize(cent))

    if not cell:
        return Spell(liar, since, until, market=market)
    return Spell(liar, since, until, rows=rows) if liar == "moex" else Spell(liar, since, until, body=body)


def _rate(table: Fixing, symbol: str) -> Decimal:
    return table.usd if symbol == "USD" else table.eur


def _lied(table: Fixing, symbol: str, told: dict[date, Decimal]) -> Fixing:
    price = told.get(table.day)
    if price is None:
        return table
    return replace(table, usd=price) if symbol == "USD" else replace(table, eur=price)


def _day(at: datetime) -> date:
    return at.astimezone(MOSCOW).date()


async def lives(
    case: str, count: int, tally: Tally, kinds: Sequence[str], begin: Callable[[str, int, Tally], Run], seed: int
) -> None:
    """Throw each kind at `count` tables or days, spread over the years; a service lives as long, then another begins.

    `begin` makes it. One that is asked whole lives for one fault only.
    """
    while count > 0:
        one = begin(case, seed, tally)
        places = one.places()
        step = max(1, len(places) // count)
        chosen = places[one.random.randrange(step) :: step][:count]
        for faults in [[kind] for kind in kinds] if one.whole else [kinds]:
            service = begin(case, seed, tally) if one.whole else one
            async with service.product:
                await service.product.poll()  # who is silent is known to be
                for place in chosen:
                    await asyncio.sleep(0)  # here an interrupt is heard
                    await service.through(faults, place)
        count, seed = count - len(chosen), seed + 1


async def run(
    case: str,
    count: int,
    seed: int,
    tally: Tally,
    kinds: Sequence[str] = tuple(TABLES),
    only: str = "",
    liar: str = "moex",
    *,
    whole: bool = False,
) -> None:
    """One case: each of `kinds` `count` times, of the instruments that are told `only`, or of all."""
    if only != "oil":
        await lives(case, count, tally, kinds, partial(OfFixings, whole=whole), seed * 1000)
    if only != "fixings":
        market_kinds = [kind for kind in kinds if kind in MARKET_KINDS]
        await lives(case, count, tally, market_kinds, partial(OfOil, liar=liar, whole=whole), seed * 1000)


def table(case: str, title: str, rows: Mapping[str, Counter[str]]) -> Table:
    """One case's table."""
    made = Table("kind", "injected", "stopped", "%", "shown, marked", "right shown", "%", "up to 0.3 %", "stopped",
                 title=f"{case}: {title}")  # fmt: skip
    told = {kind: rows[kind] for kind in TABLES if kind in rows}
    for several, single in (("all single ones", True), ("all consecutive ones", False)):
        told[several] = sum((row for kind, row in rows.items() if (TABLES[kind] == 1) is single), Counter[str]())
    for kind, row in told.items():
        if row.total():
            share = 100 / (row["injected"] or 1)
            stopped = row["injected"] - row["through"]
            made.add_row(kind, *map(str, (row["injected"], stopped, f"{stopped * share:.2f}", row["marked"],
                                          row["right"], f"{row['right'] * share:.1f}",
                                          row["small"], row["small"] - row["small_through"])))  # fmt: skip
    return made


async def main() -> None:
    """Every case, each kind `n` times."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--case", choices=[*CASES], action="append")
    parser.add_argument("--kind", choices=[*TABLES], action="append", default=[])
    parser.add_argument("--only", choices=["fixings", "oil"], default="")
    parser.add_argument("--liar", choices=MARKETS, default="moex")
    parser.add_argument("--whole", action="store_true", help="each fault in a service of its own, all always asked")
    given = parser.parse_args()
    logging.disable()
    out = Console(width=140)
    liar = given.liar
    for case in given.case or CASES:
        tally, began = Tally(), perf_counter()
        with suppress(asyncio.CancelledError):
            await run(case, given.n, given.seed, tally, given.kind or list(TABLES), given.only, liar, whole=given.whole)
        for title, rows in (("dollar and euro", tally.fixings), (f"oil, {liar} lies", tally.oil)):
            if rows:
                out.print(table(case, title, rows))
        for kind, told in tally.through.items():
            for each in told:
                out.print(f"  {kind}: {each}")
        for what, count in sorted(tally.clean.items()):
            out.print(f"{what}: {count}")
        out.print(f"{perf_counter() - began:.0f} s\n")


if __name__ == "__main__":
    asyncio.run(main())
