"""Workers of one service on one machine: a piece of memory they share, handed down by the process that started them.

`cell` is a text in it that one writes and all read; `beside` makes of it one board for all, so that a reader who is
answered by one worker and then by another never sees an older version; `tally` makes of their counters one scrape.
"""

from __future__ import annotations

from ticker.siblings.beside import Beside
from ticker.siblings.cell import Cell, Memory
from ticker.siblings.tally import Tally
from ticker.values import Struct

__all__ = ["Beside", "Cell", "Memory", "Tally", "Worker"]


class Worker(Struct, frozen=True):
    """One of several processes that answer at one address: its number, and what it shares with the others."""

    number: int
    board: Cell
    tally: Tally

    @classmethod
    def of(cls, memory: Memory, number: int) -> Worker:
        """The worker `number` over a memory of a cell for the board, and one for each worker."""
        board, *counts = memory.cells
        return cls(number, board, Tally(counts, memory.bells[1:], number))
