"""Several services over one store: one polls, by a lease; the others show what it tells them, and know how it fares.

`replica` keeps the lease and listens, on a thread of its own; `following` makes of that who polls (`turns`), what is
shown, and what the others know of the sources (`fares`, which travels as `telling` writes it).
"""

from __future__ import annotations

from ticker.replicas.following import Following
from ticker.replicas.replica import Replica, Role

__all__ = ["Following", "Replica", "Role"]
