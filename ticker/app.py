"""The one composer: every part is built here once, handed what it needs, started, and closed.

`compose` makes a service of settings. `record` and `replay` make one around a recording; `backfill` and `exporter` make
something else of the same parts. `Service` is what they are joined to: how it starts, reloads and ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from pathlib import Path
from random import Random
from typing import TypeAlias

from aiohttp import web

from ticker import clock, metrics
from ticker.backfill import Backfill
from ticker.board import Board
from ticker.calendars import COVERAGE_MEND, ending_soon
from ticker.corrections import Correction
from ticker.export.exporter import Exporter, Pictures
from ticker.export.files import Target, tree_of
from ticker.feeds import Feed, PollTargets, feeds_of
from ticker.fetch import Fetcher, Fetching
from ticker.health import ProcessHealth
from ticker.log import Log
from ticker.metrics import Exposition, Traffic
from ticker.overrides import decode as decode_overrides
from ticker.polling import Poller
from ticker.quotes import Snapshot, Status
from ticker.recording import Playback, Recorder, Recording, Replayer
from ticker.records import Records
from ticker.rendering.renderer import Renderer
from ticker.rendering.representation import JSON, Representation
from ticker.replicas.coordinator import ReplicaCoordinator
from ticker.replicas.lease import Replica
from ticker.scheduling import Plan, PollScheduler
from ticker.selection.memory import decode
from ticker.settings.loader import Changes, compare, ensure_reloadable
from ticker.settings.models import Settings
from ticker.sources import KEYED
from ticker.storage import is_shared, of_url
from ticker.storage.base import OVERRIDES, Retention, Store
from ticker.storage.history import History, RecordReader
from ticker.storage.writer import MEMORY, PARTS, ReplicaHooks, StoreWriter
from ticker.web import assets
from ticker.web.context import Context
from ticker.web.fast_path import closed_because
from ticker.web.history import recent
from ticker.web.limits import RateLimiter
from ticker.web.openapi import described
from ticker.web.response_cache import ResponseCache
from ticker.web.routes import build, build_metrics
from ticker.webhooks import Webhooks, event_of_correction, events_of

log = Log(__name__)

# How often time alone is allowed to age what is shown even while nobody asks and nothing is polled.
_AGEING_SECONDS = 1.0
# How long whoever shows a first board waits for the sources, and how often it looks.
_SETTLING_SECONDS, _LOOK_SECONDS = 30.0, 0.05
# The service's own files that a page needs beside what is exported.
_EXPORTED = ("widget.css", "widget.js")


# What says when a source is polled: a timetable, or a recording, which says when it was.
Timekeeper: TypeAlias = PollScheduler | Replayer


@dataclass(slots=True)
class Service:
    """The joined parts of one service; nothing runs before `running` is entered.

    `settings` is what is switched on of the configuration; `upstream` stands for every source's host. The first reader
    waits for `begun`: the past of a demo goes by before anybody sees its present.
    """

    settings: Settings
    poller: Poller
    board: Board
    fetcher: Fetching
    timekeeper: Timekeeper
    context: Context
    store_writer: StoreWriter
    webhooks: Webhooks
    upstream: str | None = None
    coordinator: ReplicaCoordinator | None = None
    begun: asyncio.Event | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Polling goes on inside; on the way out everything that was opened is closed."""
        self._warn_of_calendars()
        async with self.fetcher:
            self.timekeeper.start(resting=self.coordinator is not None)
            if self.coordinator is not None:
                self.coordinator.start()
            self.timekeeper.every(_AGEING_SECONDS, self._age)
            supervise = self.context.process_health.supervisor.run
            keeping = asyncio.create_task(supervise("store", self.store_writer.run))
            watch = asyncio.create_task(supervise("watch", self.context.process_health.watch))
            telling = asyncio.create_task(supervise("webhooks", self.webhooks.run))
            try:
                if self.begun is not None:
                    await self.begun.wait()
                yield
            finally:
                watch.cancel()
                telling.cancel()
                await asyncio.gather(telling, return_exceptions=True)
                await self.timekeeper.stop()
                if self.coordinator is not None:
                    self.coordinator.stop()
                self.store_writer.stop()
                await keeping

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[None]:
        """Every source has been asked once inside; what was learnt is kept on the way out.

        Where a service over the same store polls, what it has found is there, and nobody is asked again.
        """
        if self.coordinator is not None:
            async with self.running():
                await self.coordinator.answered()
                yield
            return
        async with self.fetcher:
            supervise = self.context.process_health.supervisor.run
            keeping = asyncio.create_task(supervise("store", self.store_writer.run))
            try:
                await asyncio.gather(*map(self.poller.poll, self.poller.feeds))
                yield
            finally:
                self.store_writer.stop()
                await keeping

    async def settled(self, stop: asyncio.Event) -> None:
        """Wait until every source has said something, or every instrument has a number, or long enough."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SETTLING_SECONDS):
                while self.board.latest.status is Status.UNAVAILABLE and not stop.is_set():
                    if all(each.last_success or each.last_failure for each in self.poller.health.values()):
                        return
                    await asyncio.sleep(_LOOK_SECONDS)

    def reload(self, config: Settings) -> Changes:
        """Go on with `config` without dropping a quote or a connection, and tell what that changes.

        Raises ConfigurationError where that cannot be; then nothing at all has changed.
        """
        ensure_reloadable(self.settings, config)
        before, config, context = self.settings, config.active(KEYED), self.context
        feeds = feeds_of(config, self.upstream, config.used_sources())
        plans = _plans(config, feeds, Random())  # noqa: S311 - jitter, not a secret # nosec B311
        self.timekeeper.reload(plans, self.poller.reload(_targets(config, feeds)))
        parts = (self.poller, self.board, self.store_writer, context.clock, context.process_health)
        context.update_from(_context(config, *parts, context.traffic, context.exposition, demo=context.demo))
        self.settings = config
        self._warn_of_calendars()
        return compare(before, config)

    def _warn_of_calendars(self) -> None:
        """Say in the log which calendars want an edit before what they know has passed."""
        for name, last in ending_soon(self.settings.used_calendars(), self.context.clock()).items():
            log.warning("calendar ends", calendar=name, covered_until=str(last), mend=COVERAGE_MEND)

    def _age(self) -> None:
        health = self.context.process_health
        health.timetable_ran()
        try:
            now = self.context.clock()
            self.poller.look_again(now)
            if self.timekeeper.clock_was_set():
                self.poller.publish(now)
            self.timekeeper.revive()
        except Exception as error:  # noqa: BLE001 - counted, and done again in a second
            health.supervisor.failed("ageing", error)

    def openapi(self) -> bytes:
        """The OpenAPI document of this service."""
        return described(self.context)

    def metrics(self) -> web.Application:
        """The application of `server.metrics_port`; it lives inside the other one's life."""
        return build_metrics(self.context)

    def web(self) -> web.Application:
        """The web application, which starts and ends the service with itself."""
        app = build(self.context)

        async def life(_app: web.Application) -> AsyncIterator[None]:
            async with self.running():
                yield

        async def hang_up(_app: web.Application) -> None:
            self.board.close()

        app.cleanup_ctx.append(life)
        app.on_shutdown.append(hang_up)
        return app


