"""What ops see: one registry an application, filled at scrape time from the board and plain counters.

Nothing on the hot path touches a labelled metric object; labels are bounded by configuration and route patterns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector

from ticker.metrics.collector import POLL_REASONS, TICK_REASONS, TickerCollector

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client.registry import Collector

__all__ = ["POLL_REASONS", "TICK_REASONS", "TickerCollector", "exposition"]


def exposition(collector: Collector) -> Callable[[str], tuple[bytes, str]]:
    """A function from an `Accept` header to the scrape's body and media type, over a registry of its own."""
    registry = CollectorRegistry()
    for each in (collector, ProcessCollector(registry=None), PlatformCollector(registry=None)):
        registry.register(each)
    GCCollector(registry=registry)

    def scrape(accept: str) -> tuple[bytes, str]:
        encode, content_type = choose_encoder(accept)
        return encode(registry), content_type

    return scrape
