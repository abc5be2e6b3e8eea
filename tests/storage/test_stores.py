from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.storage.rows import DAY, FRIDAY, MOSCOW, archived, fixing, trade
from ticker.storage import of_url
from ticker.storage.base import Point, Query, RecordEntry, Retention, Row, Store, StoreError
from ticker.storage.codec import moment_of
from ticker.storage.sqlite import HISTORY

LATER = FRIDAY + timedelta(days=400)


def everything(store: Store, symbol: str = "USD", every: timedelta | None = None) -> list[Point]:
    """All that the store tells of an instrument."""
    sources = ("cbr", "cbr_mirror", "moex", "yahoo", "fred")
    start = datetime(1990, 1, 1, tzinfo=MOSCOW)
    return store.series(Query(symbol, sources, start, LATER, 10_000, every, timedelta(hours=3)))


def standing(store: Store, at: date | datetime) -> list[Row]:
    """The dollar's row in force, and the one before it."""
    return store.standing([("USD", "cbr")], at).get(("USD", "cbr"), [])


def only(store: Store) -> Row:
    """The only row of the dollar, whole."""
    (row,) = standing(store, LATER)
    return row


def test_a_row_comes_back_as_it_was(store: Store) -> None:
    """Digits, zone, microseconds and everything unknown survive the store."""
    told = replace(
        fixing(price="100.67980"),
        previous=Decimal("100.2192"),
        previous_as_of=FRIDAY - DAY,
        fetched_at=datetime(2024, 11, 21, 17, 35, 2, 123456, tzinfo=MOSCOW),
        contract="BRZ4",
    )
    assert store.write([told], {}) == 1
    back = only(store)
    assert back == told
    assert str(back.price) == "100.67980"
    assert back.as_of.isoformat() == "2024-11-22T00:00:00+03:00"


@given(price=st.decimals("0.00000001", "99999999999", allow_nan=False, allow_infinity=False))
def test_no_price_loses_a_digit(price: Decimal) -> None:
    """What a source wrote is what the store gives back, to the last digit."""
    store = of_url("memory://")
    store.write([replace(fixing(), price=price)], {})
    back, (point,) = only(store), everything(store)
    store.close()
    assert back.price == Decimal(point.price) == price


def test_the_same_publication_is_kept_once(store: Store) -> None:
    """Telling a row again, with other trailing zeros too, adds nothing."""
    assert store.write([fixing(), fixing()], {}) == 1
    assert store.write([fixing(price="100.67980")], {}) == 0
    assert len(everything(store)) == 1


def test_a_correction_wins_and_the_earlier_price_stays(store: Store, tmp_path: Path) -> None:
    """Two prices of one date are two revisions; the latest is in force."""
    right = replace(fixing(price="100.70"), seen_at=FRIDAY, fetched_at=FRIDAY)
    assert store.write([fixing()], {}) == store.write([right], {}) == 1
    assert [(row.price, row.revision) for row in everything(store)] == [("100.70", 1)]
    before = standing(store, FRIDAY - timedelta(hours=1))
    assert before[0].price == Decimal("100.6798")
    for file in tmp_path.glob("var/ticker.db"):
        with sqlite3.connect(file) as audit:
            assert audit.execute("SELECT price FROM quotes ORDER BY revision").fetchall() == [
                ("100.6798",),
                ("100.70",),
            ]
        audit.close()


def test_what_a_replica_knew_that_was_cut_off_does_not_undo_a_correction(store: Store) -> None:
    """It comes later and was fetched before: both stay, and the one fetched last is in force; told again, it is old."""
    early, later = fixing(), replace(fixing(price="100.70"), seen_at=FRIDAY, fetched_at=FRIDAY)
    for rows, new in (([later], 1), ([early], 1), ([early, later], 0), ([early], 0)):
        assert store.write(rows, {}) == new
        assert [row.price for row in everything(store)] == ["100.70"]
    assert standing(store, FRIDAY - timedelta(hours=1))[0].price == early.price
    assert standing(store, FRIDAY)[0].revision == 1


def test_a_moment_is_told_what_had_been_seen_by_then(store: Store) -> None:
    """Tomorrow's table speaks from the evening on which it came in, not from midnight and not before."""
    store.write([fixing(FRIDAY - DAY, "100.2192"), fixing()], {})
    seen = fixing().seen_at
    assert [row.price for row in standing(store, seen)] == [Decimal("100.6798"), Decimal("100.2192")]
    assert [str(row.price) for row in standing(store, seen - timedelta(seconds=1))] == ["100.2192"]


