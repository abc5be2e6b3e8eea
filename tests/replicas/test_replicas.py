"""Services over one store in one process, each with its own loop's parts: who polls, and what the others show."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.support.patience import PATIENCE
from tests.support.running_service import Clock
from tests.support.stored_service import configured
from tests.support.timekeepers import timetable
from tests.support.upstream import DAY, NOON, Upstream
from ticker.app import Service, compose
from ticker.quotes import Status
from ticker.replicas.lease import BEAT_SECONDS, TTL_SECONDS, Role
from ticker.storage.base import StoreError


async def until(true: Callable[[], object]) -> None:
    """Wait until `true` is. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while not true():  # noqa: ASYNC110 - a replica's thread has no event to wait for
            await asyncio.sleep(0.01)


def service(folder: Path, upstream: Upstream, clock: Clock | None = None, /, **flags: object) -> Service:
    """One replica, not running yet."""
    config = configured(f"sqlite:///{folder}/ticker.db", **flags)
    return compose(config, upstream=upstream.url, now=clock or Clock(), seed=1, stored=True)


def role(of: Service) -> Role:
    """What it does now."""
    assert of.coordinator is not None
    return of.coordinator._replica.role


@asynccontextmanager
async def replicas(count: int, folder: Path, upstream: Upstream, **flags: object) -> AsyncIterator[list[Service]]:
    """The leader first, which has polled every source; the others follow."""
    async with AsyncExitStack() as stack:
        found: list[Service] = []
        for number in range(count):
            found.append(service(folder, upstream, **flags))
            await stack.enter_async_context(found[-1].running())
            await until(lambda: role(found[-1]) is not Role.STARTING)
            if not number:
                await until(lambda: all(each.up is not None for each in found[0].poller.health.values()))
        yield found


def test_a_leader_that_is_gone_is_replaced_within_five_seconds() -> None:
    """A lease, and the beat at which another one asks for it; test_fleet.py shows that one does."""
    assert TTL_SECONDS + BEAT_SECONDS < 5


async def leave(leader: Service) -> None:
    """It ends as at SIGTERM, all but its serving."""
    assert leader.coordinator is not None
    leader.coordinator.stop()
    await leader.coordinator._replica.stop()


def versions(of: list[Service]) -> set[int]:
    """What their boards show."""
    return {each.board.latest.version for each in of}


def alike(of: list[Service]) -> bool:
    """Whether all show the same, which is something."""
    return len(versions(of)) == 1 and of[0].board.latest.quotes[0].price is not None


async def test_one_polls_and_all_show_what_it_found(tmp_path: Path, upstream: Upstream) -> None:
    """Followers ask nobody; their board is the leader's, version for version and byte for byte."""
    async with replicas(3, tmp_path, upstream) as (leader, *others):
        asked = len(upstream.hits())
        assert [role(each) for each in (leader, *others)] == [Role.LEADS, Role.FOLLOWS, Role.FOLLOWS]
        upstream.trio(DAY, brent="74.01")
        await leader.poller.poll("moex")
        await until(lambda: alike([leader, *others]))
        assert {str(each.board.latest.get("OIL").price) for each in others} == {"74.01"}  # type: ignore[union-attr]
        assert all(each.board.latest == leader.board.latest for each in others)
        assert [each.context.process_health.leads for each in (leader, *others)] == [True, False, False]
        assert {each.poller.health["moex"].polls for each in others} == {0}
        assert len([hit for hit in upstream.hits() if "moex" not in hit.path_qs]) <= asked


async def test_every_replica_tells_the_same_of_the_sources(tmp_path: Path, upstream: Upstream) -> None:
    """Last success and reason are those of who asked."""
    async with replicas(2, tmp_path, upstream) as (leader, other):
        upstream.fail("/cbr/", "status:500")
        await leader.poller.poll("cbr")
        await until(lambda: other.poller.health["cbr"].reason is not None)
        for mine, told in zip(other.poller.health.values(), leader.poller.health.values(), strict=True):
            await until(lambda m=mine, t=told: (m.reason, m.last_success) == (t.reason, t.last_success))  # type: ignore[misc]


async def test_a_leader_that_goes_is_replaced_and_the_next_one_goes_on_above_it(
    tmp_path: Path, upstream: Upstream
) -> None:
    """It lets go of the lease; who takes it polls, and its versions are higher."""
    async with replicas(1, tmp_path, upstream) as (first,):
        second = service(tmp_path, upstream)
        async with second.running():
            await until(lambda: role(second) is Role.FOLLOWS and alike([first, second]))
            await leave(first)
            await until(lambda: role(second) is Role.LEADS)
            shown = second.board.latest.version
            upstream.trio(DAY, brent="74.01")
            await second.poller.poll("moex")
            assert second.board.latest.version > shown
            assert str(second.board.latest.quotes[2].price) == "74.01"


async def test_what_a_leader_found_while_it_was_cut_off_is_not_shown(tmp_path: Path, upstream: Upstream) -> None:
    """An answer that comes after its lease has run out waits until it is known who speaks."""
    async with replicas(2, tmp_path, upstream) as (leader, other):
        replica = leader.coordinator._replica  # type: ignore[union-attr]
        # As after a sleep: by its own clock the lease is over, and it has not asked again yet.
        replica._until = 0.0
        replica._stopping.set()
        before = leader.board.latest
        upstream.trio(DAY, brent="74.01")
        polling = asyncio.create_task(leader.poller.poll("moex"))
        await upstream.seen("/moex", 2)
        assert leader.board.latest is before
        await until(lambda: role(other) is Role.LEADS)
        assert leader.board.latest is before
        polling.cancel()


