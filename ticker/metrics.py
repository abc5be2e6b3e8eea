"""What ops see: one registry an application. Labels are bounded by configuration and route patterns.

Everything is read at scrape time: from what was counted of answers, from the board, the sources' health and the
process's.
"""

from __future__ import annotations

import gzip
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from time import monotonic
from typing import SupportsFloat, TypeVar

from cachetools import TTLCache
from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.gc_collector import GCCollector
from prometheus_client.registry import Collector

from ticker import __version__
from ticker.calendars import Calendar, covered_until
from ticker.health import OPERATIONS, Health, Histogram, ProcessHealth, StoreHealth
from ticker.quotes import Instrument, Reason, Snapshot, Status

# Seconds, the bounds of the histogram of answers.
_ANSWER_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 1.0)
# What a route is known to answer: these series exist at 0, so that the first error is already a rise.
_CODES = (200, 304, 500)
# An exposition is made at most once in so many seconds, however many scrape; and so many forms of it are kept.
_SCRAPE_SECONDS, _FORMS = 1.0, 8
# The reasons a poll can fail for, and those a tick can be refused for; every series exists at 0 from the start.
TICK_REASONS = (Reason.UNIT, Reason.RANGE, Reason.MOVE, Reason.FUTURE, Reason.FROZEN, Reason.DISAGREE)
POLL_REASONS = tuple(reason for reason in Reason if reason not in TICK_REASONS[2:])


Labels = TypeVar("Labels", bound=tuple[str, ...])


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
        answers = {(route, method, str(code)): each.answers for (route, method, code), each in self._series.items()}
        yield counter("ticker_http_requests", "Answers given.", "route method code", answers)
        durations = {(route,): each for route, each in self._durations.items()}
        yield histogram("ticker_http_request_duration_seconds", "Time to answer.", "route", durations)
        yield gauge("ticker_stream_clients", "Open event streams.", "", {(): self.streams})

    def _begin(self, route: str, method: str, status: int) -> _Series:
        durations = self._durations.setdefault(route, Histogram(_ANSWER_SECONDS))
        return self._series.setdefault((route, method, status), _Series(durations))


class Gathered(Collector):
    """Every family that `gather` gives, read at each scrape."""

    def __init__(self, gather: Callable[[], Iterable[Metric]]) -> None:
        self._gather = gather

    def describe(self) -> Iterable[Metric]:
        """Nothing ahead of time: a scrape is cheap enough."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The families as they stand."""
        return self._gather()


def of_quotes(snapshot: Snapshot) -> Iterable[Metric]:
    """The board, and from where on its sources disagree."""
    quotes = {(quote.symbol,): quote for quote in snapshot.quotes}
    prices = {(q.symbol, q.source): q.price for q in quotes.values() if q.price is not None and q.source is not None}
    yield gauge("ticker_quote_price", "The price shown, in the quote's currency.", "symbol source", prices)
    times = {symbol: q.as_of.timestamp() for symbol, q in quotes.items() if q.as_of is not None}
    yield gauge("ticker_quote_as_of_timestamp_seconds", "The source's own time of the price.", "symbol", times)
    statuses = {(q.symbol, each): q.status is each for q in quotes.values() for each in Status}
    yield gauge("ticker_quote_status", "1 for the quote's status.", "symbol status", statuses)
    agreements = {symbol: q.agreement for symbol, q in quotes.items()}
    agreeing = {symbol: each.sources if each else 0 for symbol, each in agreements.items()}
    yield gauge("ticker_quote_sources_agreeing", "Sources within the tolerance.", "symbol", agreeing)
    spreads = {symbol: each.spread_percent / 100 if each else 0 for symbol, each in agreements.items()}
    yield gauge("ticker_quote_spread_ratio", "Highest less lowest source over the price.", "symbol", spreads)
    modes = {symbol: q.override.mode if q.override else None for symbol, q in quotes.items()}
    held = {(*symbol, each): mode == each for symbol, mode in modes.items() for each in ("freeze", "hide", "price")}
    yield gauge("ticker_quote_override", "1 while an editor holds the quote in this mode.", "symbol mode", held)
    tolerances = {symbol: q.instrument.tolerance for symbol, q in quotes.items()}
    yield gauge("ticker_instrument_tolerance_ratio", "A spread above this is disagreement.", "symbol", tolerances)


def of_sources(
    sources: Mapping[str, Health], wanted: Callable[[str], Sequence[Instrument]], late: Mapping[str, bool]
) -> Iterable[Metric]:
    """The sources' health. `wanted` are the instruments that a source feeds; one that is `late` did not publish."""
    health = {(source,): each for source, each in sources.items()}
    fed = [(each.symbol, source) for source in sources for each in wanted(source)]
    yield gauge(
        "ticker_instrument_source_info", "1 for each source of an instrument.", "symbol source", dict.fromkeys(fed, 1)
    )
    ups = {source: each.up is True for source, each in health.items()}
    yield gauge("ticker_source_up", "1 if the last poll succeeded.", "source", ups)
    polls = {source: each.polls for source, each in health.items()}
    yield counter("ticker_source_polls", "Polls that have ended.", "source", polls)
    failures = {(*source, why): each.failures[why] for source, each in health.items() for why in POLL_REASONS}
    yield counter("ticker_source_poll_failures", "Failed polls.", "source reason", failures)
    rejected = {
        (source, symbol, why): sources[source].rejected[symbol, why] for symbol, source in fed for why in TICK_REASONS
    }
    yield counter("ticker_ticks_rejected", "Refused ticks.", "source symbol reason", rejected)
    skipped = {source: each.rows_skipped for source, each in health.items()}
    yield counter("ticker_rows_skipped", "Rows that could not be read.", "source", skipped)
    durations = {source: each.duration for source, each in health.items()}
    yield histogram("ticker_source_poll_duration_seconds", "Duration of a poll.", "source", durations)
    last = {source: seconds(each.last_success) for source, each in health.items()}
    yield gauge("ticker_source_last_success_timestamp_seconds", "Last poll that succeeded; 0 before.", "source", last)
    following = {source: seconds(each.next_poll) for source, each in health.items()}
    yield gauge("ticker_source_next_poll_timestamp_seconds", "When the next poll is due.", "source", following)
    missing = {(source,): is_late for source, is_late in late.items()}
    yield gauge("ticker_publication_late", "1 while a table that was due has not come.", "source", missing)


