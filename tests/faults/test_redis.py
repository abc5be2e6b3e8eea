"""The service while its Redis fails: what is shown, what is told to others, and what is there afterwards."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from datetime import timedelta

import pytest

from tests.storage.rows import SERIES
from tests.support.captured_logs import heard
from tests.support.network_link import link
from tests.support.patience import PATIENCE
from tests.support.redis_servers import Server, redis_server
from tests.support.stored_service import Kept, joined, kept
from tests.support.upstream import DAY, NOON, Upstream
from ticker.storage import of_url
from ticker.storage.base import Query

# It drives programs of Debian's for real.
pytestmark = pytest.mark.programs

HOUR = timedelta(hours=1)


@pytest.fixture
def server() -> Iterator[Server]:
    """A Redis that can be spoilt."""
    with redis_server() as started:
        yield started


@asynccontextmanager
async def two(url: str, upstream: Upstream) -> AsyncIterator[tuple[Kept, Kept]]:
    """The one who polls, and one who follows it."""
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(kept(url, upstream.url))
        second = await stack.enter_async_context(joined(url, upstream.url))
        await second.until(lambda: shown(second) == shown(first) and first.service.context.process_health.replicas == 2)
        yield first, second


def shown(service: Kept) -> int:
    """The version on its board."""
    return service.service.board.latest.version


def leads(service: Kept) -> bool:
    """Whether it polls by the lease."""
    return service.service.context.process_health.leads


def price(service: Kept) -> str:
    """The price of oil on its board."""
    return str(service.service.board.latest.get("OIL").price)  # type: ignore[union-attr]


def oil(url: str) -> set[str]:
    """The prices of oil that the store has."""
    with closing(of_url(url)) as store:
        span = Query(SERIES["OIL"], ("moex", "yahoo"), NOON - 9 * HOUR, NOON + 99 * HOUR, 100, None, HOUR)
        return {point.price for point in store.series(span)}


async def moved(service: Kept, upstream: Upstream, brent: str, hours: int, *others: Kept) -> None:
    """The oil moves, `hours` after noon by everybody's clock, and the one who polls sees it."""
    for each in (service, *others):
        each.clock.now = NOON + hours * HOUR
    upstream.trio(DAY, brent=brent, now=service.clock.now)
    await service.polled()


async def test_a_redis_that_came_back_empty_is_told_all_again(server: Server, upstream: Upstream) -> None:
    """With no new number and by whoever holds it: history, and what a new start shows."""
    url = f"{server.url}/0?timeout=200ms"
    async with two(url, upstream) as (leader, follower):
        await moved(leader, upstream, "74.01", 1, follower)
        await leader.written()
        await follower.until(lambda: shown(follower) == shown(leader))
        server.restart()
        await asyncio.to_thread(until_kept, url, {"73.73", "74.01"})
        await leader.until(lambda: bool(found(url)))
        async with joined(url, upstream.url, NOON + HOUR) as third:
            await third.until(lambda: shown(third) >= shown(follower))


def until_kept(url: str, prices: set[str]) -> None:
    """Wait until the store has these."""
    latest = time.monotonic() + PATIENCE
    while oil(url) != prices:
        assert time.monotonic() < latest
        time.sleep(0.05)


def found(url: str) -> list[str]:
    """The boards that a start would find."""
    with closing(of_url(url)) as store:
        names = store._wire.ask(lambda client: client.keys("*editions*"))  # type: ignore[attr-defined]
        return [name for name in names if store._wire.ask(lambda client, n=name: client.hexists(n, "quotes"))]  # type: ignore[attr-defined]


async def test_a_full_redis_keeps_the_replicas_together(server: Server, upstream: Upstream) -> None:
    """History waits for room; who follows is told every number all the same."""
    async with two(server.url, upstream) as (leader, follower):
        server.tell("CONFIG", "SET", "maxmemory", "1")
        for hours, brent in enumerate(("74.01", "74.22"), start=1):
            await moved(leader, upstream, brent, hours, follower)
            await follower.until(lambda: shown(follower) == shown(leader))
        assert (await follower.get("/v1/quotes/OIL"))["price"] == 74.22
        assert leader.service.store_writer.health.queued > 0
        server.tell("CONFIG", "SET", "maxmemory", "0")
        await leader.written()
        assert oil(server.url) == {"73.73", "74.01", "74.22"}


async def test_a_redis_that_hangs_delays_no_number(server: Server, upstream: Upstream) -> None:
    """Quotes come, history with an error, while it still hangs; afterwards all that was shown is kept."""
    url = f"{server.url}/0?timeout=200ms"
    async with kept(url, upstream.url) as service:
        await service.written()
        server.pause()
        await service.until(lambda: service.service.coordinator._replica.role == "standalone")  # type: ignore[union-attr]
        before = shown(service)
        await moved(service, upstream, "74.01", 1)
        assert shown(service) > before
        async with asyncio.timeout(PATIENCE), service.client.get("/v1/quotes/OIL/history") as answer:
            assert answer.status == 503
        server.go_on()
        await service.written()
        assert oil(url) == {"73.73", "74.01"}


