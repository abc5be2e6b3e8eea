"""The contract's metrics, read at scrape time from the board, the sources' health and plain counters."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from ticker import __version__
from ticker.metrics.families import buckets, gauge, process, seconds, storing
from ticker.quotes import Reason, Status
from ticker.vitals import Vitals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from prometheus_client.core import Metric

    from ticker.health import Health, StoreHealth
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
        vitals: Vitals | None = None,
    ) -> None:
        """`symbols` are the instruments each source feeds."""
        self._snapshot = snapshot
        self._health = health
        self._symbols = symbols
        self._traffic = traffic
        self._store = store
        self._vitals = vitals or Vitals()

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
        following = gauge("ticker_source_next_poll_timestamp_seconds", "When the next poll is due.", "source")
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
            following.add_metric([source], seconds(health.next_poll))
        yield from (up, polls, failures, rejected, duration, last, following)

    def _http(self) -> Iterable[Metric]:
        requests = CounterMetricFamily("ticker_http_requests", "Answers given.", labels=["route", "method", "code"])
        for (route, method, code), count in self._traffic.requests.items():
            requests.add_metric([route, method, str(code)], count)
        durations = HistogramMetricFamily("ticker_http_request_duration_seconds", "Time to answer.", labels=["route"])
        for route, histogram in self._traffic.durations.items():
            durations.add_metric([route], *buckets(histogram))
        clients = GaugeMetricFamily("ticker_stream_clients", "Open event streams.", value=self._traffic.streams)
        yield from (requests, durations, clients)
