from datetime import timedelta
from decimal import Decimal

from tests.support.factories import NOON, quote, snapshot
from ticker.health import StoreHealth
from ticker.storage.writer import WriteQueue

MINUTE = timedelta(minutes=1)


def test_rows_pushed_out_while_they_are_written_are_not_taken_for_others() -> None:
    """The two that are being written make room for two more; those are still to be written."""
    health = StoreHealth()
    backlog = WriteQueue(3, health)
    steps = [
        snapshot(quote(price=str(Decimal(100) + each), as_of=NOON + each * MINUTE), version=each) for each in range(5)
    ]
    for each in steps[:2]:
        backlog.report(each)
    written = backlog.batch()
    for each in steps[2:]:
        backlog.report(each)
    backlog.written(len(written))
    assert (health.dropped, health.queued, health.written) == (2, 3, 2)
    assert [str(row.price) for row in backlog.batch()] == ["102", "103", "104"]


def test_a_lost_store_is_told_again_what_is_held_and_does_not_wait_already() -> None:
    """In the order in which it was shown."""
    backlog = WriteQueue(10, StoreHealth())
    backlog.note(snapshot(quote(price="100")))
    backlog.report(snapshot(quote(price="101", as_of=NOON + MINUTE)))
    backlog.again()
    assert [str(row.price) for row in backlog.batch()] == ["100", "101"]
