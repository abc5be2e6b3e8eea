"""What ops see: names of the contract, series from the start, a text that Prometheus takes."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_prometheus
from prometheus_client.registry import Collector

from tests.support.programs import needs
from tests.support.running_service import Served, answered, serving
from tests.support.upstream import NOON, Upstream
from ticker.metrics import Exposition

# The contract's names and labels.
CONTRACT = {
    "ticker_build_info": {"version", "python"},
    "ticker_quote_price": {"symbol", "source"},
    "ticker_quote_as_of_timestamp_seconds": {"symbol"},
    "ticker_quote_status": {"symbol", "status"},
    "ticker_quote_sources_agreeing": {"symbol"},
    "ticker_quote_spread_ratio": {"symbol"},
    "ticker_ticks_rejected_total": {"source", "symbol", "reason"},
    "ticker_rows_skipped_total": {"source"},
    "ticker_source_up": {"source"},
    "ticker_source_polls_total": {"source"},
    "ticker_source_poll_failures_total": {"source", "reason"},
    "ticker_source_poll_duration_seconds_count": {"source"},
    "ticker_source_last_success_timestamp_seconds": {"source"},
    "ticker_source_next_poll_timestamp_seconds": {"source"},
    "ticker_publication_late": {"source"},
    "ticker_calendar_covered_until_timestamp_seconds": {"calendar"},
    "ticker_http_requests_total": {"route", "method", "code"},
    "ticker_http_request_duration_seconds_count": {"route"},
    "ticker_stream_clients": set(),
    "ticker_leader": set(),
}
FROM_THE_START = set(CONTRACT) - {
    "ticker_quote_price",  # unknown is absent, never 0
    "ticker_quote_as_of_timestamp_seconds",  # the same
    "ticker_http_requests_total",  # by what was asked
    "ticker_http_request_duration_seconds_count",  # the same
}


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The trio, polled once."""
    async with answered() as service:
        yield service


async def scraped(served: Served, accept: str = "") -> str:
    """The text of /metrics."""
    answer = await served.client.get("/metrics", headers={"Accept": accept})
    assert answer.status == 200
    return await answer.text()


def samples(families: list[Metric]) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Labels and value of every sample, by name."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in families:
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def checked(promtool: str, text: str) -> subprocess.CompletedProcess[str]:
    """What promtool says of a scrape."""
    command = (promtool, "check", "metrics")
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=30, check=False)


async def test_every_name_of_the_contract_is_there_with_its_labels(served: Served) -> None:
    """Alerts and dashboards are written against them."""
    await served.client.get("/v1/quotes")
    found = samples(list(read_prometheus(await scraped(served))))
    for name, labels in CONTRACT.items():
        assert name in found, name
        assert all(set(each) == labels for each, _ in found[name]), name
    assert any(name.startswith("process_") for name in found)
    assert any(name.startswith("python_") for name in found)


@pytest.mark.programs
async def test_promtool_finds_nothing_to_say(served: Served) -> None:
    """Names, units and help texts are as Prometheus wants them."""
    await served.client.get("/v1/quotes")
    text = await scraped(served)
    done = await asyncio.to_thread(checked, needs("promtool"), text)
    ours = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("ticker_")]
    assert (done.returncode, ours) == (0, [])


async def test_openmetrics_is_given_where_it_is_asked_for(served: Served) -> None:
    """And is what its own parser takes."""
    accept = "application/openmetrics-text; version=1.0.0"
    answer = await served.client.get("/metrics", headers={"Accept": accept})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    found = samples(list(read_openmetrics(await answer.text())))  # type: ignore[no-untyped-call]  # prometheus_client's own lack
    assert set(FROM_THE_START) <= set(found)
    plain = await served.client.get("/metrics")
    assert plain.headers["Content-Type"].startswith("text/plain; version=")


async def test_a_series_exists_before_anything_has_happened() -> None:
    """At 0, so that the first failure is a step that an alert sees; a price that is not known is absent."""
    async with Upstream() as upstream:
        upstream.fail("/", "hang")
        async with serving(upstream.url) as service:
            found = samples(list(read_prometheus(await scraped(service))))
    assert set(FROM_THE_START) <= set(found)
    assert "ticker_quote_price" not in found
    for name in ("ticker_ticks_rejected_total", "ticker_source_poll_failures_total", "ticker_source_polls_total"):
        assert {value for _, value in found[name]} == {0}
    refused = {(labels["source"], labels["symbol"]) for labels, _ in found["ticker_ticks_rejected_total"]}
    assert ("cbr", "USD") in refused
    assert ("cbr", "OIL") not in refused


