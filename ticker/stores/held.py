"""The rows that were last shown here: what of a board is new, and what a store that came back empty is told again."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from ticker.stores.rows import identity, of_quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ticker.quotes import Snapshot
    from ticker.stores.base import Row

# A day of a price that changes every minute: a megabyte.
_MOST = 1_500


class Held:
    """Bounded: of the oldest only the store knows."""

    def __init__(self, room: int) -> None:
        self._shown: dict[str, Row] = {}
        self._rows: deque[Row] = deque(maxlen=min(room, _MOST))

    def take(self, snapshot: Snapshot) -> list[Row]:
        """Remember what is shown; the rows of it that were not before."""
        new = [row for row in map(of_quote, snapshot.quotes) if row and self._differs(row)]
        self._shown |= {row.symbol: row for row in new}
        self._rows.extend(new)
        return new

    def missing(self, queued: Iterable[Row]) -> list[Row]:
        """All that is held and not `queued`, in the order in which it was shown."""
        known = set(queued)
        return [row for row in self._rows if row not in known]

    def shown(self) -> list[Row]:
        """What is shown now."""
        return [*self._shown.values()]

    def _differs(self, row: Row) -> bool:
        return identity(self._shown.get(row.symbol)) != identity(row)
