from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

import pytest

from tests.support.stored_service import configured
from ticker.app import compose
from ticker.cli.serve import settle


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
