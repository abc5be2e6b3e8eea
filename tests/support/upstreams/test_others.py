"""The sample upstreams answer every source's requests, in a form that the source's own adapter reads."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tests.support.upstream import DAY, NOON
from tests.support.upstreams.market import Market
from tests.support.upstreams.server import build
from ticker.quotes import Tick
from ticker.sources import SOURCES, Request

Client = TestClient[web.Request, web.Application]

NUMBERS = Market(1).at(NOON)
WEEK = (date(2024, 11, 18), DAY)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """Serve the sample upstreams at noon of a Friday."""
    async with TestClient(TestServer(build(lambda: NOON))) as found:
        yield found


async def ask(client: Client, source: str, requests: Sequence[Request], *, archive: bool = False) -> list[Tick]:
    """What the adapter reads of the answers; a day without a table is 404 in an archive."""
    adapter = SOURCES[source]
    ticks: list[Tick] = []
    parse = (adapter.parse_archive if archive else None) or adapter.parse
    for request in requests:
        async with client.get(f"/{source}{request.path}", params=request.query) as response:
            assert response.status == 200 or (archive and response.status == 404), request
            ticks += parse(await response.read()).ticks if response.status == 200 else ()
    return ticks


@pytest.mark.parametrize("source", SOURCES)
async def test_every_source_is_answered(client: Client, source: str) -> None:
    """Whatever a source has words for is there, and nothing of it is from the future."""
    adapter = SOURCES[source]
    ticks = await ask(client, source, adapter.requests(list(adapter.codes.values()) or ["USD"], NOON))
    assert {tick.symbol for tick in ticks} >= set(adapter.codes.values())
    assert all(tick.as_of <= NOON for tick in ticks)


@pytest.mark.parametrize("source", [source for source, adapter in SOURCES.items() if adapter.archive])
async def test_every_archive_is_answered(client: Client, source: str) -> None:
    """A week is there by its days, and no other day; a whole history may be longer."""
    adapter = SOURCES[source]
    assert adapter.archive is not None
    asked = adapter.archive(list(adapter.codes.values()) or ["USD"], *WEEK)
    days = {tick.as_of.date() for tick in await ask(client, source, asked, archive=True)}
    assert days
    assert all(WEEK[0] <= day <= WEEK[1] for day in days) or source == "alphavantage"


@pytest.mark.parametrize("source", ["frankfurter", "moex_cbr", "open_er_api", "fawazahmed0"])
async def test_every_table_speaks_of_one_market(client: Client, source: str) -> None:
    """The dollar in roubles is the same wherever it is asked for directly."""
    ticks = await ask(client, source, SOURCES[source].requests(["USD"], NOON))
    dollar = next(tick for tick in ticks if (tick.symbol, tick.currency) == ("USD", "RUB"))
    assert abs(dollar.price / NUMBERS.usd - 1) < Decimal("0.0001")


@pytest.mark.parametrize("source", ["nbrb", "nbk", "cbu_uz"])
async def test_every_cross_speaks_of_one_market(client: Client, source: str) -> None:
    """So it is over a third currency, as far as its decimals go."""
    ticks = {tick.symbol: tick for tick in await ask(client, source, SOURCES[source].requests(["USD"], NOON))}
    dollar, rouble = (ticks[code].price / ticks[code].nominal for code in ("USD", "RUB"))
    assert abs(dollar / rouble / NUMBERS.usd - 1) < Decimal("0.002")


@pytest.mark.parametrize(
    "path",
    [
        "/frankfurter/v2/rates?base=USD&quotes=RUB",
        "/twelvedata/quote?symbol=XAU/USD",
        "/frankfurter/v2/rates?providers=CBR",
    ],
)
async def test_what_is_not_sampled_is_404(client: Client, path: str) -> None:
    """A blend, an unknown symbol, no currency: refused as the real ones refuse."""
    async with client.get(path) as response:
        assert response.status == 404


async def test_oil_is_assessed_days_later(client: Client) -> None:
    """The spot price comes late, as it does in truth."""
    (tick,) = await ask(client, "fred", SOURCES["fred"].requests(["DCOILBRENTEU"], NOON))
    assert timedelta(days=2) < NOON - tick.as_of < timedelta(days=7)
