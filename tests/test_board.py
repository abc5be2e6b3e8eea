from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.support.factories import HOUR, NOON, quote, snapshot
from tests.support.patience import PATIENCE
from ticker.board import Board
from ticker.quotes import Snapshot, Status

FIRST = snapshot(quote(), version=1)


async def coordinator(updates: AsyncIterator[Snapshot]) -> Snapshot:
    """The next update, which must not keep us waiting."""
    return await asyncio.wait_for(anext(updates), PATIENCE)


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_the_newest_snapshot_stands_on_the_board() -> None:
    """What was put last is what everybody reads."""
    board = Board(FIRST)
    newer = replace(FIRST, version=2)
    board.put(newer, NOON)
    assert board.latest is board.current(NOON) is newer


@pytest.mark.parametrize("version", [0, 4, 5])
async def test_an_older_version_never_comes_back(version: int) -> None:
    """Versions only grow: a slow writer cannot undo a newer snapshot, nor put off its ageing."""
    board = Board(replace(FIRST, version=5))
    late = quote(price="1", fresh_until=NOON + 5 * HOUR)
    board.put(snapshot(late, version=version), NOON)
    assert board.latest.version == 5
    assert board.latest.quotes == FIRST.quotes
    assert board.current(NOON + HOUR).status is Status.STALE


async def test_a_number_ages_while_nobody_polls() -> None:
    """Read past its time a quote is stale, then gone, each time in a new version."""
    board = Board(FIRST)
    versions = []
    for hours, status, price in (
        (0, Status.FRESH, Decimal("100.6798")),
        (1, Status.STALE, Decimal("100.6798")),
        (10, Status.UNAVAILABLE, None),
    ):
        shown = board.current(NOON + hours * HOUR)
        versions.append(shown.version)
        assert (shown.status, shown.quotes[0].price) == (status, price)
    assert versions == sorted(set(versions))


async def test_reading_before_its_time_changes_nothing() -> None:
    """The same snapshot is handed out again and again, so that it is rendered once."""
    board = Board(FIRST)
    assert board.current(NOON) is board.current(NOON + HOUR / 2) is FIRST


async def test_an_update_reaches_everybody_who_waits() -> None:
    """One put wakes all readers, with the same snapshot."""
    board = Board(FIRST)
    waiting = [asyncio.create_task(coordinator(board.updates(since=1))) for _ in range(3)]
    await settle()
    newer = replace(FIRST, version=2)
    board.put(newer, NOON)
    assert await asyncio.gather(*waiting) == [newer] * 3


async def test_a_slow_reader_gets_the_newest_only() -> None:
    """Of many versions put while a reader is busy it sees the last one."""
    board = Board(FIRST)
    updates = board.updates(since=0)
    assert (await coordinator(updates)).version == 1
    for version in range(2, 100):
        board.put(replace(FIRST, version=version), NOON)
    assert (await coordinator(updates)).version == 99


async def test_a_reader_that_has_the_newest_waits() -> None:
    """Nothing is sent twice, also not after an older version was put."""
    board = Board(FIRST)
    waiting = asyncio.create_task(coordinator(board.updates(since=1)))
    await settle()
    board.put(FIRST, NOON)
    await settle()
    assert not waiting.done()
    board.put(replace(FIRST, version=2), NOON)
    assert (await waiting).version == 2


async def test_ageing_is_an_update_too() -> None:
    """A reader of the stream learns that a number is stale as soon as anybody looks."""
    board = Board(FIRST)
    waiting = asyncio.create_task(coordinator(board.updates(since=1)))
    await settle()
    board.current(NOON + HOUR)
    assert (await waiting).status is Status.STALE


async def test_close_ends_every_stream() -> None:
    """At the end of the service nobody is left waiting, and who comes later is not kept."""
    board = Board(FIRST)

    async def read() -> list[int]:
        return [shown.version async for shown in board.updates(since=1)]

    waiting = [asyncio.create_task(read()) for _ in range(3)]
    await settle()
    board.close()
    assert await asyncio.wait_for(asyncio.gather(*waiting), PATIENCE) == [[]] * 3
    assert await asyncio.wait_for(read(), PATIENCE) == []


async def test_the_next_change_is_the_earlier_of_poll_and_ageing() -> None:
    """An answer may be cached until then; with nothing known, or late, not at all."""
    board = Board(FIRST)
    assert board.next_change(NOON) == NOON + HOUR
    board.expect(NOON + HOUR / 2)
    assert board.next_change(NOON) == NOON + HOUR / 2
    assert board.next_change(NOON + HOUR * 3 / 4) == NOON + HOUR * 3 / 4
    board.expect(NOON + 2 * HOUR)
    assert board.next_change(NOON) == NOON + HOUR
    assert Board(snapshot(quote(price=None))).next_change(NOON) == NOON


def test_a_repeated_word_changes_the_answers_and_not_the_version() -> None:
    """When a source says the same number again, answers tell when; nobody who waits for news is woken."""
    board = Board(snapshot(quote()))
    revision, version = board.revision, board.latest.version
    board.check({"USD": NOON})
    assert (board.latest.version, board.revision) == (version, revision + 1)
    assert board.latest.quotes[0].checked_at == NOON
    board.check({"USD": NOON})
    assert board.revision == revision + 1
