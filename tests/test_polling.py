from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.support.patience import PATIENCE
from tests.support.upstream import NOON, Upstream
from tests.support.upstreams import formats, yahoo
from ticker.app import Service, compose
from ticker.calendars import Session
from ticker.feeds import PollTargets
from ticker.health import Health
from ticker.polling import Poller
from ticker.quotes import Quote, Reason, Status
from ticker.settings.loader import load, shipped
from ticker.sources import Extract

ALL = ("cbr", "cbr_mirror", "moex", "yahoo")
# The four sources of the trio and no more, whatever else the shipped configuration has learned to ask.
FEEDS = {"USD": ["cbr", "cbr_mirror"], "EUR": ["cbr", "cbr_mirror"], "OIL": ["moex", "yahoo"]}
FLAGS = {
    "store.url": "memory://",
    **{f"instruments.{symbol}.sources": sources for symbol, sources in FEEDS.items()},
    **{f"instruments.{symbol}.fallbacks": [] for symbol in FEEDS},
}


@dataclass(slots=True)
class House:
    """One service over one upstream, polled by hand at the time that a test says it is."""

    up: Upstream
    now: datetime = NOON
    service: Service = field(init=False)

    def __post_init__(self) -> None:
        settings = load(shipped(), {}, FLAGS).settings.model_copy(update={"checks": {}})
        self.service = compose(settings, upstream=self.up.url, now=lambda: self.now, seed=1)

    @property
    def poller(self) -> Poller:
        return self.service.poller

    @property
    def polled(self) -> list[Health]:
        return [self.poller.health[source] for source in ALL]

    def lose_patience(self) -> None:
        feeds = {name: replace(feed, timeout=timedelta(milliseconds=300)) for name, feed in self.poller.feeds.items()}
        self.poller.reload(PollTargets(self.poller.instruments, feeds))

    async def poll(self, *sources: str) -> None:
        for source in sources or ALL:
            await self.poller.poll(source)

    def quote(self, symbol: str) -> Quote:
        found = self.service.board.current(self.now).get(symbol)
        assert found is not None
        return found

    def shown(self) -> list[str]:
        """What stands on the board: price, source and status of each instrument."""
        quotes = self.service.board.current(self.now).quotes
        return [f"{quote.symbol} {quote.price} {quote.source} {quote.status}" for quote in quotes]


GOOD = ["USD 100.6798 cbr fresh", "EUR 106.0762 cbr fresh", "OIL 73.73 moex fresh"]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """Run a service over a healthy upstream."""
    async with Upstream() as up:
        up.trio()
        built = House(up)
        async with built.service.fetcher:
            yield built


async def test_before_the_first_answer_nothing_is_known(house: House) -> None:
    """No number, no status but unavailable, and no source that failed."""
    assert house.shown() == ["USD None None unavailable", "EUR None None unavailable", "OIL None None unavailable"]
    assert [health.up for health in house.polled] == [None] * 4


async def test_the_bytes_of_the_sources_become_quotes(house: House) -> None:
    """One poll of each source gives the trio of 22.11.2024, exactly, with what stood before."""
    await house.poll()
    assert house.shown() == GOOD
    assert house.quote("USD").previous == Decimal("100.2192")  # from the mirror of the same publisher
    assert [health.up for health in house.polled] == [True] * 4


WRONG = {
    "hang": Reason.TIMEOUT,
    "drip": Reason.TIMEOUT,
    "close": Reason.CONNECT,
    "reset": Reason.CONNECT,
    "truncate": Reason.PARSE,
    "bomb_gzip": Reason.SIZE,
    "endless": Reason.SIZE,
    "empty": Reason.PARSE,
    "garbage": Reason.ENCODING,
    "html": Reason.BLOCKED,
    "redirect:http://consent.example.org/": Reason.BLOCKED,
    "status:403": Reason.HTTP_4XX,
    "status:500": Reason.HTTP_5XX,
    "retry_after:600": Reason.RATE_LIMITED,
}


@pytest.mark.parametrize("how", WRONG)
async def test_a_failed_source_leaves_the_last_good_quotes(house: House, how: str) -> None:
    """However every source misbehaves, the numbers stay as they are and each failure is counted by its reason."""
    await house.poll()
    before = house.service.board.latest
    house.up.fail("/", how)
    if WRONG[how] is Reason.TIMEOUT:
        house.lose_patience()
    await asyncio.gather(*map(house.poll, ALL))
    assert house.shown() == GOOD
    assert [replace(quote, reason=None) for quote in house.service.board.latest.quotes] == list(before.quotes)
    for health in house.polled:
        assert (health.up, health.polls, dict(health.failures)) == (False, 2, {WRONG[how]: 1})


