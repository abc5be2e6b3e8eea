"""The sample upstreams, asked over a real connection."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from defusedxml import ElementTree

from tests.support.upstreams.forts import MOSCOW
from tests.support.upstreams.market import Market
from tests.support.upstreams.server import build

NOON = datetime(2024, 11, 22, 12, tzinfo=MOSCOW)
FORTS = "/moex/iss/engines/futures/markets/forts/boards/RFUD/securities.json"
DAILY = "/cbr/scripts/XML_daily.asp"
DYNAMIC = "/cbr/scripts/XML_dynamic.asp"

Client = TestClient[Request, Application]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Ask the sample upstreams as they are at noon."""
    async with TestClient(TestServer(build(lambda: NOON))) as opened:
        yield opened


async def body(client: Client, path: str, status: int = 200) -> bytes:
    """Fetch `path`, expecting `status`."""
    async with client.get(path) as response:
        assert response.status == status, path
        return await response.read()


async def document(client: Client, path: str, status: int = 200) -> dict[str, Any]:
    """Fetch JSON, its numbers exact."""
    found: dict[str, Any] = json.loads(await body(client, path, status), parse_float=Decimal)
    return found


async def table(client: Client, path: str) -> tuple[str | None, Mapping[str, Decimal]]:
    """Fetch the bank's table: its date, and code -> value."""
    root = ElementTree.fromstring(await body(client, path), forbid_dtd=True)
    rates = {row.findtext("CharCode", ""): row.findtext("Value", "").replace(",", ".") for row in root}
    return root.get("Date"), {code: Decimal(rate) for code, rate in rates.items()}


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        (DAILY, "text/xml; charset=windows-1251"),
        (DYNAMIC, "application/xml; charset=windows-1251"),
        ("/cbr_mirror/daily_json.js", "application/javascript; charset=utf-8"),
        ("/cbr_mirror/archive/2024/11/21/daily_json.js", "application/javascript; charset=utf-8"),
        (FORTS, "application/json; charset=utf-8"),
        ("/yahoo/v8/finance/chart/BZ=F", "application/json;charset=utf-8"),
        ("/yahoo/v8/finance/chart/BZ%3DF", "application/json;charset=utf-8"),
    ],
)
async def test_every_source_answers_under_its_own_path(client: Client, path: str, content_type: str) -> None:
    """Each source answers where it would, with the content type it would send."""
    async with client.get(path) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == content_type


async def test_the_bank_cannot_be_asked_conditionally(client: Client) -> None:
    """The bank forbids caching and sends neither ETag nor Last-Modified."""
    async with client.get(DAILY) as response:
        assert response.headers["Cache-Control"] == "no-cache"
        assert not {"ETag", "Last-Modified"} & response.headers.keys()


async def test_bank_mirror_and_market_agree(client: Client) -> None:
    """Bank and mirror give the market's numbers for the table in force and the one before."""
    numbers = Market(1).at(NOON)
    date, rates = await table(client, DAILY)
    mirror = await document(client, "/cbr_mirror/daily_json.js")
    dollar = mirror["Valute"]["USD"]
    assert (date, rates["USD"], rates["EUR"]) == ("22.11.2024", numbers.usd, numbers.eur)
    assert (dollar["Value"], dollar["Previous"]) == (numbers.usd, numbers.usd_previous)
    assert mirror["Date"].startswith("2024-11-22")


@pytest.mark.parametrize(
    ("asked", "given"),
    [("20/11/2024", "20.11.2024"), ("18/11/2024", "16.11.2024"), ("23/11/2024", "22.11.2024")],
)
async def test_the_bank_gives_the_table_of_a_day(client: Client, asked: str, given: str) -> None:
    """A date gets the table in force on it; the future gets the newest there is."""
    date, rates = await table(client, f"{DAILY}?date_req={asked}")
    assert date == given
    assert len(rates) >= 43


