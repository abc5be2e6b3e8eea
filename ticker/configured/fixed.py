"""What a reload may not move."""

from __future__ import annotations

from ticker.settings.errors import ConfigurationError
from ticker.settings.model import Settings
from ticker.settings.plain import plain

# What the running process cannot change under its own connections.
FIXED = ("server.host", "server.port", "server.metrics_host", "server.metrics_port", "store")


def keep_fixed(running: Settings, wanted: Settings) -> None:
    """Raises ConfigurationError where `wanted` moves what only a restart can move; every such key is named."""
    old, new = plain(running), plain(wanted)
    moved = [
        f"{key} cannot change while the service runs (it is {_at(old, key)!r}); restart it for {_at(new, key)!r}"
        for key in FIXED
        if _at(old, key) != _at(new, key)
    ]
    if moved:
        raise ConfigurationError("\n".join(moved))


def _at(tree: object, dotted: str) -> object:
    for key in dotted.split("."):
        tree = tree[key] if isinstance(tree, dict) else None
    return tree
