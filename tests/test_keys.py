from __future__ import annotations

import pytest

from tests.support.upstream import NOON, Upstream
from tests.support.upstreams import prices
from tests.support.upstreams.forts import MOSCOW
from ticker.app import compose
from ticker.fetch import Call
from ticker.quotes import Reason
from ticker.settings.errors import ConfigurationError
from ticker.settings.loader import load, shipped
from ticker.settings.models import Settings
from ticker.sources import KEYED

KEY = "S3CR3T&=key"
PATH = "/alphavantage/query"


def config(*sources: str, key: str | None = None) -> Settings:
    """Oil alone, by `sources`, in memory."""
    flags = {"instruments.OIL.sources": list(sources), "instruments.OIL.fallbacks": [], "store.url": "memory://"}
    environment = {"TICKER_SOURCES__ALPHAVANTAGE__API_KEY": key} if key else {}
    settings = load(shipped(), environment, flags).settings
    return settings.model_copy(update={"checks": {}, "instruments": {"OIL": settings.instruments["OIL"]}})


def test_three_sources_are_off_as_shipped() -> None:
    """No key is shipped, and nothing that needs one is asked."""
    settings = load(shipped(), {}, {}).settings
    assert {source for source in settings.sources if settings.is_off(source, KEYED)} == {
        "eia",
        "alphavantage",
        "twelvedata",
    }


def test_a_source_without_a_key_is_as_if_not_listed() -> None:
    """The others of its instrument carry on; with a key it takes its place among them."""
    without, within = config("alphavantage", "moex"), config("alphavantage", "moex", key=KEY)
    assert without.active(KEYED).used_sources() == ("moex",)
    assert set(within.active(KEYED).used_sources()) == {"moex", "alphavantage"}
    assert compose(without).poller.instruments[0].sources == ("moex",)


def test_an_instrument_that_has_no_other_source_is_a_fault() -> None:
    """The start stops with the name of the instrument, of the source and of what to set."""
    with pytest.raises(
        ConfigurationError, match=r"instruments\.OIL.*alphavantage.*TICKER_SOURCES__ALPHAVANTAGE__API_KEY"
    ):
        config("alphavantage")


async def test_the_key_goes_into_the_query_and_nowhere_else() -> None:
    """The upstream gets it whole; what is kept and shown of the answer has an address without it."""
    async with Upstream() as up:
        body = prices.alphavantage("Crude Oil Prices Brent", {NOON.astimezone(MOSCOW).date(): None})
        up.answer(PATH, body=body, content_type="application/json")
        service = compose(config("alphavantage", key=KEY), upstream=up.url, now=lambda: NOON)
        feed = service.poller.feeds["alphavantage"]
        async with service.fetcher as fetcher:
            await service.poller.poll("alphavantage")
            answer = await fetcher.get(Call(f"{up.url}{PATH}", {"a": "b"}, secret=feed.secret()))
        assert [hit.path_qs.partition("apikey=")[2] for hit in up.hits(PATH)] == ["S3CR3T%26%3Dkey"] * 2
        assert answer.url == f"{up.url}{PATH}?a=b"
        assert KEY not in repr(feed) + str(service.settings)


@pytest.mark.parametrize("how", ["status:403", "redirect:http://consent.example.org/?apikey=S3CR3T%26%3Dkey", "close"])
async def test_no_failure_tells_the_key(how: str) -> None:
    """Whatever goes wrong, and whatever the upstream repeats, its text has no key in it."""
    async with Upstream() as up:
        up.answer(PATH, body=b"{}", content_type="application/json")
        up.fail(PATH, how)
        service = compose(config("alphavantage", key=KEY), upstream=up.url, now=lambda: NOON)
        async with service.fetcher:
            await service.poller.poll("alphavantage")
        health = service.poller.health["alphavantage"]
        assert health.reason is not None
        assert "S3CR3T" not in (health.detail or "")


async def test_an_answer_that_repeats_the_key_is_quoted_without_it() -> None:
    """An error of an adapter quotes what came; what came may quote the request."""
    async with Upstream() as up:
        body = f'{{"data": [], "name": "{"- " * 15}{KEY}{KEY} is not entitled"}}'.encode()
        up.answer(PATH, body=body, content_type="application/json")
        service = compose(config("alphavantage", key=KEY), upstream=up.url, now=lambda: NOON)
        async with service.fetcher:
            await service.poller.poll("alphavantage")
        health = service.poller.health["alphavantage"]
        assert (health.reason, "***" in (health.detail or "")) == (Reason.SCHEMA, True)
        assert "S3CR" not in (health.detail or "")
