"""The one composer: settings become values, values become parts, parts are joined, started and closed here.

`composing` builds a service, `service` is what it builds and how it runs, `contexts` what its web half is handed;
`recordings` and `archives`, taken from there, are what else can be made of the same parts.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import cast

from aiohttp import web

from ticker import __version__, clock
from ticker.backfill import Backfill
from ticker.board import Board
from ticker.calendars import Calendar, coverage
from ticker.export.exporter import Exporter, Pictures
from ticker.export.files import Target
from ticker.feeds import Feed
from ticker.fetch import Fetcher, Fetching
from ticker.log import Log
from ticker.metrics import CalendarCollector, Exposition, TickerCollector, Traffic
from ticker.polling import Poller, PollTargets
from ticker.process_health import ProcessHealth
from ticker.quotes import Snapshot, Status
from ticker.recording import Playback, Recorder, Recording, Replayer
from ticker.rendering.renderer import Renderer
from ticker.rendering.representation import JSON, Representation
from ticker.rendering.tree import tree_of
from ticker.replicas.coordinator import ReplicaCoordinator
from ticker.replicas.lease import Replica
from ticker.scheduling import Cadence, Plan, Timetable
from ticker.selection.memory import decode
from ticker.settings.loader import ensure_reloadable
from ticker.settings.models import Settings
from ticker.sources import KEYED
from ticker.storage.base import Retention
from ticker.storage.connect import is_shared, of_url
from ticker.storage.history import History
from ticker.storage.writer import PARTS, StoreWriter
from ticker.web import assets
from ticker.web.context import Context
from ticker.web.fast_path import closed_because
from ticker.web.history import recent
from ticker.web.limits import RateLimiter
from ticker.web.openapi.document import described
from ticker.web.response_cache import ResponseCache
from ticker.web.routes import build, build_metrics

log = Log(__name__)

# What the web half of a service is handed: one context, made anew for each configuration.


def context_of(
    config: Settings,
    poller: Poller,
    board: Board,
    now: Callable[[], datetime],
    store_writer: StoreWriter,
    former: Context | None = None,
    *,
    demo: bool = False,
    process_health: ProcessHealth | None = None,
) -> Context:
    """The context for `config`; what counts from the start of the process is the `former` one's, where there is one.

    Longer than most: a context has some twenty parts, and each stands here once.
    """
    if former is not None:
        process_health, demo = former.process_health, former.demo
    process_health = process_health or ProcessHealth()
    traffic = former.traffic if former else Traffic()
    server = config.server
    closed = closed_because(wanted=server.fast_path, access_log=server.access_log, rate_limit=server.rate_limit)

    def fast_path_open() -> bool:
        return made.fast_path_closed is None

    collector = TickerCollector(
        lambda: board.current(now()),
        lambda: poller.health,
        lambda source: tuple(each.symbol for each in poller.targets.wanted(source)),
        store_writer.health,
        process_health,
        fast_path_open,
    )
    due = CalendarCollector(lambda: made.calendars, lambda: _late(poller, now()))
    made: Context = Context(
        board=board,
        renderer=_renderer(config, poller),
        clock=now,
        health=poller.health,
        traffic=traffic,
        exposition=former.exposition if former else Exposition(traffic, collector, due),
        cors_origins=server.cors_origins,
        demo=demo,
        calendars=config.used_calendars(),
        settings=config,
        version=__version__,
        public_url=server.public_url,
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
        history=_history(config, poller, store_writer, now, demo=demo),
        process_health=process_health,
        access_log=server.access_log,
        metrics_here=server.metrics_port is None,
        fast_path_closed=closed,
        default_language=server.default_language,
        negotiate_language=server.negotiate_language,
    )
    return made


def _late(poller: Poller, now: datetime) -> dict[str, bool]:
    """Whether each source has not published what was due."""
    newest = poller.newest()
    return {source: feed.is_late(newest.get(source), now) for source, feed in poller.feeds.items()}


def _renderer(config: Settings, poller: Poller) -> Renderer:
    links = assets.links(config.server.public_url or "")
    return Renderer({source: config.sources[source].attribution for source in poller.feeds}, links)


def _history(
    config: Settings, poller: Poller, store_writer: StoreWriter, now: Callable[[], datetime], *, demo: bool
) -> History:
    return History(
        store_writer.readers.read, lambda: poller.instruments, poller.calendars, config.zone_of, now, demo=demo
    )


# The joined parts of one service: how they start, go on with another configuration, and end.


# How often time alone is allowed to age what is shown even while nobody asks and nothing is polled.
_AGEING_SECONDS = 1.0
# How long after a start over a filled store nothing is done but answer.
_READERS_FIRST_SECONDS = 0.25
# How long whoever shows a first board waits for the sources, and how often it looks.
_SETTLING_SECONDS, _LOOK_SECONDS = 30.0, 0.05


@dataclass(slots=True)
class Service:
    """The joined parts of one service; nothing runs before `running` is entered. `upstream` stands for every host.

    With `listening`, the sources are asked once that is set: what it takes is imported after readers have had answers.
    """

    settings: Settings
    poller: Poller
    board: Board
    fetcher: Fetching
    timetable: Timetable
    context: Context
    store_writer: StoreWriter
    upstream: str | None = None
    coordinator: ReplicaCoordinator | None = None
    # What the first reader waits for: the demo's past goes by before anybody sees its present.
    begun: asyncio.Event | None = None
    listening: asyncio.Event | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Polling goes on inside; on the way out everything that was opened is closed."""
        self._warn_of_calendars()
        async with self.fetcher:
            asking = asyncio.create_task(self._ask())
            if self.listening is None:
                await asking
            self.timetable.every(_AGEING_SECONDS, self._age)
            keeping = asyncio.create_task(self.store_writer.run())
            watch = asyncio.create_task(self.context.process_health.watch())
            try:
                if self.begun is not None:
                    await self.begun.wait()
                yield
            finally:
                watch.cancel()
                asking.cancel()
                await self.timetable.stop()
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
                await self.coordinator.decided()
                await self.timetable.answered()
                yield
            return
        async with self.fetcher:
            keeping = asyncio.create_task(self.store_writer.run())
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

    async def _ask(self) -> None:
        if self.listening is not None:
            await self.listening.wait()
            # Numbers of the last run are there to be shown: who waits for the first answer has the processor alone.
            await asyncio.sleep(0.0 if self.board.latest.status is Status.UNAVAILABLE else _READERS_FIRST_SECONDS)
            # In a thread, between the requests: nobody waits for an import.
            await asyncio.to_thread(self.timetable.prepare)
            await asyncio.to_thread(lambda: [each.adapter for each in self.poller.feeds.values()])
        if self.coordinator is None:
            self.timetable.start()
        else:
            self.timetable.start(resting=True)
            self.coordinator.start()

    def adopt(self, config: Settings) -> None:
        """Go on with `config` without dropping a quote or a connection.

        Raises ConfigurationError where that cannot be; then nothing at all has changed.
        """
        ensure_reloadable(self.settings, config)
        config = config.active(KEYED)
        feeds = feeds_of(config, self.upstream, config.used_sources())
        plans = _plans(config, feeds, Random())  # noqa: S311 - jitter, not a secret # nosec B311
        anew = self.poller.reload(_targets(config, feeds))
        self.timetable.adopt(plans, anew)
        now, former = self.context.clock, self.context
        self.context.update_from(context_of(config, self.poller, self.board, now, self.store_writer, former))
        self.settings = config
        self._warn_of_calendars()

    def _warn_of_calendars(self) -> None:
        """Say in the log which calendars want an edit before what they know has passed."""
        for name, end in coverage.ending(self.settings.used_calendars(), self.context.clock()).items():
            log.warning("calendar ends", calendar=name, covered_until=f"{end:%Y-%m-%d}", mend=coverage.MEND)

    def _age(self) -> None:
        self.context.process_health.timetable_ran()
        now = self.context.clock()
        self.poller.age(now)
        if self.timetable.clock_was_set():
            self.poller.publish(now)
        self.poller.look_again(now)

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


