"""A source that takes several requests: what one answer lacks is no reason to refuse another."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.support.upstream import MOEX, NOON, Upstream
from tests.support.upstreams import banks, exact, forts, listing, yahoo
from ticker.app import compose
from ticker.quotes import Reason, Snapshot
from ticker.settings.loader import load, shipped

CHART = "/yahoo/v8/finance/chart/{}"
FEEDS = {"USD": ["yahoo"], "EUR": ["yahoo"], "OIL": ["yahoo"]}
FLAGS = {
    "store.url": "memory://",
    **{f"instruments.{symbol}.sources": feeds for symbol, feeds in FEEDS.items()},
    **{f"instruments.{symbol}.fallbacks": [] for symbol in FEEDS},
}


async def polled(up: Upstream) -> tuple[Snapshot, Reason | None]:
    """What one poll of Yahoo leaves on the board, and the reason for which it failed."""
    config = load(shipped(), {}, FLAGS).settings.model_copy(update={"checks": {}})
    service = compose(config, upstream=up.url, now=lambda: NOON)
    async with service.fetcher:
        await service.poller.poll("yahoo")
    return service.board.current(NOON), service.poller.health["yahoo"].reason


def listed(up: Upstream) -> None:
    """Let the three symbols be answered."""
    for symbol, currency, price in (("BZ=F", "USD", "73.73"), ("RUB=X", "RUB", "100.1"), ("EURRUB=X", "RUB", "106.1")):
        body = yahoo.yahoo_chart(symbol, currency, Decimal(price), NOON, Decimal(price), "FUTURE")
        up.answer(CHART.format(symbol), body=body, content_type="application/json")


@pytest.mark.parametrize(
    ("how", "reason"), [("status:404", Reason.HTTP_4XX), ("garbage", Reason.ENCODING), ("empty", Reason.PARSE)]
)
async def test_an_answer_that_fails_costs_its_own_instrument_alone(how: str, reason: Reason) -> None:
    """The euro is not known; dollar and oil are, and the source is said to have failed."""
    async with Upstream() as up:
        listed(up)
        up.fail(CHART.format("EURRUB=X"), how)
        board, failed = await polled(up)
    assert [str(quote.price) for quote in board.quotes] == ["100.1", "None", "73.73"]
    assert failed is reason


@pytest.mark.parametrize(
    ("how", "reason"),
    [("retry_after:60", Reason.RATE_LIMITED), ("html", Reason.BLOCKED), ("status:503", Reason.HTTP_5XX)],
)
async def test_a_source_in_trouble_is_not_asked_further(how: str, reason: Reason) -> None:
    """The first refusal ends the poll: the next requests would only add to the trouble."""
    async with Upstream() as up:
        listed(up)
        up.fail("/yahoo/", how)
        board, failed = await polled(up)
        assert len(up.hits("/yahoo/")) == 1
    assert {quote.price for quote in board.quotes} == {None}
    assert failed is reason


async def test_a_proxy_that_lacks_one_currency_still_gives_the_other() -> None:
    """Frankfurter takes a request a currency."""
    feeds = {f"instruments.{symbol}.sources": ["frankfurter"] for symbol in ("USD", "EUR")}
    config = load(shipped(), {}, {**FLAGS, **feeds}).settings.model_copy(update={"checks": {}})
    async with Upstream() as up:
        path = "/frankfurter/v2/rates?base=USD&quotes=RUB&providers=CBR"
        up.answer(
            path, body=banks.frankfurter(NOON.date(), "USD", Decimal("100.6798")), content_type="application/json"
        )
        service = compose(config, upstream=up.url, now=lambda: NOON)
        async with service.fetcher:
            await service.poller.poll("frankfurter")
        assert service.poller.latest_values("frankfurter") == {"USD": "100.6798 of 2024-11-22"}


async def test_an_answer_silent_on_one_instrument_is_why_it_has_no_number() -> None:
    """The European Central Bank has no rouble: unavailable, and said why."""
    flags: dict[str, object] = {
        **FLAGS,
        "instruments.USD.sources": ["ecb"],
        "instruments.EUR.base": "EUR",
        "instruments.EUR.quote": "USD",
    }
    flags |= {"instruments.EUR.sources": ["ecb"], "instruments.EUR.band": [0, 2]}
    config = load(shipped(), {}, flags).settings.model_copy(update={"checks": {}})
    async with Upstream() as up:
        up.answer(
            "/ecb/stats/eurofxref/eurofxref-daily.xml",
            body=banks.ecb(NOON.date(), {"USD": Decimal(100), "EUR": Decimal(105)}),
            content_type="text/xml",
        )
        service = compose(config, upstream=up.url, now=lambda: NOON)
        async with service.fetcher:
            await service.poller.poll("ecb")
        dollar = service.board.latest.get("USD")
        assert dollar
        assert (dollar.price, dollar.reason) == (None, Reason.SCHEMA)


@pytest.mark.parametrize(
    ("contract", "board", "failed"), [("SiZ4", "73.73", None), ("BRZ4", "None", Reason.PARSE)], ids=["another", "ours"]
)
async def test_a_cell_that_nobody_asked_for_is_no_failure(contract: str, board: str, failed: Reason | None) -> None:
    """A wounded dollar future leaves Brent and the source's health alone; a wounded Brent has its own reason."""
    flags = {**FLAGS, "instruments.OIL.sources": ["moex"]}
    rows = listing.contracts(NOON.date(), Decimal("73.73"), Decimal("72.81"))
    body = with_cell(forts.moex_forts(NOON, rows), contract, "LAST", "n/a")
    async with Upstream() as up:
        up.answer(MOEX, body=body)
        config = load(shipped(), {}, flags).settings.model_copy(update={"checks": {}})
        service = compose(config, upstream=up.url, now=lambda: NOON)
        async with service.fetcher:
            await service.poller.poll("moex")
    (oil,) = [quote for quote in service.board.current(NOON).quotes if quote.symbol == "OIL"]
    assert (str(oil.price), oil.reason, service.poller.health["moex"].reason) == (board, failed, failed)


def with_cell(board: bytes, contract: str, column: str, value: object) -> bytes:
    """The board with another cell in the market's row of `contract`."""
    answer = json.loads(board, parse_float=Decimal)
    columns = answer["marketdata"]["columns"]
    (row,) = [row for row in answer["marketdata"]["data"] if row[0] == contract]
    row[columns.index(column)] = value
    return exact.dumps(answer).encode()
