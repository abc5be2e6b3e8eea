"""The store in Redis: a sorted set for each line of history (an instrument by a source), the texts in a hash, a mark.

All keys of one service begin with `{prefix}:` and so stand in one slot of a Cluster: a write is one script, all or
nothing. Every script does a bounded piece of work, so that none holds up the server for others. Replicas share the
lease, who is alive, the kept editions, and a bell (pub/sub) for news.

A row is a member of its line, `revision|as_of|seen_at|fetched_at|day|price_type|archived|price|rest`: what the scripts
look at stands in front as plain text, so that none of it goes through a floating number; the latest revision is last.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
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
)
from ticker.storage.codec import columns_of_row, micros, moment_of, row_of_columns
from ticker.storage.redis import Address
from ticker.storage.redis.connection import Client, Wire

SCHEMA = 1
# Rows that one script gives at most: some milliseconds of the server's time, in which it answers nobody else.
_PAGE = 250
# A subscription whose connection hangs tells nothing, for ever.
_LOOK_SECONDS = 1.0
_PARTS = 8
_REST = ("source", "publisher", "offset", "previous", "previous_as_of", "contract")
_NEEDED = ("symbol", "source", "publisher")


def columns(row: Row) -> tuple[str, ...]:
    """The row as the script `write` takes it: everything but the revision. Raises StoreError for one not whole."""
    values = columns_of_row(row)
    missing = [name for name in _NEEDED if values[name] is None]
    if missing:
        raise StoreError(f"a row without {missing[0]}")
    return (
        str(values["as_of"]),
        str(values["seen_at"]),
        str(values["fetched_at"]),
        str(values["day"]).replace("-", ""),
        str(values["price_type"]),
        str(values["archived"]),
        str(values["price"]),
        json.dumps([values[name] for name in _REST], ensure_ascii=False, separators=(",", ":")),
    )


# What cannot be read of a member that another program, or a damaged disk, has left.
_UNREADABLE = (ValueError, TypeError, ArithmeticError, RecursionError)


def row_of(symbol: str, member: str) -> Row | None:
    """The row of `member`; None for a text that is none of ours, or whose price is damaged."""
    with suppress(*_UNREADABLE):
        revision, as_of, seen_at, fetched_at, _, price_type, archived, price, rest = member.split("|", _PARTS)
        source, publisher, offset, previous, previous_as_of, contract = json.loads(rest)
        before = previous, previous_as_of, contract, archived == "1"
        moments = int(fetched_at), int(seen_at)
        names = symbol, source, int(as_of), int(revision), price, price_type, publisher, offset, None
        return row_of_columns((*names, *moments, *before))
    return None


def points_of(members: Iterable[str]) -> Iterator[Point]:
    """The points of a line, without those of a text that is none of ours."""
    for member in members:
        with suppress(*_UNREADABLE):
            revision, as_of, _, fetched_at, _, price_type, _, price, rest = member.split("|", _PARTS)
            source, _, offset, *_ = json.loads(rest)
            yield Point(int(as_of), offset, price, price_type, source, int(fetched_at), int(revision))


def bound(moment: datetime) -> str:
    """A moment as a score."""
    return str(micros(moment))


class Redis:
    """A store at `address`; nothing is connected before the first question."""

    def __init__(self, address: Address) -> None:
        self._wire = Wire(address)
        # A subscription belongs to the thread that waits for it.
        self._hearing = threading.local()
        self._bells: list[Any] = []
        self._known: tuple[str, str] | None = None

    def open(self) -> bool:
        """As new counts one whose server was started again too: what it took last may be gone."""
        own = uuid.uuid4().hex
        schema, name, run = self._wire.run("open", [self._wire.key("store")], [SCHEMA, own])
        if schema != str(SCHEMA):
            detail = f"{self._wire.address}: made by a newer version of ticker (schema {schema})"
            raise StoreError(detail, "run that version, or name another prefix: ?prefix=NAME")
        before, self._known = self._known, (name, run)
        return name == own or before not in (None, self._known)

    def write(self, rows: Sequence[Row], saved: Mapping[str, str]) -> int:
        """One script."""
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
        found = self._wire.ask(lambda client: client.hget(self._wire.key("saved"), name))
        return None if found is None else str(found)

    def standing(self, keys: Sequence[Key], at: date | datetime, end: datetime | None = None) -> dict[Key, list[Row]]:
        if not keys:
            return {}
        before = micros(end) + 1 if end else micros(at) + micros(AHEAD)
        told: list[str | int] = [before, micros(at), ""] if isinstance(at, datetime) else [before, "", f"{at:%Y%m%d}"]
        answers = self._wire.run("standing", [self._line(*key) for key in keys], told)
        found = {
            key: [row for row in (row_of(key[0], each) for each in rows) if row is not None]
            for key, rows in zip(keys, answers, strict=True)
        }
        return {key: rows for key, rows in found.items() if rows}

    def rename(self, series: Mapping[str, str]) -> int:
        """A line that stands under the new name already is not overwritten."""
        renamed = 0
        for line in self._lines():
            for old, new in series.items():
                before = self._wire.key("history", f"{old}:")
                if line.startswith(before) and self._move(line, self._line(new, line.removeprefix(before))):
                    renamed += 1
        return renamed

    def _move(self, line: str, other: str) -> bool:
        def move(client: Client) -> bool:
            if client.exists(other) or not client.exists(line):
                return False
            client.sadd(self._wire.key("lines"), other)
            client.rename(line, other)
            client.srem(self._wire.key("lines"), line)
            return True

        return bool(self._wire.ask(move))

    def series(self, query: Query) -> list[Point]:
        """Asked for page by page."""
        keys = [self._line(query.symbol, source) for source in query.sources]
        script, stretch = ("raw", DAY) if query.every is None else ("sampled", query.every)
        onward, points = bound(query.first), list[Point]()
        while onward and len(points) < query.limit:
            limit = min(_PAGE, query.limit - len(points))
            zone = micros(query.offset), micros(stretch)
            onward, *found = self._wire.run(script, keys, [onward, bound(query.end), limit, *zone])
            points += points_of(found)
        return points

    def since(self, symbol: str | None) -> datetime | None:
        wanted = self._wire.key("history", f"{symbol}:" if symbol else "")
        lines = [line for line in self._lines() if line.startswith(wanted)]

        def first(client: Client) -> list[list[str]]:
            with client.pipeline(transaction=False) as together:
                for line in lines:
                    together.zrange(line, 0, 0)
                return list(together.execute())

        found = [row_of("", member) for members in self._wire.ask(first) for member in members]
        return min((row.as_of for row in found if row is not None), default=None)

    def record(self, entries: Sequence[RecordEntry]) -> None:
        """All or nothing."""

        def keep(client: Client) -> None:
            with client.pipeline(transaction=True) as together:
                for each in entries:
                    place = self._wire.key("entries", each.kind, each.symbol)
                    together.zadd(place, {each.id: micros(each.at)})
                    together.hset(f"{place}:text", each.id, each.text)
                together.execute()

        self._wire.ask(keep)

    def entries(
        self, kind: str, symbols: Sequence[str], first: datetime | None, until: datetime | None, limit: int
    ) -> list[RecordEntry]:
        places = [self._wire.key("entries", kind, each) for each in symbols]
        keys = [key for place in places for key in (place, f"{place}:text")]
        span = bound(first) if first else "-inf", bound(until) if until else "+inf"
        found = self._wire.run("entries", keys, [*span, limit]) if keys else []
        return [RecordEntry(kind, symbols[at], name, moment_of(int(when)), text) for at, name, when, text in found]

    def forget(self, kind: str, symbols: Sequence[str], before: datetime) -> int:
        gone = 0
        for symbol in symbols:
            place = self._wire.key("entries", kind, symbol)

            def drop(client: Client, place: str = place) -> int:
                old = client.zrangebyscore(place, "-inf", f"({bound(before)}", start=0, num=_PAGE)
                if old:
                    with client.pipeline(transaction=True) as together:
                        together.zrem(place, *old)
                        together.hdel(f"{place}:text", *old)
                        together.execute()
                return len(old)

            while (count := self._wire.ask(drop)) > 0:
                gone += count
        return gone

    def thin(self, retention: Retention, now: datetime) -> int:
        removed = 0
        for line in self._lines():
            for age, every in ((retention.raw, HOUR), (retention.hourly, DAY)):
                onward = "-inf"
                while onward:
                    count, onward = self._wire.run("thin", [line], [onward, bound(now - age), micros(every)])
                    removed += count
            if retention.keep is not None:
                removed += self._forget(line, bound(now - retention.keep))
        return removed

    def close(self) -> None:
        while self._bells:
            with suppress(OSError):
                self._bells.pop().close()
        self._wire.close()

    # What replicas share.

    def claim(self, name: str, holder: str, ttl: float) -> Lease:
        """A holder whose process is known to be gone from this machine holds nothing any more."""
        lease = self._claim(name, holder, ttl, "")
        dead = lease.holder != holder and holder_is_gone(lease.holder)
        return self._claim(name, holder, ttl, lease.holder) if dead else lease

    def release(self, name: str, holder: str) -> None:
        self._wire.run("release", self._lease(name), [holder])

    def publish(self, name: str, message: Message) -> bool:
        keys = [self._wire.key("lease", name), self._wire.key("editions", name)]
        told: list[str | int] = [
            message.part,
            message.version,
            message.fence,
            message.text,
            self._wire.key("news", name),
        ]
        return bool(self._wire.run("publish", keys, told))

    def newer(self, name: str, known: Mapping[str, int], patience: float) -> list[Message]:
        """Hears the bell from before it looks, so that nothing comes in between."""
        latest = time.monotonic() + patience
        try:
            bell = self._bell(name) if patience > 0 else None
            found = self._look(name, known) if bell is None or self._may_have_missed(known) else []
            if bell is None or found or not self._rings(bell, latest):
                return found
            return self._look(name, known)
        except StoreError:
            self._hang_up()
            raise

    def services(self) -> list[str]:
        prefix = self._wire.key("editions", "")
        found = self._wire.ask(lambda client: list(client.scan_iter(match=f"{prefix}*", count=1000)))
        return sorted((key.decode() if isinstance(key, bytes) else key).removeprefix(prefix) for key in found)

    def _claim(self, name: str, holder: str, ttl: float, dead: str) -> Lease:
        told = self._wire.run("claim", self._lease(name), [holder, int(ttl * 1000), ALIVE, dead])
        owner, fence, replicas, silent = told
        return Lease(owner, fence, replicas, sum(not holder_is_gone(each) for each in silent))

    def _lease(self, name: str) -> list[str]:
        return [self._wire.key("lease", name), self._wire.key("alive", name)]

    def _look(self, name: str, known: Mapping[str, int]) -> list[Message]:
        parts = list(known)
        texts = self._wire.ask(lambda client: client.hmget(self._wire.key("editions", name), parts)) if parts else []
        kept = [_edition(part, text) for part, text in zip(parts, texts, strict=True) if text is not None]
        return [message for message in kept if message is not None and message.version > known[message.part]]

    def _may_have_missed(self, known: Mapping[str, int]) -> bool:
        """Whether to look though nothing has rung: asked for others than before, or after a while."""
        now, before = time.monotonic(), getattr(self._hearing, "looked", None)
        if before is not None and before[0] == known and now < before[1] + _LOOK_SECONDS:
            return False
        self._hearing.looked = dict(known), now
        return True

    def _bell(self, name: str) -> Any:  # noqa: ANN401 - the library's own
        """This thread's subscription, confirmed by the server."""
        if getattr(self._hearing, "name", None) == name:
            return self._hearing.bell
        self._hang_up()
        bell = self._wire.ask(lambda client: client.pubsub())
        self._bells.append(bell)
        self._hearing.bell = bell
        self._wire.ask(lambda _: bell.subscribe(self._wire.key("news", name)))
        self._rings(bell, time.monotonic() + self._wire.address.timeout)
        self._hearing.name = name
        return bell

    def _rings(self, bell: Any, latest: float) -> bool:  # noqa: ANN401 - the library's own
        """Wait for a message; False where none has come by then."""
        left = max(0.0, latest - time.monotonic())
        return self._wire.ask(lambda _: bell.get_message(timeout=left)) is not None

    def _hang_up(self) -> None:
        bell = getattr(self._hearing, "bell", None)
        if bell is not None and bell in self._bells:
            self._bells.remove(bell)
            with suppress(OSError):
                bell.close()
        self._hearing.name = self._hearing.bell = self._hearing.looked = None

    def _forget(self, line: str, before: str) -> int:
        return int(self._wire.ask(lambda client: client.zremrangebyscore(line, "-inf", f"({before}")))

    def _lines(self) -> list[str]:
        return sorted(self._wire.ask(lambda client: client.smembers(self._wire.key("lines"))))

    def _line(self, symbol: str, source: str) -> str:
        return self._wire.key("history", symbol, source)


def _edition(part: str, text: str) -> Message | None:
    """The edition of `text`; None for what is none of ours: the next one takes its place."""
    try:
        version, fence, rest = text.split("|", 2)
        found = Message(part, int(version), int(fence), rest)
    except ValueError:
        return None
    return found if is_version(found.version) and is_version(found.fence) else None
