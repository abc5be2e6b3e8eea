"""A running service over a healthy upstream, for every test of the HTTP face."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.running_service import Served, answered, serving
from tests.support.upstream import Upstream


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The trio of 22 November 2024 at noon in Moscow, every source answered once."""
    async with answered() as service:
        yield service


@pytest.fixture
async def waiting() -> AsyncIterator[Served]:
    """The same before any source has answered."""
    async with Upstream() as upstream:
        upstream.fail("/", "hang")
        async with serving(upstream.url) as service:
            yield service


@pytest.fixture
async def demo() -> AsyncIterator[Served]:
    """The same, said to be a demo."""
    async with answered(demo=True) as service:
        yield service
