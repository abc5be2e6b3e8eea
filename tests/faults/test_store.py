from __future__ import annotations

import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.storage.rows import SERIES
from tests.support.stored_service import Kept, configured, kept
from tests.support.upstream import DAY, NOON, Upstream
from ticker.app import compose
from ticker.storage import of_url
from ticker.storage.base import Retention
from ticker.storage.writer import StoreWriter

HOUR = timedelta(hours=1)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own of 1 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = subprocess.run(
        ("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)), check=False, capture_output=True
    )
    if mount.returncode:
        pytest.skip(f"a disk of its own needs the right to mount: {mount.stderr.decode().strip()}")
    yield place
    # Lazily: a test that failed may have left the file open.
    subprocess.run(("umount", "--lazy", str(place)), check=True)


NAMES = {series: symbol for symbol, series in SERIES.items()}


def rows(file: Path) -> list[tuple[str, str]]:
    """What each row is the price of, and its price, in the file, which is whole."""
    with sqlite3.connect(file) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        found = connection.execute("SELECT symbol, price FROM quotes ORDER BY symbol, as_of, revision").fetchall()
    connection.close()
    return [(NAMES[series], price) for series, price in found]


async def moved(service: Kept, upstream: Upstream, brent: str, hours: int) -> None:
    """The oil moves, `hours` after noon."""
    service.clock.now = NOON + hours * HOUR
    upstream.trio(DAY, brent=brent, now=service.clock.now)
    await service.polled()


async def shows(service: Kept, brent: float) -> None:
    """The service serves this price of oil."""
    assert (await service.get("/v1/quotes/OIL"))["price"] == brent


TRIO = [("EUR", "106.0762"), ("OIL", "73.73"), ("USD", "100.6798")]


async def test_a_restart_serves_what_was_left_before_any_poll(tmp_path: Path, upstream: Upstream) -> None:
    """With every source hanging, the second start shows the numbers of the first, with their age at once."""
    store = f"sqlite:///{tmp_path}/ticker.db"
    async with kept(store, upstream.url) as first:
        await first.written()
        left = await first.get("/v1/quotes")
    upstream.fail("/", "hang")
    again = compose(configured(store), upstream=upstream.url, now=lambda: NOON + timedelta(minutes=1), stored=True)
    assert again.board.latest.version == left["version"]
    assert [str(quote.price) for quote in again.board.latest.quotes] == ["100.6798", "106.0762", "73.73"]
    late = compose(configured(store), upstream=upstream.url, now=lambda: NOON + timedelta(days=4), stored=True)
    assert [str(quote.status) for quote in late.board.latest.quotes] == ["stale", "stale", "stale"]
    gone = compose(configured(store), upstream=upstream.url, now=lambda: NOON + timedelta(days=30), stored=True)
    assert [quote.price for quote in gone.board.latest.quotes] == [None, None, None]
    assert left["version"] < late.board.latest.version < gone.board.latest.version
    for service in (again, late, gone):
        service.store_writer.stop()
        await service.store_writer.run()


async def test_a_stand_ins_numbers_are_not_taken_for_the_real_ones(tmp_path: Path, upstream: Upstream) -> None:
    """What `--upstream` brought in is not shown by a start without it, nor by one over another stand-in."""
    store = f"sqlite:///{tmp_path}/ticker.db"
    async with kept(store, upstream.url) as first:
        await first.written()
    for other in (None, "http://127.0.0.1:9"):
        service = compose(configured(store), upstream=other, now=lambda: NOON, stored=True)
        assert [quote.price for quote in service.board.latest.quotes] == [None, None, None]
        service.store_writer.stop()
        await service.store_writer.run()


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Another process's lock on the file."""
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    yield
    other.execute("ROLLBACK")
    other.close()


async def test_a_locked_file_is_waited_for(tmp_path: Path, upstream: Upstream) -> None:
    """While another process holds the file serving goes on; then everything missed is written."""
    file = tmp_path / "ticker.db"
    async with kept(f"sqlite:///{file}", upstream.url) as service:
        await service.written()
        with held(file):
            await moved(service, upstream, "74.01", 1)
            await service.until(lambda: not service.service.store_writer.health.up)
            await moved(service, upstream, "74.22", 2)
            await shows(service, 74.22)
            await service.becomes("ticker_store_up", 0)
        await service.written()
        assert await service.metric('ticker_store_failures_total{operation="write"}') >= 1
        await service.becomes("ticker_store_up", 1)
    assert set(rows(file)) == {*TRIO, ("OIL", "74.01"), ("OIL", "74.22")}


async def test_a_full_disk_is_waited_for(disk: Path, upstream: Upstream) -> None:
    """On a full disk serving goes on; when there is room again everything missed is written, and the file is whole."""
    file, ballast = disk / "ticker.db", disk / "ballast"
    async with kept(f"sqlite:///{file}", upstream.url) as service:
        await service.written()
        fill(ballast)
        await moved(service, upstream, "74.01", 1)
        await moved(service, upstream, "74.22", 2)
        await service.until(lambda: not service.service.store_writer.health.up)
        await shows(service, 74.22)
        ballast.unlink()
        await service.written()
    assert set(rows(file)) == {*TRIO, ("OIL", "74.01"), ("OIL", "74.22")}


def fill(ballast: Path) -> None:
    """Take what is free on the disk."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass


def remount(disk: Path, mode: str) -> None:
    """Make the disk "ro" or "rw"."""
    subprocess.run(("mount", "-o", f"remount,{mode}", str(disk)), check=True)


async def test_a_read_only_disk_still_gives_the_last_snapshot(disk: Path, upstream: Upstream) -> None:
    """What cannot be written can be read: the start shows what was left, history answers, and serving goes on."""
    file = disk / "ticker.db"
    async with kept(f"sqlite:///{file}", upstream.url) as service:
        await service.written()
    remount(disk, "ro")
    left = compose(configured(f"sqlite:///{file}"), upstream=upstream.url, now=lambda: NOON, stored=True)
    assert [str(quote.price) for quote in left.board.latest.quotes] == ["100.6798", "106.0762", "73.73"]
    left.store_writer.stop()
    await left.store_writer.run()
    upstream.trio(brent="74.01", now=NOON + HOUR)
    async with kept(f"sqlite:///{file}", upstream.url, NOON + HOUR) as service:
        restored = service.service.board.latest
        assert [str(quote.price) for quote in restored.quotes] == ["100.6798", "106.0762", "74.01"]
        await service.until(lambda: not service.service.store_writer.health.up)
        assert await service.metric('ticker_store_failures_total{operation="open"}') >= 1
        remount(disk, "rw")
        await service.written()
    assert set(rows(file)) == {*TRIO, ("OIL", "74.01")}


@pytest.mark.parametrize(
    "junk", [b"no database at all, but long enough to be one\n" * 20, b"SQLite format 3\0" + b"\xff" * 8192]
)
async def test_a_damaged_file_does_not_stop_the_service(tmp_path: Path, upstream: Upstream, junk: bytes) -> None:
    """Junk where the store should be is said, counted and left alone; moved away, a new store has what is shown."""
    file = tmp_path / "ticker.db"
    file.write_bytes(junk)
    async with kept(f"sqlite:///{file}", upstream.url) as service:
        await shows(service, 73.73)
        await moved(service, upstream, "74.01", 1)
        await service.until(lambda: service.service.store_writer.health.failures["open"] > 1)
        assert file.read_bytes() == junk
        file.rename(tmp_path / "aside.db")
        await service.written()
    assert set(rows(file)) == {*TRIO, ("OIL", "74.01")}


async def test_pages_damaged_while_running_do_not_stop_the_service(tmp_path: Path, upstream: Upstream) -> None:
    """Bits rotting under a running service are a counted failure, not an outage."""
    file = tmp_path / "ticker.db"
    async with kept(f"sqlite:///{file}", upstream.url) as service:
        await service.written()
    size = file.stat().st_size
    with file.open("r+b") as pages:
        pages.seek(4096)
        pages.write(b"\xa5" * (size - 4096))
    async with kept(f"sqlite:///{file}", upstream.url) as service:
        await shows(service, 73.73)
        await service.until(lambda: not service.service.store_writer.health.up)
        await moved(service, upstream, "74.01", 1)
        await shows(service, 74.01)


async def test_a_file_deleted_while_running_is_begun_anew(tmp_path: Path, upstream: Upstream) -> None:
    """The new file has all that is shown, not only what changes from then on."""
    folder = tmp_path / "var"
    async with kept(f"sqlite:///{folder}/ticker.db", upstream.url) as service:
        await service.written()
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
        await moved(service, upstream, "74.01", 1)
        await service.written()
        assert {row[0] for row in rows(folder / "ticker.db")} == {"EUR", "OIL", "USD"}
        await service.becomes("ticker_store_up", 1)
    again = compose(
        configured(f"sqlite:///{folder}/ticker.db"), upstream=upstream.url, now=lambda: NOON + HOUR, stored=True
    )
    assert [str(quote.price) for quote in again.board.latest.quotes] == ["100.6798", "106.0762", "74.01"]
    again.store_writer.stop()
    await again.store_writer.run()


async def test_a_failure_is_said_once(tmp_path: Path, upstream: Upstream, caplog: pytest.LogCaptureFixture) -> None:
    """A store that stays away is one line in the log, and its return another."""
    caplog.set_level("INFO")
    (tmp_path / "file").write_text("a file where the folder should be")
    async with kept(f"sqlite:///{tmp_path}/file/ticker.db", upstream.url) as service:
        await service.until(lambda: service.service.store_writer.health.failures["open"] > 2)
        (tmp_path / "file").unlink()
        await service.written()
    said = [record.getMessage() for record in caplog.records]
    assert said.count("store failed, serving from memory") == said.count("store is back") == 1


async def test_the_queue_of_an_absent_store_is_bounded(tmp_path: Path, upstream: Upstream) -> None:
    """What no longer fits is counted as dropped, the oldest first; memory does not grow without end."""
    async with kept("memory://", upstream.url) as service:
        snapshot = service.service.board.latest
    (tmp_path / "file").write_text("")
    store = of_url(f"sqlite:///{tmp_path}/file/ticker.db")
    store_writer = StoreWriter(store, "snapshot", Retention(HOUR, HOUR), lambda: NOON, room=5)
    store_writer.report(snapshot)
    for cent in range(7):
        oil = replace(snapshot.quotes[2], price=Decimal(70 + cent))
        store_writer.report(replace(snapshot, quotes=(*snapshot.quotes[:2], oil)))
    assert (store_writer.health.queued, store_writer.health.dropped) == (5, 5)
    (tmp_path / "file").unlink()
    store_writer.stop()
    await store_writer.run()
    assert ("OIL", "76") in rows(tmp_path / "file" / "ticker.db")
    assert ("OIL", "70") not in rows(tmp_path / "file" / "ticker.db")
    assert store_writer.health.queued == 0
