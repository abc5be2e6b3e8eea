"""What an upstream did not do, in one family of errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta

    from ticker.quotes.observed import Tick
    from ticker.quotes.words import Reason


class SourceError(Exception):
    """The one error family of fetching and parsing: an upstream did not give a usable answer.

    `reason` is the slug that log, metric and JSON share, `detail` a sentence for a person, and `retry_after` how long
    the upstream asked us to stay away, where it did. `besides` is what the same answer says well of something else.
    """

    besides: tuple[Tick, ...] = ()

    def __init__(self, reason: Reason, detail: str, *, retry_after: timedelta | None = None) -> None:
        # It quotes the upstream: neither a broken character nor a line of its own making may reach log or JSON.
        self.detail = "".join(c if c.isprintable() else "\ufffd" for c in detail[:200])
        super().__init__(f"{reason}: {self.detail}")
        self.reason = reason
        self.retry_after = retry_after
