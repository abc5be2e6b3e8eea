"""A series out of the store: one kind, at an interval, from either end, whatever pages it comes in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TypeVar

import pytest

from tests.storage.rows import DAY, FRIDAY, MOSCOW, fixing, meant, trade
from ticker.quotes import EPOCH, Instrument, PriceType
from ticker.storage.base import Point, Row, Store
from ticker.storage.history import History, Series, TimeRange
from ticker.storage.sqlite import MemoryStore

T = TypeVar("T")
NOW = FRIDAY + 30 * DAY
USD = Instrument(
    symbol="USD", base="USD", quote="RUB", sources=("cbr", "cbr_mirror"), fallbacks=("open_er_api",), max_age=14 * DAY
)
OIL = Instrument(symbol="OIL", base="BRENT", quote="USD", unit="1 barrel", sources=("moex", "yahoo"), max_age=14 * DAY)


def history(store: Store, instrument: Instrument) -> History:
    """History over a store that is read at once."""

    async def at_once(question: Callable[[Store], T]) -> T:
        return question(store)

    return History(at_once, lambda: [instrument], lambda _: {}, lambda _: MOSCOW, lambda: NOW)


def line(store: Store, instrument: Instrument, **asked: object) -> Series:
    """What is answered from it."""
    ask = replace(TimeRange(instrument.symbol, None, None), **asked)  # type: ignore[arg-type]
    return asyncio.run(history(store, instrument).line(ask, lambda found: found))[0]


@contextmanager
def kept(rows: Sequence[Row], instrument: Instrument) -> Iterator[Store]:
    """A store with these rows."""
    store = MemoryStore()
    store.open()
    store.write([replace(row, symbol=instrument.series) for row in rows], {})
    yield store
    store.close()


def read(rows: Sequence[Row], instrument: Instrument, **asked: object) -> Series:
    """What a store with these rows answers."""
    with kept(rows, instrument) as store:
        return line(store, instrument, **asked)


def shown(points: Sequence[Point]) -> list[str]:
    """The prices as they were written."""
    return [point.price for point in points]


def days(points: Sequence[Point]) -> list[date]:
    """The local days."""
    return [(EPOCH + timedelta(microseconds=point.as_of)).astimezone(MOSCOW).date() for point in points]


def mid(as_of: datetime, price: str) -> Row:
    """A market's middle of another kind of source, between two fixings."""
    return replace(fixing(as_of, price, "open_er_api"), publisher="open_er_api", price_type=PriceType.MID)


MIXED = [
    fixing(FRIDAY, "100.6798"),
    mid(FRIDAY + timedelta(hours=3), "101.1"),
    mid(FRIDAY + DAY + timedelta(hours=3), "101.2"),
    fixing(FRIDAY + 2 * DAY, "102.5761"),
    mid(FRIDAY + 3 * DAY, "101.3"),
]


@pytest.mark.parametrize("interval", ["raw", "1h", "1d", "1w", "1mo"])
def test_a_series_never_mixes_kinds_unless_asked(interval: str) -> None:
    """A day of a fixing is a fixing; what other sources say between two of them has its own series."""
    plain = read(MIXED, USD, interval=interval)
    assert {point.price_type for point in plain.points} == {"fixing"}
    asked = read(MIXED, USD, interval=interval, price_type=PriceType.MID)
    assert {point.price_type for point in asked.points} == {"mid"}
    assert {point.source for point in read(MIXED, USD, source="open_er_api").points} == {"open_er_api"}


def test_the_days_of_a_fixing_are_those_it_began_on() -> None:
    """Not the days of others."""
    assert shown(read(MIXED, USD, interval="1d").points) == ["100.6798", "102.5761"]
    assert shown(read(MIXED, USD, interval="1d", price_type=PriceType.MID).points) == ["101.1", "101.2", "101.3"]


