"""A drill in process: the operator's configuration over the scripted upstream, on a clock that moves by the minute."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

from ticker import metrics
from ticker.app import Service, compose
from ticker.clock import Stepped
from ticker.drill.upstream import World
from ticker.feeds import feeds_of
from ticker.quotes import Quote
from ticker.scheduling import Plan
from ticker.settings.models import Settings
from ticker.sources import KEYED
from ticker.storage.base import Store, StoreError

Sample = tuple[str, tuple[tuple[str, str], ...]]
_MINUTE = timedelta(minutes=1)
# How long real threads have for what they do within a moment of the drill.
_PATIENCE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Frame:
    """What is to be seen at `now`: quotes by symbol, samples by name and labels, alerts that fire by name."""

    now: datetime
    quotes: Mapping[str, Quote]
    samples: Mapping[Sample, float]
    alerts: tuple[str, ...]
    version: int
    leads: bool = True

    def sample(self, name: str, **labels: str) -> float:
        """One sample; 0 for one that is not there."""
        return self.samples.get((name, tuple(sorted(labels.items()))), 0.0)


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert of config/prometheus/rules.yml: what it looks at, and for how many minutes before it fires."""

    name: str
    minutes: int
    fires: Callable[[Frame], bool]


def _any(name: str, value: float, **labels: str) -> Callable[[Frame], bool]:
    wanted = set(labels.items())
    return lambda frame: any(
        sample == value for (each, its), sample in frame.samples.items() if each == name and wanted <= set(its)
    )


def _disagree(frame: Frame) -> bool:
    return any(
        frame.sample("ticker_quote_spread_ratio", symbol=symbol)
        > frame.sample("ticker_instrument_tolerance_ratio", symbol=symbol)
        for symbol in frame.quotes
    )


ALERTS: tuple[Alert, ...] = (
    Alert("TickerQuoteUnavailable", 2, _any("ticker_quote_status", 1, status="unavailable")),
    Alert("TickerQuoteStale", 10, _any("ticker_quote_status", 1, status="stale")),
    Alert("TickerSourceDown", 15, _any("ticker_source_up", 0)),
    Alert("TickerSourcesDisagree", 5, _disagree),
    Alert("TickerStoreFailing", 5, _any("ticker_store_up", 0)),
)


class BadStore:
    """A store that the drill spoils: of what `spoilt` names nothing is taken, or nothing at all with "*"."""

    def __init__(self, store: Store, detail: str) -> None:
        self.spoilt: frozenset[str] = frozenset()
        self._store = store
        self._detail = detail

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the store has
        found = getattr(self._store, name)
        if not callable(found) or name in {"close", "shut"}:
            return found

        def call(*arguments: Any) -> Any:  # noqa: ANN401 - the same
            if name in self.spoilt or "*" in self.spoilt:
                raise StoreError(self._detail)
            return found(*arguments)

        return call