@pytest.mark.parametrize("source", ALL)
async def test_one_sources_failure_disturbs_no_other(house: House, source: str) -> None:
    """While one is down the others are polled as ever, and what has a second source is still known."""
    house.up.fail(f"/{source}/", "status:500")
    await house.poll()
    down = [health.source for health in house.polled if not health.up]
    assert down == [source]
    assert [quote.status for quote in house.service.board.latest.quotes] == [Status.FRESH] * 3


WOUNDS = {
    "an error with 200": (formats.CBR_REFUSAL, Reason.SCHEMA),
    "zero": (formats.cbr_daily(date(2024, 11, 22), {"USD": Decimal(0)}), Reason.RANGE),
    "NaN": (b"100,6798|NaN", Reason.PARSE),
    "a negative": (b"100,6798|-100,6798", Reason.RANGE),
    "a huge number": (b"100,6798|" + b"9" * 100_000, Reason.PARSE),
    "another encoding": (b'"windows-1251"|"utf-8"', Reason.ENCODING),
    "another nominal": (b"<Nominal>1<|<Nominal>7<", Reason.UNIT),
    "no euro": (b"<CharCode>EUR<|<CharCode>EUX<", Reason.SCHEMA),
    "a cut table": (b'<Valute ID="R01375">|</ValCurs><!--', Reason.PARSE),
}


@pytest.mark.parametrize("name", WOUNDS)
async def test_a_wounded_table_leaves_the_last_good_quotes(house: House, name: str) -> None:
    """A wrong table counts with its reason; no number of it is shown, and none is lost."""
    await house.poll()
    body, reason = WOUNDS[name]
    old, _, new = body.partition(b"|")
    if new:
        healthy = formats.cbr_daily(date(2024, 11, 22), {"USD": Decimal("100.6798"), "EUR": Decimal("106.0762")})
        body = healthy.replace(old, new)
    house.up.answer("/cbr/scripts/XML_daily.asp", body=body)
    await house.poll("cbr")
    assert house.shown() == GOOD
    assert dict(house.poller.health["cbr"].failures) == {reason: 1}


@pytest.mark.parametrize("rate", ["10.0680", "1006.7980", "0.0099", "650"])
async def test_a_refused_tick_is_counted_and_not_shown(house: House, rate: str) -> None:
    """A number that a rule refuses counts for its source and symbol; the source itself is up."""
    await house.poll()
    house.up.trio(usd=rate)
    await house.poll("cbr")
    health = house.poller.health["cbr"]
    assert house.shown() == GOOD
    assert (health.up, dict(health.rejected)) == (True, {("USD", Reason.RANGE): 1})


async def test_a_table_from_the_future_is_refused(house: House) -> None:
    """A table dated next month was never published: day and month swapped, or a clock gone wrong."""
    await house.poll()
    house.up.trio(date=date(2024, 12, 22), usd="101")
    await house.poll("cbr")
    assert house.shown() == GOOD
    assert house.poller.health["cbr"].rejected["USD", Reason.FUTURE] == 1


async def test_an_answer_about_something_else_is_a_failure(house: House) -> None:
    """An answer that is well-formed and says nothing of what was asked is a `schema` failure."""
    chart = yahoo.yahoo_chart("GC=F", "USD", Decimal("2688.1"), NOON, Decimal(2680))
    house.up.answer("/yahoo/v8/finance/chart/BZ=F", body=chart)
    await house.poll("yahoo")
    assert dict(house.poller.health["yahoo"].failures) == {Reason.SCHEMA: 1}


async def test_an_adapter_that_breaks_is_contained(house: House) -> None:
    """A fault of ours in one adapter is that source's failure and nobody else's."""

    def broken(body: bytes) -> Extract:
        raise KeyError(len(body))

    feeds = dict(house.poller.feeds)
    feeds["moex"] = replace(feeds["moex"], adapter=replace(feeds["moex"].adapter, parse=broken))
    targets = PollTargets(house.poller.instruments, feeds)
    poller = Poller(targets, house.service.board, house.service.fetcher, lambda: NOON)
    for source in ALL:
        await poller.poll(source)
    assert (poller.health["moex"].reason, poller.health["moex"].up) == (Reason.PARSE, False)
    assert house.shown() == [*GOOD[:2], "OIL 73.73 yahoo fresh"]


async def test_what_ends_the_service_is_no_failure(house: House) -> None:
    """A poll that is cancelled counts nothing."""
    house.up.fail("/moex", "hang")
    poll = asyncio.create_task(house.poll("moex"))
    await asyncio.wait_for(house.up.seen("/moex"), PATIENCE)
    poll.cancel()
    with pytest.raises(asyncio.CancelledError):
        await poll
    assert house.poller.health["moex"].polls == 0


async def test_a_source_that_recovers_is_up_again(house: House) -> None:
    """The reason goes with the failure, its count stays."""
    house.up.fail("/cbr/", "status:500")
    await house.poll("cbr")
    house.up.heal("/cbr/")
    await house.poll("cbr")
    health = house.poller.health["cbr"]
    assert (health.up, health.reason, health.in_a_row, health.polls) == (True, None, 0, 2)
    assert (health.failures[Reason.HTTP_5XX], health.accepted) == (1, 2)


