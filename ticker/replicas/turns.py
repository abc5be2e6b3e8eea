"""Whose turn it is to ask the sources, and what is left of their budgets for whoever takes it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ticker.replicas.replica import BEAT_SECONDS, TTL_SECONDS, Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from ticker.poll import Poller
    from ticker.replicas.replica import Replica
    from ticker.schedule import Timetable

# Of so long nobody may know what a leader asked who could tell no more: its lease and a beat to each side.
_UNTOLD = timedelta(seconds=TTL_SECONDS + 2 * BEAT_SECONDS)


class Turns:
    """Lets `timetable` go on, rest or begin, as the role of `replica` asks for."""

    def __init__(self, replica: Replica, poller: Poller, timetable: Timetable) -> None:
        self._replica = replica
        self._poller = poller
        self._timetable = timetable
        self._silent = 0

    def take(self, before: Role, role: Role, asked: Mapping[str, Sequence[datetime]]) -> None:
        """Act on a role that has changed; `asked` is when whoever polled until now asked, as far as it told."""
        share = self._replica.replicas if role is Role.ALONE else 1
        if role is Role.FOLLOWS:
            self._timetable.rest()
        elif before in {Role.LEADS, Role.ALONE}:
            self._timetable.divide(share)
        else:
            self._poller.forget()
            for source, moments in asked.items():
                self._timetable.budgets.charge(source, moments)
            if before is Role.FOLLOWS:
                self._timetable.budgets.presume(_UNTOLD)
            self.reserve(role)
            self._timetable.resume(share)

    def reserve(self, role: Role) -> None:
        """Who is silent may be polling for itself, within its share: it is not asked for by whoever leads."""
        silent = self._replica.silent if role is Role.LEADS else 0
        if silent > self._silent:
            self._timetable.budgets.reserve(silent - self._silent, self._replica.replicas)
        self._silent = silent
