"""What browsers and caches are told: who may frame, run, embed and read, and that nothing unnamed changes an answer."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from itertools import product

import pytest
from aiohttp import ClientResponse

from tests.security.wire import say
from tests.support.running_service import Served, answered, serving
from tests.support.upstream import Upstream
from tests.web.test_past import serving as past
from tests.web.test_past import week
from ticker.web.assets import ROUTES as ASSETS
from ticker.web.response_cache import MAX_BYTES
from ticker.web.routes import ROUTES

# The stream never ends; its headers are asked for by HEAD.
PATHS = sorted({path.replace("{symbol}", "USD") for path, _ in (*ROUTES, *ASSETS)})
FAULTS = ("/nothing", "/v1/quotes?x=1", "/v1/quotes/XYZ", "/v1/convert", "/widget?style=x")
PEOPLE = {"/", "/docs", "/frame"}
# What an attacker puts into a request that a cache does not keep apart by.
UNKEYED = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-For": "203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Port": "22",
    "X-Forwarded-Scheme": "nothttps",
    "X-Host": "evil.example",
    "Forwarded": "for=203.0.113.9;host=evil.example;proto=https",
    "X-Original-URL": "/metrics",
    "X-Rewrite-URL": "/metrics",
    "X-HTTP-Method-Override": "DELETE",
    "X-Method-Override": "DELETE",
    "Cookie": "session=evil; lang=ru",
    "Authorization": "Bearer evil",
    "Referer": "https://evil.example/",
    "User-Agent": "<script>evil</script>",
    "Origin": "https://evil.example",
    "Cache-Control": "no-cache",
    "Pragma": "no-cache",
    "Range": "bytes=0-9",
    "Transfer-Coding": "evil",
    "HX-Request": "true",
    "X-Requested-With": "XMLHttpRequest",
    "Save-Data": "on",
    "DNT": "1",
    "Sec-GPC": "1",
    "Purpose": "prefetch",
}


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The trio, every source answered once."""
    async with answered() as service:
        yield service


async def asked(served: Served, path: str, **headers: str) -> ClientResponse:
    """The answer, without a body where there is no end to it."""
    method = "HEAD" if path == "/v1/stream" else "GET"
    return await served.client.request(method, path, headers=headers)


def policy(answer: ClientResponse) -> dict[str, list[str]]:
    """The Content-Security-Policy by directive."""
    parts = (part.split() for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: values for name, *values in parts}


@pytest.mark.parametrize("path", [*PATHS, *FAULTS])
async def test_nothing_runs_that_is_not_a_file_of_ours(served: Served, path: str) -> None:
    """No inline script or style, no data:, no other host; what is not named is not allowed."""
    answer = await asked(served, path)
    directives = policy(answer)
    assert directives["default-src"] == directives["base-uri"] == ["'none'"]
    for name, values in directives.items():
        wanted = {"'none'", "'self'"} | ({"*"} if (path, name) == ("/frame", "frame-ancestors") else set())
        assert set(values) <= wanted, name
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(r"aiohttp|Python|[0-9]\.[0-9]", answer.headers["Server"])
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", [*PATHS, *FAULTS])
async def test_one_page_may_be_framed_and_it_alone(served: Served, path: str) -> None:
    """`/frame` by everybody, its own errors and everything else by nobody."""
    for each in {path, f"{path}?style=none"}:
        answer = await asked(served, each)
        framed = each == "/frame"
        assert policy(answer)["frame-ancestors"] == (["*"] if framed else ["'none'"])
        assert answer.headers.get("X-Frame-Options") == (None if framed else "DENY")


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_is_alone_in_its_window_and_what_is_embedded_may_be_embedded(served: Served, path: str) -> None:
    """A site that isolates itself (COEP) can take widget and frame; nobody takes the pages."""
    headers = (await asked(served, path)).headers
    alone = path in {"/", "/docs"}
    assert headers["Cross-Origin-Resource-Policy"] == ("same-origin" if alone else "cross-origin")
    assert headers.get("Cross-Origin-Opener-Policy") == ("same-origin" if alone else None)
    assert ("Permissions-Policy" in headers) is (path in PEOPLE)
    assert (headers.get("Cross-Origin-Embedder-Policy") == "require-corp") is (path == "/frame")


@pytest.mark.parametrize("path", sorted({*PATHS, *FAULTS} - {"/metrics"}))
async def test_no_header_that_caches_do_not_see_changes_an_answer(served: Served, path: str) -> None:
    """Else who asks first decides what everybody gets. Nor does any answer name the host it was asked at."""
    plain = await asked(served, path)
    body, headers = await plain.read(), {**plain.headers, "Date": ""}
    for name, value in UNKEYED.items():
        answer = await asked(served, path, **{name: value})
        assert (answer.status, await answer.read()) == (plain.status, body), name
        assert {**answer.headers, "Date": ""} == headers, name
    assert b"127.0.0.1" not in body


