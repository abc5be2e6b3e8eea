from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

import pytest

from tests.kept import configured
from ticker.app import compose
from ticker.cli.lifecycle import settle

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def restored() -> Iterator[None]:
    """Collector and threads as they were, for the tests after this one."""
    before = sys.getswitchinterval()
    yield
    gc.unfreeze()
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("restored")
async def test_what_a_start_built_is_not_walked_again() -> None:
    """A page of history must not hold the loop while all there is is looked through; threads give way at once."""
    assert gc.get_freeze_count() == 0
    await settle(compose(configured("memory://")), [0.0, 0.0])
    assert gc.get_freeze_count() > 10_000
    assert sys.getswitchinterval() < 0.001
