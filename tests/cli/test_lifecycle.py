from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.stored_service import configured
from ticker.app import compose
from ticker.cli.lifecycle import settle


@pytest.fixture
def restored() -> Iterator[None]:
    """Collector and threads as they were, for the tests after this one."""
    before, threshold = sys.getswitchinterval(), gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restored")
async def test_what_a_start_built_is_not_walked_again() -> None:
    """A page of history must not hold the loop while all there is is looked through; threads give way at once."""
    assert gc.get_freeze_count() == 0
    await settle(compose(configured("memory://")), [0.0, 0.0])
    assert gc.get_freeze_count() > 10_000
    assert gc.get_threshold()[0] == 10_000
    assert sys.getswitchinterval() < 0.001


def test_a_start_looks_for_no_garbage() -> None:
    """All that is imported stays: to look through it was 30 ms of 265. A compiling one may need a first, short look."""
    told = "import gc; print(*(each['collections'] for each in gc.get_stats()))"
    bare, start = (
        [
            int(word)
            for word in subprocess.run((sys.executable, "-c", code), capture_output=True, check=True).stdout.split()
        ]
        for code in (told, f"import ticker.cli, ticker.cli.serving; {told}")
    )
    assert start[0] - bare[0] < 5
    assert start[1:] == bare[1:]
