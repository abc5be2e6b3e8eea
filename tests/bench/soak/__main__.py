"""Does it last? `uv run python -m tests.bench.soak [--days 30] [--speed 1000] [--reads 1000000] [--streams 5]`.

Thirty days at a thousandfold are 43 minutes on one core. The service is a process of its own (see `service`), over
four local sources of which 1 % to 50 % of the answers are faulty, in waves of two and a half days, and which all go
away now and then (see `faulty`). Beside it readers ask and listen. Wanted: no failed read, no wrong number, none that
is old and not marked (see `judge`); of memory less than 1 MB an hour of the service's clock, and in the last quarter
less than 2 MB more than in the one before; in the last quarter no more descriptors and threads. Else exit 1.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import aiohttp

from tests.bench.soak.body import Body
from tests.bench.soak.faulty import Faulty
from tests.bench.soak.judge import Judge
from tests.bench.soak.readers import Readers
from tests.bench.soak.service import Plan, configured
from tests.bench.world import MOSCOW, World
from ticker.app import compose

START = datetime(2024, 2, 19, 10, tzinfo=MOSCOW)
CONNECTIONS = 8
# MB: what a week of numbers may leave in the caches of a store that is still filling.
MORE = 2


def outages(days: float) -> dict[str, list[tuple[datetime, datetime]]]:
    """From the first day, every sixth no market answers for five hours of trading, every tenth no bank for two days."""
    spans: dict[str, list[tuple[datetime, datetime]]] = {}
    for day in range(1, int(days) + 1):
        at = START + timedelta(days=day)
        for sources, every, hours in ((("moex", "yahoo"), 6, 5), (("cbr", "cbr_mirror"), 10, 48)):
            if day % every == 1:
                for source in sources:
                    spans.setdefault(source, []).append((at, at + timedelta(hours=hours)))
    return spans


async def live(given: argparse.Namespace, folder: Path) -> bool:
    """The whole time; whether all is as it should be."""
    plan = Plan("", f"sqlite:///{folder}/ticker.db", START, given.speed, time.monotonic())
    world = World(START.date(), START.date() + timedelta(days=given.days + 5), START, outages(given.days))
    async with Faulty(world, plan.clock, Random(given.seed)) as upstream:  # noqa: S311 - reproducible
        plan = Plan(upstream.url, plan.store, plan.start, plan.speed, plan.made)
        with (folder / "log").open("wb") as log:
            child = await asyncio.create_subprocess_exec(*plan.arguments, stderr=log)
        try:
            listens = await port(folder / "log", "ticker serves")
            body, readers = Body(child.pid), Readers(listens, plan.clock, judge_of(plan, world))
            await soak(given, upstream, readers, body)
            print(f"the store: {await store(await port(folder / 'log', 'metrics'))}")
            return report(given, upstream, readers, body, errors(folder / "log"))
        finally:
            if child.returncode is None:
                child.send_signal(signal.SIGTERM)
                print(f"the service ended with {await asyncio.wait_for(child.wait(), 30)}")


def judge_of(plan: Plan, world: World) -> Judge:
    """A judge with a record of its own, beside the sources'."""
    record = World(world.first, world.last, world.now)
    return Judge(record, compose(configured("memory://"), upstream="http://127.0.0.1:9", now=plan.clock))


async def store(port: int) -> dict[str, str]:
    """What the service tells of its store."""
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as response:
        lines = (await response.text()).splitlines()
    return dict(line.removeprefix("ticker_store_").rsplit(" ", 1) for line in lines if line.startswith("ticker_store_"))


async def port(log: Path, event: str) -> int:
    """Where the service listens, by the `event` it logs. Raises TimeoutError."""
    async with asyncio.timeout(30):
        while True:
            for line in await asyncio.to_thread(lambda: log.read_text().splitlines()):
                if f'"{event}"' in line and line.endswith("}"):
                    return int(json.loads(line)["url"].rpartition(":")[2])
            await asyncio.sleep(0.05)