def compose(  # noqa: PLR0913 - a word for each thing that one of its callers wants otherwise
    config: Settings,
    *,
    upstream: str | None = None,
    now: Callable[[], datetime] = clock.wall,
    demo: bool = False,
    seed: int | None = None,
    stored: bool = False,
    log_lines_dropped: Callable[[], int] = lambda: 0,
    around: Callable[[Fetching, Mapping[str, str]], Fetching] = lambda fetcher, _addresses: fetcher,
    kept_in: Callable[[Store], Store] = lambda store: store,
    replaying: Callable[[Poller, Board, ProcessHealth], Replayer] | None = None,
) -> Service:
    """A service of `config`; with `upstream`, every source is asked at `upstream`/<source id> instead of its own host.

    With `stored` it keeps history in the configured store and begins with the last snapshot kept there; otherwise it
    remembers what it is told while it runs. `around` may put something between the fetcher and the poller; it is told
    the sources by their base address; `kept_in` is the same around the store. `replaying` makes what takes the
    timetable's place. `log_lines_dropped` counts lines of the log that nobody took.
    """
    config = config.active(KEYED)
    feeds = feeds_of(config, upstream, config.used_sources())
    shared = stored and is_shared(config.store.url)
    health = ProcessHealth(log_lines_dropped=log_lines_dropped)

    # Some parts call each other in a circle, so some are named here before they are made; none is called before that.
    def report(snapshot: Snapshot) -> None:
        records.observe(snapshot)
        (coordinator or store_writer).report(snapshot)

    def poll_now(source: str) -> None:
        timekeeper.poll_now(source)

    def asking() -> None:
        if coordinator is not None:
            coordinator.asking()

    def partner() -> ReplicaCoordinator:
        if coordinator is None:
            raise RuntimeError("a store that nobody shares has called a replica")
        return coordinator

    store = kept_in(of_url(config.store.url if stored else "memory://"))
    store_writer = _store_writer(config, upstream, now, _hooks(partner) if shared else ReplicaHooks(), store)
    board = _board(config, store_writer, now, lambda: replica is not None and replica.cut_off, demo=demo, stored=stored)
    replica = _replica(store_writer, health, partner) if shared else None
    leads = lambda: replica is None or replica.on  # noqa: E731 - asked again and again
    webhooks = Webhooks(config.webhooks, store_writer, store_writer.readers.read, now, leads)
    records = Records(store_writer, board, now, _teller(webhooks, now))
    addresses = {feed.base_url.rstrip("/"): source for source, feed in feeds.items()}
    fetcher = around(Fetcher(config.user_agent), addresses)
    poller = Poller(
        _targets(config, feeds),
        board,
        fetcher,
        now,
        gate=replica,
        report=report,
        remember=lambda text: store_writer.remember(MEMORY, text, now()),
        poll_now=poll_now,
        explain=records.explain,
        memories=decode(store_writer.remembered(MEMORY)),
    )
    timetable = _timetable(config, poller, board, now, seed, asking)
    replayer = replaying(poller, board, health) if replaying is not None else None
    timekeeper: Timekeeper = replayer or timetable
    coordinator = (
        ReplicaCoordinator(replica, store_writer, poller, board, timetable, health, now, records.take_over)
        if replica is not None
        else None
    )
    traffic = Traffic()
    exposition = _exposition(poller, store_writer, health, traffic, records, webhooks, lambda: context)
    context = _context(config, poller, board, store_writer, now, health, traffic, exposition, demo=demo)
    begun = replayer.begun if replayer is not None and demo else None
    return Service(
        config, poller, board, fetcher, timekeeper, context, store_writer, webhooks, upstream, coordinator, begun
    )


