"""How often one client may ask."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from tests.support.running_service import Served, serving
from tests.support.upstream import NOON, Upstream
from ticker.settings.errors import ConfigurationError
from ticker.settings.loader import load
from ticker.web import limits
from ticker.web.limits import RateLimiter

PROXY = ("10.0.0.0/8", "::1")


async def test_nobody_is_limited_unless_it_is_configured(served: Served) -> None:
    """And nothing is said of limits."""
    answer = await served.client.get("/v1/quotes")
    assert not {name for name in answer.headers if name.startswith("RateLimit")}


async def test_who_asks_too_often_is_told_when_to_come_back() -> None:
    """429 as a problem, with the fields of the draft; after the wait there is an answer again."""
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url, flags={"server.rate_limit": 3}) as served:
            for left in (2, 1, 0):
                answer = await served.client.get("/v1/quotes")
                assert (answer.status, answer.headers["RateLimit-Policy"]) == (200, '"default";q=3;w=60')
                assert answer.headers["RateLimit"] == f'"default";r={left};t={60 - 20 * left}'
            refused = await served.client.get("/nothing")
            assert (refused.status, refused.headers["Retry-After"]) == (429, "20")
            assert (refused.content_type, refused.headers["Cache-Control"]) == ("application/problem+json", "no-store")
            assert refused.headers["Access-Control-Allow-Origin"] == "*"
            for path in ("/healthz", "/readyz", "/metrics"):
                assert (await served.client.get(path)).status != 429
            served.clock.now += timedelta(seconds=20)
            assert (await served.client.get("/v1/quotes")).status == 200
            assert (await served.client.get("/v1/quotes")).status == 429


@given(st.lists(st.floats(0, 30), min_size=1, max_size=60), st.integers(1, 20))
def test_no_pattern_of_asking_gets_more_than_the_rate_and_one_bucket(gaps: list[float], rate: int) -> None:
    """Over any stretch of time."""
    limiter, now, granted = RateLimiter(rate), NOON, 0
    for gap in gaps:
        now += timedelta(seconds=gap)
        granted += limiter.take("a", now) >= 0
    assert granted <= rate + sum(gaps) * rate / 60 + 1e-6


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asked longest ago is forgotten first."""
    monkeypatch.setattr(limits, "_MOST", 100)
    limiter = RateLimiter(1)
    for number in range(1000):
        limiter.take(str(number), NOON)
    assert len(limiter._buckets) == 100
    assert limiter.take("999", NOON) < 0
    assert limiter.take("0", NOON) == 0


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", "192.0.2.1"),
        ("10.1.1.1", "198.51.100.7", "198.51.100.7"),
        ("10.1.1.1", "6.6.6.6, 198.51.100.7", "198.51.100.7"),
        ("10.1.1.1", "6.6.6.6, 198.51.100.7, 10.2.2.2", "198.51.100.7"),
        ("10.1.1.1", "10.3.3.3", "10.3.3.3"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("10.1.1.1", "nonsense", "10.1.1.1"),
        ("::ffff:10.1.1.1", "198.51.100.7", "198.51.100.7"),
        ("2001:db8::1", "", "2001:db8::/64"),
        ("2001:db8::ffff", "", "2001:db8::/64"),
        (None, "198.51.100.7", "unknown"),
    ],
)
def test_only_a_trusted_proxy_is_believed(peer: str | None, forwarded: str, client: str) -> None:
    """The last address that none of ours vouches for; an IPv6 client is its network."""
    assert RateLimiter(1, PROXY).client(peer, CIMultiDict({"X-Forwarded-For": forwarded})) == client


@pytest.mark.parametrize(
    ("lines", "client"),
    [
        ([("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "198.51.100.7")], "198.51.100.7"),
        ([("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "198.51.100.7, 10.2.2.2")], "198.51.100.7"),
        (
            [("X-Forwarded-For", ", ".join(f"6.6.{n // 250}.{n % 250}" for n in range(5000)) + ", 198.51.100.7")],
            "198.51.100.7",
        ),
        ([("X-Forwarded-For", "6.6.6.6" + "," * 5000 + "198.51.100.7")], "198.51.100.7"),
        ([("X-Forwarded-For", "198.51.100.7:51234")], "198.51.100.7"),
        ([("X-Forwarded-For", "[2001:db8::1]:443")], "2001:db8::/64"),
        ([("X-Forwarded-For", "[2001:db8::1]")], "2001:db8::/64"),
        ([("X-Forwarded-For", "2001:db8::1, 10.2.2.2:80")], "2001:db8::/64"),
        ([("X-Forwarded-For", "6.6.6.6, unknown")], "10.1.1.1"),
        ([("Forwarded", "for=198.51.100.7")], "198.51.100.7"),
        ([("Forwarded", 'for=6.6.6.6, FOR="198.51.100.7:80";proto=https;by=10.1.1.1')], "198.51.100.7"),
        ([("Forwarded", 'for="[2001:db8::1]:4711", for=10.9.9.9')], "2001:db8::/64"),
        ([("Forwarded", "for=6.6.6.6"), ("Forwarded", "proto=http; for=198.51.100.7")], "198.51.100.7"),
        ([("Forwarded", 'for="6.6.6.6, for=198.51.100.7')], "198.51.100.7"),
        ([("Forwarded", "for=_hidden")], "10.1.1.1"),
        ([("Forwarded", "proto=https")], "10.1.1.1"),
        ([("X-Forwarded-For", "198.51.100.7"), ("Forwarded", "for=198.51.100.7")], "198.51.100.7"),
        ([("X-Forwarded-For", "198.51.100.7"), ("Forwarded", "for=6.6.6.6")], "10.1.1.1"),
    ],
)
def test_no_forged_chain_gives_a_client_a_second_bucket(lines: list[tuple[str, str]], client: str) -> None:
    """All lines are one list, read from its right end; what a client writes itself stands to the left."""
    assert RateLimiter(1, PROXY).client("10.1.1.1", CIMultiDict(lines)) == client


def test_a_proxy_that_is_no_network_stops_the_start() -> None:
    """With the mend."""
    with pytest.raises(ConfigurationError, match="is no address or network"):
        load(None, {}, {"server.trusted_proxies": ["nginx"]})
