"""`sqlite:///FILE`, the default: history in one file, and what replicas on this machine share in another beside it.

A row that `write` has returned for is on the disk: it survives a killed process and a cut cord (synchronous = FULL).
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ticker.stores import schema
from ticker.stores.base import Point
from ticker.stores.coding import decoded, encoded, micros, moment_of
from ticker.stores.database import Database
from ticker.stores.shared import SharedFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from ticker.stores.base import Key, Retention, Row, Span
    from ticker.stores.opening import Schema

# A table is published the evening before the day it is in force from; nothing reaches further ahead.
_AHEAD = timedelta(days=3)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class Sqlite(SharedFile):
    """A store in the file at `path`; the folder is made where it is missing."""

    def __init__(self, path: Path, kind: Callable[[Path, Schema], Database] = Database) -> None:
        super().__init__(kind(path.with_name(f"{path.name}-shared"), schema.SHARED))
        self._history = kind(path, schema.HISTORY)

    def open(self) -> bool:
        """See Store."""
        new = self._history.open()
        self.meet()
        return new

    def write(self, rows: Sequence[Row], saved: Mapping[str, str]) -> int:
        """One transaction; see Store."""
        with self._history.transaction() as transaction:
            new = sum(_insert(transaction, row) for row in rows)
            transaction.executemany(schema.SAVE, saved.items())
        return new

    def saved(self, name: str) -> str | None:
        """See Store."""
        found = self._history.read("SELECT text FROM saved WHERE name = :name", name=name)
        return str(found[0][0]) if found else None

    def standing(self, keys: Sequence[Key], at: date | datetime) -> dict[Key, list[Row]]:
        """See Store."""
        query, when = (schema.AT, {"moment": micros(at)}) if isinstance(at, datetime) else (schema.ON, {"day": str(at)})
        values = {"keys": json.dumps(keys), "bound": micros(at) + micros(_AHEAD), **when}
        found: dict[Key, list[Row]] = {}
        for row in map(decoded, self._packed(query, **values)):
            found.setdefault((row.symbol, row.source), []).append(row)
        return found

    def series(self, span: Span) -> list[Point]:
        """See Store."""
        found = self._packed(
            _every_row(len(span.sources)) if span.every is None else schema.SAMPLED.format(point=schema.POINT),
            symbol=span.symbol,
            sources=json.dumps(span.sources),
            first=micros(span.first),
            end=micros(span.end),
            limit=span.limit,
            offset=micros(span.offset),
            every=micros(span.every or _DAY),
            day=micros(_DAY),
            **{f"source{place}": source for place, source in enumerate(span.sources)},
        )
        return [Point(*each) for each in found]

    def since(self, symbol: str | None) -> datetime | None:
        """See Store."""
        every = "SELECT DISTINCT symbol FROM quotes"
        symbols = [symbol] if symbol else [row[0] for row in self._history.read(every)]
        oldest = "SELECT as_of, offset FROM quotes WHERE symbol = :symbol ORDER BY as_of LIMIT 1"
        found = [row for each in symbols for row in self._history.read(oldest, symbol=each)]
        return min((moment_of(row["as_of"], row["offset"]) for row in found), default=None)

    def thin(self, retention: Retention, now: datetime) -> int:
        """See Store."""
        with self._history.transaction() as transaction:
            before = transaction.total_changes
            for age, every in ((retention.raw, _HOUR), (retention.hourly, _DAY)):
                transaction.execute(schema.THIN, {"before": micros(now - age), "every": micros(every)})
            if retention.keep is not None:
                transaction.execute(schema.FORGET, {"before": micros(now - retention.keep)})
            return transaction.total_changes - before

    def close(self) -> None:
        """See Store; by now nobody reads any more."""
        self._history.close()
        self.shut()

    def _packed(self, query: str, **values: object) -> list[Any]:
        """The rows of a query that packs them, as lists."""
        (packed,) = self._history.read(query, **values)
        return list(json.loads(packed[0]))


def _every_row(sources: int) -> str:
    """The query for every row in force of so many sources."""
    unsaid = ["".join(schema.UNSAID.format(place=before) for before in range(place)) for place in range(sources)]
    branches = [schema.RAW.format(columns=schema.POINT, place=at, unsaid=each) for at, each in enumerate(unsaid)]
    return schema.PACKED.format(columns=schema.POINT, query=" UNION ALL ".join(branches) + schema.BY_TIME)


def _insert(transaction: sqlite3.Connection, row: Row) -> int:
    """1 where the row says something new; a repetition is only noted as seen earlier, where it was.

    What was fetched before the one in force, and comes later, is what a replica knew that was cut off: it goes beneath.
    """
    values = encoded(row)
    kept = transaction.execute(schema.REVISIONS, values).fetchall()
    same = [(Decimal(each["price"]), each["price_type"]) == (row.price, row.price_type) for each in kept]
    last = kept[-1] if kept else None
    if last is not None and same[-1]:
        if values["seen_at"] < last["seen_at"]:
            transaction.execute(schema.SEEN_EARLIER, {**values, "revision": last["revision"]})
        return 0
    revision = 0 if last is None else last["revision"] + 1
    if last is not None and row.fetched_at < moment_of(last["fetched_at"]):
        if any(same):
            return 0
        transaction.execute(schema.LIFT, {**values, "revision": revision - 1})
        revision -= 1
    transaction.execute(schema.INSERT, {**values, "revision": revision})
    return 1