def of_calendars(calendars: Mapping[str, Calendar]) -> Iterable[Metric]:
    """Until when the calendars in use are known; one without dated facts has no end."""
    ends = {(name,): covered_until(calendar) for name, calendar in calendars.items()}
    known = {name: end.timestamp() for name, end in ends.items() if end is not None}
    text = "Until when a calendar's dated facts are known."
    yield gauge("ticker_calendar_covered_until_timestamp_seconds", text, "calendar", known)


def of_process(process_health: ProcessHealth, *, fast_path_open: bool) -> Iterable[Metric]:
    """Whether the process does its own work: configuration, timetable, event loop, and who polls."""
    build = {(__version__, platform.python_version()): 1}
    yield gauge("ticker_build_info", "The running build; always 1.", "version python", build)
    text = "How late the event loop wakes a sleeper."
    yield histogram("ticker_event_loop_lag_seconds", text, "", {(): process_health.lag})
    supervisor = process_health.supervisor
    ups = {(name,): supervisor.is_up(name) for name in supervisor.tasks}
    yield gauge("ticker_task_up", "1 while a task in the background runs and has not failed of late.", "task", ups)
    restarts = {(name,): task.restarts for name, task in supervisor.tasks.items()}
    yield counter("ticker_task_restarts", "Faults of a task, each followed by its restart.", "task", restarts)
    dropped = process_health.log_lines_dropped()
    text = "Log lines that were dropped because nobody read them in time."
    yield counter("ticker_log_lines_dropped", text, "", {(): dropped})
    plain = (
        ("fast_path_open", "1 while the fast path answers what is cached.", fast_path_open),
        (
            "config_reload_success",
            "1 while the newest configuration asked for is in force.",
            process_health.reload_error is None,
        ),
        (
            "config_reload_success_timestamp_seconds",
            "When the configuration in force was taken.",
            seconds(process_health.reloaded_at),
        ),
        (
            "scheduler_last_run_timestamp_seconds",
            "When the timetable last ran a job.",
            seconds(process_health.timetable_ran_at),
        ),
        ("leader", "1 where this process polls the sources.", process_health.leads),
        ("replicas", "Processes that share the store, this one among them.", process_health.replicas),
    )
    yield from (gauge(f"ticker_{name}", text, "", {(): value}) for name, text, value in plain)


def of_store(store: StoreHealth) -> Iterable[Metric]:
    """Whether history is kept, and what was lost of it."""
    yield gauge("ticker_store_up", "1 while the store takes what is written.", "", {(): store.up})
    failures = {(operation,): store.failures[operation] for operation in OPERATIONS}
    yield counter("ticker_store_failures", "Failures of the store.", "operation", failures)
    yield counter("ticker_store_rows_written", "New rows of history.", "", {(): store.written})
    yield counter("ticker_store_rows_dropped", "Rows the queue had no room for.", "", {(): store.dropped})
    yield gauge("ticker_store_queued_rows", "Rows waiting to be written.", "", {(): store.queued})


def of_records(
    counted: Mapping[tuple[str, str], int],
    symbols: Iterable[str],
    outcomes: Mapping[tuple[str, str], int],
    hooks: Iterable[str],
) -> Iterable[Metric]:
    """Entries of the public record by symbol and kind, and how deliveries ended by the webhook's name; all from 0."""
    kinds, ends = ("wrong", "late", "missing", "edited"), ("delivered", "failed", "dropped")
    entries = {(symbol, kind): counted.get((symbol, kind), 0) for symbol in symbols for kind in kinds}
    yield counter("ticker_corrections", "Entries of the public record.", "symbol kind", entries)
    told = {(name, end): outcomes.get((name, end), 0) for name in hooks for end in ends}
    yield counter("ticker_webhook_deliveries", "Attempts to tell a webhook.", "name outcome", told)


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


def gauge(name: str, text: str, labels: str, samples: Mapping[Labels, SupportsFloat]) -> Metric:
    """A gauge: a value by the values of its labels."""
    return _filled(GaugeMetricFamily(name, text, labels=labels.split()), samples)


def counter(name: str, text: str, labels: str, samples: Mapping[Labels, SupportsFloat]) -> Metric:
    """A counter: a value by the values of its labels."""
    return _filled(CounterMetricFamily(name, text, labels=labels.split()), samples)


def _filled(made: GaugeMetricFamily | CounterMetricFamily, samples: Mapping[Labels, SupportsFloat]) -> Metric:
    for values, value in samples.items():
        made.add_metric(values, float(value))
    return made


def histogram(name: str, text: str, labels: str, samples: Mapping[Labels, Histogram]) -> Metric:
    """A histogram by the values of its labels."""
    made = HistogramMetricFamily(name, text, labels=labels.split())
    for values, each in samples.items():
        bounds, counts = (*map(str, each.bounds), "+Inf"), map(float, accumulate(each.counts))
        made.add_metric(values, list(zip(bounds, counts, strict=True)), each.total)
    return made


def seconds(moment: datetime | None) -> float:
    """Unix time of `moment`; 0 for what has never been."""
    return moment.timestamp() if moment else 0.0
