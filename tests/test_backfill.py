from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.storage.rows import FRIDAY
from tests.support.stored_service import kept
from tests.support.upstream import Upstream
from tests.support.upstreams import formats
from tests.web.test_past import text
from ticker.cli.commands import app

DYNAMIC = "/cbr/scripts/XML_dynamic.asp"
FRED = "/fred/graph/fredgraph.csv"
IDS = {"USD": "R01235", "EUR": "R01239"}
# The Bank's tables around the day, the oil as one archive has it.
TABLES = {
    "USD": (("20", "100.0348"), ("21", "100.2192"), ("22", "100.6798"), ("23", "102.5761")),
    "EUR": (("20", "105.7285"), ("21", "105.8067"), ("22", "106.0762"), ("23", "107.4252")),
}
OIL = "observation_date,DCOILBRENTEU\n2024-11-20,72.31\n2024-11-21,72.81\n2024-11-22,73.73\n2024-11-25,\n"
ASKED = ("--from", "2024-11-01", "--to", "2024-11-30")


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    """Archives of the Bank and of FRED; everything else answers 404."""
    async with Upstream() as server:
        archives(server)
        yield server


def archives(server: Upstream, first: str = "01", last: str = "30") -> None:
    """What the archives answer to the stretch asked for."""
    for symbol, rows in TABLES.items():
        days = [(date(2024, 11, int(day)), 1, Decimal(price)) for day, price in rows]
        query = f"date_req1={first}/11/2024&date_req2={last}/11/2024&VAL_NM_RQ={IDS[symbol]}"
        server.answer(f"{DYNAMIC}?{query}", body=formats.cbr_dynamic(IDS[symbol], days))
    server.answer(FRED, body=OIL.encode(), content_type="text/csv")


def command(store: Path, url: str, *arguments: str) -> list[str]:
    """`ticker backfill` from `url` into `store`."""
    given = (*ASKED, "--pause", "0", "--upstream", url, "--store", f"sqlite:///{store}")
    return [sys.executable, "-m", "ticker", "backfill", *given, *arguments]


async def backfill(store: Path, url: str, *arguments: str) -> tuple[int, str]:
    """Run it to its end: exit code and everything it said."""
    done = await asyncio.to_thread(CliRunner().invoke, app, command(store, url, *arguments)[3:])
    return done.exit_code, done.output


def rows(store: Path) -> list[tuple[object, ...]]:
    """Every row but for when it was fetched."""
    with sqlite3.connect(store) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        columns = "symbol, source, as_of, revision, price, price_type, day, seen_at, previous, previous_as_of, archived"
        query = f"SELECT {columns} FROM quotes ORDER BY symbol, source, as_of, revision"  # noqa: S608 - literals only
        found = connection.execute(query).fetchall()
    connection.close()
    return found


async def test_an_archive_page_shows_the_numbers_of_its_own_day(tmp_path: Path, upstream: Upstream) -> None:
    """After a backfill the header of 22 November 2024 is that day's, whatever today is."""
    store = tmp_path / "ticker.db"
    code, said = await backfill(store, upstream.url)
    assert code == 0, said
    async with kept(f"sqlite:///{store}", "http://127.0.0.1:9", FRIDAY + timedelta(days=700)) as service:
        assert await text(service, "/widget?at=2024-11-22") == "USD100.68 EUR106.08 OIL73.73"
        quote = await service.get("/v1/quotes/USD?at=2024-11-22")
        assert (quote["previous"], quote["source"], quote["status"]) == (100.2192, "cbr", "fresh")
        line = await service.get("/v1/quotes/OIL/history?from=2024-11-01&to=2024-11-30")
        assert [(point["price"], point["price_type"]) for point in line["points"]] == [
            (72.31, "fixing"),
            (72.81, "fixing"),
            (73.73, "fixing"),
        ]


async def test_running_it_again_adds_nothing_and_asks_nothing(tmp_path: Path, upstream: Upstream) -> None:
    """The second run finds every settled request done."""
    store = tmp_path / "ticker.db"
    await backfill(store, upstream.url)
    before, asked = rows(store), len(upstream.hits())
    code, said = await backfill(store, upstream.url)
    assert (code, rows(store), len(upstream.hits())) == (0, before, asked), said


async def test_only_the_instruments_named_are_asked_for(tmp_path: Path, upstream: Upstream) -> None:
    """`ticker backfill EUR` is one request."""
    code, _ = await backfill(tmp_path / "ticker.db", upstream.url, "EUR")
    assert code == 0
    assert {row[0] for row in rows(tmp_path / "ticker.db")} == {"EUR/RUB/1 EUR"}
    assert len(upstream.hits()) == 1


