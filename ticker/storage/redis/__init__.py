"""`redis://` and its kin: the store that several replicas share. Imported only where the scheme asks for it."""

from __future__ import annotations

from ticker.storage.redis.address import address_of
from ticker.storage.redis.store import Redis


def of_url(url: str) -> Redis:
    """The store at `url`. Raises ValueError for an address that cannot be read."""
    from ticker.storage.redis.store import Redis  # noqa: PLC0415 - the library takes a third of a start's time to load

    return Redis(address_of(url))
