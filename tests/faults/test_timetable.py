"""How often an upstream in trouble is asked: never twice at once, never above its budget, never before its own word."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.faults.test_upstreams import SOURCES, seen
from tests.support.patience import PATIENCE
from tests.support.running_service import Served, serving
from tests.support.timekeepers import timetable
from tests.support.upstream import NOON, Upstream

OFTEN = {f"sources.{source}.schedule": {"every": "50ms", "jitter": "0s"} for source in SOURCES}
GENEROUS = {**OFTEN, **{f"sources.{source}.budget": 36_000 for source in SOURCES}}


async def until(true: Callable[[], bool]) -> None:
    """Wait until `true` is. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - many things happen that ring no bell
            await asyncio.sleep(0.01)


async def rounds(served: Served, upstream: Upstream, source: str, count: int) -> None:
    """Wait until `source` has been asked `count` times more: so long the others had their chance too."""
    wanted = len(upstream.hits(f"/{source}")) + count
    await until(lambda: len(upstream.hits(f"/{source}")) >= wanted)
    assert timetable(served.service)._scheduler.running


async def test_a_slow_upstream_is_never_asked_twice_at_once() -> None:
    """While one answer takes twenty turns of its schedule no second request is made, and the others go on."""
    async with Upstream() as upstream:
        upstream.trio()
        upstream.fail("/moex", "hang")
        async with serving(upstream.url, flags=GENEROUS) as served:
            await rounds(served, upstream, "yahoo", 20)
            assert len(upstream.hits("/moex")) == 1
            assert (await seen(served)).each("source")["OIL"] == "yahoo"


async def test_a_burst_of_500_is_not_answered_with_a_burst_of_requests() -> None:
    """However long it goes on, the budget of the hour is not passed; a well source is asked on."""
    budget = {**GENEROUS, "sources.cbr.budget": 5}
    async with Upstream() as upstream:
        upstream.trio()
        upstream.fail("/cbr/", "status:500")
        async with serving(upstream.url, flags=budget) as served:
            health = served.service.poller.health["cbr"]
            await until(lambda: health.next_poll == NOON + timedelta(hours=1))
            spent = len(upstream.hits("/cbr/"))
            await rounds(served, upstream, "moex", 20)
            assert 0 < len(upstream.hits("/cbr/")) == spent <= 5
            assert health.next_poll == NOON + timedelta(hours=1)
            assert (await seen(served)).failures("cbr", "http_5xx") == health.polls


@pytest.mark.parametrize("form", ["seconds", "date"])
async def test_retry_after_is_obeyed(form: str) -> None:
    """In both its forms: no request before the time, however short the schedule is."""
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
    async with Upstream() as upstream:
        upstream.trio()
        upstream.fail("/cbr/", f"retry_after:{'600' if form == 'seconds' else later}")
        async with serving(upstream.url, flags=GENEROUS) as served:
            await rounds(served, upstream, "moex", 20)
            assert len(upstream.hits("/cbr/")) == 1
            waits = served.service.poller.health["cbr"].next_poll
            assert waits is not None
            assert timedelta(seconds=590) < waits - NOON <= timedelta(seconds=600)
            faces = await seen(served)
            assert faces.sources["cbr"] == "rate_limited"
            assert faces.each("reason")["USD"] == "rate_limited"
            assert faces.each("source")["USD"] == "cbr_mirror"
