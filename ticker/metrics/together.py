"""The metrics of several processes as those of one service: what each counted is added up.

A gauge is the service's own, the same in every process, or there is a line here that says what becomes of it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

# By family: what is one of several, the most of them, the least of them.
_GAUGES: dict[str, Callable[[Iterable[float]], float]] = {
    "ticker_stream_clients": sum,
    "ticker_leader": max,
    "ticker_replicas": max,
    "ticker_store_up": min,
    "ticker_store_queued_rows": sum,
    "ticker_config_reload_success": min,
    "ticker_config_reload_success_timestamp_seconds": min,
    "ticker_scheduler_last_run_timestamp_seconds": min,
    "process_virtual_memory_bytes": sum,
    "process_resident_memory_bytes": sum,
    "process_open_fds": sum,
    "process_start_time_seconds": min,
}
_COUNTED = ("counter", "histogram")
Key = tuple[str, tuple[tuple[str, str], ...]]


def written(collector: Collector) -> bytes:
    """All samples as a text that `Together` reads."""
    return json.dumps(
        [
            [family.name, family.type, family.documentation, [[s.name, s.labels, s.value] for s in family.samples]]
            for family in collector.collect()
        ]
    ).encode()


class Together(Collector):
    """`own` metrics and those of `others`, each with whether they are of this moment: else only what they counted."""

    def __init__(self, own: Collector, others: Sequence[tuple[bool, bytes]]) -> None:
        self._own = own
        self._others = others

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Each family of the own process, with what the others add to it."""
        theirs: dict[Key, list[float]] = {}
        for fresh, text in self._others:
            for _, kind, _, samples in json.loads(text):
                if fresh or kind in _COUNTED:
                    for name, labels, value in samples:
                        theirs.setdefault((name, tuple(sorted(labels.items()))), []).append(value)
        for family in self._own.collect():
            yield _merged(family, theirs)


def _merged(family: Metric, theirs: dict[Key, list[float]]) -> Metric:
    how = sum if family.type in _COUNTED else _GAUGES.get(family.name)
    if how is None:
        return family
    merged = Metric(family.name, family.documentation, family.type)
    for sample in family.samples:
        others = theirs.pop((sample.name, tuple(sorted(sample.labels.items()))), [])
        merged.add_sample(sample.name, sample.labels, how([sample.value, *others]))
    prefixes = {sample.name for sample in family.samples}
    for name, labels in [key for key in theirs if key[0] in prefixes]:
        merged.add_sample(name, dict(labels), how(theirs.pop((name, labels))))
    return merged
