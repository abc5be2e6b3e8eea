"""One poll of a source: its requests, what came of them together, and what is told of the rest."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.support.factories import instrument
from tests.support.timetables import calendar
from tests.support.upstream import CBR, MOEX, NOON, YAHOO, Upstream
from tests.support.upstreams import formats, forts, listing, yahoo
from ticker.feeds import Feed, Reply, ask, ask_earlier
from ticker.fetch import Fetcher
from ticker.quotes import AnswerDigest, Reason, SourceError
from ticker.sources import SOURCES

DATED = "/yahoo/v8/finance/chart/BZF25.NYM"
TODAY = {"USD": Decimal("100.6798"), "EUR": Decimal("106.0762")}
TOMORROW = {"USD": Decimal("102.5761"), "EUR": Decimal("107.4252")}


@pytest.fixture
async def up() -> AsyncIterator[Upstream]:
    """Run an upstream with the trio's answers of noon."""
    async with Upstream() as started:
        started.trio()
        yield started


def feed(up: Upstream, source: str, name: str) -> Feed:
    """The source at the upstream, by the shipped calendar `name`."""
    return Feed(source, source, SOURCES[source], f"{up.url}/{source}", timedelta(seconds=5), 1_000_000, calendar(name))


async def asked(up: Upstream, source: str, name: str, codes: Sequence[str], now: datetime = NOON) -> Reply:
    """One poll."""
    async with Fetcher("market-ticker/test") as fetcher:
        return await ask(fetcher, feed(up, source, name), codes, now)


async def test_a_halted_pair_is_late_in_minutes_and_a_clearings_rate_is_not(up: Upstream) -> None:
    """The yuan trades every minute; the dollar's indicative rate is set twice a day, at 13:45 and 18:30 in Moscow."""
    source, moscow = feed(up, "moex_fx", "moex_fx"), ZoneInfo("Europe/Moscow")
    yuan, dollar = (source.calendar_of(instrument(code)) for code in ("CNY", "USD"))
    assert yuan.fresh_until(datetime(2024, 11, 22, 11, 30, tzinfo=moscow)) == datetime(
        2024, 11, 22, 11, 55, tzinfo=moscow
    )
    assert dollar.fresh_until(datetime(2024, 11, 21, 18, 30, tzinfo=moscow)) > datetime(
        2024, 11, 22, 14, 5, tzinfo=moscow
    )


async def test_a_tick_says_which_bytes_it_came_in(up: Upstream) -> None:
    """SHA-256 and length of the whole answer, and the price as it stood there: another can look it up."""
    reply = await asked(up, "cbr", "cbr", ["USD", "EUR"])
    body = up.answer_of(CBR).body
    (dollar,) = (tick for tick in reply.ticks if tick.symbol == "USD")
    assert dollar.answer == AnswerDigest(hashlib.sha256(body).hexdigest(), len(body))
    assert (dollar.raw, dollar.nominal) == ("100,6798", 1)
    assert {tick.answer for tick in reply.ticks} == {dollar.answer}


async def test_a_row_of_what_was_asked_for_is_the_reason_of_a_failure(up: Upstream) -> None:
    """The dollar's cell is empty: the euro comes, and the poll says what was wrong with the dollar."""
    body = formats.cbr_daily(date(2024, 11, 22), TODAY).replace(b"<Value>100,6798</Value>", b"<Value>n/a</Value>")
    up.answer(CBR, body=body, content_type="text/xml")
    reply = await asked(up, "cbr", "cbr", ["USD", "EUR"])
    assert reply.failure is not None
    assert (reply.failure.reason, reply.why_not("USD")) == (Reason.PARSE, Reason.PARSE)
    assert "EUR" in {tick.symbol for tick in reply.ticks}


async def test_a_row_that_nobody_asked_for_is_counted_and_no_failure(up: Upstream) -> None:
    """The won's cell is empty: nothing of it is wrong for whoever asked for dollar and euro."""
    body = formats.cbr_daily(date(2024, 11, 22), TODAY).replace(b"<Value>71,9400</Value>", b"<Value/>")
    up.answer(CBR, body=body, content_type="text/xml")
    reply = await asked(up, "cbr", "cbr", ["USD", "EUR"])
    assert reply.failure is None
    assert [row.symbol for row in reply.skipped] == ["KRW"]


async def test_a_poll_of_which_nothing_came_is_a_failure(up: Upstream) -> None:
    """With the reason of the first that went wrong."""
    up.fail("/cbr", "status:503")
    with pytest.raises(SourceError) as caught:
        await asked(up, "cbr", "cbr", ["USD"])
    assert caught.value.reason is Reason.HTTP_5XX


