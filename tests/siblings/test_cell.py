from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from ticker.siblings import Memory

if TYPE_CHECKING:
    from collections.abc import Callable


def forked(work: Callable[[], object]) -> None:
    """Do `work` in a process of its own, and see it end well."""
    process = os.fork()
    if not process:
        os._exit(0 if work() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0


def test_what_one_process_writes_another_reads() -> None:
    """Whole, and with another mark than what was there before."""
    (cell,) = Memory(1).cells
    assert (cell.mark, cell.read()) == (0, (0, b""))
    forked(lambda: cell.write(7, b"seven"))
    mark, text = cell.read()
    assert (mark, cell.number, text) == (cell.mark, 7, b"seven")
    forked(lambda: cell.write(8, b""))
    assert cell.mark != mark
    assert (cell.number, cell.read()[1]) == (8, b"")


def test_the_number_only_grows() -> None:
    """Who comes late with an older text changes nothing."""
    cell, other = Memory(2).cells
    assert cell.write(7, b"seven")
    assert not cell.write(7, b"another seven")
    assert not cell.write(6, b"six")
    assert not cell.write(9, b"nine", first=True)
    assert cell.read()[1] == b"seven"
    assert other.write(1, b"first", first=True)
    assert not other.write(8, bytes(5 * 1024 * 1024))
    assert other.read()[1] == b"first"


def test_whoever_is_killed_while_writing_leaves_what_was_there() -> None:
    """A writer that dies between two bytes holds up nobody, and nobody reads half a text."""
    memory = Memory(1)
    (cell,) = memory.cells
    big = bytes(range(256)) * 4096
    process = os.fork()
    if not process:
        number = 0
        while True:
            number += 1
            cell.write(number, number.to_bytes(8, "big") + big)
    while cell.number < 20:
        os.sched_yield()
    for _ in range(200):
        mark, text = cell.read()
        assert not mark or (text[8:] == big and int.from_bytes(text[:8], "big") == mark >> 1)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
    number, text = cell.number, cell.read()[1]
    assert text == number.to_bytes(8, "big") + big
    assert cell.write(number + 1, b"next")
    assert cell.read()[1] == b"next"
