"""`redis://` and its kin: the store that several replicas share. Imported only where the scheme asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.stores.redis.address import SCHEMES, address_of

if TYPE_CHECKING:
    from ticker.stores.redis.store import Redis

__all__ = ["SCHEMES", "address_of", "of_url"]


def of_url(url: str) -> Redis:
    """The store at `url`. Raises ValueError for an address that cannot be read."""
    from ticker.stores.redis.store import Redis  # noqa: PLC0415 - the library takes a third of a start's time to load

    return Redis(address_of(url))
