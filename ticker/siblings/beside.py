"""One board for all workers: what one puts on its own, every other shows from its very next answer on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.stores import saved

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ticker.quotes import Instrument, Snapshot
    from ticker.siblings.cell import Cell


class Beside:
    """The board that the workers share; see `board.Shared`."""

    def __init__(
        self, cell: Cell, instruments: Callable[[], Sequence[Instrument]], clock: Callable[[], datetime]
    ) -> None:
        self._cell = cell
        self._instruments = instruments
        self._clock = clock

    @property
    def mark(self) -> int:
        """Another one for each snapshot."""
        return self._cell.mark

    def read(self) -> Snapshot | None:
        """What is shown; None where that cannot be told."""
        mark, text = self._cell.read()
        snapshot = saved.restored(text.decode(), self._instruments(), self._clock()) if mark else None
        return snapshot if snapshot is not None and snapshot.version == mark >> 1 else None

    def begin(self, own: Snapshot) -> Snapshot:
        """What a worker that starts shows: what the others do, or where there is nobody yet, its `own`."""
        if self._cell.write(own.version, saved.written(own).encode(), first=True):
            return own
        return self.read() or own

    def post(self, snapshot: Snapshot) -> None:
        """Show it to all, where it is newer than what they are shown."""
        if snapshot.version > self._cell.number:
            self._cell.write(snapshot.version, saved.written(snapshot).encode())
