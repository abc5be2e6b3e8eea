"""The recording that the demo replays."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from itertools import pairwise

from tests.support.patience import PATIENCE
from tests.support.timekeepers import replayer
from tests.support.upstreams.record import MOVING, STEP, entries
from ticker import app
from ticker.cli.serve import DEMO_STARTS, demo_settings
from ticker.quotes import Snapshot
from ticker.recording import SAMPLE, Entry, Recording, read
from ticker.rendering.renderer import Renderer, View
from ticker.sources import KEYED

MOST_BYTES = 300_000


def lap() -> list[Entry]:
    """What the demo gives again and again."""
    return [entry for entry in read(SAMPLE).entries if entry.at >= DEMO_STARTS]


async def test_it_is_what_the_command_makes() -> None:
    """Nothing in it was copied from anywhere: the four weeks and the first minute, answer for answer."""
    made = await entries(timedelta(minutes=1))
    assert list(read(SAMPLE).entries[: len(made)]) == made


def test_it_is_whole_and_small() -> None:
    """Every source in use is in it, nothing is damaged, and it is no burden on the package."""
    found = read(SAMPLE)
    assert not found.damage
    assert {entry.source for entry in found.entries} == set(demo_settings("127.0.0.1", 0).active(KEYED).used_sources())
    assert sum(file.stat().st_size for file in SAMPLE.iterdir()) < MOST_BYTES
    assert {entry.source for entry in lap()} == set(MOVING)


async def test_it_moves_and_its_end_meets_its_beginning() -> None:
    """Every two seconds another price of each instrument; where it begins again nothing jumps, no version goes back."""
    found = read(SAMPLE)
    week = DEMO_STARTS - timedelta(days=7)
    service = app.replay(
        demo_settings("127.0.0.1", 0),
        Recording(tuple(entry for entry in found.entries if entry.at >= week), ()),
        DEMO_STARTS,
        float("inf"),
        demo=True,
    )
    seen: list[Snapshot] = []
    twice, report = asyncio.Event(), service.store_writer.report
    ends = lap()[-1].at

    def keep(snapshot: Snapshot) -> None:
        report(snapshot)
        if snapshot.generated_at >= DEMO_STARTS:
            seen.append(snapshot)
        if seen and seen[-1].generated_at < ends - STEP and any(s.generated_at >= ends - STEP for s in seen):
            twice.set()

    service.store_writer.report = keep  # type: ignore[method-assign] # to listen
    async with service.running(), asyncio.timeout(4 * PATIENCE):
        await twice.wait()
    versions = [snapshot.version for snapshot in seen]
    assert versions == sorted(set(versions))
    # The listener is woken some snapshots later.
    last, again = next((one, two) for one, two in pairwise(seen) if two.generated_at < one.generated_at)
    assert again.generated_at < DEMO_STARTS + STEP < last.generated_at
    for before, after in zip(last.quotes, again.quotes, strict=True):
        assert before.price is not None
        assert after.price is not None
        assert abs(after.price / before.price - 1) < 0.002
    for place in range(3):
        assert len({snapshot.quotes[place].price for snapshot in seen}) > 100


async def test_two_replays_of_it_are_the_same_to_the_byte() -> None:
    """A week and a minute."""
    first, last = DEMO_STARTS - timedelta(days=7), DEMO_STARTS + timedelta(minutes=1)
    some = Recording(tuple(entry for entry in read(SAMPLE).entries if first <= entry.at < last), ())
    shown = []
    for _ in range(2):
        service = app.replay(demo_settings("127.0.0.1", 0), some, DEMO_STARTS, float("inf"))
        async with service.running(), asyncio.timeout(4 * PATIENCE):
            await replayer(service).ended.wait()
            shown.append(Renderer({}).render(service.board.latest, View("quotes")).body)
    assert shown[0] == shown[1]
    assert json.loads(shown[0])["status"] == "fresh"
