"""What grows, and under which load? `uv run python -m tests.bench.soak.strains [NAME…] [--seconds 90] [--kinds]`.

One strain after the other, each on a service of its own, real and in real time (those of errors and of days run on the
soak's fast clock). The first third of the time is for caches to fill. After it, several times: memory as Linux, glibc,
SQLite and Python count it, descriptors, threads, tasks, and the entries of every cache. What grew is printed; exit 1
where the second half has more than `MORE` MB of resident memory over the first, or more descriptors or threads.
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
from datetime import timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from tests.bench.soak import strain
from tests.bench.soak.__main__ import START, port
from tests.bench.soak.body import Body
from tests.bench.soak.faulty import Faulty
from tests.bench.soak.service import Plan
from tests.bench.world import World
from tests.support.upstream import NOON, Upstream
from ticker.clock import Shifted

# MB; and connections that were just being opened anew.
MORE, OPENING = 0.5, 4
LOOKS = 12
SPEED = 1000.0


class Waves(Faulty):
    """The soak's sources at its speed."""

    def __init__(self) -> None:
        self.made = time.monotonic()
        world = World(START.date(), START.date() + timedelta(days=20), START)
        super().__init__(world, Shifted(START, SPEED, self.made), Random(1))  # noqa: S311 - reproducible


class Failing(Waves):
    """Nothing is answered well."""

    def height(self) -> float:
        """All of it."""
        return 1.0


def upstream_of(name: str) -> Upstream:
    """Who is asked meanwhile."""
    return {"errors": Failing, "days": Waves}.get(name, Upstream)()


async def told(child: asyncio.subprocess.Process) -> dict[str, Any]:
    """What the process says that it holds."""
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(b"\n")
    return dict(json.loads(await asyncio.wait_for(child.stdout.readline(), 30)))


async def strained(name: str, given: argparse.Namespace, folder: Path) -> bool:
    """One strain from start to end; whether nothing grew."""
    store = f"sqlite:///{folder}/ticker.db"
    async with upstream_of(name) as upstream:
        if isinstance(upstream, Waves):
            plan = Plan(upstream.url, store, START, SPEED, upstream.made)
            arguments = plan.arguments[3:]
        else:
            upstream.trio()
            arguments = ["serve", "--port", "0", "--at", NOON.isoformat(), "--store", store, "--upstream", upstream.url]
        command = [sys.executable, "-m", "tests.bench.soak.inside", *arguments]
        with (folder / "log").open("wb") as log:
            child = await asyncio.create_subprocess_exec(*command, stdin=-1, stdout=-1, stderr=log, limit=2**22)
        try:
            reach = strain.Reach(await port(folder / "log", "ticker serves"), child.pid)
            return await watched(name, given, child, asyncio.create_task(strain.STRAINS[name](reach)), reach)
        finally:
            if child.returncode is None:
                child.send_signal(signal.SIGTERM)
                await asyncio.wait_for(child.wait(), 30)


async def watched(
    name: str,
    given: argparse.Namespace,
    child: asyncio.subprocess.Process,
    load: asyncio.Task[None],
    reach: strain.Reach,
) -> bool:
    """Look while the load is on, and say what grew."""
    body, looks = Body(child.pid), []
    await asyncio.wait({load}, timeout=given.seconds / 3)
    for _ in range(LOOKS):
        await asyncio.wait({load}, timeout=given.seconds / 1.5 / LOOKS)
        looks.append(await told(child))
        body.look()
    over = load.done()
    load.cancel()
    await asyncio.gather(load, return_exceptions=not over)
    half = LOOKS // 2
    memory = [sample[1] for sample in body.samples]

    def step(of: Callable[[dict[str, Any]], float]) -> float:
        return median(map(of, looks[half:])) - median(map(of, looks[:half]))

    more = median(memory[half:]) - median(memory[:half])
    descriptors, threads = (
        min(s[i] for s in body.samples[half:]) - min(s[i] for s in body.samples[:half]) for i in (2, 3)
    )
    good = more < MORE and descriptors <= OPENING and threads <= 0
    print(
        f"{'ok   ' if good else 'WRONG'} {name}: {reach.count} asked, {memory[0]:.1f} → {memory[-1]:.1f} MB, "
        f"{more:+.2f} between the halves; in use {step(lambda s: s['used'] + s['mapped']):+.2f}, "
        f"of it SQLite {step(lambda s: s['sqlite']):+.2f}, "
        f"free in the heap {step(lambda s: s['free']):+.2f}, "
        f"blocks {step(lambda s: s['blocks']):+.0f}, objects {step(lambda s: s['objects']):+.0f}, "
        f"tasks {step(lambda s: s['tasks']):+.0f}, descriptors {descriptors:+}, threads {threads:+}; "
        f"answers {dict(reach.answers.most_common(5))}",
        flush=True,
    )
    if given.kinds:
        for each, sample in zip(looks, body.samples, strict=True):
            print(
                "     ",
                *(f"{part} {each[part]:.2f}" for part in ("used", "free", "mapped", "sqlite", "blocks")),
                sample,
            )
    parts = ("caches", "kinds") if given.kinds else ("caches",)
    for part in parts:
        for key in sorted({*looks[0][part], *looks[-1][part]}):
            first, last = looks[0][part].get(key, 0), looks[-1][part].get(key, 0)
            if last > first:
                print(f"      {part} {key}: {first} → {last}", flush=True)
    return good


def main() -> None:
    """All of them, or those named."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", choices=[*strain.STRAINS, []])
    parser.add_argument("--seconds", type=float, default=90)
    parser.add_argument("--kinds", action="store_true", help="every kind of object, too")
    given = parser.parse_args()
    good = True
    for name in given.names or strain.STRAINS:
        with tempfile.TemporaryDirectory() as folder:
            good &= asyncio.run(strained(name, given, Path(folder)))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
