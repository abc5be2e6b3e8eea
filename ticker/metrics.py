"""What ops see: one registry an application, filled at scrape time from the board and plain counters.

Nothing on the hot path touches a labelled metric object; labels are bounded by configuration and route patterns.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.registry import Collector

from ticker import __version__
from ticker.health import OPERATIONS, Health, Histogram, StoreHealth
from ticker.process_health import ProcessHealth
from ticker.quotes import Reason, Snapshot, Status

if TYPE_CHECKING:
    from ticker.web.context import Traffic


# Plain values as Prometheus families, and those of the process itself.


def process(process_health: ProcessHealth) -> Iterable[Metric]:
    """Whether the process does its own work: configuration, timetable, event loop, and who polls."""
    lag = HistogramMetricFamily("ticker_event_loop_lag_seconds", "How late the event loop wakes a sleeper.")
    lag.add_metric([], *buckets(process_health.lag))
    plain = (
        (
            "ticker_config_reload_success",
            "1 while the newest configuration asked for is in force.",
            float(process_health.reload_error is None),
        ),
        (
            "ticker_config_reload_success_timestamp_seconds",
            "When the configuration in force was taken.",
            seconds(process_health.reloaded_at),
        ),
        (
            "ticker_scheduler_last_run_timestamp_seconds",
            "When the timetable last ran a job.",
            seconds(process_health.timetable_ran_at),
        ),
        ("ticker_leader", "1 where this process polls the sources.", float(process_health.leads)),
        ("ticker_replicas", "Processes that share the store, this one among them.", float(process_health.replicas)),
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


# The contract's metrics, read at scrape time from the board, the sources' health and plain counters.


# The reasons a poll can fail for, and those a tick can be refused for; every series exists at 0 from the start.
TICK_REASONS = (Reason.UNIT, Reason.RANGE, Reason.MOVE, Reason.FUTURE, Reason.FROZEN, Reason.DISAGREE)
POLL_REASONS = tuple(reason for reason in Reason if reason not in TICK_REASONS[2:])


class TickerCollector(Collector):
    """Reads the board, the sources' health and the traffic counters; each scrape sees one snapshot."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        health: Mapping[str, Health],
        symbols: Mapping[str, tuple[str, ...]],
        traffic: Traffic,
        store: StoreHealth,
        process_health: ProcessHealth | None = None,
    ) -> None:
        """`symbols` are the instruments each source feeds."""
        self._snapshot = snapshot
        self._health = health
        self._symbols = symbols
        self._traffic = traffic
        self._store = store
        self._vitals = process_health or ProcessHealth()

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time: a scrape is cheap enough."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Every metric of the contract."""
        build = GaugeMetricFamily("ticker_build_info", "The running build; always 1.", labels=["version", "python"])
        build.add_metric([__version__, platform.python_version()], 1)
        yield build
        snapshot = self._snapshot()
        yield from self._quotes(snapshot)
        yield from self._instruments(snapshot)
        yield from self._sources()
        yield from self._http()
        yield from storing(self._store)
        yield from process(self._vitals)

    def _quotes(self, snapshot: Snapshot) -> Iterable[Metric]:
        price = GaugeMetricFamily(
            "ticker_quote_price", "The price shown, in the quote's currency.", labels=["symbol", "source"]
        )
        as_of = gauge("ticker_quote_as_of_timestamp_seconds", "The source's own time of the price.", "symbol")
        status = GaugeMetricFamily("ticker_quote_status", "1 for the quote's status.", labels=["symbol", "status"])
        agreeing = gauge("ticker_quote_sources_agreeing", "Sources within the tolerance.", "symbol")
        spread = gauge("ticker_quote_spread_ratio", "Highest less lowest source over the price.", "symbol")
        for quote in snapshot.quotes:
            if quote.price is not None and quote.source is not None:
                price.add_metric([quote.symbol, quote.source], float(quote.price))
            if quote.as_of is not None:
                as_of.add_metric([quote.symbol], quote.as_of.timestamp())
            for each in Status:
                status.add_metric([quote.symbol, each], float(quote.status is each))
            agreement = quote.agreement
            agreeing.add_metric([quote.symbol], agreement.sources if agreement else 0)
            spread.add_metric([quote.symbol], float(agreement.spread_percent) / 100 if agreement else 0)
        yield from (price, as_of, status, agreeing, spread)

    def _instruments(self, snapshot: Snapshot) -> Iterable[Metric]:
        """What alerts need of the configuration: which source feeds what, and from where on they disagree."""
        fed = GaugeMetricFamily(
            "ticker_instrument_source_info", "1 for each source of an instrument.", labels=["symbol", "source"]
        )
        for source, symbols in self._symbols.items():
            for symbol in symbols:
                fed.add_metric([symbol, source], 1)
        tolerance = gauge("ticker_instrument_tolerance_ratio", "A spread above this is disagreement.", "symbol")
        for quote in snapshot.quotes:
            tolerance.add_metric([quote.symbol], float(quote.instrument.tolerance))
        yield from (fed, tolerance)

    def _sources(self) -> Iterable[Metric]:
        up = gauge("ticker_source_up", "1 if the last poll succeeded.", "source")
        polls = CounterMetricFamily("ticker_source_polls", "Polls that have ended.", labels=["source"])
        failures = CounterMetricFamily("ticker_source_poll_failures", "Failed polls.", labels=["source", "reason"])
        rejected = CounterMetricFamily("ticker_ticks_rejected", "Refused ticks.", labels=["source", "symbol", "reason"])
        duration = HistogramMetricFamily(
            "ticker_source_poll_duration_seconds", "Duration of a poll.", labels=["source"]
        )
        last = gauge("ticker_source_last_success_timestamp_seconds", "Last poll that succeeded; 0 before.", "source")
        coordinator = gauge("ticker_source_next_poll_timestamp_seconds", "When the next poll is due.", "source")
        for source, health in self._health.items():
            up.add_metric([source], float(health.up is True))
            polls.add_metric([source], health.polls)
            for reason in POLL_REASONS:
                failures.add_metric([source, reason], health.failures[reason])
            for symbol in self._symbols[source]:
                for reason in TICK_REASONS:
                    rejected.add_metric([source, symbol, reason], health.rejected[symbol, reason])
            duration.add_metric([source], *buckets(health.duration))
            last.add_metric([source], seconds(health.last_success))
            coordinator.add_metric([source], seconds(health.next_poll))
        yield from (up, polls, failures, rejected, duration, last, coordinator)

    def _http(self) -> Iterable[Metric]:
        requests = CounterMetricFamily("ticker_http_requests", "Answers given.", labels=["route", "method", "code"])
        for (route, method, code), count in self._traffic.requests.items():
            requests.add_metric([route, method, str(code)], count)
        durations = HistogramMetricFamily("ticker_http_request_duration_seconds", "Time to answer.", labels=["route"])
        for route, histogram in self._traffic.durations.items():
            durations.add_metric([route], *buckets(histogram))
        clients = GaugeMetricFamily("ticker_stream_clients", "Open event streams.", value=self._traffic.streams)
        yield from (requests, durations, clients)


# What a scrape gets: the registry of one application, put together when the first scrape comes.


class Exposition:
    """From an `Accept` header to the scrape's body and media type, over a registry of its own.

    `collected` gives the collector of the application's own metrics.
    """

    def __init__(self, collected: Callable[[], Collector]) -> None:
        self._collected = collected
        self._registry: Collector | None = None

    def __call__(self, accept: str) -> tuple[bytes, str]:
        """Everything as it stands."""
        self._registry = self._registry or _registry(self._collected())
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type


def _registry(collector: Collector) -> Collector:

    registry = CollectorRegistry()
    for each in (collector, ProcessCollector(registry=None), PlatformCollector(registry=None)):
        registry.register(each)
    GCCollector(registry=registry)
    return registry
