"""What ops see: one registry an application. Labels are bounded by configuration and route patterns.

Everything is read at scrape time: from what was counted of answers, from the board, the sources' health and the
process's.
"""

from __future__ import annotations

import gzip
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from time import monotonic

from cachetools import TTLCache
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.registry import Collector

from ticker import __version__
from ticker.calendars import Calendar, covered_until
from ticker.health import OPERATIONS, Health, Histogram, ProcessHealth, StoreHealth
from ticker.quotes import Reason, Snapshot, Status

# Seconds, the bounds of the histogram of answers.
_ANSWER_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 1.0)
# What a route is known to answer: these series exist at 0, so that the first error is already a rise.
_CODES = (200, 304, 500)
# An exposition is made at most once in so many seconds, however many scrape; and so many forms of it are kept.
_SCRAPE_SECONDS, _FORMS = 1.0, 8
# The reasons a poll can fail for, and those a tick can be refused for; every series exists at 0 from the start.
TICK_REASONS = (Reason.UNIT, Reason.RANGE, Reason.MOVE, Reason.FUTURE, Reason.FROZEN, Reason.DISAGREE)
POLL_REASONS = tuple(reason for reason in Reason if reason not in TICK_REASONS[2:])


class _Series:
    """How often one route gave one answer, and the durations of the route."""

    __slots__ = ("answers", "durations")

    def __init__(self, durations: Histogram) -> None:
        self.answers = 0
        self.durations = durations