async def test_the_table_of_a_day_can_be_asked_for(up: Upstream) -> None:
    """In the evening the newest table is tomorrow's; the one in force is one request more."""
    up.answer(CBR, body=formats.cbr_daily(date(2024, 11, 23), TOMORROW), content_type="text/xml")
    in_force = formats.cbr_daily(date(2024, 11, 22), TODAY)
    up.answer(f"{CBR}?date_req=22/11/2024", body=in_force, content_type="text/xml")
    bank = feed(up, "cbr", "cbr")
    async with Fetcher("market-ticker/test") as fetcher:
        newest = await ask(fetcher, bank, ["USD"], NOON)
        earlier = await ask_earlier(fetcher, bank, ["USD"], date(2024, 11, 22))
    dollars = [tick for tick in (*newest.ticks, *earlier.ticks) if tick.symbol == "USD"]
    assert [(tick.price, f"{tick.as_of:%d.%m}") for tick in dollars] == [
        (Decimal("102.5761"), "23.11"),
        (Decimal("100.6798"), "22.11"),
    ]


async def test_a_source_without_such_tables_says_nothing_of_a_day(up: Upstream) -> None:
    """And is not asked."""
    async with Fetcher("market-ticker/test") as fetcher:
        assert await ask_earlier(fetcher, feed(up, "moex", "moex_forts"), ["BR"], date(2024, 11, 22)) == Reply(())
    assert up.hits() == []


async def test_the_witness_of_a_price_comes_with_it(up: Upstream) -> None:
    """Brent's dated contract abroad is a tick of its own, after the one that was asked for."""
    up.answer(DATED, body=yahoo.yahoo_chart("BZF25.NYM", "USD", Decimal("73.74"), NOON, Decimal("72.81")))
    reply = await asked(up, "yahoo", "ice_brent", ["BZ=F"])
    assert [tick.symbol for tick in reply.ticks] == ["BZ=F", "BZF25.NYM"]
    assert reply.ticks[1].contract is not None
    assert reply.ticks[1].contract.expires == date(2024, 11, 29)


@pytest.mark.parametrize("how", ["status:404", "status:500", "close", "truncate"])
async def test_a_witness_that_is_away_is_no_failure(up: Upstream, how: str) -> None:
    """Whatever becomes of it: the price that was asked for is there, and the source is well."""
    up.fail(DATED, how)
    reply = await asked(up, "yahoo", "ice_brent", ["BZ=F"])
    assert [tick.symbol for tick in reply.ticks] == ["BZ=F"]
    assert reply.failure is None


async def test_a_witness_for_which_we_ask_too_often_makes_us_ask_less(up: Upstream) -> None:
    """The price is there; the wait that the source asks for is heard all the same."""
    up.fail(DATED, "retry_after:90")
    reply = await asked(up, "yahoo", "ice_brent", ["BZ=F"])
    assert [tick.symbol for tick in reply.ticks] == ["BZ=F"]
    assert reply.failure is not None
    assert (reply.failure.reason, reply.failure.retry_after) == (Reason.RATE_LIMITED, timedelta(seconds=90))


async def test_where_the_price_is_away_its_witness_alone_is_a_failure(up: Upstream) -> None:
    """The dated contract is not the one that was asked for."""
    up.answer(DATED, body=yahoo.yahoo_chart("BZF25.NYM", "USD", Decimal("73.74"), NOON, Decimal("72.81")))
    up.fail(YAHOO, "status:404")
    reply = await asked(up, "yahoo", "ice_brent", ["BZ=F"])
    assert reply.failure is not None
    assert reply.failure.reason is Reason.HTTP_4XX


async def test_a_source_in_trouble_is_asked_no_further(up: Upstream) -> None:
    """After a rate limit there is no second request."""
    up.fail(YAHOO, "status:429")
    with pytest.raises(SourceError) as caught:
        await asked(up, "yahoo", "ice_brent", ["BZ=F"])
    assert caught.value.reason is Reason.RATE_LIMITED
    assert len(up.hits()) == 1


async def test_a_contract_without_its_expiry_takes_no_other_down(up: Upstream) -> None:
    """The far month's last trading day is null; the front month's price comes, and nothing has failed."""
    contracts = listing.contracts(NOON.date(), Decimal("73.73"), Decimal("72.81"))
    body = forts.moex_forts(NOON, contracts).replace(b'"2025-02-03"', b"null")
    assert b"null" in body
    up.answer(MOEX, body=body)
    reply = await asked(up, "moex", "moex_forts", ["BR"])
    assert (reply.failure, [row.symbol for row in reply.skipped]) == (None, ["BRG5"])
    assert reply.ticks[0].price == Decimal("73.73")


async def test_a_key_is_in_no_failure(up: Upstream) -> None:
    """What an upstream says of a request may repeat its key."""
    keyed = replace(feed(up, "eia", "eia"), api_key="geheim-1234567")
    error = SourceError(Reason.SCHEMA, "no data for api_key=geheim-1234567")
    assert "geheim" not in keyed.redacted(error).detail
