"""What a store is: history, and what replicas share, behind plain blocking calls made off the loop's thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from ticker.stores.base import Key, Point, Retention, Row, Span
    from ticker.stores.sharing import Edition, Lease


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

    def publish(self, name: str, edition: Edition) -> bool:
        """Keep `edition` in place of the one of its part, and tell whoever waits in `newer`; at once, or not at all.

        False, and nothing is changed, where the one there has the same or a higher version, or where somebody has
        taken the lease of `name` with a higher fence since: a leader who was asleep overwrites nobody.
        """

    def newer(self, name: str, known: Mapping[str, int], patience: float) -> list[Edition]:
        """The editions of the parts in `known` that are newer than the versions there, waiting `patience` for one.

        Where there is one already the answer comes at once; with `patience` 0 it always does. Callers wait in short
        turns (a quarter of a second), so what was told between two calls must be found by the second: a subscription
        is a bell, the kept edition is the truth.
        """


class Store(Shared, Protocol):
    """History, restart and replicas. Every method may block and raises StoreError only; any thread may read."""

    def open(self) -> bool:
        """Make the store ready to be written, creating or migrating it, again after it was gone; whether it is new."""

    def write(self, rows: Sequence[Row], saved: Mapping[str, str]) -> int:
        """Keep `rows` and the texts `saved` by name, all or nothing; how many rows were new."""

    def saved(self, name: str) -> str | None:
        """The text last kept under `name`."""

    def standing(self, keys: Sequence[Key], at: date | datetime) -> dict[Key, list[Row]]:
        """Of each of `keys` the row in force on a day or at a moment, and the one before it, newest first.

        A key without a row is left out. The whole board is one question.
        """

    def series(self, span: Span) -> list[Point]:
        """The rows of `span` as points of a line."""

    def since(self, symbol: str | None) -> datetime | None:
        """The oldest as_of kept, of one instrument or of all."""

    def thin(self, retention: Retention, now: datetime) -> int:
        """Apply the retention; how many rows went."""

    def close(self) -> None:
        """Let go of everything that is open."""
