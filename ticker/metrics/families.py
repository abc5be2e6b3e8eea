"""Plain values as Prometheus families, and those of the process itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

from ticker.health import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from prometheus_client.core import Metric

    from ticker.health import Histogram, StoreHealth
    from ticker.vitals import Vitals


def process(vitals: Vitals) -> Iterable[Metric]:
    """Whether the process does its own work: configuration, timetable, event loop, and who polls."""
    lag = HistogramMetricFamily("ticker_event_loop_lag_seconds", "How late the event loop wakes a sleeper.")
    lag.add_metric([], *buckets(vitals.lag))
    plain = (
        (
            "ticker_config_reload_success",
            "1 while the newest configuration asked for is in force.",
            float(vitals.reload_error is None),
        ),
        (
            "ticker_config_reload_success_timestamp_seconds",
            "When the configuration in force was taken.",
            seconds(vitals.reloaded_at),
        ),
        (
            "ticker_scheduler_last_run_timestamp_seconds",
            "When the timetable last ran a job.",
            seconds(vitals.timetable_ran_at),
        ),
        ("ticker_leader", "1 where this process polls the sources.", float(vitals.leads)),
        ("ticker_replicas", "Processes that share the store, this one among them.", float(vitals.replicas)),
    )
    yield lag
    yield from (GaugeMetricFamily(name, text, value=value) for name, text, value in plain)


def storing(store: StoreHealth) -> Iterable[Metric]:
    """Whether history is kept, and what was lost of it."""
    up = GaugeMetricFamily("ticker_store_up", "1 while the store takes what is written.", float(store.up))
    failures = CounterMetricFamily("ticker_store_failures", "Failures of the store.", labels=["operation"])
    for operation in OPERATIONS:
        failures.add_metric([operation], store.failures[operation])
    written = CounterMetricFamily("ticker_store_rows_written", "New rows of history.", store.written)
    dropped = CounterMetricFamily("ticker_store_rows_dropped", "Rows the queue had no room for.", store.dropped)
    queued = GaugeMetricFamily("ticker_store_queued_rows", "Rows waiting to be written.", store.queued)
    yield from (up, failures, written, dropped, queued)


def gauge(name: str, text: str, label: str) -> GaugeMetricFamily:
    """A gauge with one label."""
    return GaugeMetricFamily(name, text, labels=[label])


def seconds(moment: datetime | None) -> float:
    """Unix time of `moment`; 0 for what has never been."""
    return moment.timestamp() if moment else 0.0


def buckets(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    """A histogram's cumulated buckets by upper bound in seconds, and its sum."""
    running, found = 0, []
    for bound, count in zip((*map(str, histogram.bounds), "+Inf"), histogram.counts, strict=True):
        running += count
        found.append((bound, float(running)))
    return found, histogram.total