@pytest.mark.parametrize(
    "path",
    [
        f"{DAILY}?date_req=2024-11-22",
        f"{DAILY}?date_req=01/01/0001",
        DYNAMIC,
        f"{DYNAMIC}?date_req1=01/11/2024&date_req2=22/11/2024&VAL_NM_RQ=R99999",
        f"{DYNAMIC}?date_req1=22/11/2024&date_req2=01/11/2024&VAL_NM_RQ=R01235",
        f"{DYNAMIC}?date_req1=01/01/0001&date_req2=31/12/9999&VAL_NM_RQ=R01235",
    ],
)
async def test_the_bank_refuses_with_status_200(client: Client, path: str) -> None:
    """What the bank cannot read it refuses in the body, with status 200 and no row."""
    root = ElementTree.fromstring(await body(client, path), forbid_dtd=True)
    assert len(root) == 0
    assert root.text == "Error in parameters"


async def test_history_has_the_days_tables_and_todays_number(client: Client) -> None:
    """The history of a currency lists the tables of its range, and ends with today's number."""
    path = f"{DYNAMIC}?date_req1=16/11/2024&date_req2=30/11/2024&VAL_NM_RQ=R01235"
    root = ElementTree.fromstring(await body(client, path), forbid_dtd=True)
    days = [record.get("Date", "")[:2] for record in root]
    values = [Decimal(record.findtext("Value", "").replace(",", ".")) for record in root]
    assert days == ["16", "19", "20", "21", "22"]
    assert values[-2:] == [Market(1).at(NOON).usd_previous, Market(1).at(NOON).usd]


async def test_history_and_daily_table_agree_for_a_currency_that_stands_still(client: Client) -> None:
    """A currency the market does not move has the same value in the history as in the table."""
    path = f"{DYNAMIC}?date_req1=21/11/2024&date_req2=21/11/2024&VAL_NM_RQ=R01820"
    root = ElementTree.fromstring(await body(client, path), forbid_dtd=True)
    _, rates = await table(client, f"{DAILY}?date_req=21/11/2024")
    assert [record.findtext("Value", "").replace(",", ".") for record in root] == [str(rates["JPY"])]


async def test_the_mirrors_archive_has_tables_only(client: Client) -> None:
    """A day with a table is in the archive; a day without, a day to come and a day that is none are 404."""
    found = await document(client, "/cbr_mirror/archive/2024/11/16/daily_json.js")
    assert (found["Date"][:10], found["PreviousDate"][:10]) == ("2024-11-16", "2024-11-15")
    for missing in ("2024/11/18", "1991/01/05", "2024/11/23", "2024/13/01", "0001/01/01"):
        await body(client, f"/cbr_mirror/archive/{missing}/daily_json.js", 404)


async def test_two_venues_agree_about_brent(client: Client) -> None:
    """Yahoo's trade is seconds old; the exchange's price, a quarter of an hour old, is Yahoo's of that minute."""
    market = (await document(client, FORTS))["marketdata"]
    front = dict(zip(market["columns"], market["data"][0], strict=True))
    (result,) = (await document(client, "/yahoo/v8/finance/chart/BZ=F?interval=1m"))["chart"]["result"]
    traded = NOON - timedelta(minutes=15)
    assert front["LAST"] == Market(1).at(traded).brent
    closes = dict(zip(result["timestamp"], result["indicators"]["quote"][0]["close"], strict=True))
    ends = traded - timedelta(minutes=1)  # the candle that begins then closes at that moment
    assert abs(closes[ends.timestamp()] / front["LAST"] - 1) < Decimal("0.003")
    assert 0 < NOON.timestamp() - result["meta"]["regularMarketTime"] < 10


