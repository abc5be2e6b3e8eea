"""The one composer: settings become values, values become parts, parts are joined, started and closed here."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from random import Random
from typing import TYPE_CHECKING, cast

from ticker import __version__, calendars, clock, keys, metrics, settings, sources
from ticker.backfill import Backfill
from ticker.board import Board
from ticker.feeds import Feed
from ticker.fetch import Fetcher
from ticker.history import History
from ticker.normalise import Origin
from ticker.poll import Poller
from ticker.quotes import Instrument, Snapshot
from ticker.recording import Playback, Recorder, Replayer
from ticker.render import Renderer
from ticker.render.page import Site
from ticker.schedule import Cadence, Plan, Timetable
from ticker.select import Check
from ticker.settings.model import PublicationCalendar
from ticker.stores import Keeper, Retention, of_url
from ticker.web import assets, build, serves
from ticker.web.context import Context, Traffic

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from datetime import datetime, tzinfo
    from pathlib import Path

    from aiohttp import web

    from ticker.fetch import Fetching
    from ticker.recording import Recording
    from ticker.settings.model import Calendar as CalendarSettings
    from ticker.settings.model import Settings

USER_AGENT = f"market-ticker/{__version__} (+https://github.com/market-ticker/market-ticker)"
# How often time alone is allowed to age what is shown even while nobody asks and nothing is polled.
_AGEING_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Service:
    """The joined parts of one service; nothing runs before `running` is entered."""

    settings: Settings
    poller: Poller
    board: Board
    fetcher: Fetching
    timetable: Timetable
    context: Context
    keeper: Keeper

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Polling goes on inside; on the way out everything that was opened is closed."""
        async with self.fetcher:
            self.timetable.start()
            self.timetable.every(_AGEING_SECONDS, self._age)
            keeping = asyncio.create_task(self.keeper.run())
            try:
                yield
            finally:
                await self.timetable.stop()
                self.keeper.stop()
                await keeping

    def _age(self) -> None:
        now = self.context.clock()
        self.board.current(now)
        self.poller.look_again(now)

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


def compose(
    config: Settings,
    *,
    upstream: str | None = None,
    now: Callable[[], datetime] = clock.wall,
    demo: bool = False,
    seed: int | None = None,
    stored: bool = False,
    around: Callable[[Fetcher, Mapping[str, str]], Fetching] = lambda fetcher, _bases: fetcher,
) -> Service:
    """A service of `config`; with `upstream`, every source is asked at `upstream`/<source id> instead of its own host.

    With `stored` it keeps history in the configured store and begins with the last snapshot kept there; otherwise it
    remembers what it is told while it runs. `around` may put something between the fetcher and the poller; it is told
    the sources by their base address.
    Raises ConfigurationError for a source whose adapter does not exist, and for an instrument whose sources are off.
    """
    config = keys.switched_on(config)
    wanted = instruments(config)
    feeds = _feeds(config, upstream, used(config))
    keeper = _keeper(config, upstream, now, stored=stored)
    first = (keeper.restore(wanted, now()) if stored else None) or Snapshot(0, now(), ())
    board = Board(replace(first.resumed(wanted, now()), demo=demo))
    fetcher = around(Fetcher(USER_AGENT), {feed.base_url.rstrip("/"): source for source, feed in feeds.items()})
    overrides = {s: _calendar(config.calendars[i.calendar]) for s, i in config.instruments.items() if i.calendar}
    poller = Poller(wanted, feeds, board, fetcher, now, overrides, checks(config))
    timetable = _timetable(config, poller, board, now, Random(seed))  # noqa: S311 - jitter, not a secret
    poller.hurry, poller.report = timetable.hurry, keeper.report
    context = _context(config, poller, board, now, keeper, demo=demo)
    return Service(config, poller, board, fetcher, timetable, context, keeper)


def record(config: Settings, upstream: str | None, folder: Path) -> Service:
    """A service that appends every upstream answer to the recording in `folder`."""
    return compose(
        config, upstream=upstream, around=lambda fetcher, bases: Recorder(fetcher, folder, bases, clock.wall)
    )


def replay(config: Settings, recording: Recording, start: datetime, speed: float) -> Service:
    """A service over `recording`, on its clock: all before `start` at once, from there `speed` seconds in one."""
    now = clock.Stepped(recording.entries[0].at)
    service = compose(config, now=now, around=lambda _fetcher, bases: Playback(recording, bases, now))
    if not isinstance(service.fetcher, Playback):
        raise TypeError("replay composes around a playback")
    service.poller.hurry = lambda _source: None
    replayer = Replayer(recording, service.fetcher, service.poller, service.board, now, start, speed)
    return replace(service, timetable=cast("Timetable", replayer))  # the same face: start, every, stop


def backfill(config: Settings, upstream: str | None, pause: float) -> Backfill:
    """What fills the configured store from the archives; `pause` seconds lie between two requests."""
    config = keys.switched_on(config)

    def base(feed: Feed) -> str:
        return feed.base_url if upstream else feed.adapter.archive_url or feed.base_url

    feeds = _feeds(config, upstream, used(config))
    return Backfill(of_url(config.store.url), Fetcher(USER_AGENT), feeds, base, clock.wall, pause)


