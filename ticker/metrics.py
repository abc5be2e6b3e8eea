"""What ops see: one registry an application, filled at scrape time from the board and plain counters.

Nothing on the hot path touches a labelled metric object; labels are bounded by configuration and route patterns.
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.registry import Collector

from ticker import __version__
from ticker.health import OPERATIONS
from ticker.quotes import Reason, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from prometheus_client.core import Metric

    from ticker.health import Health, Histogram, StoreHealth
    from ticker.quotes import Snapshot
    from ticker.web.context import Traffic

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
    ) -> None:
        """`symbols` are the instruments each source feeds."""
        self._snapshot = snapshot
        self._health = health
        self._symbols = symbols
        self._traffic = traffic
        self._store = store

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time: a scrape is cheap enough."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Every metric of the contract."""
        build = GaugeMetricFamily("ticker_build_info", "The running build; always 1.", labels=["version", "python"])
        build.add_metric([__version__, platform.python_version()], 1)
        yield build
        yield GaugeMetricFamily("ticker_leader", "1 where this process polls the sources.", value=1)
        yield from self._quotes(self._snapshot())
        yield from self._sources()
        yield from self._http()
        yield from self._storing()

    def _quotes(self, snapshot: Snapshot) -> Iterable[Metric]:
        price = GaugeMetricFamily(
            "ticker_quote_price", "The price shown, in the quote's currency.", labels=["symbol", "source"]
        )
        as_of = _gauge("ticker_quote_as_of_timestamp_seconds", "The source's own time of the price.", "symbol")
        status = GaugeMetricFamily("ticker_quote_status", "1 for the quote's status.", labels=["symbol", "status"])
        agreeing = _gauge("ticker_quote_sources_agreeing", "Sources within the tolerance.", "symbol")
        spread = _gauge("ticker_quote_spread_ratio", "Highest less lowest source over the price.", "symbol")
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

    def _sources(self) -> Iterable[Metric]:
        up = _gauge("ticker_source_up", "1 if the last poll succeeded.", "source")
        polls = CounterMetricFamily("ticker_source_polls", "Polls that have ended.", labels=["source"])
        failures = CounterMetricFamily("ticker_source_poll_failures", "Failed polls.", labels=["source", "reason"])
        rejected = CounterMetricFamily("ticker_ticks_rejected", "Refused ticks.", labels=["source", "symbol", "reason"])
        duration = HistogramMetricFamily(
            "ticker_source_poll_duration_seconds", "Duration of a poll.", labels=["source"]
        )
        last = _gauge("ticker_source_last_success_timestamp_seconds", "Last poll that succeeded; 0 before.", "source")
        following = _gauge("ticker_source_next_poll_timestamp_seconds", "When the next poll is due.", "source")
        for source, health in self._health.items():
            up.add_metric([source], float(health.up is True))
            polls.add_metric([source], health.polls)
            for reason in POLL_REASONS:
                failures.add_metric([source, reason], health.failures[reason])
            for symbol in self._symbols[source]:
                for reason in TICK_REASONS:
                    rejected.add_metric([source, symbol, reason], health.rejected[symbol, reason])
            duration.add_metric([source], *_buckets(health.duration))
            last.add_metric([source], _seconds(health.last_success))
            following.add_metric([source], _seconds(health.next_poll))
        yield from (up, polls, failures, rejected, duration, last, following)

    def _http(self) -> Iterable[Metric]:
        requests = CounterMetricFamily("ticker_http_requests", "Answers given.", labels=["route", "method", "code"])
        for (route, method, code), count in self._traffic.requests.items():
            requests.add_metric([route, method, str(code)], count)
        durations = HistogramMetricFamily("ticker_http_request_duration_seconds", "Time to answer.", labels=["route"])
        for route, histogram in self._traffic.durations.items():
            durations.add_metric([route], *_buckets(histogram))
        clients = GaugeMetricFamily("ticker_stream_clients", "Open event streams.", value=self._traffic.streams)
        yield from (requests, durations, clients)

    def _storing(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("ticker_store_up", "1 while the store takes what is written.", float(self._store.up))
        failures = CounterMetricFamily("ticker_store_failures", "Failures of the store.", labels=["operation"])
        for operation in OPERATIONS:
            failures.add_metric([operation], self._store.failures[operation])
        written = CounterMetricFamily("ticker_store_rows_written", "New rows of history.", self._store.written)
        dropped = CounterMetricFamily(
            "ticker_store_rows_dropped", "Rows the queue had no room for.", self._store.dropped
        )
        queued = GaugeMetricFamily("ticker_store_queued_rows", "Rows waiting to be written.", self._store.queued)
        yield from (up, failures, written, dropped, queued)


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


def _gauge(name: str, text: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=[label])


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _buckets(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    running, buckets = 0, []
    for bound, count in zip((*map(str, histogram.bounds), "+Inf"), histogram.counts, strict=True):
        running += count
        buckets.append((bound, float(running)))
    return buckets, histogram.total
