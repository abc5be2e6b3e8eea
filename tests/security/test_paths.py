"""Paths, methods and names made up by strangers: nothing but our routes is ever found, and nothing is remembered."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.security.wire import END, say
from tests.support.served_board import Live, live

UP = (
    "../",
    "..%2f",
    "%2e%2e/",
    "%2e%2e%2f",
    "..%252f",
    "..%c0%af",
    "..%5c",
    "..\\",
    "....//",
    ".%00./",
    "%uff0e%uff0e/",
)
TARGETS = ("etc/passwd", "ticker/web/assets.py", "config/ticker.toml", "proc/self/environ", "var/ticker.db")
PLACES = ("/", "/widget.js/", "/static/", "/sparkline/", "/v1/quotes/", "/docs/", "/v1/")
METHODS = ("POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "MKCOL", "MOVE", "LOCK", "SEARCH", "PURGE")


async def told(served: Live, target: str, method: str = "GET", *lines: str) -> tuple[int, bytes]:
    """Status and all that was said for one request, sent as it is."""
    head = "".join(f"{line}\r\n" for line in ("Host: localhost", "Connection: close", *lines))
    heard = await say(served.port, f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1"))
    return heard.statuses[0], heard.text


@pytest.mark.parametrize("up", UP)
async def test_no_way_up_leads_out(up: str) -> None:
    """Files are four by name in a literal table; every spelling of a way up is a name that is not among them."""
    async with live() as served:
        for place in PLACES:
            for target in (*(up * 8 + each for each in TARGETS), up):
                status, text = await told(served, place + target)
                assert status in {400, 404}, place + target
                assert b"no-store" in text
                for leaked in (b"root:", b"import annotations", b"[sources.", b"PATH=", b"SQLite format"):
                    assert leaked not in text


async def test_only_three_methods_are_known_whatever_is_said_beside_them() -> None:
    """The others change nothing and say so; no header makes one of another."""
    async with live() as served:
        before = served.context.board.latest
        for method in METHODS:
            status, text = await told(served, "/v1/quotes", method, "X-HTTP-Method-Override: GET", "X-Method: GET")
            assert status == (404 if method == "CONNECT" else 405), method
            assert method == "CONNECT" or b"Allow: GET, HEAD, OPTIONS" in text
        for override in ("X-HTTP-Method-Override: DELETE", "X-Method-Override: PUT", "X-HTTP-Method: POST"):
            assert (await told(served, "/v1/quotes?_method=DELETE", "GET", override))[0] == 400
            assert (await told(served, "/v1/quotes", "GET", override))[0] == 200
        assert served.context.board.latest is before


async def test_whatever_is_asked_the_series_are_those_of_the_configuration() -> None:
    """Three hundred made-up paths, methods, parameters and names later the metrics have the labels they had."""

    async def labels(served: Live) -> set[str]:
        text = (await say(served.port, END.replace(b"/the-end", b"/metrics"))).text.partition(b"\r\n\r\n")[2].decode()
        families = text_string_to_metric_families(text)
        return {f"{each.name} {each.labels}" for family in families for each in family.samples}

    async with live() as served:
        for method in ("GET", "POST", "MADEUP"):
            await told(served, "/first", method)
            await told(served, "/v1/quotes/FIRST", method)
        # The parser knows some forty methods, and refuses what is none of them.
        await told(served, "/v1/quotes?first=1")
        await told(served, "/first\x00")
        await labels(served)
        before = await labels(served)
        for number in range(100):
            await told(served, f"/{number}.php?{number}={number}", "GET", f"X-{number}: {number}")
            await told(served, f"/{number}", METHODS[number % 5])
            await told(served, f"/{number}", f"M{number}")
            await told(served, f"/v1/quotes/{number}", "GET", f"User-Agent: {number}", f"Accept-Language: x{number}")
            await told(served, f"/v1/quotes?{number}=1", "GET")
        assert await labels(served) == before
