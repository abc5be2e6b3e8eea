"""Opening a database file that is ours, and saying what is wrong with one."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ticker.stores.base import StoreError
from ticker.values import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Schema(Struct, frozen=True):
    """What a file of ours looks like: whose it is, how it came about step by step, and how sure a write has to be.

    FULL: a write that has returned is on the disk. NORMAL: it survives our end, and the newest may be lost with the
    machine's.
    """

    application: int
    migrations: tuple[str, ...]
    synchronous: str = "FULL"


def prepare(writer: sqlite3.Connection, schema: Schema) -> bool:
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


def _migrate(writer: sqlite3.Connection, schema: Schema, number: int, script: str) -> None:
    """Make the step to version `number`, where no other process that started with us has made it."""
    writer.execute("BEGIN IMMEDIATE")
    if writer.execute("PRAGMA user_version").fetchone()[0] < number:
        pragmas = f"PRAGMA application_id = {schema.application}; PRAGMA user_version = {number}"
        for statement in f"{script};{pragmas}".split(";"):
            writer.execute(statement)
    writer.execute("COMMIT")


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Whatever goes wrong is a StoreError with the mend."""
    try:
        yield
    except sqlite3.Error as error:
        detail = f"{path}: {error}"
        raise StoreError(detail, _MENDS.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "")) from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


_MENDS = {
    sqlite3.SQLITE_CORRUPT: "move the file away; a new one is begun, and `ticker backfill` fills it",
    sqlite3.SQLITE_NOTADB: "move the file away; a new one is begun, and `ticker backfill` fills it",
    sqlite3.SQLITE_FULL: "make room on the disk; what was missed is then written",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable; what was missed is then written",
    sqlite3.SQLITE_BUSY: "another process holds the file; what was missed is written when it lets go",
    sqlite3.SQLITE_CANTOPEN: "make the folder writable, or name another file with --store or [store] url",
}
