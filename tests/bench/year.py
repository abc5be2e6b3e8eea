"""A year on a moving clock: is anything wrongly called late, is anything late not called so, who is asked how often.

`uv run python -m tests.bench.year [--days N]`. From 20 December 2023: both New Years, a leap day, the clock changes of
New York. The plans, the poller and the calendars are the service's own; only the network and the waiting are not.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import logging
from collections import Counter
from datetime import date, datetime, time, timedelta
from random import Random

from rich.console import Console
from rich.table import Table

from tests.bench.world import MOSCOW, World
from tests.support.running_service import trio
from ticker.app import Service, compose
from ticker.quotes import Quote, Status
from ticker.scheduling import Cadence, Plan
from ticker.settings.loader import load, shipped

START = datetime(2023, 12, 20, tzinfo=MOSCOW)
# Markets are asked every quarter of an hour here, not every minute: the calendars are the same, the year is shorter.
SLOWER = {f"sources.{source}.schedule": {"every": "15m", "jitter": "60s"} for source in ("moex", "yahoo")}


def outages(days: int) -> dict[str, list[tuple[datetime, datetime]]]:
    """Real ones: everything silent for days, one source silent for weeks."""
    spans = {
        ("cbr",): (datetime(2024, 2, 5, tzinfo=MOSCOW), timedelta(days=21)),
        ("cbr", "cbr_mirror"): (datetime(2024, 6, 3, 12, tzinfo=MOSCOW), timedelta(days=4)),
        ("moex",): (datetime(2024, 7, 1, 12, tzinfo=MOSCOW), timedelta(days=2)),
        ("moex", "yahoo"): (datetime(2024, 9, 10, 12, tzinfo=MOSCOW), timedelta(days=1)),
    }
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    for sources, (start, span) in spans.items():
        if start < START + timedelta(days=days):
            for source in sources:
                found.setdefault(source, []).append((start, start + span))
    return found


async def run(days: int) -> tuple[Counter[str], World, Service]:
    """Live through `days`; the verdicts counted by instrument."""
    world = World(START.date(), START.date() + timedelta(days=days), START)
    world.outages = outages(days)
    config = trio(SLOWER)
    made = compose(config, upstream="http://upstream", now=lambda: world.now, seed=1)
    made.poller._fetcher = world  # type: ignore[assignment]
    random = Random(3)  # noqa: S311 - jitter
    each = config.sources
    plans = {source: Plan(Cadence(each[source].schedule, each[source].budget), random) for source in made.poller.feeds}
    verdicts: Counter[str] = Counter()
    due = [(START, source) for source in plans]
    while due and due[0][0] < START + timedelta(days=days):
        world.now, source = heapq.heappop(due)
        plans[source].note(world.now, 1)
        await made.poller.poll(source)
        judge(made, world, verdicts)
        heapq.heappush(due, (plans[source].next(world.now, made.poller.health[source], 1), source))
    return verdicts, world, made


def judge(made: Service, world: World, verdicts: Counter[str]) -> None:
    """Hold what is shown against what the world knows."""
    for quote in made.board.current(world.now).quotes:
        verdicts[f"{quote.symbol} looks"] += 1
        newest = _newest(quote, world)
        if quote.status is Status.STALE and newest:
            verdicts[f"{quote.symbol} false stale"] += 1
        if quote.status is Status.FRESH and not newest and _overdue(quote, world):
            verdicts[f"{quote.symbol} late and not said"] += 1
        if quote.status is not Status.FRESH and not newest:
            verdicts[f"{quote.symbol} true stale"] += 1


def _newest(quote: Quote, world: World) -> bool:
    if quote.as_of is None:
        return False
    if quote.symbol == "OIL":
        trade = world.traded(MOSCOW, time(9), time(23, 50), range(5), "RU")
        return quote.as_of >= trade - timedelta(minutes=30)
    return quote.as_of.date() >= world.table()[0]


def _overdue(quote: Quote, world: World) -> bool:
    """A table more than the grace past its due hour; a market more than an hour and a half without a print."""
    return quote.fresh_until is not None and world.now > quote.fresh_until + timedelta(minutes=1)


def requests_a_day() -> Table:
    """What the shipped cadences ask for in a quiet year, and the most that a budget lets through."""
    config = load(shipped(), {}, {}).settings
    table = Table("source", "polls a day, mean", "most in an hour", "budget an hour")
    random = Random(5)  # noqa: S311 - jitter
    for source, each in config.sources.items():
        plan, now, polls = Plan(Cadence(each.schedule, each.budget), random), START, []
        while now < START + timedelta(days=28):
            plan.note(now, 1)
            polls.append(now)
            now = plan.next(now, Quiet(), 1)
        hours = Counter(moment.replace(minute=0, second=0, microsecond=0) for moment in polls)
        table.add_row(source, f"{len(polls) / 28:.1f}", str(max(hours.values())), str(each.budget))
    return table


class Quiet:
    """A source that never fails."""

    in_a_row = 0
    retry_at: datetime | None = None
    next_poll: datetime | None = None


async def main() -> None:
    """The year, and the table of requests."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=(date(2025, 1, 15) - START.date()).days)
    given = parser.parse_args()
    logging.disable()
    verdicts, world, _ = await run(given.days)
    out = Console()
    for verdict, count in sorted(verdicts.items()):
        out.print(f"{verdict}: {count}")
    for source, asked in world.asked.items():
        out.print(f"asked {source}: {asked / given.days:.1f} times a day")
    out.print(requests_a_day())


if __name__ == "__main__":
    asyncio.run(main())
