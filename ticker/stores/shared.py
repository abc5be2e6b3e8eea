"""What the replicas on one machine share: the lease, who is alive and the change feed, in a SQLite file of its own.

A file of its own, since history is written for seconds at times (thinning, `ticker backfill`) and a lease cannot wait.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from ticker.stores import schema
from ticker.stores.holder import gone
from ticker.stores.sharing import Edition, Lease, grown

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from ticker.stores.database import Database

# How often the file is looked at for news.
_LOOK_SECONDS = 0.125
# For how many times of its lease's length a replica counts as alive.
_ALIVE = 3


class SharedFile:
    """See Shared."""

    def __init__(self, database: Database) -> None:
        self._meeting = database
        self._asked: object = None

    def claim(self, name: str, holder: str, ttl: float) -> Lease:
        """See Shared. A holder whose process is known to be gone from this machine holds nothing any more."""
        with self._meeting.transaction() as transaction:
            # Not before the file is ours alone: whoever was let in first would seem to come from the future.
            now = time.time()
            found = transaction.execute(schema.LEASE, (name,)).fetchone()
            other = found is not None and found["holder"] != holder
            # An end much further ahead than anybody is given is of a clock that has been set back since.
            if other and (not now < found["ends"] <= now + 2 * ttl or gone(found["holder"])):
                # It beats no more, or it would have renewed it.
                transaction.execute(schema.PART, (name, found["holder"]))
                held, fence = False, grown(found["fence"], now)
            else:
                held, fence = other, found["fence"] if found is not None else grown(0, now)
            lease = Lease(found["holder"] if held else holder, fence, _living(transaction, name, holder, now, ttl))
            if not held:
                transaction.execute(schema.HOLD, (name, holder, fence, now + ttl))
        return lease

    def release(self, name: str, holder: str) -> None:
        """See Shared."""
        with self._meeting.transaction() as transaction:
            transaction.execute("UPDATE leases SET ends = 0 WHERE name = ? AND holder = ?", (name, holder))
            transaction.execute(schema.PART, (name, holder))

    def publish(self, name: str, edition: Edition) -> bool:
        """See Shared."""
        with self._meeting.transaction() as transaction:
            lease = transaction.execute(schema.LEASE, (name,)).fetchone()
            kept = transaction.execute(schema.EDITION, (name, edition.part)).fetchone()
            if edition.fence < _fence(lease) or (kept is not None and kept["version"] >= edition.version):
                return False
            transaction.execute(schema.PUBLISH, (name, edition.part, edition.version, edition.fence, edition.text))
        return True

    def newer(self, name: str, known: Mapping[str, int], patience: float) -> list[Edition]:
        """See Shared."""
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

    def _told(self, name: str, known: Mapping[str, int]) -> list[Edition]:
        return [Edition(*row) for row in self._meeting.read(schema.NEWER, name=name, known=json.dumps(known))]

    def meet(self) -> None:
        """Make the file ready, for whoever reads it before it writes."""
        self._meeting.open()

    def shut(self) -> None:
        """Let go of the file."""
        self._meeting.close()


def _fence(lease: sqlite3.Row | None) -> int:
    return lease["fence"] if lease is not None else 0


def _living(transaction: sqlite3.Connection, name: str, holder: str, now: float, ttl: float) -> int:
    """Note that `holder` is alive; how many are."""
    transaction.execute(schema.LIVE, (name, holder, now + _ALIVE * ttl))
    transaction.execute(schema.BURY, (name, now, now + (_ALIVE + 1) * ttl))
    return int(transaction.execute("SELECT count(*) FROM replicas WHERE name = ?", (name,)).fetchone()[0])
