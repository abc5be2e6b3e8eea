"""What a scrape gets: the registry of one application, put together when the first scrape comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client.registry import Collector


class Exposition:
    """From an `Accept` header to the scrape's body and media type, over a registry of its own.

    `collected` gives the collector of the application's own metrics.
    """

    def __init__(self, collected: Callable[[], Collector]) -> None:
        self._collected = collected
        self._registry: Collector | None = None

    def __call__(self, accept: str) -> tuple[bytes, str]:
        """Everything as it stands."""
        from prometheus_client.exposition import choose_encoder  # noqa: PLC0415 - a start answers numbers first

        self._registry = self._registry or _registry(self._collected())
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


def _registry(collector: Collector) -> Collector:
    from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector  # noqa: PLC0415 - as above
    from prometheus_client.gc_collector import GCCollector  # noqa: PLC0415 - as above

    registry = CollectorRegistry()
    for each in (collector, ProcessCollector(registry=None), PlatformCollector(registry=None)):
        registry.register(each)
    GCCollector(registry=registry)
    return registry