# How a service is made of its settings: each part built once, and handed what it needs.


def compose(
    config: Settings,
    *,
    upstream: str | None = None,
    now: Callable[[], datetime] = clock.wall,
    demo: bool = False,
    seed: int | None = None,
    stored: bool = False,
    log_lines_dropped: Callable[[], int] = lambda: 0,
    around: Callable[[Fetcher, Mapping[str, str]], Fetching] = lambda fetcher, _bases: fetcher,
) -> Service:
    """A service of `config`; with `upstream`, every source is asked at `upstream`/<source id> instead of its own host.

    With `stored` it keeps history in the configured store and begins with the last snapshot kept there; otherwise it
    remembers what it is told while it runs. `around` may put something between the fetcher and the poller; it is told
    the sources by their base address. `log_lines_dropped` counts lines of the log that nobody took.
    """
    config = config.active(KEYED)
    wanted = tuple(config.instruments.values())
    feeds = feeds_of(config, upstream, config.used_sources())
    store_writer = _keeper(config, upstream, now, stored=stored)
    first = (store_writer.restore(wanted, now()) if stored else None) or Snapshot(store_writer.newest, now(), ())
    board = Board(replace(first.resumed(wanted, now()), demo=demo))
    fetcher = around(Fetcher(config.user_agent), {feed.base_url.rstrip("/"): source for source, feed in feeds.items()})
    replica = Replica(store_writer.store, store_writer.name, PARTS) if stored and is_shared(config.store.url) else None

    # The parts below know each other in a circle; each is called only when all of them stand.
    def report(snapshot: Snapshot) -> None:
        (service.coordinator or store_writer).report(snapshot)

    def poll_now(source: str) -> None:
        timetable.hurry(source)

    poller = Poller(
        _targets(config, feeds),
        board,
        fetcher,
        now,
        gate=replica,
        report=report,
        remember=lambda text: store_writer.remember(text, now()),
        poll_now=poll_now,
        memories=decode(store_writer.remembered),
    )
    plans = _plans(config, feeds, Random(seed))  # noqa: S311 - jitter, not a secret # nosec B311
    timetable = _timetable(plans, poller, board, now)
    process_health = ProcessHealth(log_lines_dropped=log_lines_dropped)
    context = context_of(config, poller, board, now, store_writer, demo=demo, process_health=process_health)
    service = Service(config, poller, board, fetcher, timetable, context, store_writer, upstream)
    if replica is not None:
        service.coordinator = ReplicaCoordinator(
            replica, store_writer, poller, board, timetable, context.process_health, now
        )
    return service


