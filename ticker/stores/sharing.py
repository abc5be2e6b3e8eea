"""What replicas tell each other through a store: who polls, and what is shown."""

from __future__ import annotations

from ticker.values import Struct


class Lease(Struct, frozen=True):
    """Who polls for all replicas of one name, as the store knew it when it was asked.

    `fence` is another, higher number for each holder in turn, and stays higher even where the store has lost everything
    (see `grown`): it is what tells a holder's write from one of a holder before. `replicas` is how many are alive, of
    them `silent` have not claimed for its length and not said good-bye: they may be cut off and polling for themselves.
    """

    holder: str
    fence: int
    replicas: int
    silent: int = 0


class Edition(Struct, frozen=True):
    """What one replica tells the others: a text under a `part` ("quotes", "sources") and its version, which grows."""

    part: str
    version: int
    fence: int
    text: str


def grown(last: int, now: float) -> int:
    """The fence after `last`, of whoever takes the lease at `now` (Unix time): never below the clock's milliseconds."""
    return max(last + 1, int(now * 1000))
