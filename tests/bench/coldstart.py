"""A start over an empty store while somebody is wrong: who, who else is alive, how wrong; what is shown in a minute?

`uv run python -m tests.bench.coldstart [--n N] [--only fixings|oil]`: every cell `n` times, at other hours of other
days. The world is `tests/world`. Every source alive tells the truth but one; all are asked at the start and again after
20 and 45 seconds.

A cell can be told where the evidence is enough for a careful editor:
- two right copies of the Bank's table beside a wrong one;
- one right copy, and an error of the dollar past 2 %, which shows in the euro over the dollar, of the table before and
  of the ECB's, or it is yesterday's number or another year's table told anew, which the copy's `Previous` shows;
- a source that is not of the Bank's own kind is the wrong one: the Bank and its copies need it for nothing;
- of two markets in session both alive: an error past 5 %. One of them is the other's only witness, and all that either
  brings along is its own settlement before; a move of 3 % since then is an ordinary day's (whoever believes the one
  that moved less is right in 81 of 100 errors of 3 %, in 89 of 4 %, in 95 of 5 %).
Where it cannot be told, neither number may be `fresh`. Where nobody alive says anything else, as another bank's cross
does not of a slip below 3 %, the wrong number "cannot be seen". A source alone is a case of its own: the right number
is nowhere; what past 2 % is at odds with its own table before and its own euro can be seen, and must not be fresh.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from time import perf_counter

from rich.console import Console
from rich.table import Table

from tests.bench.slips import Given
from tests.world import truth
from tests.world.harness import Product, Shown
from tests.world.play import ALL, EVER
from tests.world.wires import MOSCOW
from tests.world.world import CROSSES, MARKETS, Fixing, Print, Spell, World

COPIES = ("cbr", "cbr_mirror", "frankfurter")
FIXING_KINDS = ("1 %", "3 %", "10 %", "digit slip", "swap", "yesterday relabelled", "another year", "another currency")
OLD = ("yesterday relabelled", "another year")
MARKET_KINDS = tuple(kind for kind in FIXING_KINDS if kind != "another year")
ALIVE: dict[str, tuple[str, ...]] = {
    "alone": (),
    "mirror": ("cbr", "cbr_mirror"),
    "mirror, ECB": ("cbr", "cbr_mirror", "ecb"),
    "mirror, 2 crosses": ("cbr", "cbr_mirror", "nbrb", "nbk"),
    "mirror, frankfurter": ("cbr", "cbr_mirror", "frankfurter"),
    "Bank, 3 crosses, ECB": ("cbr", *CROSSES, "ecb"),
    "both markets": MARKETS,
    "all": (*COPIES, *CROSSES, "ecb", "open_er_api", "fawazahmed0"),
}
# Hours of Moscow at which a service is begun: noon, the evening with tomorrow's table, night.
HOURS = tuple(
    timedelta(hours=hour, minutes=minute) for hour, minute in ((11, 20), (16, 58), (0, 40), (20, 0), (23, 45))
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix."""

    symbol: str
    wrong: str
    alive: str
    kind: str


def cells() -> list[Cell]:
    """The whole matrix."""
    found = [
        Cell("USD", wrong, alive, kind)
        for alive, sources in ALIVE.items()
        for wrong in ("cbr", "cbr_mirror", "nbrb", "ecb")
        if wrong in sources or (alive == "alone" and wrong in COPIES)
        for kind in FIXING_KINDS
    ]
    return found + [
        Cell("OIL", wrong, alive, kind)
        for alive in ("alone", "both markets")
        for wrong in MARKETS
        for kind in MARKET_KINDS
    ]


def slip(kind: str, true: Decimal, before: Decimal, other: Decimal, random: Random) -> Decimal:
    """A wrong number of this kind."""
    if kind.endswith("%"):
        return (true * (1 + random.choice((-1, 1)) * Decimal(kind.removesuffix(" %")) / 100)).quantize(true)
    if kind == "digit slip":
        text = str(true)
        at = random.randrange(2)
        return Decimal(f"{text[:at]}{random.choice([d for d in '123456789' if d != text[at]])}{text[at + 1 :]}")
    if kind == "swap":
        return Given(true, before, other, random).swapped_digits()
    return before if kind == "yesterday relabelled" else other


