from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.parser import text_string_to_metric_families

from ticker.metrics import Exposition
from ticker.metrics.together import written

if TYPE_CHECKING:
    from prometheus_client.registry import Collector


def process(asked: int, streams: int, leads: int, took: float) -> CollectorRegistry:
    """What one process has counted."""
    registry = CollectorRegistry()
    requests = Counter("ticker_http_requests", "Answers.", ["code"], registry=registry)
    requests.labels("200").inc(asked)
    if streams:
        requests.labels("404").inc(streams)
    Gauge("ticker_stream_clients", "Streams.", registry=registry).set(streams)
    Gauge("ticker_leader", "Leads.", registry=registry).set(leads)
    Gauge("ticker_quote_price", "Price.", registry=registry).set(100.5 + leads)
    Histogram("ticker_seconds", "Time.", buckets=(1, 2), registry=registry).observe(took)
    return registry


def told(own: Collector, *others: tuple[bool, Collector]) -> dict[str, float]:
    """The samples of a scrape of `own` with `others` beside, by name and labels."""
    body, _ = Exposition(lambda: own)("", [(fresh, written(each)) for fresh, each in others])
    families = text_string_to_metric_families(body.decode())
    return {f"{s.name}{sorted(s.labels.items())}": s.value for family in families for s in family.samples}


def test_what_each_has_counted_is_added_up() -> None:
    """Counters and histograms, label by label, those too that only another process has."""
    samples = told(process(3, 0, 0, 0.5), (True, process(4, 2, 1, 1.5)))
    assert samples["ticker_http_requests_total[('code', '200')]"] == 7
    assert samples["ticker_http_requests_total[('code', '404')]"] == 2
    assert samples["ticker_seconds_bucket[('le', '1.0')]"] == 1
    assert samples["ticker_seconds_bucket[('le', '2.0')]"] == samples["ticker_seconds_count[]"] == 2
    assert samples["ticker_seconds_sum[]"] == 2


def test_a_gauge_is_what_it_means_for_all() -> None:
    """Streams add up, one leader is one for the service, and the price is nobody's sum."""
    samples = told(process(3, 1, 0, 0.5), (True, process(4, 2, 1, 1.5)))
    assert (samples["ticker_stream_clients[]"], samples["ticker_leader[]"]) == (3, 1)
    assert samples["ticker_quote_price[]"] == 100.5


def test_of_a_process_that_does_not_answer_only_what_it_counted_is_told() -> None:
    """Its streams are not open any more, and it leads nobody."""
    samples = told(process(3, 1, 0, 0.5), (False, process(4, 2, 1, 1.5)))
    assert samples["ticker_http_requests_total[('code', '200')]"] == 7
    assert (samples["ticker_stream_clients[]"], samples["ticker_leader[]"]) == (1, 0)
