"""What a scrape gets: the registry of one application, put together when the first scrape comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from prometheus_client.registry import Collector

    from ticker.siblings import Tally


class Exposition:
    """From an `Accept` header to the scrape's body and media type, over a registry of its own.

    `collected` gives the collector of the application's own metrics. With `tally` the process is one of several: what
    others have counted is handed in and added.
    """

    def __init__(self, collected: Callable[[], Collector], tally: Tally | None = None) -> None:
        self._collected = collected
        self._left = tally.left if tally is not None else b""
        self._own: Collector | None = None
        if tally is not None:
            tally.tell = self._counts

    def __call__(self, accept: str, others: Sequence[tuple[bool, bytes]] = ()) -> tuple[bytes, str]:
        """Everything as it stands, here and at the `others`."""
        from prometheus_client.exposition import choose_encoder  # noqa: PLC0415 - a start answers numbers first

        encode, content_type = choose_encoder(accept)
        return encode(_together(self._registered(), others)), content_type

    def _counts(self) -> bytes:
        from ticker.metrics.together import written  # noqa: PLC0415 - as above

        return written(self._registered())

    def _registered(self) -> Collector:
        # What a process before this one has counted goes on being counted.
        self._own = self._own or _together(_registry(self._collected()), [(False, self._left)] if self._left else [])
        return self._own


def _together(own: Collector, others: Sequence[tuple[bool, bytes]]) -> Collector:
    if not others:
        return own
    from ticker.metrics.together import Together  # noqa: PLC0415 - one process alone does without

    return Together(own, others)


def _registry(collector: Collector) -> Collector:
    from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector  # noqa: PLC0415 - as above
    from prometheus_client.gc_collector import GCCollector  # noqa: PLC0415 - as above

    registry = CollectorRegistry()
    for each in (collector, ProcessCollector(registry=None), PlatformCollector(registry=None)):
        registry.register(each)
    GCCollector(registry=registry)
    return registry