async def test_the_same_answer_again_is_no_new_version(house: House) -> None:
    """Nothing is rendered or sent anew because a poll brought what was known; when it was said last is told."""
    await house.poll()
    version = house.service.board.latest.version
    house.now += timedelta(minutes=5)
    await house.poll("cbr", "cbr_mirror")
    assert house.service.board.latest.version == version
    assert (house.quote("USD").fetched_at, house.quote("USD").checked_at) == (NOON, house.now)


async def test_a_new_answer_is_a_new_version(house: House) -> None:
    """A new number is on the board as soon as its poll has ended."""
    await house.poll()
    version = house.service.board.latest.version
    house.now += timedelta(minutes=1)
    house.up.trio(brent="73.80", now=house.now)
    await house.poll("moex")
    assert house.service.board.latest.version > version
    assert house.quote("OIL").price == Decimal("73.80")


async def test_with_the_upstream_gone_numbers_age_and_go(house: House) -> None:
    """Killed for good, the last good numbers turn stale and are withdrawn past their max_age, never changed."""
    await house.poll()
    await house.up.stop()
    for days, status in ((5, Status.STALE), (15, Status.UNAVAILABLE)):
        house.now = NOON + timedelta(days=days)
        await house.poll()
        expected = None if status is Status.UNAVAILABLE else Decimal("100.6798")
        assert (house.quote("USD").status, house.quote("USD").price) == (status, expected)
    await house.up.start()


async def test_a_clock_that_was_a_day_ahead_and_is_set_back_takes_its_table_back(house: House) -> None:
    """The table of Saturday was in force by the clock; by the right one it is Friday noon, and Friday's is."""
    house.up.trio(date(2024, 11, 23), "102.5761", "107.4252")
    house.now = NOON + timedelta(days=1)
    await house.poll("cbr")
    assert house.quote("USD").price == Decimal("102.5761")
    house.now = NOON
    house.up.trio()
    await house.poll()
    assert house.shown() == GOOD


async def test_a_clock_that_is_behind_calls_nothing_fresh_that_all_sources_are_ahead_of(house: House) -> None:
    """Both markets answer and are refused as of the future: what is shown is older than what is there."""
    await house.poll()
    house.now += timedelta(minutes=6)
    house.up.trio(brent="73.80", now=house.now + timedelta(hours=1))
    await house.poll()
    assert house.shown() == [*GOOD[:2], "OIL 73.73 moex stale"]
    assert house.quote("OIL").reason is Reason.FUTURE


class Broken(Session):
    """A market's calendar that has a fault for whoever asks how long a print is fresh."""

    def fresh_until(self, as_of: datetime) -> datetime:
        """Fail."""
        raise ZeroDivisionError(f"0 days since {as_of}")


async def test_a_fault_in_one_decision_leaves_the_other_numbers_alone(house: House) -> None:
    """Oil keeps its last good number, marked; the currencies go on as if nothing had happened."""
    await house.poll()
    poller = house.poller
    broken = Broken(**{each.name: getattr(poller.calendars("OIL")["moex"], each.name) for each in fields(Session)})
    poller.reload(PollTargets(poller.instruments, poller.feeds, {"OIL": broken}))
    house.now += timedelta(minutes=1)
    house.up.trio(brent="73.80", now=house.now)
    await house.poll()
    assert house.shown() == [*GOOD[:2], "OIL 73.73 moex stale"]
    assert house.quote("OIL").reason is Reason.PARSE
    poller.reload(PollTargets(poller.instruments, poller.feeds))
    await house.poll()
    assert house.shown()[2] == "OIL 73.80 moex fresh"


async def test_what_a_source_last_said_can_be_told(house: House) -> None:
    """A probe shows the usable numbers of each source."""
    await house.poll("cbr", "moex")
    assert house.poller.latest_values("cbr") == {"USD": "100.6798 of 2024-11-22", "EUR": "106.0762 of 2024-11-22"}
    assert (house.poller.latest_values("moex"), house.poller.latest_values("yahoo")) == (
        {"OIL": "73.73 of 2024-11-22"},
        {},
    )


async def test_two_services_live_in_one_process(house: House) -> None:
    """Nothing is global: another service over another upstream shows its own numbers at the same time."""
    async with Upstream() as other:
        other.trio(usd="99.0180", eur="104.5000", brent="71.04")
        second = House(other)
        async with second.service.fetcher:
            await asyncio.gather(house.poll(), second.poll())
    assert house.shown() == GOOD
    assert second.shown() == ["USD 99.0180 cbr fresh", "EUR 104.5000 cbr fresh", "OIL 71.04 moex fresh"]
    assert house.poller.health["cbr"] is not second.poller.health["cbr"]
