"""Five years through the pipeline with wrong numbers thrown in: what is stopped, what comes through, what truth waits.

`uv run python -m tests.bench.backtest [--passes N]`. Every answer is bytes in the source's own format, read by its own
adapter and judged by the poller on a moving clock; nothing is stubbed but the network.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from tests.bench.series import Day, truth
from tests.bench.slips import WRONG, Given
from tests.support.upstreams import formats, forts, listing, yahoo
from ticker.app import Service, compose
from ticker.fetch import Answer
from ticker.quotes import Reason, SourceError
from ticker.settings.loader import load, shipped

MOSCOW = ZoneInfo("Europe/Moscow")
SYMBOLS = ("USD", "EUR", "OIL")
# The sources that the faults are in.
FIRST = {"USD": "cbr", "EUR": "cbr", "OIL": "moex"}
# The alternatives that are alive in a run, by the instruments they feed.
CASES = {
    "one source": {"USD": ["cbr"], "EUR": ["cbr"], "OIL": ["moex"]},
    "two sources": {"USD": ["cbr", "cbr_mirror"], "EUR": ["cbr", "cbr_mirror"], "OIL": ["moex", "yahoo"]},
    "three sources": {
        "USD": ["cbr", "cbr_mirror", "frankfurter"],
        "EUR": ["cbr", "cbr_mirror", "frankfurter"],
        "OIL": ["moex", "yahoo"],
    },
}


@dataclass
class Upstreams:
    """The sources' answers of the moment, by path; takes the fetcher's place."""

    bodies: dict[str, bytes] = field(default_factory=dict)

    async def get(self, url: str, query: Mapping[str, str], *_args: object, **_options: object) -> Answer:
        """The answer behind `url`. Raises SourceError as the fetcher does for what is not there."""
        path = url.partition("://upstream")[2] + query.get("base", "")
        if path not in self.bodies:
            raise SourceError(Reason.HTTP_4XX, path)
        return Answer(url, 200, {}, self.bodies[path])


@dataclass
class Tally:
    """What a run found: faults by kind, what came through by kind and instrument, days a truth was waited for."""

    injected: Counter[str] = field(default_factory=Counter)
    through: Counter[tuple[str, str]] = field(default_factory=Counter)
    waited: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))


def write(up: Upstreams, at: datetime, day: Day, before: Day, told: Mapping[str, Decimal], noise: Random) -> None:
    """Every source's answer of `day` at `at`; `told` is what the first source of each instrument says."""
    effective, was = _effective(day), _effective(before)
    true = {"USD": day.usd, "EUR": day.eur}
    up.bodies["/cbr/scripts/XML_daily.asp"] = formats.cbr_daily(effective, {s: told[s] for s in ("USD", "EUR")})
    old = {"USD": before.usd, "EUR": before.eur}
    up.bodies["/cbr_mirror/daily_json.js"] = formats.cbr_mirror(effective, was, at, true, old)
    for code, rate in true.items():
        body = f'[{{"date":"{effective}","base":"{code}","quote":"RUB","rate":{rate}}}]'.encode()
        up.bodies[f"/frankfurter/v2/rates{code}"] = body
    board = listing.contracts(at.date(), told["OIL"], before.oil)
    up.bodies["/moex/iss/engines/futures/markets/forts/boards/RFUD/securities.json"] = forts.moex_forts(at, board)
    abroad = (day.oil * Decimal(str(1.004 + noise.gauss(0, 0.002)))).quantize(Decimal("0.01"))
    chart = yahoo.yahoo_chart("BZ=F", "USD", abroad, at - timedelta(minutes=10), before.oil, "FUTURE")
    up.bodies["/yahoo/v8/finance/chart/BZ=F"] = chart


def _effective(day: Day) -> date:
    return day.day + timedelta(days=1)


def service(case: str, clock: list[datetime]) -> tuple[Service, Upstreams]:
    """A real service of the shipped configuration with the case's sources, on `clock[0]`, over fake answers."""
    flags: dict[str, object] = {f"instruments.{s}.sources": sources for s, sources in CASES[case].items()}
    config = load(shipped(), {}, flags).settings
    config = config.model_copy(update={"checks": {}})
    made = compose(config, upstream="http://upstream", now=lambda: clock[0], seed=1)
    up = Upstreams()
    made.poller._fetcher = up  # type: ignore[assignment]
    return made, up


