"""What every test may ask for."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests.support.redis_servers import Server, redis_server
from tests.support.upstream import Upstream

# Hundreds of processes are begun here: each reads what another one has compiled, whatever the environment is set to.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

RECORDINGS = Path(__file__).parent.parent.parent / "shared" / "payloads"

# The machine of CI is shared: no example is too slow there, and a failure must be the same one at the next run.
hypothesis.settings.register_profile("ticker", deadline=None, max_examples=80, derandomize="CI" in os.environ)
# `make sweep`, by --hypothesis-profile: other examples at each run.
hypothesis.settings.register_profile("sweep", deadline=None, max_examples=4000, derandomize=False)
hypothesis.settings.load_profile("ticker")


# Fixtures that start a program of Debian's; a test that asks for one is of the tier of `make ci`.
STARTERS = frozenset({"browser", "contained", "redis"})


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what drives programs of Debian's to `make ci`, which requires every one of them."""
    if os.environ.get("TICKER_REQUIRE_ALL") == "1":
        return
    left, kept = list[pytest.Item](), list[pytest.Item]()
    for item in items:
        drives = item.get_closest_marker("programs") or STARTERS & set(getattr(item, "fixturenames", ()))
        (left if drives else kept).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left)


def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: one worker more than there are processors, since a test of a real server waits half of its time."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture
def payloads() -> Path:
    """The folder of other people's recordings beside the project; a test is skipped where it is not."""
    if not RECORDINGS.is_dir():
        pytest.skip(f"no recordings at {RECORDINGS}")
    return RECORDINGS


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """The three numbers of 22 November 2024 from the sources' own formats."""
    async with Upstream() as server:
        server.trio()
        yield server


@pytest.fixture(scope="session")
def redis() -> Iterator[Server]:
    """One server for all tests that leave it as it was; each takes keys of its own: `?prefix=`."""
    with redis_server() as server:
        yield server


@pytest.fixture(autouse=True)
def _own_logs() -> Iterator[None]:
    """A command run inside a test sets logging up for its process; the next test starts from the beginning."""
    root, own = logging.getLogger(), logging.getLogger("ticker")
    before = (root.level, own.level, root.handlers[:])
    yield
    root.level, own.level, root.handlers[:] = before