async def test_the_numbers_are_those_of_the_board(served: Served) -> None:
    """Price, time, status, sources: one snapshot."""
    found = samples(list(read_prometheus(await scraped(served))))
    assert ({"symbol": "USD", "source": "cbr"}, 100.6798) in found["ticker_quote_price"]
    midnight = NOON.replace(hour=0).timestamp()
    assert ({"symbol": "USD"}, midnight) in found["ticker_quote_as_of_timestamp_seconds"]
    states = {labels["status"]: value for labels, value in found["ticker_quote_status"] if labels["symbol"] == "USD"}
    assert states == {"fresh": 1, "stale": 0, "unavailable": 0}
    assert {value for _, value in found["ticker_source_up"]} == {1}


async def test_a_failed_poll_is_counted_with_its_reason() -> None:
    """Once a poll, beside the total; the source is down."""
    async with Upstream() as upstream:
        upstream.trio()
        upstream.fail("/cbr/", "status:503")
        async with serving(upstream.url) as service:
            await service.ready()
            found = samples(list(read_prometheus(await scraped(service))))
    assert ({"source": "cbr", "reason": "http_5xx"}, 1) in found["ticker_source_poll_failures_total"]
    assert ({"source": "cbr"}, 1) in found["ticker_source_polls_total"]
    assert ({"source": "cbr"}, 0) in found["ticker_source_up"]


@pytest.mark.parametrize(("passed", "late"), [(timedelta(hours=7, minutes=59), 0), (timedelta(hours=8), 1)])
async def test_a_missing_table_is_told_at_once_and_shown_right_until_midnight(
    served: Served, passed: timedelta, late: int
) -> None:
    """Noon of 22 November 2024: Saturday's table is due at four, late at eight, and missed at midnight only."""
    served.clock.now = NOON + passed
    found = samples(list(read_prometheus(await scraped(served))))
    assert ({"source": "cbr"}, late) in found["ticker_publication_late"]
    assert ({"source": "moex"}, 0) in found["ticker_publication_late"]
    assert ({"symbol": "USD", "status": "fresh"}, 1) in found["ticker_quote_status"]


async def test_what_is_known_of_an_exchanges_days_ends_with_its_year(served: Served) -> None:
    """The exchange has announced 2026: the end of that year in Moscow."""
    found = samples(list(read_prometheus(await scraped(served))))
    ends = {labels["calendar"]: value for labels, value in found["ticker_calendar_covered_until_timestamp_seconds"]}
    assert ends["moex_forts"] == datetime(2027, 1, 1, tzinfo=NOON.tzinfo).timestamp()
    assert "eia" not in ends


async def test_a_histogram_adds_up(served: Served) -> None:
    """Buckets grow, and the last one is the count."""
    await served.client.get("/widget")
    found = samples(list(read_prometheus(await scraped(served))))
    for name, label in (
        ("ticker_source_poll_duration_seconds", "source"),
        ("ticker_http_request_duration_seconds", "route"),
    ):
        for labels, count in found[f"{name}_count"]:
            buckets = [value for each, value in found[f"{name}_bucket"] if each[label] == labels[label]]
            assert buckets == sorted(buckets)
            assert buckets[-1] == count
        assert max(count for _, count in found[f"{name}_count"]) >= 1


async def test_a_scrape_is_made_once_a_second_for_all(served: Served) -> None:
    """However many scrape, in whatever forms: it takes milliseconds, in which no reader is answered."""

    class Counted(Collector):
        """Counts how often it is asked."""

        made = 0

        def collect(self) -> list[Metric]:
            self.made += 1
            return []

    counted, now = Counted(), [0.0]
    exposition = Exposition(counted, timer=lambda: now[0])
    counted.made = 0
    for _ in range(100):
        exposition.scrape("")
        exposition.scrape("application/openmetrics-text; version=1.0.0")
    assert counted.made == 2
    now[0] = 1.1
    exposition.scrape("")
    assert counted.made == 3
    texts = [await scraped(served) for _ in range(2)]
    assert texts[0] == texts[1]


async def test_a_scrape_is_compressed_where_that_is_asked_for(served: Served) -> None:
    """Prometheus asks for gzip: a tenth of the bytes."""
    answer = await served.client.get("/metrics", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
    body = await answer.read()
    assert gzip.decompress(body).startswith(b"# HELP ")
    assert len(body) < 12_000
