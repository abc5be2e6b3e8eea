"""Where history is kept and what replicas share, chosen by the URL's scheme. Adding one is a file and a line here.

`store` says what a store is, `base` and `sharing` what goes in and out of it. `keeper` is the service's side: `backlog`
is what waits, `writer` and `readers` go to the store off the loop, `condition` is how that fares; while it is away all
goes on from memory.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ticker.storage.base import Store
from ticker.storage.sqlite import Memory, Sqlite


def _redis(url: str) -> Store:
    from ticker.storage import redis  # noqa: PLC0415 - only where the store is one

    return redis.of_url(url)


STORES: dict[str, Callable[[str], Store]] = {
    "memory": lambda _: Memory(),
    # As with SQLAlchemy: three slashes and a relative path, four and an absolute one.
    "sqlite": lambda url: Sqlite(Path(url.removeprefix("sqlite:///"))),
    **dict.fromkeys(
        (f"{base}{kind}" for base in ("redis", "rediss") for kind in ("", "+sentinel", "+cluster")), _redis
    ),
}


def is_shared(url: str) -> bool:
    """Whether other processes can reach the store that `url` names."""
    return url.partition(":")[0] != "memory"


def of_url(url: str) -> Store:
    """The store that `url` names; nothing is opened yet. Raises KeyError for a scheme that none is for."""
    return STORES[url.partition(":")[0]](url)
