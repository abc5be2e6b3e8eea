"""An hour behind the cache of config/nginx/: what the real nginx gives is never older than `Cache-Control` allows.

Service and nginx are on one simulated clock (nginx's wall clock by libfaketime; its timers stay the machine's), which
stands still while a step is looked at. Between two steps the upstream's numbers change and what is due is polled.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from itertools import accumulate, cycle, takewhile
from pathlib import Path

import pytest
from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import BaseTestServer, TestServer

from tests.nginx.server import NginxClock, free_port, hung, patient, running, shipped
from tests.support.patience import PATIENCE
from tests.support.running_service import Served, serving
from tests.support.upstream import NOON, Upstream
from tests.web.test_cache import poll_what_is_due

# It drives programs of Debian's for real.
pytestmark = pytest.mark.programs

PATHS = ("/v1/quotes", "/v1/quotes/OIL?lang=ru", "/widget?lang=en", "/widget?lang=ru")
CODINGS = ("identity", "gzip", "br")
# Readers come close together, and after pauses longer than any stale-while-revalidate.
STEPS = (7, 19, 23, 11, 29, 41, 137)
HOUR = timedelta(hours=1)
WHILE_ASKING, SECOND = timedelta(seconds=30), timedelta(seconds=1)
STUB = '<p class="market-ticker">—</p>'
PAGE = f'<header><!--# block name="t" -->{STUB}<!--# endblock --><!--# include virtual="/_ticker?lang=en" stub="t" -->'


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as a cache or a reader sees it."""

    status: int
    body: bytes
    tag: str
    kept: str
    date: datetime
    coding: str

    @property
    def until(self) -> datetime:
        """When it stops being fresh."""
        found = re.search(r"max-age=(\d+)", self.kept)
        return self.date + timedelta(seconds=int(found[1]) if found else 0)


@dataclass(slots=True)
class World:
    """The service on its clock, nginx before it on the same one, and what the service has said at each moment."""

    served: Served
    relay: BaseTestServer
    nginx: NginxClock
    upstream: Upstream
    session: ClientSession
    front: str
    said: dict[tuple[str, str, datetime], Answer]

    @property
    def now(self) -> datetime:
        """The moment that both clocks show, in UTC."""
        return self.served.clock.now.astimezone(UTC)

    async def to(self, moment: datetime, brent: Decimal) -> None:
        """Move both clocks on, over an upstream that says `brent`, and note what the service says now."""
        self.served.clock.now = moment
        self.nginx.to(moment)
        self.upstream.trio(brent=brent, now=moment)
        await poll_what_is_due(self.served)
        origin = f"http://127.0.0.1:{self.relay.port}"
        for path in PATHS:
            for coding in CODINGS:
                await self.ask(origin, path, coding)

    async def ask(self, host: str, path: str, coding: str, tag: str = "") -> Answer:
        """What `host` answers to a reader who takes `coding` and has what `tag` names."""
        headers = {"Accept-Encoding": coding, "Accept": "text/html"} | ({"If-None-Match": tag} if tag else {})
        async with self.session.get(f"{host}{path}", headers=headers) as got:
            return await _read(got)

    async def page(self) -> str:
        """The news page with the header put into it by nginx, for a reader who would take anything compressed too."""
        async with self.session.get(f"{self.front}/index.html", headers={"Accept-Encoding": "br"}) as got:
            return await got.text()


async def _read(got: ClientResponse) -> Answer:
    of = got.headers
    date = parsedate_to_datetime(of["Date"])
    coding = of.get("Content-Encoding", "identity")
    return Answer(got.status, await got.read(), of.get("ETag", ""), of.get("Cache-Control", ""), date, coding)


def dating(
    served: Served, session: ClientSession, said: dict[tuple[str, str, datetime], Answer] | None = None
) -> web.Application:
    """The service's answers, dated by its own clock: `Date` is the machine's, which nobody can move here.

    They are noted in `said`: what the service decides anew within one moment is what it says then.
    """

    async def relay(request: web.Request) -> web.Response:
        url = f"http://127.0.0.1:{served.client.port}{request.path_qs}"
        asked = {name: value for name, value in request.headers.items() if name not in ("Host", "Connection")}
        async with session.request(
            request.method, url, headers=asked, skip_auto_headers=("Accept-Encoding", "Accept", "User-Agent")
        ) as got:
            kept = {name: value for name, value in got.headers.items() if name not in ("Date", "Connection")}
            now = served.clock.now.astimezone(UTC)
            response = web.Response(
                status=got.status, body=await got.read(), headers=kept | {"Date": format_datetime(now, usegmt=True)}
            )
            if got.status == HTTPStatus.OK and said is not None:
                of, coding = response.headers, response.headers.get("Content-Encoding", "identity")
                body, tag, kept_for = await got.read(), of.get("ETag", ""), of.get("Cache-Control", "")
                said[request.path_qs, coding, now] = Answer(got.status, body, tag, kept_for, now, coding)
            return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", relay)
    return app