async def polled_where_it_is_led(*services: Kept) -> None:
    """Ask every source once more, at whoever has the lease just now."""
    for each in services:
        if leads(each):
            with suppress(TimeoutError):
                await asyncio.wait_for(each.polled(), PATIENCE / 9)
    await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    ("key", "field", "value"),
    [
        ("lease", "ends", "x"),
        ("lease", "fence", "x"),
        ("lease", "fence", "9223372036854775807"),
        ("lease", "holder", "x"),
        ("editions", "quotes", "x"),
        ("editions", "quotes", "9223372036854775807|0|{}"),
        ("editions", "quotes", f"9007199254740000|0|{'[' * 100_000}"),
        ("editions", "sources", "x|y|z"),
    ],
)
async def test_what_another_program_writes_there_stops_nobody(
    server: Server, upstream: Upstream, key: str, field: str, value: str
) -> None:
    """The next number of whoever polls is shown by who follows, whatever stood there."""
    async with two(f"{server.url}/0?prefix=ours", upstream) as (leader, follower):
        server.tell("HSET", f"{{ours}}:{key}:{leader.service.store_writer.name}", field, value)
        for hours, brent in enumerate(("74.01", "74.22"), start=1):
            leader.clock.now = follower.clock.now = NOON + hours * HOUR
            upstream.trio(DAY, brent=brent, now=leader.clock.now)
            async with asyncio.timeout(PATIENCE):
                while {price(leader), price(follower)} != {brent}:
                    await polled_where_it_is_led(leader, follower)
        assert (await follower.get("/v1/quotes/OIL"))["status"] == "fresh"


async def test_a_store_that_hangs_at_the_start_holds_nobody_up(server: Server, upstream: Upstream) -> None:
    """The service is there before the store's time-out, says that it knows nothing yet, and learns it."""
    url = f"{server.url}/0?timeout=30s"
    async with kept(url, upstream.url) as first:
        await first.written()
    upstream.fail("/", "hang")
    server.pause()
    with heard() as said:
        async with joined(url, upstream.url) as second:
            (late,) = (line["detail"] for line in said if line["event"].startswith("store failed"))
            assert late == "too slow to be waited for at the start"
            async with second.client.get("/readyz") as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
            async with second.client.get("/widget?lang=en") as answer:
                assert (answer.status, "73.73" in await answer.text()) == (200, False)
            server.go_on()
            await second.until(lambda: price(second) == "73.73")
            async with second.client.get("/readyz") as answer:
                assert answer.status == 200


@pytest.mark.parametrize("cut_off_is_newest", [True, False])
async def test_a_leader_that_is_cut_off_takes_nothing_back(
    server: Server, upstream: Upstream, *, cut_off_is_newest: bool
) -> None:
    """Both sides go on; meeting again both show the newest, a newcomer finds it, and all is kept."""
    async with link(server.port) as way, AsyncExitStack() as stack:
        apart = f"redis://127.0.0.1:{way.port}/0?timeout=200ms"
        leader = await stack.enter_async_context(kept(apart, upstream.url))
        follower = await stack.enter_async_context(joined(server.url, upstream.url))
        await follower.until(lambda: shown(follower) == shown(leader))
        way.cut()
        await follower.until(lambda: leads(follower))
        await leader.until(lambda: leader.service.coordinator._replica.role == "standalone")  # type: ignore[union-attr]
        first, last = (follower, leader) if cut_off_is_newest else (leader, follower)
        await moved(first, upstream, "74.01", 1, last)
        await moved(last, upstream, "74.22", 2, first)
        highest = max(shown(leader), shown(follower))
        way.mend()

        def alike() -> bool:
            return shown(leader) == shown(follower) >= highest and {price(leader), price(follower)} == {"74.22"}

        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE / 4):
                await leader.until(alike)
        # Where the machine stutters the lease changes hands once more meanwhile: then the next print is everybody's.
        for each in (leader, follower) if not alike() else ():
            each.clock.now = NOON + 3 * HOUR
        upstream.trio(DAY, brent="74.22", now=leader.clock.now)
        async with asyncio.timeout(PATIENCE):
            while not alike():
                await polled_where_it_is_led(leader, follower)
        for each in (leader, follower):
            await each.written()
        assert oil(server.url) == {"73.73", "74.01", "74.22"}
        await leader.until(lambda: leads(leader) is not leads(follower))
        third = await stack.enter_async_context(joined(server.url, upstream.url, NOON + 2 * HOUR))
        await third.until(lambda: shown(third) >= highest)
