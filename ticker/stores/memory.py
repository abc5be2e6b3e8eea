"""`memory://`: the same store without a file. Nothing outlives the process."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ticker.stores.sqlite import Sqlite

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from ticker.stores.base import Retention, Row


class Memory(Sqlite):
    """SQLite's own memory: one connection, so readers and the writer take turns."""

    def __init__(self) -> None:
        super().__init__(Path(":memory:"))
        self._turn = threading.RLock()

    def _ensure(self) -> None:
        if self._writer is None:
            super()._ensure()

    def write(self, rows: Sequence[Row], saved: Mapping[str, str]) -> int:
        """See Store."""
        with self._turn:
            return super().write(rows, saved)

    def thin(self, retention: Retention, now: datetime) -> int:
        """See Store."""
        with self._turn:
            return super().thin(retention, now)

    def _connect(self, uri: str) -> sqlite3.Connection:  # noqa: ARG002 - there is no file to name
        return super()._connect("file::memory:")

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with self._turn:
            self._ensure()
            assert self._writer is not None, "it has just been made"  # noqa: S101 - for the type checker
            yield self._writer