async def run(case: str, seed: int, faults: int, tally: Tally) -> None:
    """One pass over the five years with about `faults` wrong numbers in it."""
    days, random = truth(), Random(seed)  # noqa: S311 - reproducible
    clock = [datetime.combine(days[0].day, time(12), MOSCOW)]
    made, up = service(case, clock)
    chosen = _spaced(len(days), faults, random)
    waiting = dict.fromkeys(SYMBOLS, 0)
    for i in range(1, len(days)):
        day, before = days[i], days[i - 1]
        true = {"USD": day.usd, "EUR": day.eur, "OIL": day.oil}
        wrong = {s: _fault(s, day, before, random) for s in SYMBOLS if (i, s) in chosen}
        told = {**true, **{s: price for s, (_, price) in wrong.items()}}
        for look in range(4):
            clock[0] = datetime.combine(day.day, time(16, 30), MOSCOW) + look * timedelta(minutes=40)
            # A market has traded all day when its fault begins; a table is new with the fault in it.
            write(up, clock[0], day, before, told if look else {**told, "OIL": true["OIL"]}, random)
            for source in made.poller.feeds:
                await made.poller.poll(source)
                clock[0] += timedelta(seconds=20)
                _count_through(made, wrong, tally)
        clock[0] += timedelta(minutes=5)
        made.poller.publish(clock[0])
        _settle(made, wrong, true, waiting, tally)


def _spaced(days: int, faults: int, random: Random) -> set[tuple[int, str]]:
    """Where faults go: never two of one instrument within three days, so that each is an incident of its own."""
    chosen: set[tuple[int, str]] = set()
    while len(chosen) < faults:
        i, symbol = random.randrange(20, days), random.choice(SYMBOLS)
        if not any((near, symbol) in chosen for near in range(i - 3, i + 4)):
            chosen.add((i, symbol))
    return chosen


def _fault(symbol: str, day: Day, before: Day, random: Random) -> tuple[str, Decimal]:
    true, was = getattr(day, symbol.lower()), getattr(before, symbol.lower())
    other = {"USD": day.eur, "EUR": day.usd, "OIL": day.usd}[symbol]
    while True:
        kind = random.choice([*WRONG])
        price = WRONG[kind](Given(true, was, other, random))
        if price not in {true, Decimal(0)} and not (kind == "yesterday relabelled" and symbol == "OIL"):
            return kind, price


def _count_through(made: Service, wrong: dict[str, tuple[str, Decimal]], tally: Tally) -> None:
    """A wrong number came through where it is the one shown, under its own date and its source's name."""
    for symbol, (kind, price) in list(wrong.items()):
        quote = made.board.latest.get(symbol)
        shown = quote is not None and (quote.price, quote.source) == (price, FIRST[symbol])
        # Yesterday's number under yesterday's date is the last good one, kept.
        kept = kind == "yesterday relabelled" and quote and quote.as_of and quote.as_of < made.context.clock()
        if shown and not kept:
            tally.injected[kind] += 1
            tally.through[kind, symbol] += 1
            del wrong[symbol]


def _settle(
    made: Service,
    wrong: dict[str, tuple[str, Decimal]],
    true: dict[str, Decimal],
    waiting: dict[str, int],
    tally: Tally,
) -> None:
    """At the day's end: the faults that did not come through were stopped; a truth not shown is held."""
    tally.injected.update(kind for kind, _ in wrong.values())
    for symbol in [symbol for symbol in SYMBOLS if symbol not in wrong]:
        quote = made.board.latest.get(symbol)
        near = quote and quote.price and abs(quote.price / true[symbol] - 1) < Decimal("0.02")
        if near and waiting[symbol]:
            tally.waited[symbol].append(waiting[symbol])
        waiting[symbol] = 0 if near else waiting[symbol] + 1


def table(case: str, tally: Tally) -> Table:
    """One case's table: fixings and the market apart, since copies can be compared to the digit and markets cannot."""
    made = Table("kind", "injected", "stopped", "through: USD, EUR", "through: OIL", title=case)
    for kind in WRONG:
        fixings, oil = tally.through[kind, "USD"] + tally.through[kind, "EUR"], tally.through[kind, "OIL"]
        injected = tally.injected[kind]
        made.add_row(kind, str(injected), str(injected - fixings - oil), str(fixings), str(oil))
    total, through = tally.injected.total(), tally.through.total()
    made.add_row("all", str(total), f"{total - through} ({100 - 100 * through / total:.2f} %)", "", "")
    return made


def holds(tally: Tally, years: float) -> str:
    """How often truth was not shown at a day's end, times an instrument-year, and for how many working days."""
    often = {symbol: round(len(tally.waited[symbol]) / years, 2) for symbol in SYMBOLS}
    longest = max((days for waits in tally.waited.values() for days in waits), default=0)
    return f"truth held, times an instrument-year: {often}; the longest: {longest} working days"


async def main() -> None:
    """Every case, `passes` times over the five years."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--passes", type=int, default=4)
    parser.add_argument("--faults", type=int, default=250)
    parser.add_argument("--case", choices=[*CASES], action="append")
    given = parser.parse_args()
    logging.disable()
    years = (truth()[-1].day - truth()[0].day).days / 365.25
    out = Console()
    for case in given.case or CASES:
        tally, clean = Tally(), Tally()
        for seed in range(given.passes):
            await run(case, seed, given.faults, tally)
        await run(case, 99, 0, clean)
        out.print(table(case, tally))
        out.print(f"with the faults, {holds(tally, years * given.passes)}")
        out.print(f"without any, {holds(clean, years)}\n")


if __name__ == "__main__":
    asyncio.run(main())
