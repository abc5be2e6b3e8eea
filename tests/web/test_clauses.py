"""What the standards ask, clause by clause: RFC 9110 (HTTP), 9111 and 5861 (caching), 9457 (problems), Fetch (CORS)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from aiohttp import ClientResponse

from tests.support.running_service import Served

ALL = (
    "/v1/quotes",
    "/v1/quotes/USD",
    "/v1/quotes/USD/history",
    "/v1/convert?from=USD&to=EUR",
    "/v1/instruments",
    "/v1/sources",
    "/v1/openapi.json",
    "/widget",
    "/widget.js",
    "/icon.svg",
    "/sparkline/USD.svg",
    "/",
)
PREFLIGHT = {"Origin": "https://news.example", "Access-Control-Request-Method": "GET"}
# In `wanted`: "" is any value, None no such header, and "…" stands before or after what must be part of it.
TAG = "{ETag}"


@dataclass(frozen=True)
class Clause:
    """One request and what its answer must be; TAG among `headers` is the tag of the plain answer."""

    name: str
    method: str = "GET"
    path: str = "/v1/quotes"
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    wanted: Mapping[str, str | None] = field(default_factory=dict)
    body: bool = True


OLD = "Fri, 01 Jan 2021 00:00:00 GMT"
PROBLEM = {"Content-Type": "application/problem+json", "Cache-Control": "no-store", "ETag": None, "Last-Modified": None}
CLAUSES = (
    Clause("9110 8.3 a representation says its type", wanted={"Content-Type": "application/json"}),
    Clause("9110 8.6 length of what is sent", headers={"Accept-Encoding": "gzip"}, wanted={"Content-Length": ""}),
    Clause("9110 8.8.2 Last-Modified", wanted={"Last-Modified": "…GMT"}),
    Clause("9110 8.8.3 a strong entity tag", wanted={"ETag": '"…'}),
    Clause("9110 8.8.3.3 a coding has its own tag", headers={"Accept-Encoding": "br"}, wanted={"ETag": '…-br"'}),
    Clause("9110 8.4 the coding is said", headers={"Accept-Encoding": "zstd"}, wanted={"Content-Encoding": "zstd"}),
    Clause("9110 9.3.2 HEAD is GET without content", "HEAD", wanted={"ETag": '"…', "Content-Length": ""}, body=False),
    Clause(
        "9110 9.3.7 OPTIONS tells the methods",
        "OPTIONS",
        status=204,
        wanted={"Allow": "GET, HEAD, OPTIONS"},
        body=False,
    ),
    Clause("9110 12.5.1 Accept chooses", headers={"Accept": "text/csv"}, wanted={"Content-Type": "text/csv…"}),
    Clause(
        "9110 12.5.1 q=0 refuses", headers={"Accept": "text/csv;q=0, */*"}, wanted={"Content-Type": "application/json"}
    ),
    Clause("9110 12.5.3 no coding unasked", headers={"Accept-Encoding": ""}, wanted={"Content-Encoding": None}),
    Clause(
        "9110 12.5.3 identity when all are refused",
        headers={"Accept-Encoding": "*;q=0"},
        wanted={"Content-Encoding": None},
    ),
    Clause("9110 12.5.5 Vary names what chose", wanted={"Vary": "Accept, Accept-Encoding, Accept-Language"}),
    Clause("9110 12.5.5 and no more", path="/v1/quotes?format=json&lang=ru", wanted={"Vary": "Accept-Encoding"}),
    Clause("9110 12.5.5 and so of metrics", path="/metrics", wanted={"Vary": "Accept, Accept-Encoding"}),
    Clause("9110 13.1.1 If-Match: this one", headers={"If-Match": f'"a", {TAG}'}),
    Clause("9110 13.1.1 anything", path="/v1/instruments", headers={"If-Match": "*"}),
    Clause("9110 13.1.1 If-Match: another", headers={"If-Match": '"a"'}, status=412, wanted=PROBLEM),
    Clause("9110 13.1.1 strong comparison", headers={"If-Match": f"W/{TAG}"}, status=412, wanted=PROBLEM),
    Clause("9110 13.1.1 before If-None-Match", headers={"If-Match": '"a"', "If-None-Match": TAG}, status=412),
    Clause("9110 13.1.1 files too", path="/widget.js", headers={"If-Match": '"a"'}, status=412, wanted=PROBLEM),
    Clause("9110 13.1.4 unmodified since", headers={"If-Unmodified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"}),
    Clause("9110 13.1.4 modified since", headers={"If-Unmodified-Since": OLD}, status=412, wanted=PROBLEM),
    Clause("9110 13.1.4 not beside If-Match", headers={"If-Match": TAG, "If-Unmodified-Since": OLD}),
    Clause("9110 13.1.4 a date that is none is ignored", headers={"If-Unmodified-Since": "soon"}),
    Clause(
        "9110 13.1.2 If-None-Match: the tag",
        headers={"If-None-Match": TAG},
        status=304,
        wanted={"ETag": '"…'},
        body=False,
    ),
    Clause("9110 13.1.2 weak comparison", headers={"If-None-Match": f"W/{TAG}"}, status=304, body=False),
    Clause("9110 13.1.2 one of several", headers={"If-None-Match": f'"a", {TAG}'}, status=304, body=False),
    Clause("9110 13.1.2 anything", headers={"If-None-Match": "*"}, status=304, body=False),
    Clause("9110 13.1.2 another tag", headers={"If-None-Match": '"other"'}),
    Clause("9110 13.1.2 HEAD too", "HEAD", headers={"If-None-Match": TAG}, status=304, body=False),
    Clause("9110 13.1.3 a date that is none is ignored", headers={"If-Modified-Since": "soon"}),
    Clause(
        "9110 13.2.2 a tag goes before a date",
        headers={"If-None-Match": '"x"', "If-Modified-Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    ),
    Clause("9110 14.2 a range may be ignored", headers={"Range": "bytes=0-9"}, wanted={"Content-Range": None}),
    Clause(
        "9110 15.4.5 304 has the headers of 200",
        headers={"If-None-Match": TAG},
        status=304,
        wanted={"Cache-Control": "", "Vary": "", "Content-Type": None},
        body=False,
    ),
    Clause("9110 15.5.6 405 with Allow", "DELETE", status=405, wanted={**PROBLEM, "Allow": "GET, HEAD, OPTIONS"}),
    Clause("9110 15.5.5 404", path="/v1/nothing", status=404, wanted=PROBLEM),
    Clause("9110 4.2.3 a path has one spelling: no slash at the end", path="/v1/quotes/", status=404, wanted=PROBLEM),
    Clause("9110 4.2.3 and one case", path="/V1/quotes", status=404, wanted=PROBLEM),
    Clause("9111 5.2.2 a shared cache may keep it", wanted={"Cache-Control": "public, max-age=…"}),
    Clause("9111 5.1 Age is the caches' own", wanted={"Age": None, "Expires": None}),
    Clause("9111 5.2.2.5 errors are not kept", path="/v1/quotes?x=1", status=400, wanted=PROBLEM),
    Clause("9111 4 no cookie makes it somebody's", wanted={"Set-Cookie": None}),
    Clause("5861 3 stale-while-revalidate", wanted={"Cache-Control": "…stale-while-revalidate=30…"}),
    Clause("5861 4 stale-if-error", wanted={"Cache-Control": "…stale-if-error=…"}),
    Clause("9457 3 a problem's media type", path="/v1/quotes/XYZ", status=404, wanted=PROBLEM),
    Clause(
        "9457 4 for any media type asked",
        path="/v1/quotes/XYZ",
        headers={"Accept": "text/csv"},
        status=404,
        wanted=PROBLEM,
    ),
    Clause(
        "Fetch 3.2.3 any origin may read",
        headers={"Origin": "https://news.example"},
        wanted={"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": None},
    ),
    Clause("Fetch 3.2.3 errors too", path="/v1/quotes?x=1", status=400, wanted={"Access-Control-Allow-Origin": "*"}),
    Clause(
        "Fetch 3.2.3 304 too",
        headers={"If-None-Match": TAG},
        status=304,
        wanted={"Access-Control-Allow-Origin": "*"},
        body=False,
    ),
    Clause("Fetch 3.2.3 headers scripts may read", wanted={"Access-Control-Expose-Headers": "ETag, …"}),
    Clause(
        "Fetch 3.2.2 preflight",
        "OPTIONS",
        headers=PREFLIGHT,
        status=204,
        wanted={"Access-Control-Allow-Methods": "GET…", "Access-Control-Max-Age": "86400"},
        body=False,
    ),
    Clause(
        "Fetch 3.2.2 preflight of what is not there", "OPTIONS", path="/x", headers=PREFLIGHT, status=204, body=False
    ),
)


def holds(shown: str | None, wanted: str | None) -> bool:
    """Whether a header is as wanted."""
    if wanted is None or shown is None:
        return shown is wanted
    before, dots, after = wanted.partition("…")
    if not dots:
        return wanted in ("", shown)
    if before == "" and after.endswith("…"):
        return after.strip("…") in shown
    return shown.startswith(before) and shown.endswith(after)


async def asked(served: Served, clause: Clause) -> ClientResponse:
    """The answer to the clause's request."""
    tag = (await served.client.get(clause.path)).headers.get("ETag", "")
    headers = {name: value.replace(TAG, tag) for name, value in clause.headers.items()}
    return await served.client.request(clause.method, clause.path, headers=headers, allow_redirects=False)


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.name)
async def test_a_clause_holds(served: Served, clause: Clause) -> None:
    """Status, headers, and whether there is content."""
    answer = await asked(served, clause)
    assert answer.status == clause.status
    for name, wanted in clause.wanted.items():
        assert holds(answer.headers.get(name), wanted), f"{name}: {answer.headers.get(name)}"
    assert bool(await answer.read()) is clause.body


