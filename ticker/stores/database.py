"""One SQLite file: one writing connection, a reading one for each thread beside it (write-ahead log)."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ticker.stores.base import StoreError
from ticker.stores.opening import prepare, told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ticker.stores.opening import Schema

_BUSY_SECONDS = 1.0
_SLOWEST_SECONDS = 2.0


class Database:
    """The file at `path`; the folder is made where it is missing, and so is a file that was deleted meanwhile."""

    def __init__(self, path: Path, schema: Schema) -> None:
        self.path = path
        self._log = f"{path}-wal"
        self._schema = schema
        self._writer: sqlite3.Connection | None = None
        self._inode = 0
        self._generation = 0
        self._new = False
        self._reading = threading.local()
        self._readers: list[sqlite3.Connection] = []
        # One connection writes, whoever calls: two threads in one transaction would each end the other's.
        self._writing = threading.RLock()

    def open(self) -> bool:
        """Make it ready to be written; whether it is new. A file begun anew by a write is told of here, once."""
        with self._writing:
            self._ensure()
            new, self._new = self._new, False
        return new

    @property
    def there(self) -> bool:
        """Whether there is anything to read."""
        return self.path.exists()

    @property
    def trace(self) -> object:
        """Another one after nearly every write, whoever made it; to look costs next to nothing.

        Two writes within one tick of the file system's clock may leave the same.
        """
        try:
            found = os.stat(self._log)  # noqa: PTH116 - eight times a second
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and nobody else writes meanwhile."""
        with self._writing:
            self._ensure()
            if self._writer is None:
                raise StoreError("not open")
            with told(self.path), self._writer as transaction:
                transaction.execute("BEGIN IMMEDIATE")
                yield transaction

    def read(self, query: str, **values: object) -> list[Any]:
        """The rows of a query, which is given up where it takes too long."""
        with told(self.path), self._reader() as connection:
            latest = time.monotonic() + _SLOWEST_SECONDS
            connection.set_progress_handler(lambda: time.monotonic() > latest, 200_000)
            try:
                return connection.execute(query, values).fetchall()
            finally:
                connection.set_progress_handler(None, 0)

    def close(self) -> None:
        """Let go of everything; by now nobody reads any more."""
        while self._readers:
            self._readers.pop().close()
        self._generation += 1
        self._let_go()

    def _ensure(self) -> None:
        if self._writer is not None and self._inode == self._found():
            return
        self._let_go()
        with told(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            writer = self._connect(f"{self.path.absolute().as_uri()}?mode=rwc")
            try:
                new = prepare(writer, self._schema)
            except BaseException:
                writer.close()
                raise
        self._writer, self._inode = writer, self._found()
        self._generation += 1
        self._new |= new

    def _let_go(self) -> None:
        """Before a new file is begun: closing the old one later would delete the new one's log by its name."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    def _found(self) -> int:
        """The file's inode: a file deleted under an open connection would swallow every further write."""
        try:
            return self.path.stat().st_ino
        except OSError:
            return 0

    def _connect(self, uri: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        return connection

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """This thread's own reading connection, to the file that is there now."""
        if getattr(self._reading, "generation", None) != self._generation:
            old, generation = getattr(self._reading, "connection", None), self._generation
            if old in self._readers:
                self._readers.remove(old)
                old.close()
            self._reading.connection = self._open_reader()
            self._reading.generation = generation
            self._readers.append(self._reading.connection)
        yield self._reading.connection

    def _open_reader(self) -> sqlite3.Connection:
        uri = self.path.absolute().as_uri()
        connection = self._connect(f"{uri}?mode=ro")
        try:
            connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.OperationalError:
            connection.close()
            # On a read-only disk there can be no log beside the file, so nobody can be changing it.
            connection = self._connect(f"{uri}?immutable=1")
        return connection
