"""What every worker has counted, at hand for whichever of them is scraped.

Each keeps a text of its counts in a cell of its own. Who is scraped rings at the others for theirs of this moment and
waits a little; of a worker that does not answer it takes what it told last. A worker in the place of a dead one goes on
from its text: what was counted is not lost, and no counter goes back.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ticker.siblings.cell import Cell

# A worker answers within a turn of its loop; one that does not is busy, asleep or gone.
_PATIENCE_SECONDS = 0.5
_LOOK_SECONDS = 0.001
# What a killed worker has counted since is lost.
_KEPT_SECONDS = 5.0


class Tally:
    """One worker's cell among all `cells`, and its bell among all `bells`; `tell` is set to what writes its counts."""

    def __init__(self, cells: Sequence[Cell], bells: Sequence[tuple[int, int]], own: int) -> None:
        self._cells = cells
        self._bells = bells
        self._own = own
        self.tell: Callable[[], bytes] = lambda: b""
        # What a dead worker in this place has told last.
        self.left = cells[own].read()[1]

    async def living(self) -> None:
        """Answer whoever rings, and write the counts down now and then."""
        loop, bell = asyncio.get_running_loop(), self._bells[self._own][0]
        loop.add_reader(bell, self._answer)
        try:
            while True:
                await asyncio.sleep(_KEPT_SECONDS)
                self._write()
        finally:
            loop.remove_reader(bell)

    async def others(self) -> list[tuple[bool, bytes]]:
        """The other workers' counts, each with whether they are of this moment."""
        numbers = [number for number in range(len(self._cells)) if number != self._own]
        cells = [self._cells[number] for number in numbers]
        before = [cell.mark for cell in cells]
        for number in numbers:
            # A bell that nobody has heard for long is full; it rings all the same.
            with suppress(BlockingIOError):
                os.write(self._bells[number][1], b"?")
        loop = asyncio.get_running_loop()
        latest = loop.time() + _PATIENCE_SECONDS
        # Another process rings no bell here.
        while loop.time() < latest and any(c.mark == mark for c, mark in zip(cells, before, strict=True)):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)
        told = [(cell.mark != mark, cell.read()[1]) for cell, mark in zip(cells, before, strict=True)]
        return [(fresh, text) for fresh, text in told if text]

    def _answer(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._bells[self._own][0], 65_536)
        self._write()

    def _write(self) -> None:
        cell = self._cells[self._own]
        cell.write(cell.number + 1, self.tell())
