"""Several services over one store: one polls, by a lease; the others show what it tells them, and know how it fares.

`replica` keeps the lease and listens, on a thread of its own; `following` makes of that who polls and what is shown;
`telling` is how the sources' health travels.
"""

from __future__ import annotations

from ticker.replicas.following import Following
from ticker.replicas.replica import Replica, Role

__all__ = ["Following", "Replica", "Role"]
