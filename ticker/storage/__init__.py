"""Where history is kept and what replicas share: one store interface, with SQLite and Redis behind it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ticker.storage.base import Store
from ticker.storage.redis import address_of
from ticker.storage.sqlite import MemoryStore, SqliteStore


def _redis(url: str) -> Store:
    from ticker.storage.redis.store import Redis  # noqa: PLC0415 - an optional extra, loaded where the store is one

    return Redis(address_of(url))


STORES: dict[str, Callable[[str], Store]] = {
    "memory": lambda _: MemoryStore(),
    # As with SQLAlchemy: three slashes and a relative path, four and an absolute one.
    "sqlite": lambda url: SqliteStore(Path(url.removeprefix("sqlite:///"))),
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
