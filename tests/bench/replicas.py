"""Replicas over one Redis through its failures: python -m tests.bench.replicas [REPLICAS] [SECONDS].

Real processes and a real redis-server; each replica has a link of its own to it, which can be cut. A market moves, a
reader at each replica notes what it is shown. Prints a table; ends with 1 where a promise was not kept.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from statistics import median

from tests.support.fleet import BUDGET, Fleet, fleet
from tests.support.redis_servers import redis_server

TAKES_OVER, TOGETHER = 5.0, 0.2


async def calm(_fleet: Fleet, seconds: float) -> None:
    """Nothing happens."""
    await asyncio.sleep(seconds)


async def leader_killed(fleet: Fleet, seconds: float) -> None:
    """The one who polls is killed, as by `kill -9`, and started again."""
    leader = await fleet.one_leads()
    began = time.monotonic()
    await fleet.kill(leader)
    await fleet.one_leads(counted=False)
    fleet.takeovers.append(time.monotonic() - began)
    await asyncio.sleep(seconds / 2)
    await fleet.start(leader)


async def leader_asleep(fleet: Fleet, seconds: float) -> None:
    """The one who polls hangs; when it wakes it has been replaced, and must find out before it says anything."""
    leader = await fleet.one_leads()
    began = time.monotonic()
    fleet.sleep(leader)
    await fleet.one_leads(counted=False)
    fleet.takeovers.append(time.monotonic() - began)
    await asyncio.sleep(seconds / 2)
    fleet.wake(leader)


async def stopped(fleet: Fleet, seconds: float) -> None:
    """What it holds is on the disk, and there again when it is back."""
    fleet.redis.tell("SAVE")
    fleet.redis.kill()
    await asyncio.sleep(seconds)
    fleet.redis.start()


async def paused(fleet: Fleet, seconds: float) -> None:
    """SIGSTOP: connections are taken, nothing is answered."""
    fleet.redis.pause()
    await asyncio.sleep(seconds)
    fleet.redis.go_on()


async def emptied(fleet: Fleet, seconds: float) -> None:
    """Killed, and started with nothing in it."""
    fleet.redis.kill()
    await asyncio.sleep(seconds / 4)
    fleet.redis.forget()
    fleet.redis.start()
    await asyncio.sleep(seconds * 3 / 4)


async def leader_cut_off(fleet: Fleet, seconds: float) -> None:
    """The one who polls cannot reach Redis any more, the others can."""
    leader = await fleet.one_leads()
    leader.way.cut()
    await asyncio.sleep(seconds)
    leader.way.mend()


async def all_but_one_cut_off(fleet: Fleet, seconds: float) -> None:
    """The many are alone, and the one of them that is not polls for it."""
    for each in fleet.alive[1:]:
        each.way.cut()
    await asyncio.sleep(seconds)
    for each in fleet.alive[1:]:
        each.way.mend()


async def slow(fleet: Fleet, seconds: float) -> None:
    """A tenth of a second in each direction."""
    for each in fleet.alive:
        each.way.delay = 0.1
    await asyncio.sleep(seconds)
    for each in fleet.alive:
        each.way.delay = 0.0


FAULTS: tuple[Callable[[Fleet, float], Awaitable[None]], ...] = (
    calm,
    leader_killed,
    leader_asleep,
    stopped,
    paused,
    emptied,
    leader_cut_off,
    all_but_one_cut_off,
    slow,
    calm,
)


async def measured(fleet: Fleet, fault: Callable[[Fleet, float], Awaitable[None]], seconds: float) -> list[float]:
    """The longest standstill that a reader saw, how long until all were together again, and then how far apart."""
    began = time.monotonic()
    await fault(fleet, seconds)
    healed = time.monotonic()
    await fleet.one_leads()
    await fleet.together()
    together = time.monotonic()
    await asyncio.sleep(seconds / 2)
    spreads = fleet.spreads(together)
    return [fleet.standstill(began), together - healed, median(spreads), max(spreads)]


async def main(count: int, seconds: float) -> int:
    """Every fault in turn, and what is left of the promises."""
    broken = 0
    with redis_server() as redis:
        async with fleet(redis, count) as running:
            await running.together()
            print(f"{count} replicas, {seconds:g} s a fault; s, and of the spread ms")
            print(f"{'fault':22}{'standstill':>12}{'together in':>12}{'spread med':>12}{'spread max':>12}")
            for fault in FAULTS:
                still, again, middle, most = await measured(running, fault, seconds)
                print(
                    f"{fault.__name__:22}{still:12.2f}{again:12.2f}{middle * 1000:12.1f}{most * 1000:12.1f}", flush=True
                )
                broken += most > TOGETHER
            shown = {oil for each in running.replicas for oil in each.seen.oil}
            lost, back, asked = await running.lost(), running.steps_back(), running.asked()
            takes = ", ".join(f"{each:.2f}" for each in running.takeovers)
            print(f"another polls after {takes} s (at most {TAKES_OVER:g})")
            print(f"numbers shown {len(shown)}, of them lost {len(lost)}; versions that went back: {back}")
            print(f"the scarce source was asked {asked} times (budget {BUDGET} an hour)")
            broken += bool(lost) + bool(back) + (asked > BUDGET) + (max(running.takeovers) > TAKES_OVER)
    return int(broken > 0)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(asyncio.run(main(int((arguments or ["5"])[0]), float((arguments[1:] or ["8"])[0]))))
