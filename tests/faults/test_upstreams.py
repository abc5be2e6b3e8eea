"""Upstreams that fail in every way there is, the whole service over them: no number ever changes by a failure."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from tests.faults.faces import Faces, look
from tests.faults.injected import broken
from tests.support.captured_logs import heard
from tests.support.patience import PATIENCE
from tests.support.running_service import Served, serving
from tests.support.upstream import CBR, NOON, Upstream

SOURCES = ("cbr", "cbr_mirror", "moex", "yahoo")
# Asked only when a test asks; the clock of these tests leaps by weeks.
SELDOM = {f"sources.{source}.schedule": {"every": "900d", "jitter": "0s"} for source in SOURCES}
IMPATIENT = {f"sources.{source}.timeout": "400ms" for source in SOURCES}
# How, and the one reason that log, metric, /readyz, /v1/sources and the quotes give for it.
FAULTS = {
    "refused": "connect",
    "reset": "connect",
    "close": "connect",
    "black hole": "timeout",
    "hang": "timeout",
    "latency:5": "timeout",
    "drip:0.05": "timeout",
    "truncate": "parse",
    "garbage": "encoding",
    "empty": "parse",
    "html": "blocked",
    "renamed": "schema",
    "status:500": "http_5xx",
    "status:503": "http_5xx",
    "status:403": "http_4xx",
    "status:404": "http_4xx",
    "status:429": "rate_limited",
    "redirect:/cbr/loop": "blocked",
    "redirect:https://other.invalid/consent": "blocked",
    "redirect:file:///etc/passwd": "blocked",
    "redirect:http://169.254.169.254/latest/meta-data/": "blocked",
}


async def polled(served: Served) -> Faces:
    """What the service says after every source was asked once more."""
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*(served.service.poller.poll(source) for source in SOURCES))
    return await seen(served)


async def seen(served: Served) -> Faces:
    """What the service says."""
    return await look(served.client.session, str(served.client.make_url("")).rstrip("/"))


def patience(reason: str) -> Mapping[str, object]:
    """A short one only for what is about time, so that a slow machine is no fault."""
    return {**SELDOM, **(IMPATIENT if reason == "timeout" else {})}


async def lived(upstream: Upstream, how: str, reason: str) -> tuple[Faces, ...]:
    """What is seen before the fault, in its first minutes, after days, after weeks, and when it is over."""
    async with serving(upstream.url, flags=patience(reason)) as served:
        await served.ready()
        well = await seen(served)
        # The exchange's print of 11:45 is on time until 12:10; then the other market's newer one would speak.
        served.clock.now = NOON + timedelta(minutes=9)
        upstream.trio(usd="77.7", eur="88.8", brent="99.9", now=served.clock.now)
        async with broken(upstream, how):
            kept = await polled(served)
            served.clock.now = NOON + timedelta(days=5)
            marked = await polled(served)
            served.clock.now = NOON + timedelta(days=40)
            withdrawn = await polled(served)
        day = served.clock.now.date()
        upstream.trio(day, usd="101.5", eur="107.25", brent="74.5", now=served.clock.now)
        return well, kept, marked, withdrawn, await polled(served)


@pytest.mark.parametrize(("how", "reason"), FAULTS.items(), ids=FAULTS)
async def test_a_fault_of_every_upstream_changes_no_number(how: str, reason: str) -> None:
    """Kept, then marked, then withdrawn, each time with its reason; whole again as soon as the upstreams are."""
    with heard() as log:
        async with Upstream() as upstream:
            upstream.trio()
            well, kept, marked, withdrawn, back = await lived(upstream, how, reason)
    assert set(well.each("status").values()) == set(back.each("status").values()) == {"fresh"}
    assert kept.numbers == well.numbers
    assert kept.each("status") == well.each("status")
    # The oil's second source was last asked later than the first, and speaks where both are late: the same price.
    assert marked.each("price") == well.each("price")
    assert set(marked.each("status").values()) == {"stale"}
    assert withdrawn.each("price") == dict.fromkeys(well.quotes)
    assert set(marked.each("reason").values()) == set(withdrawn.each("reason").values()) == {reason}
    for now in (kept, marked, withdrawn):
        assert now.sources == dict.fromkeys(SOURCES, reason)
    # Each of the three times, and oftener where a slow machine lets a back-off run out in between.
    assert min(withdrawn.failures(source, reason) for source in SOURCES) >= 3
    said = [(line["source"], line["reason"]) for line in log if line["event"] == "source failed"]
    assert sorted(said) == [(source, reason) for source in SOURCES]
    assert back.sources == dict.fromkeys(SOURCES)
    assert list(map(str, back.each("price").values())) == ["101.5000", "107.2500", "74.50"]


@pytest.mark.parametrize("how", ["refused", "hang", "status:503"])
async def test_with_every_upstream_down_from_the_start_nothing_is_invented(how: str) -> None:
    """Every page answers, shows dashes, is not ready, and says why; the first answer that comes is shown."""
    async with Upstream() as upstream:
        upstream.trio()
        async with broken(upstream, how), AsyncExitStack() as stack:
            served = await stack.enter_async_context(serving(upstream.url, flags=patience("timeout")))
            await served.polled()
            cold = await seen(served)
            later = stack.pop_all()
        try:
            back = await polled(served)
        finally:
            await later.aclose()
    assert cold.each("price") == {"USD": None, "EUR": None, "OIL": None}
    assert cold.ready == 503
    assert None not in cold.each("reason").values()
    assert (back.ready, list(map(str, back.each("price").values()))) == (200, ["100.6798", "106.0762", "73.73"])


async def test_a_redirect_is_not_followed_to_another_host() -> None:
    """The other server is never asked, though it has the very answer."""
    async with Upstream() as upstream, Upstream() as other:
        for each in (upstream, other):
            each.trio()
        upstream.fail("/", f"redirect:{other.url}{CBR}")
        async with serving(upstream.url, flags=SELDOM) as served:
            await served.polled()
            assert (await seen(served)).sources == dict.fromkeys(SOURCES, "blocked")
        assert other.hits() == []


@pytest.mark.parametrize("how", ["status:500", "html", "renamed"])
async def test_a_failed_poll_leaves_nothing_for_the_collector(how: str) -> None:
    """Sources that fail for weeks cost no memory: what a failure knew of goes with it, not at some later collection."""
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url, flags=SELDOM) as served, broken(upstream, how):
            await served.polled()
            await polled(served)
            gc.collect()
            gc.disable()
            try:
                for _ in range(20):
                    for source in SOURCES:
                        await served.service.poller.poll(source)
                # Without the defence a poll leaves thirty objects at least.
                assert gc.collect() < 20 * len(SOURCES)
            finally:
                gc.enable()
