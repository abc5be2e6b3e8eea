"""`sqlite:///FILE`, the default, and `memory://`, the same without a file.

History is in one file, and what the replicas on this machine share in another beside it. A row that `write` has
returned for is on the disk: it survives a killed process and a cut cord (synchronous = FULL).
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ticker.storage.base import (
    AHEAD,
    ALIVE,
    DAY,
    HOUR,
    Key,
    Lease,
    Message,
    Point,
    Query,
    RecordEntry,
    Retention,
    Row,
    StoreError,
    holder_is_gone,
    is_version,
    next_version,
)
from ticker.storage.codec import columns_of_row, micros, moment_of, row_of_columns


@dataclass(frozen=True, slots=True)
class DatabaseSchema:
    """What a file of ours looks like: whose it is, how it came about step by step, and how sure a write has to be.

    FULL: a write that has returned is on the disk. NORMAL: it survives our end, and the newest may be lost with the
    machine's.
    """

    application: int
    migrations: tuple[str, ...]
    synchronous: str = "FULL"


def prepare(writer: sqlite3.Connection, schema: DatabaseSchema) -> bool:
    """Migrate to the newest version; refuse what another program or a newer ticker has made. True for a new file."""
    version: int = writer.execute("PRAGMA user_version").fetchone()[0]
    tables = writer.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    ours = writer.execute("PRAGMA application_id").fetchone()[0] == schema.application
    if tables and not ours:
        raise StoreError("another program's database", "name another file with --store or [store] url")
    if version > len(schema.migrations):
        raise StoreError(f"made by a newer version of ticker (schema {version})", "run that version, or name another")
    writer.execute("PRAGMA journal_mode = WAL")
    writer.execute(f"PRAGMA synchronous = {schema.synchronous}")
    for number, script in enumerate(schema.migrations[version:], start=version + 1):
        _migrate(writer, schema, number, script)
    # Nothing is changed by this, but a read-only or full disk is found now and not with the first row.
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("COMMIT")
    return not version


def _migrate(writer: sqlite3.Connection, schema: DatabaseSchema, number: int, script: str) -> None:
    """Make the step to version `number`, where no other process that started with us has made it."""
    writer.execute("BEGIN IMMEDIATE")
    if writer.execute("PRAGMA user_version").fetchone()[0] < number:
        pragmas = f"PRAGMA application_id = {schema.application}; PRAGMA user_version = {number}"
        for statement in f"{script};{pragmas}".split(";"):
            writer.execute(statement)
    writer.execute("COMMIT")


@contextmanager
def as_store_error(path: Path) -> Iterator[None]:
    """Whatever goes wrong is a StoreError with the mend."""
    try:
        yield
    except sqlite3.Error as error:
        detail = f"{path}: {error}"
        raise StoreError(detail, _MENDS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "")) from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error
    except (TypeError, ValueError, ArithmeticError, IndexError, KeyError) as error:
        # Values are of any type in SQLite, whatever the table says.
        raise StoreError(
            f"{path}: holds what ticker has not written ({error})", _MENDS[sqlite3.SQLITE_CORRUPT]
        ) from error


_MENDS = {
    sqlite3.SQLITE_CORRUPT: "move the file away; a new one is begun, and `ticker backfill` fills it",
    sqlite3.SQLITE_NOTADB: "move the file away; a new one is begun, and `ticker backfill` fills it",
    sqlite3.SQLITE_FULL: "make room on the disk; what was missed is then written",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable; what was missed is then written",
    sqlite3.SQLITE_BUSY: "another process holds the file; what was missed is written when it lets go",
    sqlite3.SQLITE_CANTOPEN: "make the folder writable, or name another file with --store or [store] url",
}


# Every statement by its name. Files of ours are told from other programs' databases by "TICK".
_SECTIONS = re.split(r"^--- (.*)\n", Path(__file__).with_suffix(".sql").read_text("utf-8"), flags=re.MULTILINE)
SQL = dict(zip(_SECTIONS[1::2], _SECTIONS[2::2], strict=True))
APPLICATION_ID = 0x5449434B
HISTORY = DatabaseSchema(APPLICATION_ID, (SQL["history 1"], SQL["history 2"]))
SHARED = DatabaseSchema(APPLICATION_ID, (SQL["shared 1"],), "NORMAL")

ROW = """symbol, source, as_of, revision, price, price_type, publisher, offset, day, fetched_at, seen_at, previous,
    previous_as_of, contract, archived"""
POINT = "as_of, offset, price, price_type, source, fetched_at, revision"
AT = SQL["packed"].format(columns=ROW, query=SQL["in force"].format(seen="q.seen_at <= :moment"))
ON = SQL["packed"].format(columns=ROW, query=SQL["in force"].format(seen="q.day <= :day"))

_BUSY_SECONDS = 1.0
_SLOWEST_SECONDS = 2.0
# How often the shared file is looked at for news.
_LOOK_SECONDS = 0.125


class Database:
    """The file at `path`; the folder is made where it is missing, and so is a file that was deleted meanwhile.

    One connection writes, and beside it each thread has one that reads (write-ahead log).
    """

    def __init__(self, path: Path, schema: DatabaseSchema) -> None:
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
            with as_store_error(self.path), self._writer as transaction:
                transaction.execute("BEGIN IMMEDIATE")
                yield transaction

    def read(self, query: str, **values: object) -> list[Any]:
        """The rows of a query, which is given up where it takes too long."""
        with as_store_error(self.path), self._reader() as connection:
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
        with as_store_error(self.path):
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


class SqliteStore:
    """A store in the file at `path`; the folder is made where it is missing."""

    def __init__(self, path: Path, kind: Callable[[Path, DatabaseSchema], Database] = Database) -> None:
        self._history = kind(path, HISTORY)
        # A file of its own: history is written for seconds at times (thinning, `ticker backfill`), and a lease cannot
        # wait.
        self._meeting = kind(path.with_name(f"{path.name}-shared"), SHARED)
        self._asked: object = None

    def open(self) -> bool:
        new = self._history.open()
        self._meeting.open()
        return new

    def write(self, rows: Sequence[Row], saved: Mapping[str, str]) -> int:
        """One transaction."""
        with self._history.transaction() as transaction:
            new = sum(_insert(transaction, row) for row in rows)
            transaction.executemany(SQL["save"], saved.items())
        return new

    def saved(self, name: str) -> str | None:
        found = self._history.read("SELECT text FROM saved WHERE name = :name", name=name)
        return str(found[0][0]) if found else None

    def standing(self, keys: Sequence[Key], at: date | datetime, end: datetime | None = None) -> dict[Key, list[Row]]:
        query, when = (AT, {"moment": micros(at)}) if isinstance(at, datetime) else (ON, {"day": str(at)})
        values = {"keys": json.dumps(keys), "bound": micros(end) + 1 if end else micros(at) + micros(AHEAD), **when}
        found: dict[Key, list[Row]] = {}
        for row in filter(None, map(row_of_columns, self._packed(query, **values))):
            found.setdefault((row.symbol, row.source), []).append(row)
        return found

    def series(self, query: Query) -> list[Point]:
        found = self._packed(
            _every_row(len(query.sources)) if query.every is None else SQL["sampled"].format(point=POINT),
            symbol=query.symbol,
            sources=json.dumps(query.sources),
            first=micros(query.first),
            end=micros(query.end),
            limit=query.limit,
            offset=micros(query.offset),
            every=micros(query.every or DAY),
            day=micros(DAY),
            **{f"source{place}": source for place, source in enumerate(query.sources)},
        )
        return [Point(*each) for each in found]

    def rename(self, series: Mapping[str, str]) -> int:
        """What stands under the new name already is not overwritten."""
        known = [old for old in series if self._history.read("SELECT 1 FROM quotes WHERE symbol = :s LIMIT 1", s=old)]
        if not known:
            return 0
        with self._history.transaction() as transaction:
            before = transaction.total_changes
            for old in known:
                transaction.execute("UPDATE OR IGNORE quotes SET symbol = ? WHERE symbol = ?", (series[old], old))
            return transaction.total_changes - before

    def since(self, symbol: str | None) -> datetime | None:
        every = "SELECT DISTINCT symbol FROM quotes"
        symbols = [symbol] if symbol else [row[0] for row in self._history.read(every)]
        oldest = "SELECT as_of, offset FROM quotes WHERE symbol = :symbol ORDER BY as_of LIMIT 1"
        found = [row for each in symbols for row in self._history.read(oldest, symbol=each)]
        return min((moment_of(row["as_of"], row["offset"]) for row in found), default=None)

    def record(self, entries: Sequence[RecordEntry]) -> None:
        """One transaction."""
        values = [(e.kind, e.symbol, e.id, micros(e.at), zlib.compress(e.text.encode(), 6)) for e in entries]
        with self._history.transaction() as transaction:
            transaction.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", values)

    def entries(
        self, kind: str, symbols: Sequence[str], first: datetime | None, until: datetime | None, limit: int
    ) -> list[RecordEntry]:
        span = {"first": micros(first) if first else -(2**62), "until": micros(until) if until else 2**62}
        return [
            RecordEntry(kind, each, row["id"], moment_of(row["at"]), zlib.decompress(row["text"]).decode())
            for each in symbols
            for row in self._history.read(SQL["entries"], kind=kind, symbol=each, limit=limit, **span)
        ]

    def forget(self, kind: str, symbols: Sequence[str], before: datetime) -> int:
        with self._history.transaction() as transaction:
            given = {"kind": kind, "symbols": json.dumps(symbols), "before": micros(before)}
            return transaction.execute(SQL["forget entries"], given).rowcount

    def thin(self, retention: Retention, now: datetime) -> int:
        with self._history.transaction() as transaction:
            before = transaction.total_changes
            for age, every in ((retention.raw, HOUR), (retention.hourly, DAY)):
                transaction.execute(SQL["thin"], {"before": micros(now - age), "every": micros(every)})
            if retention.keep is not None:
                transaction.execute(SQL["forget"], {"before": micros(now - retention.keep)})
            return transaction.total_changes - before

    def close(self) -> None:
        """By now nobody reads any more."""
        self._history.close()
        self._meeting.close()

    # What the replicas on one machine share.

    def claim(self, name: str, holder: str, ttl: float) -> Lease:
        """A holder whose process is known to be gone from this machine holds nothing any more."""
        with self._meeting.transaction() as transaction:
            # Not before the file is ours alone: whoever was let in first would seem to come from the future.
            now = time.time()
            found = transaction.execute(SQL["lease"], (name,)).fetchone()
            if found is not None and not _is_lease(found):
                # Somebody else has written there; nobody holds what cannot be read.
                transaction.execute("DELETE FROM leases WHERE name = ?", (name,))
                found = None
            other = found is not None and found["holder"] != holder
            # An end much further ahead than anybody is given is of a clock that has been set back since.
            if other and (not now < found["ends"] <= now + 2 * ttl or holder_is_gone(found["holder"])):
                # It beats no more, or it would have renewed it.
                transaction.execute(SQL["part"], (name, found["holder"]))
                held, fence = False, next_version(found["fence"], now)
            else:
                held, fence = other, found["fence"] if found is not None else next_version(0, now)
            lease = Lease(found["holder"] if held else holder, fence, _living(transaction, name, holder, now, ttl))
            if not held:
                transaction.execute(SQL["hold"], (name, holder, fence, now + ttl))
        return lease

    def release(self, name: str, holder: str) -> None:
        with self._meeting.transaction() as transaction:
            transaction.execute("UPDATE leases SET ends = 0 WHERE name = ? AND holder = ?", (name, holder))
            transaction.execute(SQL["part"], (name, holder))

    def publish(self, name: str, message: Message) -> bool:
        with self._meeting.transaction() as transaction:
            lease = transaction.execute(SQL["lease"], (name,)).fetchone()
            kept = transaction.execute(SQL["edition"], (name, message.part)).fetchone()
            ahead = kept is not None and is_version(kept["version"]) and kept["version"] >= message.version
            if message.fence < _fence(lease) or ahead:
                return False
            transaction.execute(SQL["publish"], (name, message.part, message.version, message.fence, message.text))
        return True

    def newer(self, name: str, known: Mapping[str, int], patience: float) -> list[Message]:
        latest = time.monotonic() + patience
        while True:
            asked = (name, dict(known), self._meeting.trace)
            # What was asked of the same file before has the same answer; but a trace may be missed, so not for ever.
            due = asked != self._asked or not patience
            found = self._told(name, known) if due and self._meeting.there else []
            self._asked = asked
            left = latest - time.monotonic()
            if found or left <= 0:
                return found
            time.sleep(min(_LOOK_SECONDS, left))

    def _told(self, name: str, known: Mapping[str, int]) -> list[Message]:
        rows = self._meeting.read(SQL["newer"], name=name, known=json.dumps(known))
        # SQLite keeps a text where a number should be: such a row is none of ours, and the next edition replaces it.
        return [Message(*row) for row in rows if is_version(row["version"]) and is_version(row["fence"])]

    def services(self) -> list[str]:
        return [name for (name,) in self._meeting.read("SELECT DISTINCT name FROM editions ORDER BY name")]

    def _packed(self, query: str, **values: object) -> list[Any]:
        """The rows of a query that packs them, as lists."""
        (packed,) = self._history.read(query, **values)
        return list(json.loads(packed[0]))


def _is_lease(row: sqlite3.Row) -> bool:
    """Whether `row` is as we write it; SQLite keeps a value of any type in any column."""
    return isinstance(row["holder"], str) and is_version(row["fence"]) and isinstance(row["ends"], float)


def _fence(lease: sqlite3.Row | None) -> int:
    return lease["fence"] if lease is not None and _is_lease(lease) else 0


def _living(transaction: sqlite3.Connection, name: str, holder: str, now: float, ttl: float) -> int:
    """Note that `holder` is alive; how many are."""
    transaction.execute(SQL["live"], (name, holder, now + ALIVE * ttl))
    transaction.execute(SQL["bury"], (name, now, now + (ALIVE + 1) * ttl))
    return int(transaction.execute("SELECT count(*) FROM replicas WHERE name = ?", (name,)).fetchone()[0])


def _every_row(sources: int) -> str:
    """The query for every row in force of so many sources."""
    unsaid = ["".join(SQL["unsaid"].format(place=before) for before in range(place)) for place in range(sources)]
    branches = [SQL["raw"].format(columns=POINT, place=at, unsaid=each) for at, each in enumerate(unsaid)]
    return SQL["packed"].format(columns=POINT, query=" UNION ALL ".join(branches) + " ORDER BY as_of LIMIT :limit")


def _insert(transaction: sqlite3.Connection, row: Row) -> int:
    """1 where the row says something new; a repetition is only noted as seen earlier, where it was.

    What was fetched before the one in force, and comes later, is what a replica knew that was cut off: it goes beneath.
    """
    values = columns_of_row(row)
    kept = transaction.execute(SQL["revisions"], values).fetchall()
    same = [(Decimal(each["price"]), each["price_type"]) == (row.price, row.price_type) for each in kept]
    last = kept[-1] if kept else None
    if last is not None and same[-1]:
        if values["seen_at"] < last["seen_at"]:
            transaction.execute(SQL["seen earlier"], {**values, "revision": last["revision"]})
        return 0
    revision = 0 if last is None else last["revision"] + 1
    if last is not None and row.fetched_at < moment_of(last["fetched_at"]):
        if any(same):
            return 0
        transaction.execute(SQL["lift"], {**values, "revision": revision - 1})
        revision -= 1
    transaction.execute(SQL["insert"], {**values, "revision": revision})
    return 1


class MemoryStore(SqliteStore):
    """SQLite's own memory: nothing outlives the process, and no other process sees it."""

    def __init__(self) -> None:
        super().__init__(Path(":memory:"), MemoryDatabase)


class MemoryDatabase(Database):
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
