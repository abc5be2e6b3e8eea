"""How the store fares: a failure is said once, counted, and over when the half that failed has been well again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.health import StoreHealth
from ticker.log import Log

if TYPE_CHECKING:
    from ticker.stores.base import StoreError

log = Log(__name__)

# The halves of a store: one may be well while the other is not.
HISTORY, FEED = "history", "feed"


class Condition:
    """What is counted stands in `health`."""

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
