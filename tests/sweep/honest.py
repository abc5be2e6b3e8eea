"""The benches of the honest number, held against what they are to show: `python -m tests.sweep.honest BENCH N`.

The last line is the verdict; exit 1 where it is not what was promised. The promises are those of the issue "The honest
number, kept in the real world"; where the evidence cannot tell, nothing is promised.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections import Counter
from collections.abc import Awaitable, Callable

from rich.console import Console

from tests.bench import backtest, coldstart, year

SEED = 1
# Shares of what is thrown at the service, in percent.
STOPPED_BY_TWO, STOPPED_BY_ONE, RIGHT_AT_START = 99.9, 80.0, 90.0
# Shares of fewer than so many are told and not judged: a quick run shows that the bench works.
ENOUGH = 200


async def backtested(count: int, _: int) -> tuple[bool, str]:
    """Wrong numbers of every kind, `count` times each, with one source alive and with two."""
    promised = {"one source": STOPPED_BY_ONE, "two sources": STOPPED_BY_TWO}
    good, said, out = True, list[str](), Console(width=140)
    for case, least in promised.items():
        tally = backtest.Tally()
        await backtest.run(case, count, SEED, tally)
        out.print(backtest.table(case, "dollar and euro", tally.fixings), backtest.table(case, "oil", tally.oil))
        # Small errors of oil, which two exchanges differ by and nobody can tell, are counted apart.
        for name, rows in (("rates", tally.fixings), ("oil", tally.oil)):
            injected = sum(row["injected"] for row in rows.values())
            through = sum(row["through"] for row in rows.values())
            stopped = 100 * (injected - through) / injected
            good &= stopped >= least or injected < ENOUGH
            said.append(f"{case}, {name}: {injected - through} of {injected} stopped ({stopped:.2f} %)")
    return good, "; ".join(said)


async def lived(count: int, _: int) -> tuple[bool, str]:
    """`count` weeks of 2025 and 2026, minute by minute."""
    verdicts = year.Verdicts()
    for number, first in enumerate(year.weeks(count)):
        await year.week(first, SEED * 1000 + number, verdicts)
    for (symbol, verdict), moments in sorted(verdicts.first.items()):
        sys.stdout.write("\n  ".join([f"{symbol} {verdict}:", *moments]) + "\n")
    minutes = verdicts.minutes
    wrong = sum(count for (_, verdict), count in minutes.items() if verdict.startswith("WRONG"))
    stale = sum(count for (_, verdict), count in minutes.items() if verdict.startswith("FALSE STALE"))
    looks = sum(count for (_, verdict), count in minutes.items() if verdict == "looks")
    return not wrong | stale, f"{looks} looks: {wrong} wrong and fresh, {stale} falsely stale"


async def started(count: int, every: int) -> tuple[bool, str]:
    """Each cell of the matrix, or each `every`th, `count` times."""
    totals = Counter[str]()
    async for cell, verdict, text in coldstart.starts(coldstart.cells()[::every], count, SEED):
        totals[verdict] += 1
        if verdict == "can be told: WRONG, fresh":
            sys.stdout.write(f"{cell}: {text}\n")
    wrong, right, can = coldstart.told_apart(totals)
    share = 100 * right / can if can else 100.0
    said = f"of {can} starts where it can be told {wrong} wrong and fresh, {share:.1f} % right within a minute"
    return not wrong and (share >= RIGHT_AT_START or can < ENOUGH), said


BENCHES: dict[str, Callable[[int, int], Awaitable[tuple[bool, str]]]] = {
    "backtest": backtested,
    "year": lived,
    "coldstart": started,
}


async def main() -> None:
    """One bench."""
    parser = argparse.ArgumentParser()
    parser.add_argument("bench", choices=[*BENCHES])
    parser.add_argument("n", type=int)
    parser.add_argument("--every", type=int, default=1, help="of the cold start: each so manieth cell")
    given = parser.parse_args()
    logging.disable()
    good, said = await BENCHES[given.bench](given.n, given.every)
    sys.stdout.write(said + "\n")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    asyncio.run(main())
