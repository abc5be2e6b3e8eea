"""Questions about what was written down: why a number was shown, and what stood wrong or late."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ticker.storage.base import RecordEntry, Store
from ticker.storage.history import Read


class RecordReader:
    """Asks the store through `read`, which runs a question off the loop. Raises what that raises, StoreError."""

    def __init__(self, read: Read) -> None:
        self._read = read

    async def evidence(self, symbol: str, at: datetime | None) -> RecordEntry | None:
        """The evidence of what was shown of `symbol` at `at`, or is shown now; None where none is kept."""

        def ask(store: Store) -> RecordEntry | None:
            return next(iter(store.entries("evidence", symbol, None, at, 1)), None)

        return await self._read(ask)

    async def evidence_since(self, symbol: str) -> datetime | None:
        """The oldest moment of which evidence is kept."""

        def ask(store: Store) -> datetime | None:
            found = store.entries("evidence", symbol, None, None, 1_000_000)
            return found[-1].at if found else None

        return await self._read(ask)

    async def corrections(
        self, symbols: Sequence[str], first: datetime | None, until: datetime | None, limit: int
    ) -> list[RecordEntry]:
        """The record about `symbols` from `first` to `until`, the newest first, `limit` at most."""

        def ask(store: Store) -> list[RecordEntry]:
            found = [each for symbol in symbols for each in store.entries("correction", symbol, first, until, limit)]
            return sorted(found, key=lambda each: (each.at, each.id), reverse=True)[:limit]

        return await self._read(ask)
