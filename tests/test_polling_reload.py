"""A running service takes another configuration: what the poller keeps, what the timetable does, what is refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.patience import PATIENCE
from tests.support.upstream import CBR, NOON, Upstream
from ticker.app import Service, compose
from ticker.health import Health
from ticker.scheduling import Plan, PollScheduler
from ticker.settings.errors import ConfigurationError
from ticker.settings.loader import load, shipped
from ticker.settings.models import Schedule, Settings

ZONE = ZoneInfo("UTC")
HOUR = timedelta(hours=1)
TRIO = {
    "instruments.USD.sources": ["cbr", "cbr_mirror"],
    "instruments.EUR.sources": ["cbr", "cbr_mirror"],
    "instruments.OIL.sources": ["moex", "yahoo"],
    **{f"instruments.{symbol}.fallbacks": [] for symbol in ("USD", "EUR", "OIL")},
}


def settings(**flags: Any) -> Settings:  # noqa: ANN401 - whatever a key takes
    """The trio of four sources, no cross-checks, with flags over it; __ stands for a dot."""
    given = {**TRIO, **{key.replace("__", "."): value for key, value in flags.items()}}
    return load(shipped(), {}, given).settings.model_copy(update={"checks": {}})


@pytest.fixture
async def service() -> AsyncIterator[tuple[Service, Upstream]]:
    """A service that has asked each source once, by hand."""
    async with Upstream() as upstream:
        upstream.trio()
        made = compose(settings(), upstream=upstream.url, now=lambda: NOON, seed=1)
        async with made.fetcher:
            for source in made.poller.feeds:
                await made.poller.poll(source)
            yield made, upstream


def shown(service: Service) -> list[str]:
    """Price and source of each instrument."""
    return [f"{quote.symbol} {quote.price} {quote.source}" for quote in service.board.current(NOON).quotes]


async def test_nothing_changes_where_nothing_was_changed(service: tuple[Service, Upstream]) -> None:
    """Not even the version: a reader's copy stays good."""
    made, _ = service
    before = made.board.latest
    made.reload(settings())
    assert made.board.latest is before


async def test_numbers_stay_without_a_question(service: tuple[Service, Upstream]) -> None:
    """More decimals are shown at once, of the same number, in a new version."""
    made, upstream = service
    before, hits = made.board.latest, len(upstream.hits())
    made.reload(settings(instruments__USD__decimals=4))
    assert shown(made) == ["USD 100.6798 cbr", "EUR 106.0762 cbr", "OIL 73.73 moex"]
    assert made.board.latest.version > before.version
    assert len(upstream.hits()) == hits


async def test_another_order_of_preference_speaks_at_once(service: tuple[Service, Upstream]) -> None:
    """Out of what is known already."""
    made, _ = service
    made.reload(settings(instruments__OIL__sources=["yahoo", "moex"]))
    assert shown(made)[2] == "OIL 73.73 yahoo"


async def test_counters_go_on_and_those_of_a_removed_source_are_gone(service: tuple[Service, Upstream]) -> None:
    """Prometheus sees no reset, and no source that nobody asks."""
    made, _ = service
    made.reload(settings(instruments__OIL__sources=["moex"]))
    text = made.context.exposition.scrape("").body.decode()
    assert 'ticker_source_polls_total{source="moex"} 1.0' in text
    assert "yahoo" not in text


async def test_a_bad_configuration_changes_nothing(service: tuple[Service, Upstream]) -> None:
    """One that moves the port does not change the digits either."""
    made, _ = service
    before = made.board.latest
    with pytest.raises(ConfigurationError):
        made.reload(settings(server__port=9, instruments__USD__decimals=4))
    assert made.board.latest is before
    assert made.settings.server.port == 8080


async def test_an_answer_to_a_question_of_yesterday_is_dropped(service: tuple[Service, Upstream]) -> None:
    """The dollar's table comes in while the symbol has become the yuan's."""
    made, upstream = service
    upstream.fail(CBR, "drip:0.00001")
    poll = asyncio.create_task(made.poller.poll("cbr"))
    await upstream.seen(CBR, 3)  # a table and the one before it, and now again
    made.reload(settings(instruments__USD__base="CNY", instruments__USD__band=[1, 1000]))
    assert shown(made)[0] == "USD None None"
    await poll
    assert shown(made)[0] == "USD None None"
    assert made.poller.health["cbr"].polls == 2


