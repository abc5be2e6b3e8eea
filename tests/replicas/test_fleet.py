"""Replicas as processes over a real Redis. The whole measure, with five of them: python -m tests.bench.replicas."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.fleet import BUDGET, fleet
from tests.support.redis_servers import redis_server

# It drives programs of Debian's for real.
pytestmark = pytest.mark.programs


async def test_one_polls_and_nothing_served_is_lost_whatever_befalls_it_or_redis() -> None:
    """The leader killed, Redis hanging, emptied, the leader cut off: no version goes back, every number is kept."""
    with redis_server() as redis:
        async with fleet(redis, 3) as replicas:
            await replicas.together()
            leader = await replicas.one_leads()
            await replicas.kill(leader)
            await replicas.one_leads(counted=False)
            await replicas.together()
            redis.pause()
            await asyncio.sleep(4)
            redis.restart()
            await replicas.together()
            leader = await replicas.one_leads(counted=False)
            leader.way.cut()
            await asyncio.sleep(4)
            leader.way.mend()
            await replicas.together()
            await replicas.one_leads(counted=False)
            assert replicas.steps_back() == 0
            assert replicas.asked() <= BUDGET
            assert await replicas.kept()
