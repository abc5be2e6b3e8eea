"""Who polls: of several replicas one does, and a service by itself always does."""

from __future__ import annotations

from typing import Protocol


class Duty(Protocol):
    """Whether this service is the one that polls and publishes: of several replicas one does."""

    @property
    def on(self) -> bool:
        """At this moment."""

    async def begins(self) -> None:
        """Return when it does; at once where it has."""


class Always:
    """The duty of a service that has no other beside it."""

    on = True

    async def begins(self) -> None:
        """At once."""