def _hooks(partner: Callable[[], ReplicaCoordinator]) -> ReplicaHooks:
    return ReplicaHooks(
        fence=lambda: partner().fence,
        refused=lambda part: partner().refused(part),
        renewed=lambda: partner().renewed(),
        leave=lambda: partner().leave(),
    )


def _replica(store_writer: StoreWriter, health: ProcessHealth, partner: Callable[[], ReplicaCoordinator]) -> Replica:
    return Replica(
        store_writer.store,
        store_writer.name,
        PARTS,
        turned=lambda before: partner().turned(before),
        heard=lambda message: partner().receive(message),
        supervisor=health.supervisor,
        untold_for=lambda: store_writer.untold_for,
    )


def _teller(
    webhooks: Webhooks, now: Callable[[], datetime]
) -> Callable[[Snapshot, Snapshot, Sequence[Correction]], None]:
    """What tells others of every version that readers see."""

    def tell(before: Snapshot, after: Snapshot, corrections: Sequence[Correction]) -> None:
        if webhooks.names:
            webhooks.tell([*events_of(before, after), *(event_of_correction(each, now()) for each in corrections)])

    return tell


def _store_writer(
    config: Settings, upstream: str | None, now: Callable[[], datetime], hooks: ReplicaHooks, store: Store
) -> StoreWriter:
    """What came from a stand-in upstream is never taken up again by a service that asks the real ones."""
    kept = config.store
    retention = Retention(kept.raw, kept.hourly, kept.keep, config.evidence.keep, tuple(config.instruments))
    return StoreWriter(store, f"snapshot {upstream}" if upstream else "snapshot", retention, now, hooks)


def _board(
    config: Settings,
    store_writer: StoreWriter,
    now: Callable[[], datetime],
    cut_off: Callable[[], bool],
    *,
    demo: bool,
    stored: bool,
) -> Board:
    """The board with what was shown last, where that was kept, in its true age."""
    wanted = tuple(config.instruments.values())
    kept = store_writer.restore(wanted, now()) if stored else None
    first = kept or Snapshot(store_writer.newest, now(), ())
    first = replace(first.resumed(wanted, now()), demo=demo)
    return Board(first, decode_overrides(store_writer.remembered(OVERRIDES)), cut_off)


def _plans(config: Settings, sources: Iterable[str], random: Random) -> dict[str, Plan]:
    each = config.sources
    return {source: Plan(each[source].schedule, each[source].budget, random) for source in sources}


def _targets(config: Settings, feeds: Mapping[str, Feed]) -> PollTargets:
    """What is asked of whom; an instrument may be judged by a calendar of its own."""
    own = {symbol: config.calendars[each.calendar] for symbol, each in config.instruments.items() if each.calendar}
    return PollTargets(tuple(config.instruments.values()), feeds, own, tuple(config.checks.values()))


def _timetable(
    config: Settings,
    poller: Poller,
    board: Board,
    now: Callable[[], datetime],
    seed: int | None,
    asking: Callable[[], object],
) -> PollScheduler:
    def planned() -> None:
        # A source whose first poll has not ended may change the board at any moment.
        board.expect(min(health.next_poll or now() for health in poller.health.values()))

    plans = _plans(config, poller.feeds, Random(seed))  # noqa: S311 - jitter, not a secret # nosec B311
    return PollScheduler(plans, poller.poll, lambda source: poller.health[source], poller.cost, now, planned, asking)


