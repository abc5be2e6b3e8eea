"""What goes into a store's history and what comes out of it, and how a store says that it fails."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

from ticker.health import StoreHealth
from ticker.log import Log
from ticker.quotes import PriceType

log = Log(__name__)

# A table is published the evening before the day it is in force from; nothing reaches further ahead.
AHEAD = timedelta(days=3)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# For how many times of its lease's length a replica counts as alive.
ALIVE = 3
# The kind of the entries that say what was shown of an instrument, from when on.
QUOTE = "quote"
# An instrument's symbol and a source's name.
Key: TypeAlias = tuple[str, str]


class StoreError(Exception):
    """The store did not do what was asked: locked, full, read-only, damaged, gone. `mend` says what would help."""

    def __init__(self, detail: str, mend: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.mend = mend


@dataclass(frozen=True, slots=True)
class Row:
    """One accepted publication: the price of one unit as a source stated it for `as_of`.

    `symbol` is the series it belongs to, named for what its numbers mean (`Instrument.series`).

    `seen_at` is from when on the board could show it: when it came in, or for a row out of an archive the moment it is
    dated. `revision` counts corrections of the same date by the same source from 0; the highest one is in force.
    """

    symbol: str
    source: str
    publisher: str
    price_type: PriceType
    as_of: datetime
    price: Decimal
    fetched_at: datetime
    seen_at: datetime
    previous: Decimal | None = None
    previous_as_of: datetime | None = None
    contract: str | None = None
    archived: bool = False
    revision: int = 0


class Point(NamedTuple):
    """What a line tells of a row, as it is kept: a page has thousands, and most of it is only copied out.

    `as_of` and `fetched_at` are microseconds since 1970, `offset` the minutes that the source's zone is east of
    Greenwich, `price` the digits as the source wrote them.
    """

    as_of: int
    offset: int
    price: str
    price_type: str
    source: str
    fetched_at: int
    revision: int


@dataclass(frozen=True, slots=True)
class Query:
    """A stretch of one instrument's history: `first` <= as_of < `end`, oldest first, `limit` rows at most.

    `sources` in order of preference: the best one that has a row speaks. `every` asks for the last row of each such
    stretch of time (None: every row), the stretches beginning at local midnight `offset` east of Greenwich.
    """

    symbol: str
    sources: tuple[str, ...]
    first: datetime
    end: datetime
    limit: int
    every: timedelta | None
    offset: timedelta


@dataclass(frozen=True, slots=True)
class Retention:
    """How long market prices are kept as they came, then how long the last of each hour; then the last of each day.

    Fixings are never thinned out. `keep` is after how long everything goes; None is never. `evidence` is how long the
    evidence about `symbols` is kept.
    """

    raw: timedelta
    hourly: timedelta
    keep: timedelta | None = None
    evidence: timedelta = timedelta(days=90)
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordEntry:
    """One entry of a record about `symbol`: a `kind` ("evidence", QUOTE), when, its text, and an id of its own.

    An entry with the id of an earlier one takes its place.
    """

    kind: str
    symbol: str
    id: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Lease:
    """Who polls for all replicas of one name, as the store knew it when it was asked.

    `fence` is another, higher number for each holder in turn, and stays higher even where the store has lost everything
    (see `next_version`): it tells a holder's write from one of a holder before. `replicas` is how many are alive; of
    them `silent` have not claimed for its length and not said good-bye: they may be cut off and polling for themselves.
    """

    holder: str
    fence: int
    replicas: int
    silent: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """What one replica tells the others: a text under a `part` ("quotes", "sources") and its version, which grows."""

    part: str
    version: int
    fence: int
    text: str


# What editors say is of no service in particular: it stands under a name and a part of its own.
EDITORS, OVERRIDES = "editors", "overrides"


# Above it a number is no longer exact for everybody (RFC 8259, 6); a clock's milliseconds take 285 thousand years.
MOST_VERSIONS = 2**53 - 1


def is_version(value: object) -> bool:
    """Whether that could be a version or a fence of ours, whatever somebody has written into the store."""
    return isinstance(value, int) and 0 <= value < MOST_VERSIONS


def next_version(last: int, now: float) -> int:
    """The fence after `last`, of whoever takes the lease at `now` (Unix time): never below the clock's milliseconds."""
    return max(last + 1, int(now * 1000))


