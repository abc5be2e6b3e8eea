"""The stores are alike: whatever is written, SQLite and Redis tell the same of it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.storage.rows import DAY, FRIDAY
from tests.support.redis_servers import Server
from ticker.quotes import PriceType
from ticker.storage import of_url
from ticker.storage.base import Query, Retention, Row, Store

SOURCES = ("moex", "cbr", "fred")
STRETCHES = (None, timedelta(hours=1), DAY)
SLOTS = st.integers(0, 400).map(lambda step: FRIDAY + step * timedelta(minutes=20))


@st.composite
def rows(draw: st.DrawFn) -> Row:
    """A row among few sources, moments and prices, so that they collide."""
    as_of: datetime = draw(SLOTS)
    archived = draw(st.booleans())
    seen = as_of if archived else draw(SLOTS)
    return Row(
        symbol="OIL",
        source=draw(st.sampled_from(SOURCES)),
        publisher=draw(st.sampled_from(["eia", 'a "quoted" | Ж'])),
        price_type=draw(st.sampled_from(PriceType)),
        as_of=as_of,
        price=draw(st.sampled_from(["70", "70.0", "70.10", "70.1", "700"]).map(Decimal)),
        fetched_at=draw(SLOTS),
        seen_at=seen,
        previous=draw(st.sampled_from([None, Decimal("69.5")])),
        contract=draw(st.sampled_from([None, "BRZ4"])),
        archived=archived,
    )


def told(store: Store, moments: list[datetime]) -> list[object]:
    """Everything that can be asked about."""
    span = Query("OIL", SOURCES, FRIDAY + 2 * timedelta(hours=5), FRIDAY + 5 * DAY, 40, None, timedelta(hours=3))
    lines = [store.series(replace(span, every=every, limit=limit)) for every in STRETCHES for limit in (3, 1000)]
    keys = [("OIL", source) for source in SOURCES]
    boards = [store.standing(keys, at) for moment in moments for at in (moment, moment.date())]
    return [*lines, *boards, store.since("OIL"), store.since(None), store.since("USD")]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(rows(), max_size=25), min_size=1, max_size=4), st.lists(SLOTS, min_size=1, max_size=3))
def test_both_tell_the_same(redis: Server, batches: list[list[Row]], moments: list[datetime]) -> None:
    """Counts, revisions, lines, boards of the past, and what is left when they have been thinned out."""
    with (
        closing(of_url("memory://")) as one,
        closing(of_url(redis.fresh())) as other,
    ):
        for batch in batches:
            assert one.write(batch, {}) == other.write(batch, {})
        assert told(one, moments) == told(other, moments)
        for retention in (Retention(DAY, 3 * DAY), Retention(DAY, 3 * DAY, 4 * DAY)):
            assert one.thin(retention, FRIDAY + 6 * DAY) == other.thin(retention, FRIDAY + 6 * DAY)
            assert told(one, moments) == told(other, moments)


def test_pages_lose_nothing(redis: Server) -> None:
    """A line longer than what one script gives, with corrections on the seams, comes whole and is thinned whole."""
    base = Row("OIL", "moex", "moex", PriceType.LAST, FRIDAY, Decimal(70), FRIDAY, FRIDAY)
    count = 1300
    batch = [replace(base, as_of=FRIDAY + step * timedelta(minutes=1)) for step in range(count)]
    again = [replace(row, price=Decimal(71 + turn)) for row in batch for turn in range(step_of(row) % 3)]
    other_source = [replace(row, source="yahoo") for row in batch[::7]]
    with closing(of_url("memory://")) as one, closing(of_url(redis.fresh())) as other:
        for part in (batch, again, other_source):
            assert one.write(part, {}) == other.write(part, {})
        span = Query("OIL", ("yahoo", "moex"), FRIDAY, FRIDAY + 9 * DAY, 5000, None, timedelta(0))
        for every in STRETCHES:
            assert one.series(replace(span, every=every)) == other.series(replace(span, every=every))
        assert one.thin(Retention(DAY, DAY), FRIDAY + 3 * DAY) == other.thin(Retention(DAY, DAY), FRIDAY + 3 * DAY)
        assert one.series(span) == other.series(span)


def step_of(row: Row) -> int:
    """The minute of the line that the row is of."""
    return int((row.as_of - FRIDAY) / timedelta(minutes=1))
