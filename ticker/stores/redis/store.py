"""The store in Redis: a sorted set for each line of history (an instrument by a source), the texts in a hash, a mark.

All keys of one service begin with `{prefix}:` and so stand in one slot of a Cluster: a write is one script, all or
nothing. Every script does a bounded piece of work, so that none holds up the server for others.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ticker.stores.base import Key, Point, Retention, Row, Span, StoreError
from ticker.stores.coding import micros
from ticker.stores.redis.members import bound, columns, points_of, row_of
from ticker.stores.redis.shared import SharedKeys
from ticker.stores.redis.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from ticker.stores.redis.address import Address
    from ticker.stores.redis.connection import Client

SCHEMA = 1
# A table is published the evening before the day it is in force from; nothing reaches further ahead.
_AHEAD = timedelta(days=3)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
# Rows that one script gives at most: some milliseconds of the server's time, in which it answers nobody else.
_PAGE = 250


class Redis(SharedKeys):
    """A store at `address`; nothing is connected before the first question."""

    def __init__(self, address: Address) -> None:
        super().__init__(Wire(address))
        self._known: tuple[str, str] | None = None

    def open(self) -> bool:
        """See Store. As new counts one whose server was started again too: what it took last may be gone."""
        own = uuid.uuid4().hex
        schema, name, run = self._wire.run("open", [self._wire.key("store")], [SCHEMA, own])
        if schema != str(SCHEMA):
            detail = f"{self._wire.address}: made by a newer version of ticker (schema {schema})"
            raise StoreError(detail, "run that version, or name another prefix: ?prefix=NAME")
        before, self._known = self._known, (name, run)
        return name == own or before not in (None, self._known)

    def write(self, rows: Sequence[Row], saved: Mapping[str, str]) -> int:
        """One script; see Store."""
        keys = [self._wire.key("lines"), self._wire.key("saved")]
        values: list[str | int] = [len(rows)]
        places: dict[str, int] = {}
        for row in rows:
            line = self._line(row.symbol, row.source)
            values += [places.setdefault(line, len(places) + len(keys) + 1), *columns(row)]
        for name, text in saved.items():
            values += [name, text]
        return int(self._wire.run("write", [*keys, *places], values))

    def saved(self, name: str) -> str | None:
        """See Store."""
        found = self._wire.ask(lambda client: client.hget(self._wire.key("saved"), name))
        return None if found is None else str(found)

    def standing(self, keys: Sequence[Key], at: date | datetime) -> dict[Key, list[Row]]:
        """See Store."""
        if not keys:
            return {}
        before = micros(at) + micros(_AHEAD)
        told: list[str | int] = [before, micros(at), ""] if isinstance(at, datetime) else [before, "", f"{at:%Y%m%d}"]
        answers = self._wire.run("standing", [self._line(*key) for key in keys], told)
        found = {key: [row_of(key[0], each) for each in rows] for key, rows in zip(keys, answers, strict=True)}
        return {key: rows for key, rows in found.items() if rows}

    def series(self, span: Span) -> list[Point]:
        """See Store; asked for page by page."""
        keys = [self._line(span.symbol, source) for source in span.sources]
        script, stretch = ("raw", _DAY) if span.every is None else ("sampled", span.every)
        onward, points = bound(span.first), list[Point]()
        while onward and len(points) < span.limit:
            limit = min(_PAGE, span.limit - len(points))
            zone = micros(span.offset), micros(stretch)
            onward, *found = self._wire.run(script, keys, [onward, bound(span.end), limit, *zone])
            points += points_of(found)
        return points

    def since(self, symbol: str | None) -> datetime | None:
        """See Store."""
        wanted = self._wire.key("history", f"{symbol}:" if symbol else "")
        lines = [line for line in self._lines() if line.startswith(wanted)]

        def first(client: Client) -> list[list[str]]:
            with client.pipeline(transaction=False) as together:
                for line in lines:
                    together.zrange(line, 0, 0)
                return list(together.execute())

        found = [row_of("", member) for members in self._wire.ask(first) for member in members]
        return min((row.as_of for row in found), default=None)

    def thin(self, retention: Retention, now: datetime) -> int:
        """See Store."""
        gone = 0
        for line in self._lines():
            for age, every in ((retention.raw, _HOUR), (retention.hourly, _DAY)):
                onward = "-inf"
                while onward:
                    count, onward = self._wire.run("thin", [line], [onward, bound(now - age), micros(every)])
                    gone += count
            if retention.keep is not None:
                gone += self._forget(line, bound(now - retention.keep))
        return gone

    def close(self) -> None:
        """See Store."""
        self.shut()
        self._wire.close()

    def _forget(self, line: str, before: str) -> int:
        return int(self._wire.ask(lambda client: client.zremrangebyscore(line, "-inf", f"({before}")))

    def _lines(self) -> list[str]:
        return sorted(self._wire.ask(lambda client: client.smembers(self._wire.key("lines"))))

    def _line(self, symbol: str, source: str) -> str:
        return self._wire.key("history", symbol, source)