class Shared(Protocol):
    """What replicas share: a lease, a count of who is alive, and a feed of what has changed.

    Made for three threads of each replica: one claims about once a second and in between waits in `newer`; another
    publishes; a third may release. A store that talks to its server in a loop of its own answers them from there. The
    time is the store's own (the server's, the machine's), never the caller's.
    """

    def claim(self, name: str, holder: str, ttl: float) -> Lease:
        """Say that `holder` is alive, and give it the lease of `name` for `ttl` seconds if it is free or its own.

        Who has it afterwards stands in the answer. A lease is free when nobody has claimed or released it, or its time
        has run out. A replica counts as alive for three times its `ttl`, which is the same for all of one name.
        """

    def release(self, name: str, holder: str) -> None:
        """Let go of the lease, where `holder` has it, and count it among the living no more."""

    def publish(self, name: str, message: Message) -> bool:
        """Keep `message` in place of the one of its part, and tell whoever waits in `newer`; at once, or not at all.

        False, and nothing is changed, where the one there has the same or a higher version, or where somebody has
        taken the lease of `name` with a higher fence since: a leader who was asleep overwrites nobody.
        """

    def newer(self, name: str, known: Mapping[str, int], patience: float) -> list[Message]:
        """The editions of the parts in `known` that are newer than the versions there, waiting `patience` for one.

        Where there is one already the answer comes at once; with `patience` 0 it always does. Callers wait in short
        turns (a quarter of a second), so what was told between two calls must be found by the second: a subscription
        is a bell, the kept edition is the truth.
        """

    def services(self) -> list[str]:
        """The names under which something has been published, in alphabetical order."""


class Store(Shared, Protocol):
    """History, restart and replicas. Every method blocks and raises StoreError only; any thread may read."""

    def open(self) -> bool:
        """Make the store ready to be written, creating or migrating it, again after it was gone; whether it is new."""

    def write(self, rows: Sequence[Row], saved: Mapping[str, str]) -> int:
        """Keep `rows` and the texts `saved` by name, all or nothing; how many rows were new."""

    def saved(self, name: str) -> str | None:
        """The text last kept under `name`."""

    def standing(self, keys: Sequence[Key], at: date | datetime, end: datetime | None = None) -> dict[Key, list[Row]]:
        """Of each of `keys` the row in force on a day or at a moment, and the one before it, newest first.

        A key without a row is left out, and so is what is dated after `end`. The whole board is one question.
        """

    def rename(self, series: Mapping[str, str]) -> int:
        """Keep what is kept under each of `series` under its other name; how many rows that were."""

    def series(self, query: Query) -> list[Point]:
        """The rows of `query` as points of a line."""

    def since(self, symbol: str | None) -> datetime | None:
        """The oldest as_of kept, of one instrument or of all."""

    def record(self, entries: Sequence[RecordEntry]) -> None:
        """Keep `entries`, each in the place of an earlier one of its kind, symbol and id."""

    def entries(
        self, kind: str, symbols: Sequence[str], first: datetime | None, until: datetime | None, limit: int
    ) -> list[RecordEntry]:
        """The entries of a kind with `first` <= at <= `until`: of each of `symbols` the newest `limit`, in turn."""

    def forget(self, kind: str, symbols: Sequence[str], before: datetime) -> int:
        """Let go of the entries of a kind that are older than `before`; how many went."""

    def thin(self, retention: Retention, now: datetime) -> int:
        """Apply the retention; how many rows went."""

    def close(self) -> None:
        """Let go of everything that is open."""


# The halves of a store: one may be well while the other is not.
HISTORY, FEED = "history", "feed"


class StoreStatus:
    """How the store fares: a failure is said once, counted, and over when the half that failed has been well again."""

    def __init__(self) -> None:
        self.health = StoreHealth()
        self._bad: set[str] = set()

    def is_bad(self, half: str) -> bool:
        """Whether `half` has failed and not been well since."""
        return half in self._bad

    def failed(self, operation: str, error: StoreError) -> None:
        """Said once, until the store has been written to again."""
        self.health.failures[operation] += 1
        if self.health.up:
            log.error("store failed, serving from memory", operation=operation, detail=error.detail, mend=error.mend)
        self.health.up = False
        self._bad.add(FEED if operation == "publish" else HISTORY)

    def succeeded(self, half: str) -> None:
        """It was `half` that was written to."""
        self._bad.discard(half)
        if not self.health.up and not self._bad:
            log.info("store is back", queued=self.health.queued)
        self.health.up = not self._bad


# Where Linux tells what is running; elsewhere nobody is known to be gone, and leases run out instead.
_PROC = Path("/proc")


def holder_name() -> str:
    """A name for this process: where it runs, its number, when it began, and something that nobody else has."""
    return f"{_place()}/{os.getpid()}/{_began(os.getpid()) or ''}/{secrets.token_hex(8)}"


def holder_is_gone(holder: str) -> bool:
    """Whether the process that was `holder_name` so ran here and is no more; False where that cannot be known."""
    place, _, rest = holder.rpartition("/")[0].partition("/")
    number, _, began = rest.partition("/")
    if not began or place != _place() or not number.isdecimal():
        return False
    return _began(int(number)) not in (began, None)


def _place() -> str:
    """This boot of this machine and the name space of its process numbers: a container has one of its own."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}:{(_PROC / 'self/ns/pid').stat().st_ino}"
    except OSError:
        return secrets.token_hex(8)


def _began(number: int) -> str | None:
    """When the process began, in ticks since the boot; empty where there is none, None where it is hidden from us."""
    try:
        fields = (_PROC / str(number) / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None if _there(number) else ""
    # A zombie has ended; only its parent has not looked yet. A number that was given anew began at another time.
    return "" if fields[0] in {"Z", "X"} else fields[19]


def _there(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
