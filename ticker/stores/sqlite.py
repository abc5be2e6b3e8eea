"""`sqlite:///FILE`, the default: one file, one writing connection, readers beside it (write-ahead log).

A row that `write` has returned for is on the disk: it survives a killed process and a cut cord (synchronous = FULL).
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ticker.stores import schema
from ticker.stores.base import Key, Point, Retention, Row, Span, StoreError
from ticker.stores.coding import decoded, encoded, micros, moment_of
from ticker.stores.opening import prepare, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

_BUSY_SECONDS = 1.0
_SLOWEST_SECONDS = 2.0
# A table is published the evening before the day it is in force from; nothing reaches further ahead.
_AHEAD = timedelta(days=3)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class Sqlite:
    """A store in the file at `path`; the folder is made where it is missing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: sqlite3.Connection | None = None
        self._inode = 0
        self._generation = 0
        self._new = False
        self._reading = threading.local()
        self._readers: list[sqlite3.Connection] = []
        # One connection writes, whoever calls: two threads in one transaction would each end the other's.
        self._writing = threading.RLock()

    def open(self) -> bool:
        """See Store. A file begun anew by a write is told of here, once."""
        with self._writing:
            self._ensure()
            new, self._new = self._new, False
        return new

    def _ensure(self) -> None:
        if self._writer is not None and self._inode == self._found():
            return
        self._let_go()
        with told(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            writer = self._connect(f"{self._path.absolute().as_uri()}?mode=rwc")
            try:
                new = prepare(writer)
            except BaseException:
                writer.close()
                raise
        self._writer, self._inode = writer, self._found()
        self._generation += 1
        self._new |= new

    def write(self, rows: Sequence[Row], saved: Mapping[str, str]) -> int:
        """One transaction; see Store."""
        with self._transaction() as transaction:
            new = sum(_insert(transaction, row) for row in rows)
            transaction.executemany(schema.SAVE, saved.items())
        return new

    def saved(self, name: str) -> str | None:
        """See Store."""
        found = self._read("SELECT text FROM saved WHERE name = :name", name=name)
        return str(found[0][0]) if found else None

    def standing(self, keys: Sequence[Key], at: date | datetime) -> dict[Key, list[Row]]:
        """See Store."""
        query, when = (schema.AT, {"moment": micros(at)}) if isinstance(at, datetime) else (schema.ON, {"day": str(at)})
        values = {"keys": json.dumps(keys), "bound": micros(at) + micros(_AHEAD), **when}
        found: dict[Key, list[Row]] = {}
        for row in map(decoded, self._packed(schema.ROW, query, **values)):
            found.setdefault((row.symbol, row.source), []).append(row)
        return found

    def series(self, span: Span) -> list[Point]:
        """See Store."""
        places = range(len(span.sources))
        preferred = "".join(schema.PREFERRED.format(place=place) for place in places)
        query = schema.RAW if span.every is None else schema.SAMPLED.format(preferred=preferred)
        found = self._packed(
            schema.POINT,
            query,
            symbol=span.symbol,
            sources=json.dumps(span.sources),
            first=micros(span.first),
            end=micros(span.end),
            limit=span.limit,
            offset=micros(span.offset),
            every=micros(span.every or _DAY),
            day=micros(_DAY),
            **{f"source{place}": span.sources[place] for place in places},
        )
        return [Point(*each) for each in found]

    def since(self, symbol: str | None) -> datetime | None:
        """See Store."""
        every = "SELECT DISTINCT symbol FROM quotes"
        symbols = [symbol] if symbol else [row[0] for row in self._read(every)]
        oldest = "SELECT as_of, offset FROM quotes WHERE symbol = :symbol ORDER BY as_of LIMIT 1"
        found = [row for each in symbols for row in self._read(oldest, symbol=each)]
        return min((moment_of(row["as_of"], row["offset"]) for row in found), default=None)

    def thin(self, retention: Retention, now: datetime) -> int:
        """See Store."""
        with self._transaction() as transaction:
            before = transaction.total_changes
            for age, every in ((retention.raw, _HOUR), (retention.hourly, _DAY)):
                transaction.execute(schema.THIN, {"before": micros(now - age), "every": micros(every)})
            if retention.keep is not None:
                transaction.execute(schema.FORGET, {"before": micros(now - retention.keep)})
            return transaction.total_changes - before

    def close(self) -> None:
        """See Store; by now nobody reads any more."""
        while self._readers:
            self._readers.pop().close()
        self._generation += 1
        self._let_go()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._writing:
            self._ensure()
            if self._writer is None:
                raise StoreError("not open")
            with told(self._path), self._writer as transaction:
                transaction.execute("BEGIN IMMEDIATE")
                yield transaction

    def _let_go(self) -> None:
        """Before a new file is begun: closing the old one later would delete the new one's log by its name."""
        if self._writer is not None:
            self._writer.close()
        self._writer = None

    def _found(self) -> int:
        """The file's inode: a file deleted under an open connection would swallow every further write."""
        try:
            return self._path.stat().st_ino
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
        uri = self._path.absolute().as_uri()
        connection = self._connect(f"{uri}?mode=ro")
        try:
            connection.execute("SELECT count(*) FROM sqlite_master")
        except sqlite3.OperationalError:
            connection.close()
            # On a read-only disk there can be no log beside the file, so nobody can be changing it.
            connection = self._connect(f"{uri}?immutable=1")
        return connection

    def _packed(self, columns: str, query: str, **values: object) -> list[Any]:
        """The rows of the query as lists of `columns`."""
        (packed,) = self._read(schema.PACKED.format(columns=columns, query=query), **values)
        return list(json.loads(packed[0]))

    def _read(self, query: str, **values: object) -> list[Any]:
        with told(self._path), self._reader() as connection:
            latest = time.monotonic() + _SLOWEST_SECONDS
            connection.set_progress_handler(lambda: time.monotonic() > latest, 200_000)
            try:
                return connection.execute(query, values).fetchall()
            finally:
                connection.set_progress_handler(None, 0)


def _insert(transaction: sqlite3.Connection, row: Row) -> int:
    """1 where the row says something new; a repetition is only noted as seen earlier, where it was."""
    values = encoded(row)
    last = transaction.execute(schema.LAST_REVISION, values).fetchone()
    if last is not None and (Decimal(last["price"]), last["price_type"]) == (row.price, row.price_type):
        if values["seen_at"] < last["seen_at"]:
            transaction.execute(schema.SEEN_EARLIER, {**values, "revision": last["revision"]})
        return 0
    transaction.execute(schema.INSERT, {**values, "revision": 0 if last is None else last["revision"] + 1})
    return 1
