"""A text in memory that processes share: written whole, read whole, whoever is killed in between.

There are two places for it, and a number that says which of them is in force and is changed last, in one step. A reader
who finds the number unchanged after reading has read what it stands for.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WORD = 8
# One cell's room; memory that is never written to is none.
_ROOM = 4 * 1024 * 1024
_SIZE = 2 * _ROOM
# A reader is overtaken only by somebody who writes all the time.
_TRIES = 8


class Memory:
    """Memory for `cells` cells. Whoever is forked from here shares it; it goes with the last of them."""

    def __init__(self, cells: int) -> None:
        # Not in a folder: the service runs where no file may be written.
        self._file = _nameless()
        os.ftruncate(self._file, cells * _SIZE)
        self._map = mmap.mmap(self._file, cells * _SIZE)
        self.cells = [Cell(self, number) for number in range(cells)]
        # For each cell a bell, to be heard at the one end and rung at the other.
        self.bells = [os.pipe() for _ in range(cells)]
        for end in (end for bell in self.bells for end in bell):
            os.set_blocking(end, False)

    @property
    def view(self) -> memoryview:
        """All of it."""
        return memoryview(self._map)

    @contextmanager
    def locked(self, start: int) -> Iterator[None]:
        """Nobody else is in here for the cell at `start`; the lock of a process that dies is gone with it."""
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, start)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, start)


class Cell:
    """One text and its number, which only grows."""

    def __init__(self, memory: Memory, number: int) -> None:
        self._memory = memory
        self._start = number * _SIZE
        self._view = memory.view[self._start : self._start + _SIZE]
        self._words = self._view.cast("Q")

    @property
    def mark(self) -> int:
        """Another one for each text; 0 while there is none. To look costs next to nothing."""
        return self._words[0]

    @property
    def number(self) -> int:
        """The number of the text in force."""
        return self._words[0] >> 1

    def read(self) -> tuple[int, bytes]:
        """The mark and the text in force, which is empty while there is none."""
        for _ in range(_TRIES):
            mark = self._words[0]
            start, length = self._place(mark & 1)
            text = bytes(self._view[start : start + min(length, _ROOM)])
            if self._words[0] == mark:
                return mark, text if mark else b""
        return 0, b""

    def write(self, number: int, text: bytes, *, first: bool = False) -> bool:
        """Put `text` in force; False where it has no room, the number there is no lower, or with `first` any is."""
        if len(text) > _ROOM - 4 * _WORD:
            return False
        with self._memory.locked(self._start):
            mark = self._words[0]
            if number <= mark >> 1 or (first and mark):
                return False
            place = 1 - (mark & 1)
            start, _ = self._place(place)
            self._view[start : start + len(text)] = text
            self._words[1 + place] = len(text)
            self._words[0] = number << 1 | place
        return True

    def _place(self, place: int) -> tuple[int, int]:
        """Where a text stands, and how long the one there is."""
        return (4 * _WORD if not place else _ROOM), self._words[1 + place]


def _nameless() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("ticker")
    file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
    return os.dup(file.fileno())