def test_a_settlement_does_not_stand_for_a_days_last_print() -> None:
    """A market's prints are one kind, its settlement another: the last print of that day is shown."""
    prints = [trade(FRIDAY + timedelta(hours=hour), f"73.{hour}") for hour in (10, 12, 18)]
    settled = replace(trade(FRIDAY + timedelta(hours=19), "73.99"), price_type=PriceType.SETTLEMENT)
    rows = [*prints, settled, trade(FRIDAY + DAY + timedelta(hours=10), "74.10")]
    assert shown(read(rows, OIL, interval="1d").points) == ["73.18", "74.10"]
    assert shown(read(rows, OIL, interval="1d", price_type=PriceType.SETTLEMENT).points) == ["73.99"]


def test_weeks_begin_on_monday_and_months_on_their_first() -> None:
    """The last number of each, in the instrument's own zone."""
    start = datetime(2024, 10, 28, tzinfo=MOSCOW)  # a Monday
    rows = [trade(start + n * DAY + timedelta(hours=23), f"{60 + n}") for n in range(40)]
    weeks = read(rows, OIL, interval="1w").points
    assert days(weeks) == [date(2024, 11, 3), date(2024, 11, 10), date(2024, 11, 17), date(2024, 11, 24), *LAST_WEEKS]
    months = read(rows, OIL, interval="1mo").points
    assert days(months) == [date(2024, 10, 31), date(2024, 11, 30), date(2024, 12, 6)]


LAST_WEEKS = (date(2024, 12, 1), date(2024, 12, 6))


@pytest.mark.parametrize("interval", ["raw", "1h", "1d", "1w", "1mo"])
@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_pages_from_either_end_join_to_the_same_whole(interval: str, limit: int) -> None:
    """Nothing twice, nothing missing; backwards the same backwards."""
    rows = [trade(FRIDAY - n * timedelta(hours=7), f"{60 + n % 30}.{n % 10}") for n in range(200)]
    with kept(rows, OIL) as store:
        whole = list(line(store, OIL, interval=interval, limit=5000).points)
        for order in ("asc", "desc"):
            found: list[Point] = []
            onward: datetime | None = None
            for _ in range(500):
                page = line(store, OIL, interval=interval, limit=limit, order=order, onward=onward)
                assert len(page.points) <= limit
                found += page.points
                onward = page.onward
                if onward is None:
                    break
            assert found == (whole if order == "asc" else whole[::-1])


def test_the_last_so_many_are_the_newest() -> None:
    """However far back the rest of ten years lies."""
    rows = [fixing(FRIDAY - n * DAY, f"{60 + n % 30}.0001") for n in range(3650)]
    page = read(rows, USD, interval="1d", order="desc", limit=3)
    assert days(page.points) == [date(2024, 11, 22), date(2024, 11, 21), date(2024, 11, 20)]
    assert read(rows, USD, order="desc", limit=1, last=date(2020, 1, 5)).points[0].as_of == (
        (datetime(2020, 1, 5, tzinfo=MOSCOW) - EPOCH) // timedelta(microseconds=1)
    )


@pytest.mark.parametrize("damaged", ["1E+999999", "NaN", "-1E400", "", "7e", "1" * 400])
def test_a_damaged_number_is_left_out(damaged: str) -> None:
    """A million digits, or none: what no source has ever written is not shown, and the rest is."""
    store = MemoryStore()
    store.open()
    store.write(meant([fixing(FRIDAY, "100.6798"), fixing(FRIDAY + DAY, "102.5761")]), {})
    with store._history.transaction() as transaction:
        transaction.execute("UPDATE quotes SET price = ? WHERE price = '102.5761'", (damaged,))
    found = line(store, USD)
    assert shown(found.points) == ["100.6798"]
    store.close()


def test_nothing_is_an_empty_series() -> None:
    """And no page after it."""
    for order in ("asc", "desc"):
        found = read([], USD, order=order, interval="1mo")
        assert (list(found.points), found.onward) == ([], None)
