"""How the sources fare: told by the one who polls, known by the others, who go on from there when it is their turn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ticker.replicas.replica import Role
from ticker.stores.keeper import SOURCES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ticker.board import Board
    from ticker.poll import Poller
    from ticker.replicas.replica import Replica
    from ticker.schedule import Timetable
    from ticker.stores import Edition, Keeper


class Fares:
    """Tells through `keeper` what `poller` and `timetable` know, and lets them know what was told."""

    def __init__(
        self,
        replica: Replica,
        keeper: Keeper,
        poller: Poller,
        board: Board,
        timetable: Timetable,
        clock: Callable[[], datetime],
    ) -> None:
        # When whoever polls has asked each source, as it was told last.
        self.asked: dict[str, list[datetime]] = {}
        self._replica = replica
        self._keeper = keeper
        self._poller = poller
        self._board = board
        self._timetable = timetable
        self._clock = clock
        self._told: object = None
        self._version = 0

    def heard(self, edition: Edition) -> None:
        """Of the one who polls; what is polled here is known better here."""
        from ticker.replicas import telling  # noqa: PLC0415 - readers are answered before

        self._version = max(self._version, edition.version)
        if not self._replica.on and (asked := telling.heard(edition.text, self._poller.health)):
            self.asked = asked
            following = [each.next_poll for each in self._poller.health.values() if each.next_poll]
            self._board.expect(min(following, default=None))

    def asking(self) -> None:
        """Before an upstream is asked it is told: what a leader has spent outlives it."""
        if self._replica.role is Role.LEADS:
            asyncio.get_running_loop().call_soon(self.tell)

    def forgotten(self) -> None:
        """The store may have lost what it was told last."""
        self._told = None

    def tell(self) -> None:
        """Say it, where anything is new."""
        asked = self._timetable.budgets.asked
        health = self._poller.health.items()
        now = [(e.last_success, e.last_failure, e.next_poll, len(asked(source))) for source, e in health]
        if now != self._told:
            from ticker.replicas import telling  # noqa: PLC0415 - as above

            self._told = now
            text = telling.told(self._poller.health, asked)
            self._version = max(self._version + 1, int(self._clock().timestamp() * 1000))
            self._keeper.tell(SOURCES, self._version, lambda: text)