def test_a_whole_board_is_one_question(store: Store) -> None:
    """Each key has its own row in force and the one before; a key that has none is left out."""
    market = trade(FRIDAY + timedelta(hours=9), "73.73")
    store.write([fixing(FRIDAY - DAY, "100.2192"), fixing(), fixing(price="106.0762", symbol="EUR"), market], {})
    keys = [("OIL", "moex"), ("USD", "cbr"), ("OIL", "yahoo"), ("EUR", "cbr"), ("USD", "moex")]
    found = store.standing(keys, FRIDAY + DAY)
    assert {key: [str(row.price) for row in rows] for key, rows in found.items()} == {
        ("OIL", "moex"): ["73.73"],
        ("USD", "cbr"): ["100.6798", "100.2192"],
        ("EUR", "cbr"): ["106.0762"],
    }


def test_a_day_is_told_the_table_in_force(store: Store) -> None:
    """On a date the fixing of that date counts, and after it the last one before."""
    store.write([fixing(FRIDAY - DAY, "100.2192"), fixing(), fixing(FRIDAY + DAY, "102.5761")], {})
    on = {day: standing(store, (FRIDAY + day * DAY).date()) for day in (-2, -1, 0, 1, 2)}
    assert [str(rows[0].price) if rows else None for rows in on.values()] == [
        None,
        "100.2192",
        "100.6798",
        "102.5761",
        "102.5761",
    ]


def test_an_archive_tells_nothing_twice(store: Store) -> None:
    """A row that was seen live and stands in the archive too is one row, in force from its own date at the latest."""
    late = replace(fixing(), seen_at=FRIDAY + timedelta(hours=9), fetched_at=FRIDAY + timedelta(hours=9))
    store.write([late], {})
    assert store.write([archived(fixing(), LATER)], {}) == 0
    assert len(everything(store)) == 1
    assert standing(store, FRIDAY)


def test_an_archive_of_another_kind_does_not_mix_into_a_day_that_was_seen(store: Store) -> None:
    """Where the exchange has spoken, the spot assessment of that day stays out of the line."""
    day = FRIDAY - DAY
    spot = replace(trade(FRIDAY, "76.10", "fred"), archived=True)
    store.write(
        [spot, replace(spot, as_of=day, price=Decimal("75.09")), trade(FRIDAY + timedelta(hours=15), "73.73")], {}
    )
    for every in (None, DAY):
        assert [row.price for row in everything(store, "OIL", every)] == ["75.09", "73.73"]


def test_of_two_sources_at_one_moment_the_preferred_speaks(store: Store) -> None:
    """A mirror's copy of a table is no second point of the line."""
    store.write([fixing(source="cbr_mirror"), fixing()], {})
    assert [row.source for row in everything(store)] == ["cbr"]


def test_an_hour_and_a_day_give_their_last_row(store: Store) -> None:
    """Sampled, each stretch of local time is told by its latest price; stretches without one are left out."""
    at = [timedelta(hours=10, minutes=5 * step) for step in range(30)] + [timedelta(hours=39)]
    store.write([trade(FRIDAY + offset, f"{70 + place}") for place, offset in enumerate(at)], {})
    hourly = everything(store, "OIL", timedelta(hours=1))
    assert [row.price for row in hourly] == ["81", "93", "99", "100"]
    assert [row.price for row in everything(store, "OIL", DAY)] == ["99", "100"]


def test_a_span_is_bounded(store: Store) -> None:
    """No more rows than the limit, the oldest first, the end left out."""
    store.write([trade(FRIDAY + timedelta(minutes=step), "70") for step in range(10)], {})
    span = Query("OIL", ("moex",), FRIDAY, FRIDAY + timedelta(minutes=5), 3, None, timedelta(0))
    assert [moment_of(row.as_of).minute for row in store.series(span)] == [0, 1, 2]
    assert len(store.series(replace(span, limit=100))) == 5


def test_thinning_keeps_the_last_of_each_hour_then_of_each_day_and_every_fixing(store: Store) -> None:
    """Old market prices thin out; tables of a bank do not."""
    rows = [trade(FRIDAY + timedelta(minutes=10 * step), f"{60 + step}") for step in range(12)]
    old = [trade(FRIDAY - 30 * DAY + timedelta(hours=step), "50") for step in range(24)]
    store.write([*rows, *old, fixing(), fixing(price="100.70"), fixing(FRIDAY - 90 * DAY, "97")], {})
    retention = Retention(raw=DAY, hourly=10 * DAY)
    assert store.thin(retention, FRIDAY + 2 * DAY) == 32
    assert [row.price for row in everything(store, "OIL")] == ["50", "50", "65", "71"]
    assert len(everything(store)) == 2
    assert store.thin(replace(retention, keep=20 * DAY), FRIDAY + 2 * DAY) == 3