class Away:
    """A store that is not there."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def fail(*_: object) -> None:
            if name != "close":
                raise StoreError("away")

        return fail


async def test_without_the_store_each_polls_and_afterwards_the_highest_version_is_everybodys(
    tmp_path: Path, upstream: Upstream
) -> None:
    """Serving goes on from memory; nothing that was shown goes back when the store does come back."""
    async with replicas(2, tmp_path, upstream) as both:
        leader, other = both
        await until(lambda: leader.context.process_health.replicas == len(both))
        stores = [each.store_writer.store for each in both]
        for each in both:
            each.store_writer.store = each.coordinator._replica._store = Away()  # type: ignore[union-attr]
        await until(lambda: [role(each) for each in both] == [Role.STANDALONE, Role.STANDALONE])
        assert [timetable(each).share for each in both] == [2, 2]
        for at, price in enumerate(("74.01", "74.02")):
            upstream.trio(DAY, brent=price)
            await both[at].poller.poll("moex")
        shown = max(versions(both))
        assert [str(each.board.latest.quotes[2].price) for each in both] == ["74.01", "74.02"]
        for each, store in zip(both, stores, strict=True):
            each.store_writer.store = each.coordinator._replica._store = store  # type: ignore[union-attr]
        await until(lambda: {role(leader), role(other)} == {Role.LEADS, Role.FOLLOWS} and alike(both))
        assert min(versions(both)) >= shown


async def test_a_budget_is_one_budget_whoever_polls(tmp_path: Path, upstream: Upstream) -> None:
    """A new leader begins with what the last one spent, and alone each counts for all."""
    async with replicas(1, tmp_path, upstream, **{"sources.moex.budget": 4}) as (first,):
        cost = first.poller.cost("moex")
        await until(lambda: first.store_writer.pending is False)
        second = service(tmp_path, upstream, **{"sources.moex.budget": 4})
        async with second.running():
            await until(lambda: role(second) is Role.FOLLOWS)
            await leave(first)
            await until(lambda: role(second) is Role.LEADS)
            await until(lambda: len(timetable(second).asked("moex")) >= 2 * cost)
            await until(lambda: not timetable(second).polls("moex"))
            timetable(second).divide(9)
            asked = len(upstream.hits("/moex"))
            second.timekeeper.poll_now("moex")
            timetable(second)._begin("moex")
            assert not timetable(second).polls("moex")
            assert len(upstream.hits("/moex")) == asked


async def test_who_only_looks_asks_nobody_where_another_polls(tmp_path: Path, upstream: Upstream) -> None:
    """`ticker export` beside a service writes what that one knows; alone it asks every source once."""
    alone = service(tmp_path, upstream)
    async with asyncio.timeout(PATIENCE), alone.asked():
        assert alone.board.latest.status is not Status.UNAVAILABLE
        assert all(each.up is not None for each in alone.poller.health.values())
    async with replicas(1, tmp_path, upstream) as (leader,):
        await until(lambda: not leader.store_writer.pending)
        beside = service(tmp_path, upstream)
        async with asyncio.timeout(PATIENCE), beside.asked():
            await until(lambda: beside.board.latest == leader.board.latest)
        assert {each.polls for each in beside.poller.health.values()} == {0}
        assert role(leader) is Role.LEADS


async def test_a_reload_reaches_who_follows(tmp_path: Path, upstream: Upstream) -> None:
    """It shows its own instruments at once, without asking, and takes the leader's next version all the same."""
    async with replicas(2, tmp_path, upstream) as (leader, other):
        config = configured(f"sqlite:///{tmp_path}/ticker.db", **{"instruments.OIL.decimals": 1})
        other.reload(config)
        assert other.board.latest.quotes[2].instrument.decimals == 1
        asked = len(upstream.hits())
        leader.reload(config)
        upstream.trio(DAY, brent="74.01")
        await leader.poller.poll("moex")
        await until(lambda: alike([leader, other]))
        assert other.board.latest == leader.board.latest
        assert role(other) is Role.FOLLOWS
        assert {hit.path_qs.split("/")[1] for hit in upstream.hits()[asked:]} == {"moex"}


async def test_time_makes_the_same_of_every_replicas_board(tmp_path: Path, upstream: Upstream) -> None:
    """A number turns stale when it is due, whoever looks and however late: one version, the same bytes."""
    async with replicas(2, tmp_path, upstream) as both:
        await until(lambda: alike(both))
        for days, each in zip((4, 5), both, strict=True):
            each.board.current(NOON + timedelta(days=days))
        assert alike(both)
        assert both[0].board.latest == both[1].board.latest
        assert both[0].board.latest.status is Status.STALE


async def test_what_one_leader_began_to_record_the_next_one_ends(tmp_path: Path, upstream: Upstream) -> None:
    """Oil is late under the first and comes back under the second: one entry of the record, and it is over."""
    clock = Clock()
    first, second = service(tmp_path, upstream, clock), service(tmp_path, upstream, clock)

    async def recorded(*, over: bool) -> None:
        """Wait until there is one entry of oil, `over` or not."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await second.store_writer.readers.read(
                    lambda store: store.entries("correction", ["OIL"], None, None, 10)
                )
                if [json.loads(each.text)["until"] is not None for each in found] == [over]:
                    return
                await asyncio.sleep(0.01)

    async with first.running():
        await until(lambda: role(first) is Role.LEADS and alike([first]))
        async with second.running():
            await until(lambda: role(second) is Role.FOLLOWS and alike([first, second]))
            clock.now = NOON + timedelta(hours=1)
            await until(lambda: first.board.latest.quotes[2].status is Status.STALE)
            await recorded(over=False)
            await leave(first)
            await until(lambda: role(second) is Role.LEADS)
            upstream.trio(DAY, now=clock.now)
            await second.poller.poll("moex")
            assert second.board.latest.quotes[2].status is Status.FRESH
            await recorded(over=True)
