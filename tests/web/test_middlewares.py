"""Around every handler: counting, and faults of ours."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient

from tests.support.running_service import Clock, Front, Served, serving
from tests.support.upstream import Upstream
from ticker.web.context import CONTEXT
from ticker.web.middlewares import headed, problems


def series(served: Served) -> set[tuple[str, str, int]]:
    """The labels under which requests were counted."""
    return {key for key, count in served.service.context.traffic.requests.items() if count}


async def test_requests_are_counted_by_route_pattern(served: Served) -> None:
    """Not by path: every symbol is one route."""
    for path in ("/v1/quotes/USD", "/v1/quotes/EUR", "/v1/quotes/GBP", "/widget?lang=ru"):
        await served.client.get(path)
    assert series(served) == {
        ("/v1/quotes/{symbol}", "GET", 200),
        ("/v1/quotes/{symbol}", "GET", 404),
        ("/widget", "GET", 200),
    }


async def test_scanning_adds_no_series(served: Served) -> None:
    """Thousands of unknown paths and methods are one label each."""
    await served.client.get("/first")
    await served.client.request("PROPFIND", "/first")
    before = series(served)
    for number in range(50):
        await served.client.get(f"/wp-admin/{number}.php?{number}=1")
        await served.client.request(("LOCK", "SEARCH", "MKCOL")[number % 3], f"/{number}")
    assert series(served) == before
    assert served.service.context.traffic.requests["unknown", "GET", 404] == 51


async def test_a_fault_of_ours_is_logged_and_says_no_more_than_that(caplog: pytest.LogCaptureFixture) -> None:
    """500 as a problem, with CORS, uncached; the traceback is in the log and nowhere else."""

    async def broken(_request: web.Request) -> web.Response:
        raise RuntimeError("s3cret inside")

    async with Upstream() as upstream, serving(upstream.url) as service:
        app = web.Application(middlewares=[headed, problems])
        app[CONTEXT] = service.service.context
        app.router.add_get("/broken", broken)
        async with TestClient(Front(app)) as client:
            answer = await client.get("/broken")
            text = await answer.text()
    assert (answer.status, answer.headers["Cache-Control"]) == (500, "no-store")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "s3cret" not in text
    assert "s3cret" in caplog.text
    assert series(service) == {("/broken", "GET", 500)}


async def test_a_request_never_asks_a_source() -> None:
    """However many readers come, the upstream sees the polls and nothing else."""
    async with Upstream() as upstream:
        upstream.trio()
        async with serving(upstream.url) as service:
            await service.ready()
            polls = len(upstream.hits())
            for path in ("/", "/v1/quotes", "/v1/quotes/USD", "/widget?lang=ru", "/metrics", "/readyz"):
                await service.client.get(path)
            assert len(upstream.hits()) == polls
            assert isinstance(service.clock, Clock)
