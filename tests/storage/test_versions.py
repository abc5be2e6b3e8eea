"""A store that another version has written, and one that was backed up while it was in use."""

import sqlite3
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import aiohttp

from tests.cli.running import serving
from tests.support.factories import NOON, quote, snapshot
from ticker.quotes import Status
from ticker.storage import codec

HALF = timedelta(hours=12)

DUMP = Path(__file__).with_name("store-0.1.0.sql")
# The sources are away: all that is answered is out of the store.
AT = ("--port", "0", "--upstream", "http://127.0.0.1:9", "--at", "2024-11-22T12:05:00+03:00")


def made(file: Path) -> Path:
    """A file of 0.1.0."""
    with sqlite3.connect(file) as connection:
        connection.executescript(DUMP.read_text())
    connection.close()
    return file


async def past(url: str) -> dict[str, list[tuple[float, str]]]:
    """Price and source of every row of history, by instrument."""
    found = {}
    async with aiohttp.ClientSession(url) as session:
        for symbol in ("USD", "EUR", "OIL"):
            async with session.get(f"/v1/quotes/{symbol}/history?interval=raw") as response:
                assert response.status == 200, await response.text()
                found[symbol] = [(each["price"], each["source"]) for each in (await response.json())["points"]]
    return found


HELD = {"USD": [(100.6798, "cbr")], "EUR": [(106.0762, "cbr")], "OIL": [(73.73, "moex")]}


async def test_an_upgrade_keeps_the_history_of_version_0_1_0(tmp_path: Path) -> None:
    """The file is taken as it is; nothing needs to be done, and a second start finds the same."""
    store = f"sqlite:///{made(tmp_path / 'ticker.db')}"
    for _ in range(2):
        async with serving(tmp_path, "serve", *AT, "--store", store) as (_, url):
            assert await past(url) == HELD


async def test_a_backup_made_while_it_runs_can_be_restored(tmp_path: Path) -> None:
    """SQLite's own copy, which `.backup` makes, is whole; a service over it knows all that the other did."""
    file, copy = made(tmp_path / "ticker.db"), tmp_path / "copy.db"
    async with serving(tmp_path, "serve", *AT, "--store", f"sqlite:///{file}"):
        source, target = sqlite3.connect(file), sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()
    async with serving(tmp_path, "serve", *AT, "--store", f"sqlite:///{copy}") as (_, url):
        assert await past(url) == HELD


def test_what_0_1_0_showed_before_its_day_is_upcoming() -> None:
    """It kept tomorrow's rate as the price from the afternoon on: in force is the one before it."""
    usd = quote(price="102.5761", previous=Decimal("100.6798"), previous_as_of=NOON - HALF, as_of=NOON + HALF)
    usd = replace(usd, fresh_until=NOON + 3 * HALF, usable_until=NOON + 30 * HALF)
    text = codec.snapshot_text(snapshot(usd, at=NOON))
    kept = codec.snapshot_of_text(text, [usd.instrument], NOON)
    assert kept is not None
    (now,), (then,) = kept.quotes, kept.at(NOON + HALF).quotes
    assert (now.price, now.as_of, now.status, now.change) == (Decimal("100.6798"), NOON - HALF, Status.FRESH, None)
    assert now.upcoming is not None
    assert (now.upcoming.price, now.upcoming.confirmed) == (Decimal("102.5761"), False)
    assert (then.price, then.change) == (Decimal("102.5761"), Decimal("1.8963"))


def test_a_number_before_its_day_without_one_before_it_is_upcoming_alone() -> None:
    """What was in force then is not known."""
    usd = quote(price="102.5761", as_of=NOON + HALF)
    kept = codec.snapshot_of_text(codec.snapshot_text(snapshot(usd, at=NOON)), [usd.instrument], NOON)
    assert kept is not None
    assert (kept.quotes[0].price, kept.quotes[0].status) == (None, Status.UNAVAILABLE)
    assert kept.quotes[0].upcoming is not None


def test_what_0_1_0_said_of_a_hundred_was_the_price_of_one() -> None:
    """0.1.0 shows 0.6713 for "100 JPY" and has its history under JPY/RUB/100 JPY: neither is a price of a hundred."""
    text = codec.snapshot_text(snapshot(quote("JPY", "0.6713")))
    yen = replace(quote("JPY").instrument, base="JPY", unit="100 JPY")
    (shown,) = codec.snapshot_of_text(text.replace('"1 JPY"', '"100 JPY"'), [yen], NOON).quotes  # type: ignore[union-attr]
    assert (shown.price, shown.status, yen.series != "JPY/RUB/100 JPY") == (None, Status.UNAVAILABLE, True)