def test_since_is_the_oldest_date(store: Store) -> None:
    """Where history begins, of one instrument and of all."""
    assert store.since("USD") is None
    store.write([fixing(), trade(FRIDAY - DAY, "73")], {})
    assert store.since("USD") == FRIDAY
    assert store.since(None) == FRIDAY - DAY


def test_a_text_is_kept_by_its_name(store: Store) -> None:
    """The last text under a name is the one given back; another name's is another one."""
    store.write([], {"a": "1", "b": "2"})
    store.write([], {"a": "3"})
    assert [store.saved(name) for name in "abc"] == ["3", "2", None]


def test_a_write_is_all_or_nothing(store: Store) -> None:
    """A row that cannot be written takes its whole batch back."""
    broken = replace(fixing(FRIDAY + DAY), publisher=None)  # type: ignore[arg-type]  # what mypy refuses is refused at run time too
    with pytest.raises(StoreError, match="publisher"):
        store.write([fixing(), broken], {"a": "1"})
    assert not everything(store)
    assert store.saved("a") is None
    assert store.write([fixing()], {}) == 1


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    """A file with tables of somebody else is refused and not touched."""
    file = tmp_path / "theirs.db"
    with sqlite3.connect(file) as theirs:
        theirs.execute("CREATE TABLE orders (id)")
    theirs.close()
    before = file.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        of_url(f"sqlite:///{file}").open()
    assert file.read_bytes() == before


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """An older ticker does not write into what a newer one has made."""
    url = f"sqlite:///{tmp_path}/ticker.db"
    first = of_url(url)
    first.open()
    first.close()
    with sqlite3.connect(tmp_path / "ticker.db") as newer:
        newer.execute(f"PRAGMA user_version = {len(HISTORY.migrations) + 1}")
    newer.close()
    with pytest.raises(StoreError, match="newer version"):
        of_url(url).open()


def test_a_second_start_finds_what_the_first_wrote(tmp_path: Path) -> None:
    """Rows and texts outlive the process; opening an existing file is not news."""
    url = f"sqlite:///{tmp_path}/ticker.db"
    for turn in range(2):
        store = of_url(url)
        assert store.open() is (turn == 0)
        store.write([fixing(FRIDAY + turn * DAY, f"{100 + turn}")], {"turn": str(turn)})
        store.close()
    again = of_url(url)
    assert len(everything(again)) == 2
    assert again.saved("turn") == "1"
    again.close()


def test_a_file_begun_anew_by_a_write_is_told_of_at_the_next_opening(tmp_path: Path) -> None:
    """Whoever keeps the store must learn that everything before is gone, whichever call came upon it."""
    store = of_url(f"sqlite:///{tmp_path}/ticker.db")
    assert store.open()
    for file in tmp_path.iterdir():
        file.unlink()
    store.thin(Retention(DAY, DAY), FRIDAY)
    assert store.open()
    assert not store.open()
    store.close()


def test_history_of_another_name_is_kept_under_what_it_means(store: Store) -> None:
    """Version 0.1.0 kept it by symbol; what stands under the new name already is not overwritten."""
    store.write([fixing(), fixing(FRIDAY - DAY, "100.2192")], {})
    assert store.rename({"USD": "USD/KZT/1 USD", "EUR": "EUR/KZT/1 EUR"}) > 0
    assert store.since("USD") is None
    assert store.since("USD/KZT/1 USD") == FRIDAY - DAY
    assert store.rename({"USD": "USD/KZT/1 USD"}) == 0


def test_entries_of_several_symbols_are_the_newest_of_each(store: Store) -> None:
    """Within the span asked for, so many of each, and none of another kind; an entry of the same id takes the place."""
    hours = [FRIDAY + each * timedelta(hours=1) for each in range(4)]
    store.record([RecordEntry("quote", "USD", f"{each:02}", at, f"{each}") for each, at in enumerate(hours)])
    store.record(
        [RecordEntry("quote", "OIL", "00", hours[0], "oil"), RecordEntry("evidence", "OIL", "01", hours[1], "")]
    )
    store.record([RecordEntry("quote", "USD", "01", hours[1], "one")])
    found = store.entries("quote", ["OIL", "EUR", "USD"], None, hours[2], 2)
    assert [(each.symbol, each.at, each.text) for each in found] == [
        ("OIL", hours[0], "oil"),
        ("USD", hours[2], "2"),
        ("USD", hours[1], "one"),
    ]
    assert [each.text for each in store.entries("quote", ["USD"], hours[1], hours[2], 9)] == ["2", "one"]
    assert store.entries("quote", [], None, None, 9) == []