class Traffic(Collector):
    """Counts what was asked and answered, by route pattern; unknown paths are one route.

    In plain numbers: prometheus_client's own Counter and Histogram take 1.3 µs an answer, which is a third of what the
    fast path takes for all of it.
    """

    def __init__(self) -> None:
        self.streams = 0
        self._series: dict[tuple[str, str, int], _Series] = {}
        self._durations: dict[str, Histogram] = {}

    def count(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer and the seconds it took."""
        series = self._series.get((route, method, status)) or self._begin(route, method, status)
        series.answers += 1
        series.durations.observe(seconds)

    def expect(self, route: str) -> None:
        """Begin the series of a route at 0."""
        for code in _CODES:
            self._begin(route, "GET", code)

    @property
    def requests(self) -> Counter[tuple[str, str, int]]:
        """How many answers were given, by route, method and status."""
        return Counter({labels: series.answers for labels, series in self._series.items()})

    def collect(self) -> Iterable[Metric]:
        """The families of the contract."""
        requests = CounterMetricFamily("ticker_http_requests", "Answers given.", labels=["route", "method", "code"])
        for (route, method, code), series in self._series.items():
            requests.add_metric([route, method, str(code)], series.answers)
        durations = HistogramMetricFamily("ticker_http_request_duration_seconds", "Time to answer.", labels=["route"])
        for route, histogram in self._durations.items():
            durations.add_metric([route], *buckets(histogram))
        yield from (requests, durations)
        yield GaugeMetricFamily("ticker_stream_clients", "Open event streams.", value=self.streams)

    def _begin(self, route: str, method: str, status: int) -> _Series:
        durations = self._durations.setdefault(route, Histogram(_ANSWER_SECONDS))
        return self._series.setdefault((route, method, status), _Series(durations))


class TickerCollector(Collector):
    """Reads the board, the sources' health and the process's; each scrape sees one snapshot."""

    def __init__(
        self,
        snapshot: Callable[[], Snapshot],
        sources: Callable[[], Mapping[str, Health]],
        symbols: Callable[[str], tuple[str, ...]],
        store: StoreHealth,
        process_health: ProcessHealth,
        fast_path_open: Callable[[], bool],
    ) -> None:
        """`symbols` are the instruments that a source feeds."""
        self._snapshot = snapshot
        self._health = sources
        self._symbols = symbols
        self._store = store
        self._process_health = process_health
        self._fast_path_open = fast_path_open

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
        yield GaugeMetricFamily(
            "ticker_fast_path_open", "1 while the fast path answers what is cached.", float(self._fast_path_open())
        )
        yield from storing(self._store)
        yield from process(self._process_health)

    def _quotes(self, snapshot: Snapshot) -> Iterable[Metric]:
        price = GaugeMetricFamily(
            "ticker_quote_price", "The price shown, in the quote's currency.", labels=["symbol", "source"]
        )
        as_of = gauge("ticker_quote_as_of_timestamp_seconds", "The source's own time of the price.", "symbol")
        status = GaugeMetricFamily("ticker_quote_status", "1 for the quote's status.", labels=["symbol", "status"])
        agreeing = gauge("ticker_quote_sources_agreeing", "Sources within the tolerance.", "symbol")
        spread = gauge("ticker_quote_spread_ratio", "Highest less lowest source over the price.", "symbol")
        held = GaugeMetricFamily(
            "ticker_quote_override", "1 while an editor holds the quote in this mode.", labels=["symbol", "mode"]
        )
        for quote in snapshot.quotes:
            for mode in ("freeze", "hide", "price"):
                held.add_metric([quote.symbol, mode], float(quote.override is not None and quote.override.mode == mode))
            if quote.price is not None and quote.source is not None:
                price.add_metric([quote.symbol, quote.source], float(quote.price))
            if quote.as_of is not None:
                as_of.add_metric([quote.symbol], quote.as_of.timestamp())
            for each in Status:
                status.add_metric([quote.symbol, each], float(quote.status is each))
            agreement = quote.agreement
            agreeing.add_metric([quote.symbol], agreement.sources if agreement else 0)
            spread.add_metric([quote.symbol], float(agreement.spread_percent) / 100 if agreement else 0)
        yield from (price, as_of, status, agreeing, spread, held)

    def _instruments(self, snapshot: Snapshot) -> Iterable[Metric]:
        """What alerts need of the configuration: which source feeds what, and from where on they disagree."""
        fed = GaugeMetricFamily(
            "ticker_instrument_source_info", "1 for each source of an instrument.", labels=["symbol", "source"]
        )
        for source in self._health():
            for symbol in self._symbols(source):
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
        skipped = CounterMetricFamily("ticker_rows_skipped", "Rows that could not be read.", labels=["source"])
        duration = HistogramMetricFamily(
            "ticker_source_poll_duration_seconds", "Duration of a poll.", labels=["source"]
        )
        last = gauge("ticker_source_last_success_timestamp_seconds", "Last poll that succeeded; 0 before.", "source")
        following = gauge("ticker_source_next_poll_timestamp_seconds", "When the next poll is due.", "source")
        for source, each in self._health().items():
            up.add_metric([source], float(each.up is True))
            polls.add_metric([source], each.polls)
            for reason in POLL_REASONS:
                failures.add_metric([source, reason], each.failures[reason])
            for symbol in self._symbols(source):
                for reason in TICK_REASONS:
                    rejected.add_metric([source, symbol, reason], each.rejected[symbol, reason])
            skipped.add_metric([source], each.rows_skipped)
            duration.add_metric([source], *buckets(each.duration))
            last.add_metric([source], seconds(each.last_success))
            following.add_metric([source], seconds(each.next_poll))
        yield from (up, polls, failures, rejected, skipped, duration, last, following)


class CalendarCollector(Collector):
    """Until when the calendars in use are known, and which sources have not published what was due."""

    def __init__(self, calendars: Callable[[], Mapping[str, Calendar]], late: Callable[[], Mapping[str, bool]]) -> None:
        """`calendars` by name, `late` by source."""
        self._calendars = calendars
        self._late = late

    def collect(self) -> Iterable[Metric]:
        """The two families; a calendar without dated facts has no end."""
        covered = gauge(
            "ticker_calendar_covered_until_timestamp_seconds",
            "Until when a calendar's dated facts are known.",
            "calendar",
        )
        for name, calendar in self._calendars().items():
            end = covered_until(calendar)
            if end is not None:
                covered.add_metric([name], end.timestamp())
        missing = gauge("ticker_publication_late", "1 while a table that was due has not come.", "source")
        for source, is_late in self._late().items():
            missing.add_metric([source], float(is_late))
        yield from (covered, missing)


@dataclass(frozen=True, slots=True)
class Scrape:
    """One exposition in one form, as it is and compressed."""

    body: bytes
    gzipped: bytes
    content_type: str


class Exposition:
    """From an `Accept` header to what a scrape gets, out of a registry of its own.

    It is made at most once a second for all who scrape, and anew when `version` says that the board has changed: it
    takes 10 ms, in which nobody else is answered.
    """

    def __init__(
        self,
        *collectors: Collector,
        version: Callable[[], int] = lambda: 0,
        timer: Callable[[], float] = monotonic,
    ) -> None:
        self._version = version
        self._registry = CollectorRegistry()
        for each in (*collectors, ProcessCollector(registry=None), PlatformCollector(registry=None)):
            self._registry.register(each)
        GCCollector(registry=self._registry)
        self._scrapes: TTLCache[tuple[str, int], Scrape] = TTLCache(_FORMS, _SCRAPE_SECONDS, timer)

    def scrape(self, accept: str) -> Scrape:
        """Everything as it stood at most a second ago; the quotes as they stand."""
        encode, content_type = choose_encoder(accept)
        key = content_type, self._version()
        found = self._scrapes.get(key)
        if found is None:
            body = encode(self._registry)
            found = self._scrapes[key] = Scrape(body, gzip.compress(body, 3, mtime=0), content_type)
        return found


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
    yield from _tasks(process_health)
    yield CounterMetricFamily(
        "ticker_log_lines_dropped",
        "Log lines that were dropped because nobody read them in time.",
        process_health.log_lines_dropped(),
    )
    yield from (GaugeMetricFamily(name, text, value=value) for name, text, value in plain)


def _tasks(process_health: ProcessHealth) -> Iterable[Metric]:
    supervisor = process_health.supervisor
    up = gauge("ticker_task_up", "1 while a task in the background runs and has not failed of late.", "task")
    restarts = CounterMetricFamily(
        "ticker_task_restarts", "Faults of a task, each followed by its restart.", labels=["task"]
    )
    for name, task in supervisor.tasks.items():
        up.add_metric([name], float(supervisor.is_up(name)))
        restarts.add_metric([name], task.restarts)
    yield from (up, restarts)


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


class RecordCollector(Collector):
    """How many entries of the public record were written, and how deliveries to webhooks ended."""

    def __init__(
        self,
        counted: Callable[[], Mapping[tuple[str, str], int]],
        symbols: Callable[[], Iterable[str]],
        outcomes: Callable[[], Mapping[tuple[str, str], int]],
        hooks: Callable[[], Iterable[str]],
    ) -> None:
        """`counted` is by symbol and kind, `outcomes` by the hook's name and how a delivery ended."""
        self._counted = counted
        self._symbols = symbols
        self._outcomes = outcomes
        self._hooks = hooks

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time: a scrape is cheap enough."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Every series from 0 on."""
        entries = CounterMetricFamily("ticker_corrections", "Entries of the public record.", labels=["symbol", "kind"])
        counted = self._counted()
        for symbol in self._symbols():
            for kind in ("wrong", "late", "missing", "edited"):
                entries.add_metric([symbol, kind], counted.get((symbol, kind), 0))
        yield entries
        text = "Attempts to tell a webhook."
        told = CounterMetricFamily("ticker_webhook_deliveries", text, labels=["name", "outcome"])
        outcomes = self._outcomes()
        for name in self._hooks():
            for outcome in ("delivered", "failed", "dropped"):
                told.add_metric([name, outcome], outcomes.get((name, outcome), 0))
        yield told