@pytest.mark.parametrize(
    "path", ["/v1/quotes/USD/history?limit=1", "/v1/quotes", "/widget?lang=ru", "/", "/docs", "/no"]
)
async def test_no_host_in_a_target_changes_an_answer(path: str) -> None:
    """A target with a host of its own (RFC 9112, 3.2.2) is answered as the same one without; no link leads there."""
    async with past(week()) as kept:
        port = kept.client.server.port
        assert port is not None
        plain, led = [
            (await say(port, f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())).text
            for target in (path, f"http://evil.example{path}")
        ]
        plain, led = (re.sub(rb"\r\nDate: [^\r]*", b"", text) for text in (plain, led))
        assert led == plain
        assert (b"Link: </v1/" in plain) is ("limit" in path)


async def test_metrics_do_not_tell_who_asked(served: Served) -> None:
    """They count, and name nothing of a request."""
    for name, value in UNKEYED.items():
        await asked(served, "/v1/quotes", **{name: value})
        await asked(served, f"/{value.partition(' ')[0].strip('/')}")
    body = await (await asked(served, "/metrics")).text()
    assert "evil" not in body
    assert "203.0.113" not in body


ORIGINS = ("https://news.example", "https://news.example:8443")
FOREIGN = (
    "null",
    "https://news.example.evil.example",
    "https://evilnews.example",
    "https://evil.example/https://news.example",
    "http://news.example",
    "https://news.example:443",
    "https://NEWS.example",
    "https://news.example%60.evil.example",
    "https://news_example",
    "https://news.example.",
    "https://sub.news.example",
    "https://news.example, https://evil.example",
    "*",
    "",
)


@pytest.mark.parametrize("path", ["/v1/quotes", "/widget", "/nothing", "/v1/quotes?x=1"])
async def test_an_origin_is_let_in_by_its_whole_name_or_not_at_all(path: str) -> None:
    """To the letter; and never with credentials, which nothing here needs."""
    async with Upstream() as upstream, serving(upstream.url, flags={"server.cors_origins": list(ORIGINS)}) as served:
        for origin, method in product((*ORIGINS, *FOREIGN), ("GET", "OPTIONS")):
            asks = {"Origin": origin, "Access-Control-Request-Method": "GET"}
            answer = await served.client.request(method, path, headers=asks)
            shown = answer.headers.get("Access-Control-Allow-Origin")
            assert shown == (origin if origin in ORIGINS else None)
            assert "Access-Control-Allow-Credentials" not in answer.headers
            assert "Access-Control-Allow-Private-Network" not in answer.headers
            assert "Origin" in answer.headers["Vary"].split(", ")


@pytest.mark.parametrize("path", PATHS)
async def test_what_busts_a_cache_is_refused_and_not_kept(served: Served, path: str) -> None:
    """A parameter that nobody knows is an error, and an error is not stored; so is a known one given twice."""
    for query in ("?_=1", "?utm_source=x", "?symbols=USD&x[]=1", "?%00=1", "?=1", "?v=1&v=2"):
        answer = await asked(served, path + query)
        if path in {*PEOPLE, "/llms.txt", "/robots.txt"}:
            # A shared link must open. It is one more address for a cache, and the same bytes here: nothing is kept.
            assert answer.status in {200, 400}
            continue
        free = path in {"/metrics", "/healthz", "/readyz"}
        assert answer.status == (200 if free else 400)
        assert answer.headers["Cache-Control"] == "no-store"
    assert path not in PEOPLE or served.service.context.cache.held_bytes == 0


async def test_no_number_of_combinations_fills_the_memory(served: Served) -> None:
    """What is kept ready has a bound, whatever is asked: languages, orders, fields, digits."""
    renderer = served.service.context.renderer
    fields = ("symbol", "price", "as_of", "status", "source")
    for number in range(600):
        one, two = fields[number % 5], fields[number // 5 % 5]
        query = f"fields={one},{two}&precision={number % 13}&lang={('en', 'ru', 'de', 'ar')[number % 4]}"
        assert (await served.client.get(f"/v1/quotes?{query}&format={('json', 'csv')[number % 2]}")).status == 200
    assert len(renderer._views) <= renderer._views.maxsize <= 512
    cache = served.service.context.cache
    assert cache.held_bytes <= MAX_BYTES
    for number in range(5):
        assert (await asked(served, "/v1/quotes", Accept=f"text/{number}{'x' * 7000}")).status == 200
        assert (await asked(served, "/v1/quotes", Accept=f"text/{number}")).status == 200
    assert not [each for each in cache._variants if sum(len(text or "") for text in each) > 2000]
    assert len(cache._variants) > 5
