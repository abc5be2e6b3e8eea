"""A source that takes several requests: what one answer lacks is no reason to refuse another."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.invented import banks, formats
from tests.upstream import NOON, Upstream
from ticker.app import compose
from ticker.quotes import Reason, Snapshot
from ticker.settings import load
from ticker.settings.load import shipped

CHART = "/yahoo/v8/finance/chart/{}"
FEEDS = {"USD": ["yahoo"], "EUR": ["yahoo"], "OIL": ["yahoo"]}
FLAGS = {"store.url": "memory://", **{f"instruments.{symbol}.sources": feeds for symbol, feeds in FEEDS.items()}}


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
        body = formats.yahoo_chart(symbol, currency, Decimal(price), NOON, Decimal(price), "FUTURE")
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
        assert service.poller.told("frankfurter") == {"USD": "100.6798 of 2024-11-22"}


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