def fixing(kind: str, world: World, random: Random) -> Callable[[Fixing], Fixing]:
    """What a source makes of each table: the dollar alone is wrong of its newest one in force, and of those after."""
    true = world.in_force()
    assert true is not None
    place = list(world.fixings).index(true)
    before = world.fixings[place - 1]
    wrong = slip(kind, true.usd, before.usd, true.eur, random)
    if kind == "another year":
        return lambda table: replace(table, day=table.day.replace(year=table.day.year - 1), usd=table.usd - 4)
    if kind == "yesterday relabelled":
        return lambda table: replace(table, usd=before.usd, eur=before.eur) if table.day == true.day else table
    # The mistake is in the process: tomorrow's table, where it is out, has it too.
    factor = wrong / true.usd
    return lambda table: replace(table, usd=(table.usd * factor).quantize(true.usd)) if table.day >= true.day else table


def case(cell: Cell, error: Decimal) -> str:
    """What the evidence can tell of an error of this share."""
    far = error > Decimal("0.02") or cell.kind in OLD
    if cell.alive == "alone":
        return "alone, can be seen" if cell.symbol == "USD" and far else "alone"
    if cell.symbol == "OIL":
        return "can be told" if error > Decimal("0.05") else "cannot be told"
    right = sum(source in COPIES and source != cell.wrong for source in ALIVE[cell.alive])
    if cell.wrong not in COPIES or right > 1 or (right and far):
        return "can be told"
    lone = cell.alive == "Bank, 3 crosses, ECB"
    return "cannot be seen" if lone and error < Decimal("0.031") else "cannot be told"


async def run(cell: Cell, at: datetime, seed: int) -> tuple[str, str]:
    """Begin once; what it came to, and what was shown, for a reader."""
    random = Random(seed)  # noqa: S311 - reproducible
    world = truth.world(at.date(), at.date(), seed)
    world.now = at
    alive = ALIVE[cell.alive] or (cell.wrong,)
    world.spells = [Spell(source, *EVER) for source in ALL if source not in alive]
    table = world.in_force()
    assert table is not None
    if cell.symbol == "USD":
        right, near = table.usd, Decimal(0)
        change = fixing(cell.kind, world, random)
        wrong = change(table).usd
        world.spells.append(Spell(cell.wrong, *EVER, fixing=change))
    else:
        assert world.moex is not None
        right = truth.brent(at - timedelta(minutes=12))
        near = Decimal("0.05")
        settled = truth.brent(at - timedelta(days=1))
        wrong = slip(cell.kind, right, settled, table.usd, random)

        def market(print_: Print) -> Print:
            return replace(print_, price=wrong)

        world.spells.append(Spell(cell.wrong, *EVER, market=market))
    error = abs(wrong / right - 1)
    if cell.kind not in OLD and error < Decimal("0.004"):
        return "no error worth the name", ""
    async with Product(world) as product:
        for later in (0, 20, 25):
            world.now += timedelta(seconds=later)
            await product.poll()
        shown = product.look()[cell.symbol]
    if cell.symbol == "OIL" and shown.as_of is not None:
        # What the market that speaks has really paid at that moment.
        assert world.moex is not None
        right = world.abroad(shown.as_of) if shown.source == "yahoo" else world.moex.price(shown.as_of)
    verdict = _verdict(shown, wrong, right, near)
    text = f"{at.astimezone(MOSCOW):%Y-%m-%d %H:%M} right {right} wrong {wrong}:"
    as_of = shown.as_of and shown.as_of.date()
    return (
        f"{case(cell, error)}: {verdict}",
        f"{text} {shown.price} {shown.status} {shown.reason} {shown.source} {as_of}",
    )


