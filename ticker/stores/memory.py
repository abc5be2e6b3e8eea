"""`memory://`: the same store without a file. Nothing outlives the process, and no other process sees it."""

from __future__ import annotations

from pathlib import Path

from ticker.stores.database import InMemory
from ticker.stores.sqlite import Sqlite


class Memory(Sqlite):
    """SQLite's own memory."""

    def __init__(self) -> None:
        super().__init__(Path(":memory:"), InMemory)
