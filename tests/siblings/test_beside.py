from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from tests.values import NOON, instrument, quote, snapshot
from ticker.board import Board
from ticker.quotes import Status
from ticker.siblings import Beside, Cell, Memory
from ticker.values import replace

LATER = NOON + timedelta(minutes=1)
SHOWN = quote()
FIRST = snapshot(replace(SHOWN, usable_until=(SHOWN.as_of or NOON) + SHOWN.instrument.max_age), version=5)


def beside(cell: Cell) -> Beside:
    """One worker's way to the common board."""
    return Beside(cell, lambda: [instrument()], lambda: LATER)


def boards(count: int) -> list[Board]:
    """Workers' boards over one cell."""
    (cell,) = Memory(1).cells
    made = [Board(FIRST) for _ in range(count)]
    for board in made:
        board.share(beside(cell))
    return made


def test_what_one_puts_every_other_shows_at_once() -> None:
    """From its very next look on, whichever way it looks: a reader of several never sees an older version."""
    one, other, third = boards(3)
    newer = replace(FIRST, version=6, quotes=(replace(FIRST.quotes[0], price=Decimal("101.1")),))
    edition = third.edition
    one.put(newer, NOON)
    assert other.current(NOON) == newer
    assert third.edition > edition
    assert third.latest == newer


def test_who_starts_late_shows_what_the_others_do() -> None:
    """Even where its own version is higher: nobody has been shown that yet."""
    (cell,) = Memory(1).cells
    first, late = Board(FIRST), Board(snapshot(quote(price=None, as_of=None), version=9))
    first.share(beside(cell))
    late.share(beside(cell))
    assert late.latest == first.latest == FIRST


async def test_whoever_waits_for_an_update_is_told_of_anothers() -> None:
    """As soon as its own worker has looked."""
    one, other = boards(2)
    updates = other.updates(5)
    one.put(replace(FIRST, version=6), NOON)
    assert other.current(NOON).version == 6
    assert (await anext(updates)).version == 6


def test_time_makes_no_second_version_of_the_same() -> None:
    """Each ages what it shows by itself, to the same version, however late it looks."""
    (cell,) = Memory(1).cells
    due = NOON + timedelta(hours=1)
    fresh = snapshot(quote(status=Status.FRESH, fresh_until=due), version=5)
    early, late = Board(fresh), Board(fresh)
    early.share(beside(cell))
    assert early.current(due + timedelta(seconds=1)).status is Status.STALE
    assert late.current(due + timedelta(seconds=9)) == early.latest
    assert early.latest.generated_at == due


def test_what_cannot_be_read_changes_nothing() -> None:
    """A text that is none leaves every board as it was."""
    (cell,) = Memory(1).cells
    board = Board(FIRST)
    board.share(beside(cell))
    cell.write(9, b"?")
    assert board.current(NOON) == FIRST
