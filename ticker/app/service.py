"""The joined parts of one service: how they start, go on with another configuration, and end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import TYPE_CHECKING

from ticker import keys
from ticker.app.contexts import context_of
from ticker.configured import checks_of, feeds_of, instruments, overrides_of, plans_of, used
from ticker.configured.calendars import read_holidays
from ticker.quotes import Status
from ticker.values import Struct
from ticker.web import build, build_metrics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

    from ticker.board import Board
    from ticker.fetch import Fetching
    from ticker.poll import Poller
    from ticker.replicas import Following
    from ticker.schedule import Timetable
    from ticker.settings.model import Settings
    from ticker.stores import Keeper
    from ticker.web.context import Context

# How often time alone is allowed to age what is shown even while nobody asks and nothing is polled.
_AGEING_SECONDS = 1.0
# How long after a start over a filled store nothing is done but answer.
_READERS_FIRST_SECONDS = 0.25
# How long whoever shows a first board waits for the sources, and how often it looks.
_SETTLING_SECONDS, _LOOK_SECONDS = 30.0, 0.05


class Service(Struct):
    """The joined parts of one service; nothing runs before `running` is entered. `upstream` stands for every host.

    With `listening`, the sources are asked once that is set: what it takes is imported after readers have had answers.
    """

    settings: Settings
    poller: Poller
    board: Board
    fetcher: Fetching
    timetable: Timetable
    context: Context
    keeper: Keeper
    upstream: str | None = None
    following: Following | None = None
    # What the first reader waits for: the demo's past goes by before anybody sees its present.
    begun: asyncio.Event | None = None
    listening: asyncio.Event | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Polling goes on inside; on the way out everything that was opened is closed."""
        async with self.fetcher:
            asking = asyncio.create_task(self._ask())
            if self.listening is None:
                await asking
            self.timetable.every(_AGEING_SECONDS, self._age)
            keeping = asyncio.create_task(self.keeper.run())
            watch = asyncio.create_task(self.context.vitals.watch())
            try:
                if self.begun is not None:
                    await self.begun.wait()
                yield
            finally:
                watch.cancel()
                asking.cancel()
                await self.timetable.stop()
                if self.following is not None:
                    self.following.stop()
                self.keeper.stop()
                await keeping

    @asynccontextmanager
    async def asked(self) -> AsyncIterator[None]:
        """Every source has been asked once inside; what was learnt is kept on the way out.

        Where a service over the same store polls, what it has found is there, and nobody is asked again.
        """
        if self.following is not None:
            async with self.running():
                await self.following.decided()
                await self.timetable.answered()
                yield
            return
        async with self.fetcher:
            keeping = asyncio.create_task(self.keeper.run())
            try:
                await asyncio.gather(*map(self.poller.poll, self.poller.feeds))
                yield
            finally:
                self.keeper.stop()
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
            await asyncio.to_thread(self.poller.prepare)
            await asyncio.to_thread(lambda: [each.adapter for each in self.poller.feeds.values()])
            await asyncio.to_thread(read_holidays, self.settings, used(self.settings), self.context.clock().date())
        if self.following is None:
            self.timetable.start()
        else:
            self.timetable.start(resting=True)
            self.following.start()

    def adopt(self, config: Settings) -> None:
        """Go on with `config` without dropping a quote or a connection.

        Raises ConfigurationError where that cannot be; then nothing at all has changed.
        """
        from ticker.configured.fixed import keep_fixed  # noqa: PLC0415 - a start changes nothing

        keep_fixed(self.settings, config)
        config = keys.switched_on(config)
        wanted, feeds = instruments(config), feeds_of(config, self.upstream, used(config))
        plans = plans_of(config, feeds, Random())  # noqa: S311 - jitter, not a secret # nosec B311
        anew = self.poller.adopt(wanted, feeds, overrides_of(config), checks_of(config))
        self.timetable.adopt(plans, anew)
        self.context.become(context_of(config, self.poller, self.board, self.context.clock, self.keeper, self.context))
        self.settings = config

    def _age(self) -> None:
        self.context.vitals.timetable_ran()
        now = self.context.clock()
        self.board.current(now)
        if self.timetable.clock_was_set():
            self.poller.publish(now)
        self.poller.look_again(now)

    def openapi(self) -> bytes:
        """The OpenAPI document of this service."""
        from ticker.web.spec import described  # noqa: PLC0415 - a start answers numbers first

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