def feeds_of(config: Settings, upstream: str | None, sources: Iterable[str]) -> dict[str, Feed]:
    """The feeds of `sources`; with `upstream`, each is asked there instead of at its own host."""
    feeds: dict[str, Feed] = {}
    for source in sources:
        each = config.sources[source]
        feeds[source] = Feed(
            id=source,
            reads=each.adapter or source,
            host=f"{upstream.rstrip('/')}/{source}" if upstream else each.base_url,
            timeout=each.timeout,
            max_bytes=each.max_bytes,
            calendar=config.calendars[each.calendar],
            carries=each.carries,
            api_key=each.api_key.get_secret_value() if each.api_key else None,
        )
    return feeds


def _plans(config: Settings, sources: Iterable[str], random: Random) -> dict[str, Plan]:
    each = config.sources
    return {source: Plan(Cadence(each[source].schedule, each[source].budget), random) for source in sources}


def _overrides(config: Settings) -> dict[str, Calendar]:
    """The calendars of instruments that are judged by one of their own, by symbol."""
    return {symbol: config.calendars[each.calendar] for symbol, each in config.instruments.items() if each.calendar}


def _targets(config: Settings, feeds: Mapping[str, Feed]) -> PollTargets:
    """What is asked of whom, by the configuration."""
    return PollTargets(tuple(config.instruments.values()), feeds, _overrides(config), tuple(config.checks.values()))


def _keeper(config: Settings, upstream: str | None, now: Callable[[], datetime], *, stored: bool) -> StoreWriter:
    """What came from a stand-in upstream is never taken up again by a service that asks the real ones."""
    store = of_url(config.store.url if stored else "memory://")
    retention = Retention(config.store.raw, config.store.hourly, config.store.keep)
    return StoreWriter(store, f"snapshot {upstream}" if upstream else "snapshot", retention, now)


def _timetable(plans: Mapping[str, Plan], poller: Poller, board: Board, now: Callable[[], datetime]) -> Timetable:
    async def poll(source: str) -> None:
        await poller.poll(source)

    def planned() -> None:
        # A source whose first poll has not ended may change the board at any moment.
        board.expect(min(health.next_poll or now() for health in poller.health.values()))

    return Timetable(plans, poll, lambda source: poller.health[source], poller.cost, now, planned)


# A service that records what its sources answer, and one that runs over such a recording.


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
    service = compose(config, now=now, demo=demo, around=lambda _fetcher, bases: Playback(recording, bases, now))
    playback, poller, board = service.fetcher, service.poller, service.board
    if not isinstance(playback, Playback):
        raise TypeError("replay composes around a playback")
    replayer = Replayer(recording, playback, poller, board, now, start, speed)
    replayer.alive = service.context.process_health.timetable_ran
    replayer.remember = partial(_remember, board, poller, playback, now) if demo else None
    begun = replayer.begun if demo else None
    return replace(service, timetable=cast("Timetable", replayer), begun=begun)  # the same face: start, every, stop


def _remember(board: Board, poller: Poller, playback: Playback, now: clock.Stepped) -> Callable[[], None]:
    """What goes back to this moment of a recording."""
    snapshot, at, forget, rewind = board.latest, now(), poller.checkpoint(), playback.mark()

    def back() -> None:
        forget()
        rewind()
        now.back(at)
        # A version never goes back, or a reader's stream would wait for it to be reached again.
        board.put(replace(snapshot, version=board.latest.version + 1), at)

    return back


# What fills the history, and what writes the board into files: the same parts without a server.


# The service's own files that a page needs beside what is exported.
_EXPORTED = ("widget.css", "widget.js")


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
