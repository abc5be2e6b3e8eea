"""What a calendar is."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Calendar(Protocol):
    """What selection and serving ask of a calendar; every moment is aware."""

    def next_update(self, as_of: datetime, now: datetime) -> datetime | None:
        """When something newer than `as_of` is due next, seen from `now`; None while it may come at any moment."""

    def fresh_until(self, as_of: datetime) -> datetime:
        """Until when `as_of` is as new as the calendar lets it be, the grace included."""

    def latest(self, now: datetime) -> datetime:
        """The newest `as_of` that can honestly exist at `now`."""

    def previous(self, as_of: datetime) -> datetime | None:
        """The stamp of the publication or session before the one that `as_of` belongs to."""