async def test_an_archive_that_fails_gives_way_to_the_next(tmp_path: Path, upstream: Upstream) -> None:
    """Blocked at the Bank, the mirror's archive is asked, one table a day for both currencies; 404 is no table."""
    upstream.fail("/cbr/", "html")
    day = date(2024, 11, 22)
    rates = {"USD": Decimal("100.6798"), "EUR": Decimal("106.0762")}
    before = {"USD": Decimal("100.2192"), "EUR": Decimal("105.8067")}
    body = formats.cbr_mirror(day, date(2024, 11, 21), FRIDAY, rates, before)
    upstream.answer("/cbr_mirror/archive/2024/11/22/daily_json.js", body=body)
    code, said = await backfill(tmp_path / "ticker.db", upstream.url, "USD", "EUR")
    assert code == 0, said
    assert [row[:2] for row in rows(tmp_path / "ticker.db")] == [
        ("EUR/RUB/1 EUR", "cbr_mirror"),
        ("USD/RUB/1 USD", "cbr_mirror"),
    ]
    assert "blocked" in said
    mirrored = [hit.path_qs for hit in upstream.hits("/cbr_mirror/")]
    assert len(mirrored) == len(set(mirrored)) == 22


async def test_what_no_archive_tells_is_said(tmp_path: Path, upstream: Upstream) -> None:
    """Exit 1 and the reason, and what could be had is kept."""
    upstream.fail("/fred/", "status:403")
    code, said = await backfill(tmp_path / "ticker.db", upstream.url)
    assert code == 1
    assert "OIL: no archive answered" in said
    assert "http_4xx" in said
    assert {row[0] for row in rows(tmp_path / "ticker.db")} == {"USD/RUB/1 USD", "EUR/RUB/1 EUR"}


async def test_a_wrong_number_in_an_archive_is_refused(tmp_path: Path, upstream: Upstream) -> None:
    """An archive's slip of a nominal is no more believed than a live one's."""
    days = [(date(2024, 11, 21), 1, Decimal("100.2192")), (date(2024, 11, 22), 1, Decimal("1006.7980"))]
    query = f"date_req1=01/11/2024&date_req2=30/11/2024&VAL_NM_RQ={IDS['USD']}"
    upstream.answer(f"{DYNAMIC}?{query}", body=formats.cbr_dynamic(IDS["USD"], days))
    code, _ = await backfill(tmp_path / "ticker.db", upstream.url, "USD")
    assert code == 0
    assert [row[4] for row in rows(tmp_path / "ticker.db")] == ["100.2192"]


async def test_interrupted_at_random_and_run_again_it_equals_one_run(tmp_path: Path, upstream: Upstream) -> None:
    """Killed at any moment, the next run goes on, and the rows are those of a run that was never cut."""
    upstream.fail("/cbr/", "html")
    dice = random.Random(4)  # noqa: S311 - a test's moments
    for back in range(30):
        day = date(2024, 11, 1) + timedelta(days=back)
        rates = {"USD": Decimal(100) + back, "EUR": Decimal(106) + back}
        body = formats.cbr_mirror(day, day - timedelta(days=1), FRIDAY, rates, rates)
        upstream.answer(f"/cbr_mirror/archive/{day:%Y/%m/%d}/daily_json.js", body=body)
    whole, cut = tmp_path / "whole.db", tmp_path / "cut.db"
    assert (await backfill(whole, upstream.url))[0] == 0
    asked = len(upstream.hits("/cbr_mirror/"))
    for _ in range(3):
        process = await asyncio.create_subprocess_exec(
            *command(cut, upstream.url), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        await upstream.seen("/cbr_mirror/", asked + 1)
        asked = len(upstream.hits("/cbr_mirror/"))
        await asyncio.sleep(dice.random() / 10)
        if process.returncode is None:
            process.kill()
        await process.wait()
    code, said = await backfill(cut, upstream.url)
    assert code == 0, said
    assert rows(cut) == rows(whole)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("GBP",), "GBP"),
        (("--from", "soon"), "--from"),
        (("--to", "2999-01-01"), "--from"),
        (("--from", "2024-12-01", "--to", "2024-11-01"), "--from"),
        (("--store", "memory://"), "--store"),
    ],
)
async def test_bad_use_is_said(tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    """Exit 2, and the sentence names what is wrong."""
    code, said = await backfill(tmp_path / "ticker.db", "http://127.0.0.1:9", *arguments)
    assert code == 2
    assert named in said