@pytest.mark.parametrize("symbol", ["RUB=X", "EURRUB=X"])
async def test_yahoo_quotes_the_rouble(client: Client, symbol: str) -> None:
    """Dollar and euro are quoted in roubles."""
    meta = (await document(client, f"/yahoo/v8/finance/chart/{symbol}"))["chart"]["result"][0]["meta"]
    assert (meta["symbol"], meta["currency"], meta["instrumentType"]) == (symbol, "RUB", "CURRENCY")


async def test_what_is_not_there_is_404(client: Client) -> None:
    """An unknown path is 404, and so is an unknown symbol, with Yahoo's own envelope."""
    await body(client, "/", 404)
    await body(client, "/cbr/scripts/XML_val.asp", 404)
    envelope = await document(client, "/yahoo/v8/finance/chart/NONE", 404)
    assert envelope["chart"]["error"]["code"] == "Not Found"


async def test_numbers_follow_the_clock() -> None:
    """Two seconds later on its clock the server shows other numbers, for the same seed and another one."""
    later = NOON + timedelta(seconds=2)
    shown = []
    for clock, seed in ((NOON, 1), (later, 1), (NOON, 2), (NOON, 1)):
        async with TestClient(TestServer(build(lambda clock=clock: clock, seed))) as client:  # type: ignore[misc]
            shown.append((await table(client, DAILY))[1]["USD"])
    assert len(set(shown)) == 3
    assert shown[0] == shown[3]


@pytest.mark.parametrize(
    ("moment", "newest", "in_force"),
    [
        ("2024-11-22T16:00", "22.11.2024", "22.11.2024"),
        ("2024-11-22T17:30", "23.11.2024", "22.11.2024"),
        ("2024-11-23T12:00", "23.11.2024", "23.11.2024"),
        ("2024-11-25T12:00", "23.11.2024", "23.11.2024"),
        ("2024-11-25T17:30", "26.11.2024", "23.11.2024"),
    ],
)
async def test_in_the_evening_the_newest_table_is_tomorrows(moment: str, newest: str, in_force: str) -> None:
    """Bank and mirror give it without a date; with today's the Bank gives the table that holds."""
    now = datetime.fromisoformat(f"{moment}+03:00")
    async with TestClient(TestServer(build(lambda: now))) as client:
        assert (await table(client, DAILY))[0] == newest
        assert (await table(client, f"{DAILY}?date_req={now:%d/%m/%Y}"))[0] == in_force
        mirror = await document(client, "/cbr_mirror/daily_json.js")
        assert datetime.fromisoformat(mirror["Date"]).strftime("%d.%m.%Y") == newest
        if newest != in_force:
            held = (await table(client, f"{DAILY}?date_req={now:%d/%m/%Y}"))[1]
            assert mirror["Valute"]["USD"]["Previous"] == held["USD"]


@pytest.mark.parametrize(
    ("moment", "moscow", "abroad"),
    [
        ("2024-11-23T12:00", "23:49:59", "2024-11-22T17:59:59-05:00"),
        ("2025-08-23T12:00", "11:45:00", "2025-08-22T17:59:59-04:00"),
        ("2025-08-23T21:00", "18:59:59", "2025-08-22T17:59:59-04:00"),
        ("2025-08-25T03:00", "18:59:59", "2025-08-24T19:59:57-04:00"),
    ],
)
async def test_a_market_at_rest_shows_its_last_print(moment: str, moscow: str, abroad: str) -> None:
    """By night and on a weekend; Moscow has sessions on Saturday and Sunday since 16.08.2025."""
    now = datetime.fromisoformat(f"{moment}+03:00")
    async with TestClient(TestServer(build(lambda: now))) as client:
        market = (await document(client, FORTS))["marketdata"]
        front = dict(zip(market["columns"], market["data"][0], strict=True))
        meta = (await document(client, "/yahoo/v8/finance/chart/BZ=F"))["chart"]["result"][0]["meta"]
    assert front["TIME"] == moscow
    assert meta["regularMarketTime"] == datetime.fromisoformat(abroad).timestamp()
