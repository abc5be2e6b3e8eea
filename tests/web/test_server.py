"""Every route alike: HEAD, methods, preflight, CORS, security headers."""

from __future__ import annotations

import pytest

from tests.support.running_service import Served, serving
from tests.support.upstream import Upstream
from ticker.web.assets import ROUTES as ASSETS
from ticker.web.routes import ROUTES

PATHS = sorted({path.replace("{symbol}", "USD") for path, _ in ROUTES} | {path for path, _ in ASSETS})
# What differs from one answer to the next whatever is asked.
PASSING = {"Date"}


@pytest.mark.parametrize("path", sorted({*PATHS} - {"/v1/stream"}))  # its GET never ends: test_stream has its HEAD
async def test_head_answers_as_get_without_the_body(served: Served, path: str) -> None:
    """The same status and headers; a monitor or a cache may ask so."""
    get, head = await served.client.get(path), await served.client.head(path)
    assert (head.status, await head.read()) == (get.status, b"")
    alike = {name: value for name, value in get.headers.items() if name not in PASSING}
    if path == "/metrics":
        alike.pop("Content-Length")  # it counts these very requests
    assert alike.items() <= dict(head.headers).items()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND"])
async def test_another_method_is_refused_with_those_that_are_allowed(served: Served, path: str, method: str) -> None:
    """405 as a problem, with Allow."""
    answer = await served.client.request(method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (await answer.json(content_type=None))["status"] == 405


@pytest.mark.parametrize("path", PATHS)
async def test_options_tells_the_methods(served: Served, path: str) -> None:
    """Without being a preflight."""
    answer = await served.client.options(path)
    assert (answer.status, answer.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")


@pytest.mark.parametrize("path", [*PATHS, "/nothing"])
async def test_a_preflight_is_answered(served: Served, path: str) -> None:
    """A browser may ask from any site, with the headers that a client of ours sends."""
    headers = {"Origin": "https://site.example", "Access-Control-Request-Method": "GET"}
    answer = await served.client.options(path, headers=headers)
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")
    assert "GET" in answer.headers["Access-Control-Allow-Methods"]
    assert "If-None-Match" in answer.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("path", [*PATHS, "/nothing", "/v1/quotes?nothing=1"])
async def test_every_answer_may_be_read_from_another_site(served: Served, path: str) -> None:
    """Errors too: a page shows why it has no number."""
    answer = await served.client.get(path, headers={"Origin": "https://site.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_only_listed_origins_are_let_in_where_there_is_a_list() -> None:
    """An origin is never reflected unless it is on the list, and caches are told that the answer differs by it."""
    flags = {"server.cors_origins": ["https://one.example", "https://two.example"]}
    async with Upstream() as upstream, serving(upstream.url, flags=flags) as service:
        for origin, shown in (
            ("https://one.example", "https://one.example"),
            ("https://two.example", "https://two.example"),
            ("https://three.example", None),
            ("null", None),
            ("https://one.example.evil.example", None),
        ):
            for path in ("/v1/quotes", "/nothing"):
                answer = await service.client.get(path, headers={"Origin": origin})
                assert answer.headers.get("Access-Control-Allow-Origin") == shown
                assert "Origin" in answer.headers["Vary"].split(", ")


@pytest.mark.parametrize("path", [*PATHS, "/nothing"])
async def test_every_answer_carries_the_security_headers(served: Served, path: str) -> None:
    """No sniffing, no referrer, and no script or style that is not ours."""
    headers = (await served.client.get(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]


def test_each_route_is_listed_once() -> None:
    """The table is the whole of it."""
    paths = [path for path, _ in ROUTES]
    assert len(paths) == len(set(paths))