def _keeper(config: Settings, upstream: str | None, now: Callable[[], datetime], *, stored: bool) -> Keeper:
    """What came from a stand-in upstream is never taken up again by a service that asks the real ones."""
    store = of_url(config.store.url if stored else "memory://")
    retention = Retention(config.store.raw, config.store.hourly, config.store.keep)
    return Keeper(store, f"snapshot {upstream}" if upstream else "snapshot", retention, now)


def instruments(config: Settings) -> tuple[Instrument, ...]:
    """The configured instruments as values."""
    return tuple(
        Instrument(
            symbol=symbol,
            base=each.base,
            quote=each.quote,
            unit=each.unit or f"1 {each.base}",
            decimals=each.decimals,
            sources=each.sources,
            max_age=each.max_age,
            max_move=each.max_move,
            tolerance=each.tolerance,
            band=each.band,
            required=each.required,
            calendar=each.calendar,
            labels=each.label,
            names=each.name,
            codes=each.codes,
        )
        for symbol, each in config.instruments.items()
    )


def checks(config: Settings) -> tuple[Check, ...]:
    """The configured cross-checks as values."""
    return tuple(
        Check(
            each.numerator,
            each.denominator,
            Instrument(
                symbol=name,
                base=each.base,
                quote=each.quote,
                unit=f"1 {each.base}",
                decimals=4,
                sources=each.sources,
                max_age=each.max_age,
                max_move=Decimal(1),
                tolerance=each.tolerance,
            ),
            each.tolerance,
        )
        for name, each in config.checks.items()
    )


def used(config: Settings) -> list[str]:
    """The sources that feed an instrument, in the order of the configuration; the others are never asked."""
    fed = {source for each in config.instruments.values() for source in each.sources}
    fed |= {source for each in config.checks.values() for source in each.sources}
    return [source for source in config.sources if source in fed]


def idle(config: Settings, upstream: str | None) -> dict[str, Feed]:
    """The sources that feed nothing and are not off: they can be probed all the same."""
    fed = used(keys.switched_on(config))
    return _feeds(config, upstream, [s for s in config.sources if s not in fed and not keys.off(config, s)])


def _feeds(config: Settings, upstream: str | None, chosen: Sequence[str]) -> dict[str, Feed]:
    feeds: dict[str, Feed] = {}
    for source in chosen:
        each = config.sources[source]
        adapter = sources.SOURCES.get(each.adapter or source)
        if adapter is None:
            known = ", ".join(sources.SOURCES)
            message = f"sources.{source}.adapter: no adapter {each.adapter or source!r}; there are {known}"
            raise settings.ConfigurationError(message)
        feeds[source] = Feed(
            id=source,
            adapter=adapter,
            base_url=f"{upstream.rstrip('/')}/{source}" if upstream else each.base_url or adapter.base_url,
            timeout=each.timeout,
            max_bytes=each.max_bytes,
            origin=Origin(source, adapter.publisher, _calendar(config.calendars[each.calendar]), adapter.codes),
            api_key=each.api_key.get_secret_value() if each.api_key else None,
        )
    return feeds


def _zone(config: Settings, symbol: str) -> tzinfo:
    """Where the days of an instrument begin: where its preferred source publishes."""
    instrument = config.instruments[symbol]
    return config.calendars[instrument.calendar or config.sources[instrument.sources[0]].calendar].zone


def _calendar(config: CalendarSettings) -> calendars.Calendar:
    days = calendars.days_of(config.days)
    if isinstance(config, PublicationCalendar):
        return calendars.Publication(config.zone, config.at, config.grace, days, config.holidays, config.lead)
    return calendars.Session(
        config.zone, config.opens, config.closes, config.delay, config.grace, days, config.holidays
    )


def _timetable(
    config: Settings, poller: Poller, board: Board, now: Callable[[], datetime], random: Random
) -> Timetable:
    plans = {source: Plan(_cadence(config, source), random) for source in poller.feeds}

    async def poll(source: str) -> None:
        await poller.poll(source)

    def planned() -> None:
        # A source whose first poll has not ended may change the board at any moment.
        board.expect(min(health.next_poll or now() for health in poller.health.values()))

    return Timetable(plans, poll, poller.health.__getitem__, poller.cost, now, planned)


def _cadence(config: Settings, source: str) -> Cadence:
    each = config.sources[source]
    schedule = each.schedule
    return Cadence(schedule.zone, schedule.every, schedule.cron, schedule.jitter, each.budget)


def _context(
    config: Settings, poller: Poller, board: Board, now: Callable[[], datetime], keeper: Keeper, *, demo: bool
) -> Context:
    traffic = Traffic()
    symbols = {source: tuple(i.symbol for i in poller.wanted(source)) for source in poller.feeds}
    collector = metrics.TickerCollector(lambda: board.current(now()), poller.health, symbols, traffic, keeper.health)
    links = assets.links(config.server.public_url or "", pictures=serves("/sparkline/{symbol}.svg"))
    renderer = Renderer({source: config.sources[source].attribution for source in poller.feeds}, links)
    return Context(
        board=board,
        renderer=renderer,
        site=Site(renderer.pages),
        clock=now,
        health=poller.health,
        traffic=traffic,
        metrics=metrics.exposition(collector),
        cors_origins=config.server.cors_origins,
        demo=demo,
        history=History(
            keeper.read, lambda: poller.instruments, poller.calendars, partial(_zone, config), now, demo=demo
        ),
        terms={source: config.sources[source].terms_url for source in poller.feeds},
        feeds=symbols,
    )
