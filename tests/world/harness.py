"""The product over a scripted world, step by step: the only file here that knows the product from inside.

The service is composed as `ticker serve` does it, over the shipped configuration, on the world's clock. Nothing sleeps:
at each step every source is asked once through the service's own poller, then time is let age what is shown.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, nullcontext
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache, partial
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tests.world.world import Away, World
from ticker.app import Service, backfill, compose
from ticker.fetch import Answer, Call, Fetching
from ticker.health import Health
from ticker.polling import Poller
from ticker.quotes import Reason, SourceError
from ticker.settings.loader import load, shipped
from ticker.settings.models import Settings
from ticker.sources import Extract
from ticker.web.routes import build

PREFIX = "http://world"


class Wire(Fetching):
    """In the fetcher's place: the world asked without a socket."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def get(self, call: Call, /) -> Answer:
        """What the world says. Raises SourceError as the fetcher does."""
        source, _, path = call.url.removeprefix(f"{PREFIX}/").partition("/")
        try:
            reply = self.world.hear(source, f"/{path}", call.query)
        except Away as away:
            raise SourceError(Reason.CONNECT, "away") from away
        if reply.status != 200:
            raise SourceError(Reason.HTTP_4XX, f"HTTP {reply.status}")
        return Answer(call.url, 200, reply.headers, reply.body)


@lru_cache(32)
def _configured(flags: str) -> Settings:
    """The shipped configuration with these `flags`, JSON: read once, however often a service begins with it."""
    return load(shipped(), {}, json.loads(flags)).settings


@lru_cache(200)
def _parsed(parse: Callable[[bytes], Extract], body: bytes) -> Extract:
    """What an adapter reads in `body`; bytes that came before, even before a restart, are not read anew."""
    return parse(body)


def served(world: World) -> web.Application:
    """The world as a real server: /<source id>/<the source's own path>."""

    async def answer(request: web.Request) -> web.Response:
        source, _, path = request.path.lstrip("/").partition("/")
        try:
            reply = world.hear(source, f"/{path}", request.query)
        except Away:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=503)
        return web.Response(body=reply.body, status=reply.status, headers=dict(reply.headers))

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    return app