class Desk:
    """A scheduler over sources that answer at once, and what it asked."""

    def __init__(self, *sources: str) -> None:
        self.health = {source: Health(source) for source in sources}
        self.asked: list[str] = []
        self.bell = asyncio.Condition()
        self.gate = asyncio.Event()
        self.gate.set()
        self.timetable = PollScheduler(plans(*sources), self.poll, self.standing, lambda _: 1, self.clock)

    def clock(self) -> datetime:
        return datetime.now(UTC)

    def standing(self, source: str) -> Health:
        return self.health[source]

    async def poll(self, source: str) -> None:
        async with self.bell:
            self.asked.append(source)
            self.bell.notify_all()
        await self.gate.wait()

    async def count(self, source: str, times: int) -> None:
        async with asyncio.timeout(PATIENCE), self.bell:
            await self.bell.wait_for(lambda: self.asked.count(source) >= times)

    def due(self, source: str) -> timedelta:
        when = self.health[source].next_poll
        assert when is not None
        return when - self.clock()


def plans(*sources: str, every: timedelta = HOUR, budget: int = 10) -> dict[str, Plan]:
    """A plan for each source."""
    schedule = Schedule(every=every, zone=ZONE, jitter=timedelta(0))
    return {source: Plan(schedule, budget, Random(1)) for source in sources}  # noqa: S311 - jitter, not a secret


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """Two sources that have been asked once and are next in an hour."""
    made = Desk("a", "b")
    made.timetable.start()
    await made.count("a", 1)
    await made.count("b", 1)
    await made.timetable.answered()
    yield made
    made.gate.set()
    await made.timetable.stop()


async def test_only_who_is_named_is_asked_anew(desk: Desk) -> None:
    """The others keep their turn, and nobody's budget begins again."""
    fresh = plans("a", "b")
    desk.timetable.reload(fresh, {"a"})
    await desk.count("a", 2)
    assert desk.asked.count("b") == 1
    assert len(fresh["a"].asked) == 2
    assert desk.due("b") > HOUR / 2


async def test_who_has_spent_the_budget_waits_all_the_same(desk: Desk) -> None:
    """However often the configuration is read."""
    for _ in range(5):
        desk.timetable.reload(plans("a", "b", budget=1), {"a"})
    assert desk.due("a") > HOUR / 2
    assert desk.asked.count("a") == 1


async def test_a_new_cadence_holds_at_once(desk: Desk) -> None:
    """Who was next in an hour is next in a second; back again, the earlier turn stays."""
    desk.timetable.reload(plans("a", "b", every=timedelta(minutes=1)), ())
    assert desk.due("a") <= timedelta(minutes=1)
    desk.timetable.reload(plans("a", "b"), ())
    assert desk.due("a") <= timedelta(minutes=1)


async def test_what_is_done_every_second_is_done_in_the_loop(desk: Desk) -> None:
    """Never in a thread beside it: the board wakes tasks of the loop."""
    where: list[int] = []
    done = asyncio.Event()

    def job() -> None:
        where.append(threading.get_ident())
        done.set()

    desk.timetable.every(0.01, job)
    async with asyncio.timeout(PATIENCE):
        await done.wait()
    assert set(where) == {threading.get_ident()}


async def test_who_is_gone_is_never_asked_again_and_who_is_new_at_once(desk: Desk) -> None:
    """Without a turn of the others."""
    desk.health = {"b": desk.health["b"], "c": Health("c")}
    desk.timetable.reload(plans("b", "c"), ())
    await desk.count("c", 1)
    assert desk.timetable._scheduler.get_job("a") is None
    desk.timetable.poll_now("a")
    assert desk.asked == ["a", "b", "c"]


async def test_who_is_being_asked_is_asked_again_afterwards(desk: Desk) -> None:
    """Never twice at once."""
    desk.gate.clear()
    desk.timetable.reload(plans("a", "b"), {"a"})
    await desk.count("a", 2)
    desk.timetable.reload(plans("a", "b"), {"a"})
    assert desk.asked.count("a") == 2
    desk.gate.set()
    await desk.count("a", 3)