@pytest.mark.parametrize("path", ALL)
async def test_every_route_keeps_the_clauses_of_caching(served: Served, path: str) -> None:
    """A strong tag, 304 to who has it, HEAD with the same headers, a lifetime, Vary, and errors that nobody keeps."""
    whole = await served.client.get(path)
    assert whole.status == 200
    same = await served.client.get(path, headers={"If-None-Match": whole.headers["ETag"]})
    head = await served.client.head(path)
    assert (same.status, await same.read(), head.status, await head.read()) == (304, b"", 200, b"")
    for name in ("ETag", "Cache-Control", "Vary", "Last-Modified"):
        assert whole.headers[name] == same.headers[name] == head.headers[name], name
    assert head.headers["Content-Length"] == str(len(await whole.read()))
    assert "Accept-Encoding" in whole.headers["Vary"]
    query = "lang=nonsense" if path == "/" else "nonsense=1"  # a page ignores what it does not know
    wrong = await served.client.get(f"{path}{'&' if '?' in path else '?'}{query}")
    assert (wrong.status, wrong.headers["Cache-Control"]) == (400, "no-store")
    assert (await wrong.json(content_type=None))["parameter"] == query.partition("=")[0]


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
async def test_no_other_method_does_anything(served: Served, path: str, method: str) -> None:
    """405 with Allow, as a problem."""
    answer = await served.client.request(method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert answer.content_type == "application/problem+json"