@asynccontextmanager
async def world(at: Path, waits: float = 2 * PATIENCE) -> AsyncIterator[World]:
    """Both on noon of 22 November 2024, every source asked once; nginx `waits` so many seconds for the service."""
    port, clock = free_port(), NginxClock(at / "time")
    clock.to(NOON)
    async with Upstream() as upstream, ClientSession(auto_decompress=False) as session:
        upstream.trio()
        said: dict[tuple[str, str, datetime], Answer] = {}
        async with serving(upstream.url) as served, TestServer(dating(served, session, said)) as relay:
            await served.ready()
            swaps = {
                "127.0.0.1:8080": f"127.0.0.1:{relay.port}",
                "listen 80;": f"listen 127.0.0.1:{port};",
                "/var/www/html": f"{at}/html",
                "/var/cache/market-ticker": f"{at}/cache",
            }
            site = patient(shipped("market-ticker.conf", swaps), waits)
            async with running(at, site, PAGE, port, clock=clock) as url:
                yield World(served, relay, clock, upstream, session, url.removesuffix("/index.html"), said)


def moments() -> list[datetime]:
    """The steps of the hour."""
    seconds = takewhile(lambda passed: passed <= HOUR.total_seconds(), accumulate(cycle(STEPS), initial=0))
    return [NOON + timedelta(seconds=passed) for passed in seconds]


async def test_for_an_hour_nginx_gives_nothing_older_than_the_service_allows(tmp_path: Path) -> None:
    """Each copy is one the service gave; fresh it is what the service says now, past that it is being renewed."""
    kinds = dict.fromkeys(("present", "kept", "renewing"), 0)
    async with world(tmp_path) as both:
        for number, now in enumerate(moments()):
            await both.to(now, Decimal("73.73") + Decimal(number) / 100)
            page = await both.page()
            # The reader has asked for the same fragment in br below.
            assert any(
                now <= said.until + WHILE_ASKING and said.body.decode() in page
                for (path, coding, _), said in both.said.items()
                if (path, coding) == ("/widget?lang=en", "identity")
            )
            for path in PATHS:
                for coding in CODINGS:
                    kinds[await looked(both, path, coding)] += 1
    assert min(kinds.values()) > 50, kinds


async def looked(both: World, path: str, coding: str) -> str:
    """Check one answer and its repeats; how nginx came by it."""
    now, got = both.now, await both.ask(both.front, path, coding)
    # nginx counts whole seconds: that in which a copy ends is still the copy's.
    kind = "present" if got.date == now else "kept" if now <= got.until else "renewing"
    assert (got.status, got.coding) == (200, coding)
    # Byte for byte what the service said then, with the date of then: whoever keeps it further counts from there.
    assert got == both.said[path, coding, got.date]
    if kind == "renewing":
        assert now <= got.until + WHILE_ASKING
        got = await renewed(both, path, coding, got)
    assert now == got.until or got.body == both.said[path, coding, now].body
    for _ in range(2):
        again = await both.ask(both.front, path, coding, got.tag)
        assert (again.status, again.body, again.tag, again.date) == (304, b"", got.tag, got.date)
    return kind


async def renewed(both: World, path: str, coding: str, old: Answer) -> Answer:
    """What nginx gives once it has asked the service in the background."""
    async with asyncio.timeout(PATIENCE):
        while (got := await both.ask(both.front, path, coding)) == old:  # noqa: ASYNC110 - nginx rings no bell
            await asyncio.sleep(0.005)
    assert got == both.said[path, coding, both.now]
    return got


@pytest.mark.parametrize("failing", ["gone", "hung", "faulty"])
async def test_without_the_service_a_copy_is_given_until_its_numbers_end_and_then_none(
    tmp_path: Path, failing: str
) -> None:
    """`stale-if-error` to the second, which ends at `valid_until`; then a dash and a problem, and no number."""
    path = "/v1/quotes"
    async with world(tmp_path, 1.0 if failing == "hung" else 2 * PATIENCE) as both:
        await both.to(NOON, Decimal("73.73"))
        assert ">73.73</data>" in await both.page()
        kept = await both.ask(both.front, path, "identity")
        # The exchange's print of 11:45 is a quarter of an hour old at best; ten minutes later it is late.
        assert json.loads(kept.body)["valid_until"] == "2024-11-22T09:10:00Z"
        # nginx counts whole seconds: the last one of a copy is the one before.
        ends = datetime(2024, 11, 22, 9, 9, 59, tzinfo=UTC)
        assert f"stale-if-error={(ends - kept.until) // SECOND}" in kept.kept
        async with away(both, failing):
            both.nginx.to(ends)
            assert ">73.73</data>" in await both.page()
            assert ">73.73</data>" in await both.page()
            # A fault of the service is told to a program, and hidden from a page.
            answer = await both.ask(both.front, path, "identity")
            assert answer.status == 500 if failing == "faulty" else answer == kept
            both.nginx.to(ends + SECOND)
            assert STUB in await both.page()
            answer = await both.ask(both.front, path, "identity")
            assert (answer.status, answer.kept) == (500 if failing == "faulty" else 503, "no-store")
            assert b"73.73" not in answer.body


@asynccontextmanager
async def away(both: World, failing: str) -> AsyncIterator[None]:
    """The service's port refuses connections, or takes them and says nothing, or answers that it is broken."""
    port = both.relay.port
    assert port is not None
    await both.relay.close()

    async def broken(_request: web.Request) -> web.Response:
        return web.json_response({"status": 500}, status=500, headers={"Cache-Control": "no-store"})

    faulty = web.Application()
    faulty.router.add_get("/{path:.*}", broken)
    async with AsyncExitStack() as stack:
        if failing == "hung":
            await stack.enter_async_context(hung(port))
        if failing == "faulty":
            await stack.enter_async_context(TestServer(faulty, port=port))
        yield
