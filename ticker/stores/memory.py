"""`memory://`: the same store without a file. Nothing outlives the process, and no other process sees it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ticker.stores.database import Database
from ticker.stores.sqlite import Sqlite

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


class Memory(Sqlite):
    """SQLite's own memory."""

    def __init__(self) -> None:
        super().__init__(Path(":memory:"), InMemory)


class InMemory(Database):
    """SQLite's own memory: one connection, so readers and the writer take turns."""

    @property
    def there(self) -> bool:
        """It is made as it is asked."""
        return True

    @property
    def trace(self) -> object:
        """How much was ever written."""
        return self._writer.total_changes if self._writer is not None else 0

    def _ensure(self) -> None:
        if self._writer is None:
            super()._ensure()

    def _connect(self, uri: str) -> sqlite3.Connection:  # noqa: ARG002 - there is no file to name
        return super()._connect("file::memory:")

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with self._writing:
            self._ensure()
            assert self._writer is not None, "it has just been made"  # noqa: S101 - for the type checker # nosec B101
            yield self._writer