async def soak(given: argparse.Namespace, upstream: Faulty, readers: Readers, body: Body) -> None:
    """Read, listen and look until the days are over."""
    span = given.days * 86_400 / given.speed
    pause = span * CONNECTIONS / given.reads
    tasks = [asyncio.create_task(readers.read(pause, number * 13)) for number in range(CONNECTIONS)]
    tasks += [asyncio.create_task(readers.listen()) for _ in range(given.streams)]
    ends = time.monotonic() + span
    while (left := ends - time.monotonic()) > 0 and not any(task.done() for task in tasks[:CONNECTIONS]):
        await asyncio.sleep(min(left, span / 200, 10))
        body.look()
        if given.verbose:
            print(
                f"{readers.clock():%d %b %H:%M} {upstream.height():.0%} {body.samples[-1]} {readers.reads}", flush=True
            )
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def errors(log: Path) -> list[str]:
    """What the service has logged as its own fault, or not as a line of JSON."""
    lines = log.read_text().splitlines()
    # A timer is thought lost half a minute after it was due: at a thousandfold 30 ms, which a busy machine does lose.
    wrong = [line for line in lines if not line.startswith("{") or '"level": "error"' in line]
    return [line for line in wrong if '"a poll was due and nobody made it' not in line]


def report(given: argparse.Namespace, upstream: Faulty, readers: Readers, body: Body, said: list[str]) -> bool:
    """Print what came of it; whether all is as it should be."""
    judge, faulty = readers.judge, sum(upstream.given.values()) - upstream.given["well"]
    real = body.samples[-1][0] - body.samples[0][0]
    print(f"{given.days:g} days at x{given.speed:g}: {real:.0f} s of the machine's clock")
    print(f"upstream answers: {sum(upstream.given.values())}, faulty {faulty}: {dict(upstream.given.most_common())}")
    print(f"answers: {dict(readers.answers.most_common())}")
    print(f"quotes judged: {dict(judge.statuses.most_common())}, of events {readers.events}")
    memory = [sample[1] for sample in body.samples]
    print(f"memory MB: {memory[0]:.1f} at first, {memory[-1]:.1f} at last, most {max(memory):.1f}")
    print(f"memory slope in the second half: {body.slope:.2f} MB an hour of the machine's clock")
    print(f"processor: service {body.seconds():.0f} s, sources, readers and judge {time.process_time():.0f} s")
    rows: tuple[tuple[str, float, Callable[[float], bool]], ...] = (
        ("reads", readers.reads, lambda count: count >= given.reads * 0.98),
        ("errors in the log", len(said), lambda count: count == 0),
        ("failed reads", sum(readers.failures.values()), lambda count: count == 0),
        ("wrong numbers", judge.found["wrong"], lambda count: count == 0),
        ("old and not marked", judge.found["unmarked"], lambda count: count == 0),
        (
            "memory slope, MB an hour of the service's clock",
            round(body.slope / given.speed, 4),
            lambda slope: slope < 1,
        ),
        ("memory more in the last quarter than before, MB", round(body.more, 2), lambda more: more < MORE),
        ("descriptors more", body.grown(2), lambda more: more <= 0),
        ("threads more", body.grown(3), lambda more: more <= 0),
    )
    for what, value, wanted in rows:
        print("ok   " if wanted(value) else "WRONG", f"{what}: {value}")
    for line in said[:5]:
        print(f"  {line}")
    for what, words in (*judge.first.items(), *((f"{count} times", why) for why, count in readers.failures.items())):
        print(f"  {what}: {words}")
    return all(wanted(value) for _, value, wanted in rows)


def main() -> None:
    """Live through it, and say how it went."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--speed", type=float, default=1000)
    parser.add_argument("--reads", type=int, default=1_000_000)
    parser.add_argument("--streams", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(0 if asyncio.run(live(parser.parse_args(), Path(folder))) else 1)


if __name__ == "__main__":
    main()