def _verdict(shown: Shown, wrong: Decimal, right: Decimal, near: Decimal) -> str:
    if shown.price is None:
        return "nothing"
    if abs(shown.price - right) <= near:
        return f"right, {shown.status}"
    if abs(shown.price - wrong) <= near:
        return f"WRONG, {shown.status}"
    return f"another number, {shown.status}"


def moments(count: int, random: Random) -> list[datetime]:
    """`count` moments of working days of 2026, when both markets trade; every third past the publication."""
    found: list[datetime] = []
    while len(found) < count:
        day = date(2026, 2, 3) + timedelta(days=random.randrange(290))
        if 0 < day.weekday() < 5:
            hour = HOURS[len(found) % len(HOURS)]
            found.append(datetime.combine(day, datetime.min.time(), MOSCOW) + hour)
    return found


async def starts(among: Sequence[Cell], count: int, seed: int) -> AsyncIterator[tuple[Cell, str, str]]:
    """Begin `count` times in each cell: what it came to, and what was shown."""
    random = Random(seed)  # noqa: S311 - reproducible
    for number, cell in enumerate(among):
        for at in moments(count, random):
            # At night Moscow rests: then its number is not the newest, whatever it is.
            when = at.replace(hour=11) if cell.symbol == "OIL" and at.hour < 9 else at
            yield cell, *await run(cell, when, seed * 10_000 + number)


async def main() -> None:
    """Every cell, and the tables of what they came to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", default="WRONG, fresh", help="the verdict that examples are shown of")
    parser.add_argument("--only", choices=["fixings", "oil"], default="")
    given = parser.parse_args()
    logging.disable()
    began, out = perf_counter(), Console(width=160)
    asked = {"fixings": ("USD",), "oil": ("OIL",)}.get(given.only, ("USD", "OIL"))
    among = [cell for cell in cells() if cell.symbol in asked]
    found: defaultdict[Cell, Counter[str]] = defaultdict(Counter)
    async for cell, verdict, text in starts(among, given.n, given.seed):
        found[cell][verdict] += 1
        if given.show in verdict and found[cell][verdict] < 3:
            out.print(f"{cell.symbol} {cell.wrong} wrong, alive {cell.alive}, {cell.kind}: {verdict} | {text}")
    report(found, out)
    out.print(f"{len(found)} cells, {given.n} times each, {perf_counter() - began:.0f} s")


def report(found: Mapping[Cell, Counter[str]], out: Console) -> None:
    """Print what was found: the cells that are not as they should be, and sums."""
    table = Table("instrument", "wrong", "alive", "kind", "verdicts")
    totals: Counter[tuple[str, str]] = Counter()
    for cell, verdicts in found.items():
        totals.update({(cell.symbol, verdict): count for verdict, count in verdicts.items()})
        good = ("can be told: right", "no error")
        if bad := ", ".join(
            f"{verdict} {count}" for verdict, count in verdicts.items() if not verdict.startswith(good)
        ):
            table.add_row(cell.symbol, cell.wrong, cell.alive, cell.kind, bad)
    sums = Table("instrument", "verdict", "starts")
    for (symbol, verdict), count in sorted(totals.items()):
        sums.add_row(symbol, verdict, str(count))
    out.print(table, sums)
    _, right, can = told_apart(sum(found.values(), Counter()))
    if can:
        out.print(f"can be told: {can}, the right number shown within a minute in {100 * right / can:.1f} %")


def told_apart(verdicts: Counter[str]) -> tuple[int, int, int]:
    """Of the starts where the evidence can tell: in how many a wrong number is fresh, in how many the right one shown.

    The last number is that of all of them.
    """
    can = {verdict: count for verdict, count in verdicts.items() if verdict.startswith("can be told")}
    right = sum(count for verdict, count in can.items() if ": right" in verdict)
    return verdicts["can be told: WRONG, fresh"], right, sum(can.values())


if __name__ == "__main__":
    asyncio.run(main())
