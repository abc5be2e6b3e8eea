from __future__ import annotations

import asyncio
import os
from contextlib import suppress

from ticker.siblings import Memory, Tally


def tallies(count: int) -> tuple[Memory, list[Tally]]:
    """As many workers' tallies."""
    memory = Memory(count)
    return memory, [Tally(memory.cells, memory.bells, number) for number in range(count)]


async def test_who_asks_is_told_the_counts_of_this_moment() -> None:
    """Not those of some seconds ago."""
    _, (one, other) = tallies(2)
    counted = 0
    other.tell = lambda: b"%d" % counted
    living = asyncio.create_task(other.living())
    await asyncio.sleep(0)
    for now in range(3):
        counted = now
        assert await one.others() == [(True, b"%d" % now)]
    living.cancel()


async def test_of_one_that_does_not_answer_the_last_word_counts() -> None:
    """A worker that sleeps or is dead holds nobody up for long; who never said anything is left out."""
    memory, (one, other, _) = tallies(3)
    other.tell = lambda: b"7"
    other._write()
    assert await one.others() == [(False, b"7")]
    assert Tally(memory.cells, memory.bells, 1).left == b"7"


async def test_a_bell_that_nobody_hears_does_not_block() -> None:
    """However often it is rung."""
    memory, (one, _) = tallies(2)
    with suppress(BlockingIOError):
        for _ in range(100_000):
            os.write(memory.bells[1][1], b"?")
    assert await one.others() == []
