"""A cache in front that keeps every answer for as long as it may (RFC 9111), for an hour of the service's own clock."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.support.running_service import Served, serving
from tests.support.timekeepers import timetable
from tests.support.upstream import NOON, Upstream

STEP = timedelta(seconds=20)
PATHS = ("/v1/quotes", "/v1/convert?from=OIL&to=EUR", "/v1/sources", "/widget")


async def poll_what_is_due(served: Served) -> None:
    """As the timetable would, were its clock the service's: those too who are asked because another has spoken."""
    health = served.service.poller.health
    while due := [name for name, each in health.items() if each.next_poll and each.next_poll <= served.clock.now]:
        for source in due:
            timetable(served.service)._begin(source)
        await served.polled()


@pytest.mark.parametrize("path", PATHS)
async def test_what_a_cache_may_still_give_is_what_the_service_would_say(path: str) -> None:
    """At each step of an hour of moving oil the copy equals the answer; 304 comes just where nothing moved."""
    kept, tag, until = b"", "", NOON
    hits = same = changed = 0
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url) as served:
            await served.ready()
            for step in range(180):
                served.clock.now = now = NOON + step * STEP
                upstream.trio(brent=Decimal("73.73") + Decimal(step // 3) / 100, now=now)
                await poll_what_is_due(served)
                said = await (await served.client.get(path)).read()
                if now < until:
                    assert kept == said, now
                    hits += 1
                    continue
                answer = await served.client.get(path, headers={"If-None-Match": tag})
                assert (answer.status == 304) is (kept == said)
                same, changed = same + (answer.status == 304), changed + (answer.status == 200)
                kept, tag, until = said, answer.headers["ETag"], now + lifetime(answer.headers["Cache-Control"])
    assert hits > 60
    assert changed > 20
    assert same + changed + hits == 180


def lifetime(header: str) -> timedelta:
    """The max-age of a Cache-Control."""
    return timedelta(seconds=int(header.partition("max-age=")[2].partition(",")[0]))
