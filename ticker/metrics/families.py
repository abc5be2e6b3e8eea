"""Plain values as Prometheus families, and those of the process itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from prometheus_client.core import Metric

    from ticker.health import Histogram
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
        ("ticker_leader", "1 where this process polls the sources.", 1.0),
    )
    yield lag
    yield from (GaugeMetricFamily(name, text, value=value) for name, text, value in plain)


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