@dataclass
class Stage:
    """What a scenario may spoil, and what it is seen by."""

    world: World
    clock: Stepped
    truth: Stepped
    service: Service
    folder: Path | None = None
    store: BadStore | None = None
    other: Service | None = None
    plans: dict[str, Plan] = field(default_factory=dict)
    due: dict[str, datetime] = field(default_factory=dict)
    since: dict[str, datetime] = field(default_factory=dict)
    skew: timedelta = timedelta(0)

    def by_adapter(self, *adapters: str) -> list[str]:
        """The sources of the configuration that are read so."""
        return [source for source, feed in self.service.poller.feeds.items() if feed.reads in adapters]

    def symbols(self, *adapters: str) -> list[str]:
        """The instruments whose most preferred source is read so."""
        wanted = self.by_adapter(*adapters)
        return [each.symbol for each in self.service.poller.instruments if each.sources[0] in wanted]

    async def minute(self, now: datetime) -> Frame:
        """Let it be `now`: whoever is due is asked, and time alone does the rest."""
        self.truth.set(now)
        self.clock.set(now + self.skew)
        shown = self.other or self.service
        await self._polled(self.service if self.other is None else self.other)
        shown.poller.look_again(self.clock())
        if self.folder is not None:
            await _settle(shown)
        return self._seen(shown, now)

    async def _polled(self, service: Service) -> None:
        poller, now = service.poller, self.clock()
        if not service.context.process_health.leads:
            return
        for source, plan in self.plans.items():
            if self.due.get(source, now) > now + timedelta(hours=1):
                # The clock was set back: nothing waits so much longer.
                self.due[source] = now
            if self.due.get(source, now) <= now:
                plan.charge(now, poller.cost(source))
                await poller.poll(source)
                health = poller.health[source]
                health.next_poll = None
                self.due[source] = health.next_poll = plan.next(now, health, poller.cost(source))

    def _seen(self, service: Service, now: datetime) -> Frame:
        snapshot = service.context.snapshot()
        # Sources that have no part in drills fail all the time, and would hide what is to be seen.
        absent = {source for source, feed in service.poller.feeds.items() if not World.plays(feed.reads)}
        health = service.context.process_health
        families = chain(
            metrics.of_process(health, fast_path_open=True),
            metrics.of_quotes(snapshot),
            metrics.of_sources(service.poller.health, service.poller.targets.wanted, {}),
            metrics.of_store(service.store_writer.health),
        )
        samples = {
            (sample.name, tuple(sorted(sample.labels.items()))): float(sample.value)
            for family in families
            for sample in family.samples
            if sample.labels.get("source") not in absent
        }
        quotes = {quote.symbol: quote for quote in snapshot.quotes}
        frame = Frame(now, quotes, samples, (), snapshot.version, health.leads)
        for alert in ALERTS:
            if not alert.fires(frame):
                self.since.pop(alert.name, None)
            else:
                self.since.setdefault(alert.name, now)
        firing = tuple(
            a.name for a in ALERTS if a.name in self.since and now - self.since[a.name] >= a.minutes * _MINUTE
        )
        return Frame(now, quotes, samples, firing, snapshot.version, health.leads)


@asynccontextmanager
async def staged(config: Settings, begins: datetime, services: int) -> AsyncIterator[Stage]:
    """The service of `config` at `begins`, every source asked once; or so many `services` over a store of their own."""
    clock, truth = Stepped(begins), Stepped(begins)
    active = config.active(KEYED)
    feeds = feeds_of(active, None, active.used_sources())
    world = World(truth, {feed.base_url.rstrip("/"): feed.reads for feed in feeds.values()})
    # Without jitter, which APScheduler throws by dice of its own: a drill tells the same each time.
    plans = {
        source: Plan(each.schedule.model_copy(update={"jitter": timedelta(0)}), each.budget, Random(source))  # noqa: S311 - jitter # nosec B311
        for source, each in active.sources.items()
        if source in feeds
    }
    async with AsyncExitStack() as stack:
        if not services:
            service = compose(config, now=clock, around=lambda _fetcher, _bases: world)
            stage = Stage(world, clock, truth, service, plans=plans)
            await stage.minute(begins)
            yield stage
            return
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ticker-drill-")))
        own = config.model_copy(
            update={"store": config.store.model_copy(update={"url": f"sqlite:///{folder}/drill.db"})}
        )
        bad: list[BadStore] = []

        def spoilable(store: Store) -> Store:
            bad.append(BadStore(store, "spoilt by the drill"))
            return bad[-1]

        running = [
            compose(own, now=clock, around=lambda _fetcher, _bases: world, stored=True, kept_in=spoilable)
            for _ in range(services)
        ]
        for service in running:
            await stack.enter_async_context(service.running())
            await _until(lambda s=service: s.board.loaded)  # type: ignore[misc]
        stage = Stage(world, clock, truth, running[0], folder, bad[0], plans=plans)
        if services > 1:
            await _until(lambda: running[1].board.latest.version >= running[0].board.latest.version)
            stage.other = running[1]
        await _settle(running[0])
        yield stage
        bad[0].spoilt = frozenset()


async def _settle(service: Service) -> None:
    """Give the threads of the store their turn."""
    writer = service.store_writer
    for _ in range(20):
        await asyncio.sleep(0.01)
        if not writer.pending or not writer.health.up:
            return


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not true():  # noqa: ASYNC110 - a store's thread has no event to wait for
            await asyncio.sleep(0.02)