def _exposition(
    poller: Poller,
    store_writer: StoreWriter,
    process_health: ProcessHealth,
    traffic: Traffic,
    records: Records,
    webhooks: Webhooks,
    context: Callable[[], Context],
) -> Exposition:
    """What `/metrics` tells from the start of the process to its end, whatever is reloaded meanwhile."""

    def late() -> dict[str, bool]:
        now, newest = context().clock(), poller.newest()
        return {source: feed.is_late(newest.get(source), now) for source, feed in poller.feeds.items()}

    gathered = metrics.Gathered(
        lambda: chain(
            metrics.of_process(process_health, fast_path_open=context().fast_path_closed is None),
            metrics.of_quotes(context().snapshot()),
            metrics.of_sources(poller.health, poller.targets.wanted, late()),
            metrics.of_calendars(context().settings.used_calendars()),
            metrics.of_store(store_writer.health),
            metrics.of_records(
                records.counted, [each.symbol for each in poller.instruments], webhooks.outcomes, webhooks.names
            ),
        )
    )
    return Exposition(traffic, gathered, version=lambda: context().snapshot().version)


def _context(  # noqa: PLR0913 - each part of the web half is handed to it here
    config: Settings,
    poller: Poller,
    board: Board,
    store_writer: StoreWriter,
    now: Callable[[], datetime],
    process_health: ProcessHealth,
    traffic: Traffic,
    exposition: Exposition,
    *,
    demo: bool,
) -> Context:
    """What the web half is handed for `config`."""
    server = config.server
    return Context(
        board=board,
        renderer=Renderer(
            {source: config.sources[source].attribution for source in poller.feeds},
            assets.links(server.public_url or ""),
        ),
        clock=now,
        health=poller.health,
        traffic=traffic,
        exposition=exposition,
        demo=demo,
        settings=config,
        limiter=RateLimiter(server.rate_limit, server.trusted_proxies),
        cache=ResponseCache(
            board,
            server.cors_origins,
            now,
            demo=demo,
            default_language=server.default_language,
            negotiate_language=server.negotiate_language,
            machine_clock=now is clock.wall,
        ),
        history=History(
            store_writer.readers.read, lambda: poller.instruments, poller.calendars, config.zone_of, now, demo=demo
        ),
        records=RecordReader(store_writer.readers.read),
        process_health=process_health,
        fast_path_closed=closed_because(
            wanted=server.fast_path, access_log=server.access_log, rate_limit=server.rate_limit
        ),
    )


def record(config: Settings, upstream: str | None, folder: Path) -> Service:
    """A service that appends every upstream answer to the recording in `folder`."""
    return compose(
        config, upstream=upstream, around=lambda fetcher, bases: Recorder(fetcher, folder, bases, clock.wall)
    )


def replay(config: Settings, recording: Recording, start: datetime, speed: float, *, demo: bool = False) -> Service:
    """A service over `recording`, on its clock: all before `start` at once, from there `speed` seconds in one.

    A `demo` says so everywhere, and begins at `start` again when the recording is over.
    """
    now = clock.Stepped(recording.entries[0].at)
    active = config.active(KEYED)
    feeds = feeds_of(active, None, active.used_sources())
    playback = Playback(recording, {feed.base_url.rstrip("/"): source for source, feed in feeds.items()}, now)

    def replaying(poller: Poller, board: Board, health: ProcessHealth) -> Replayer:
        return Replayer(
            recording,
            playback,
            poller,
            board,
            now,
            start,
            speed,
            repeats=demo,
            alive=health.timetable_ran,
            supervisor=health.supervisor,
        )

    return compose(config, now=now, demo=demo, around=lambda _fetcher, _bases: playback, replaying=replaying)


def backfill(config: Settings, upstream: str | None, pause: float) -> Backfill:
    """What fills the configured store from the archives; `pause` seconds lie between two requests."""
    config = config.active(KEYED)

    def base(feed: Feed) -> str:
        return feed.base_url if upstream else feed.adapter.archive_url or feed.base_url

    feeds = feeds_of(config, upstream, config.used_sources())
    return Backfill(of_url(config.store.url), Fetcher(config.user_agent), feeds, base, clock.wall, pause)


def exporter(service: Service, langs: tuple[str, ...], target: Target) -> Exporter:
    """What writes the service's board into `target`, in `langs`; their first is that of what has no language."""
    context = service.context
    pictures = Pictures(context.history, langs[0])
    steady = {each.name: each.representation for each in assets.ASSETS if each.name in _EXPORTED}
    steady["v1/openapi.json"] = Representation(service.openapi(), JSON, context.clock())

    async def tree(snapshot: Snapshot, now: datetime) -> dict[str, Representation]:
        past = await recent(context, snapshot, "sparkline")
        return tree_of(context.renderer, snapshot, langs, now, past) | await pictures.of(snapshot, now)

    return Exporter(service.board, context.clock, target, langs, tree, steady)
