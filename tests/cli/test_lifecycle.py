from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from tests.support.patience import PATIENCE
from tests.support.stored_service import configured
from ticker.app import compose
from ticker.cli import serve
from ticker.cli.serve import Deadline, settle


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


def test_the_end_is_promised_within_ten_seconds() -> None:
    """After the drain: all that may hang, and then the threads. That it does end is shown by faults/test_end.py."""
    assert serve._LONGEST_END_SECONDS + serve._THREADS_SECONDS <= 10


def test_a_deadline_ends_once_its_last_order_is_over() -> None:
    """A later order takes the place of the one before it."""
    ended = SimpleQueue[int]()
    deadline = Deadline(ended.put)
    deadline.set(9 * PATIENCE, 1)
    deadline.set(0.0, 2)
    assert ended.get(timeout=PATIENCE) == 2
    deadline.call_off()