@dataclass
class Product:
    """A composed service over `world`; `async with` it.

    `loopback` sends every poll through the real fetcher and a socket; without, the world is asked in process.
    `store` is a store's URL; with one, what is kept there survives `restart`. With `unwritten` nothing is written down
    of what is decided: no evidence, no history, no corrections.
    """

    world: World
    sources: Mapping[str, list[str]] | None = None
    flags: Mapping[str, Any] | None = None
    store: str | None = None
    loopback: bool = False
    unwritten: bool = False
    service: Service = None  # type: ignore[assignment]
    _stack: AsyncExitStack = None  # type: ignore[assignment]
    _client: TestClient[web.Request, web.Application] | None = None
    _keeping: asyncio.Task[None] | None = None
    _retired: bool = False
    _said: dict[str, object] = field(default_factory=dict)
    _asked: dict[str, datetime] = field(default_factory=dict)
    _decided: datetime | None = None

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        await self._stack.__aenter__()
        upstream = PREFIX
        if self.loopback:
            server = await self._stack.enter_async_context(TestServer(served(self.world)))
            upstream = str(server.make_url("")).rstrip("/")
        self._upstream = upstream
        await self._begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()
        await self._stack.aclose()

    async def _begin(self) -> None:
        flags: dict[str, Any] = {f"instruments.{s}.sources": list(ids) for s, ids in (self.sources or {}).items()}
        config = _configured(json.dumps({**flags, **(self.flags or {})}, sort_keys=True))
        if self.store:
            config = config.model_copy(update={"store": config.store.model_copy(update={"url": self.store})})
        self._said, self._asked = {}, {}
        around = {} if self.loopback else {"around": lambda _fetcher, _bases: Wire(self.world)}
        self.service = compose(
            config,
            upstream=self._upstream,
            now=lambda: self.world.now,
            seed=1,
            stored=self.store is not None,
            **around,  # type: ignore[arg-type]
        )
        targets = self.service.poller.targets
        targets.feeds = {
            source: replace(feed, adapter=replace(feed.adapter, parse=partial(_parsed, feed.adapter.parse)))
            for source, feed in targets.feeds.items()
        }
        if self.unwritten:
            made, now = self.service, lambda: self.world.now
            made.poller = Poller(targets, made.board, made.fetcher, now)
        await self.service.fetcher.__aenter__()
        self._keeping = asyncio.create_task(self.service.store_writer.run()) if self.store else None
        if self.service.coordinator is not None:
            # A store on disk may have other services beside; this one leads at once.
            self.service.coordinator.start()
            await self.service.coordinator.answered()

    async def _end(self) -> None:
        if self._retired:
            return
        if self._client is not None:
            await self._client.close()
            self._client = None
        if self.service.coordinator is not None:
            self.service.coordinator.stop()
        if self._keeping is not None:
            self.service.store_writer.stop()
            await self._keeping
        await self.service.fetcher.__aexit__(None, None, None)

    async def restart(self) -> None:
        """End, and begin again over the same store."""
        await self._end()
        await self._begin()

    def beside(self) -> Product:
        """Another replica over the same world and store."""
        return Product(self.world, self.sources, self.flags, self.store)

    async def retire(self) -> None:
        """End, and stay away: a replica beside it goes on."""
        await self._end()
        self._retired = True

    async def leads(self) -> None:
        """Wait until this replica polls."""
        await self.service.poller._gate.begins()

    async def backfill(self, first: str, last: str) -> None:
        """What `ticker backfill` does, out of the world's archives."""
        made = backfill(self.service.settings, self._upstream, 0)
        made.fetcher, made.clock = Wire(self.world), lambda: self.world.now
        span = date.fromisoformat(first), date.fromisoformat(last)
        assert await made.run(list(self.service.settings.instruments.values()), *span, lambda _job, _left: None) == []
        made.store.close()

    @property
    def feeds(self) -> list[str]:
        """The sources that are asked."""
        return list(self.service.poller.feeds)

    async def poll(self, sources: Iterable[str] | None = None) -> None:
        """Ask each of `sources`, all by default, once and now."""
        for source in self.feeds if sources is None else sources:
            if source in self.service.poller.feeds:
                await self.service.poller.poll(source)
        self.age()

    async def _poll(self, sources: Iterable[str], news: set[str]) -> None:
        """Ask each of `sources`; what those without `news` say again is decided on with the next that has some."""
        poller = self.service.poller
        for source in sources:
            with nullcontext() if source in news else patch.object(poller, "publish"):
                await poller.poll(source)
        poller.publish(self.world.now)
        self.age()

    def age(self) -> None:
        """What the service does every second by itself."""
        self.service.poller.age(self.world.now)
        self.service.poller.look_again(self.world.now)

    async def poll_news(
        self, sources: Iterable[str], rest: timedelta = timedelta(0), again: timedelta = timedelta(days=999)
    ) -> None:
        """Ask those of `sources` that have not been asked since anybody had news, or not for as long as `again`.

        Where there is nobody to be asked it is decided anew, after `rest`. What is said again changes nothing but when
        it was last said.
        """
        now, poller = self.world.now, self.service.poller
        due = [source for source in sources if source in poller.feeds]
        says = {source: self._says(source) for source in due}
        news = {source for source, said in says.items() if source not in self._said or self._said[source] != said}
        if news:
            self._said, self._asked = {**self._said, **says}, {}
        unasked = [source for source in due if source not in self._asked or now - self._asked[source] >= again]
        if unasked:
            self._asked = {**self._asked, **dict.fromkeys(unasked, now)}
            await self._poll(unasked, news)
        elif self._decided is None or now - self._decided >= rest:
            poller.publish(now)
            self.age()
        else:
            self.age()
            return
        self._decided = now

    def _says(self, source: str) -> object:
        targets, now = self.service.poller.targets, self.world.now
        adapter = targets.feeds[source].adapter
        try:
            heard = [self.world.hear(source, r.path, r.query) for r in adapter.requests(targets.codes(source), now)]
            return tuple((each.status, each.body and adapter.parse(each.body)) for each in heard)
        except Away:
            return None
        except SourceError as error:
            return (error.reason, error.detail)

    def branch(self) -> Callable[[], None]:
        """What brings world and product back to this moment, so that the story is told on otherwise from here.

        All that decisions depend on is a frozen value: what was heard, what is remembered, what is shown.
        """
        world, poller, board = self.world, self.service.poller, self.service.board
        now, spells, delivered = world.now, list(world.spells), dict(world.delivered)
        said, asked, decided = self._said, self._asked, self._decided
        shown, forget = board.latest_selected, poller.checkpoint()
        health = {source: deepcopy(each) for source, each in poller.health.items()}

        def back() -> None:
            world.now, world.spells, world.delivered = now, list(spells), dict(delivered)
            self._said, self._asked, self._decided = said, asked, decided
            forget()
            for source, each in health.items():
                for name in Health.__slots__:
                    setattr(poller.health[source], name, deepcopy(getattr(each, name)))
            # A board goes on to newer versions only; a decision looks at the numbers.
            board.put(replace(shown, version=board.latest.version + 1), now)
            poller.shows(board.latest.version)

        return back

    def look(self) -> dict[str, Shown]:
        """What is shown now, from the board itself: the fields that are judged minute by minute."""
        return {quote.symbol: Shown.of(quote) for quote in self.service.board.current(self.world.now).quotes}

    @property
    def version(self) -> int:
        """The board's version."""
        return self.service.board.latest.version

    async def http(self, path: str) -> tuple[int, Any]:
        """Status and JSON (or text) of a GET over a real socket, once what was learnt is in the store."""
        while self.store and self.service.store_writer.pending:  # noqa: ASYNC110 - a store's thread has no event
            await asyncio.sleep(0.01)
        if self._client is None:
            self._client = TestClient(TestServer(build(self.service.context)))
            await self._client.start_server()
        async with self._client.get(path) as response:
            if "json" in response.content_type:
                return response.status, await response.json()
            return response.status, await response.text()

    async def quotes(self) -> dict[str, dict[str, Any]]:
        """`/v1/quotes`, by symbol."""
        status, body = await self.http("/v1/quotes")
        assert status == 200, body
        return {quote["symbol"]: quote for quote in body["quotes"]}


async def one_shot(world: World, flags: Mapping[str, Any]) -> dict[str, Shown]:
    """What a command that asks once, as `ticker get` does, has to show: a service that starts, asks all and ends."""
    config = _configured(json.dumps(dict(flags), sort_keys=True))
    service = compose(
        config, upstream=PREFIX, now=lambda: world.now, seed=1, around=lambda _fetcher, _bases: Wire(world)
    )
    async with service.asked():
        return {quote.symbol: Shown.of(quote) for quote in service.board.current(world.now).quotes}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the board shows of one instrument."""

    price: Any
    status: str
    reason: str | None
    source: str | None
    as_of: datetime | None
    change: Any
    upcoming: Any

    @classmethod
    def of(cls, quote: Any) -> Shown:  # noqa: ANN401 - whatever record the product has for it today
        """The fields of the product's quote that are judged."""
        price = None if str(quote.status.value) == "unavailable" else quote.price
        reason = getattr(quote.reason, "value", quote.reason)
        upcoming = getattr(quote, "upcoming", None)
        return cls(price, str(quote.status.value), reason, quote.source, quote.as_of, quote.change, upcoming)
