from __future__ import annotations

import asyncio
import gzip
import socket
import sys
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.patience import PATIENCE
from tests.support.upstream import Upstream
from ticker.fetch import Answer, Call, Fetcher, retry_after
from ticker.quotes import Reason, SourceError

AGENT = "market-ticker/test (+https://example.org)"
CAP = 64 * 1024
HEALTHY = b'{"price": 73.73}' * 64


@pytest.fixture
async def up() -> AsyncIterator[Upstream]:
    """Run an upstream with one healthy answer."""
    async with Upstream() as started:
        started.answer("/a", body=HEALTHY)
        yield started


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    """Open the client."""
    async with Fetcher(AGENT) as opened:
        yield opened


async def get(fetcher: Fetcher, url: str, seconds: float = 5, **more: Any) -> Answer:  # noqa: ANN401 - passed on
    """Fetch `url` with little patience."""
    return await fetcher.get(Call(url, timeout=timedelta(seconds=seconds), **{"max_bytes": CAP, **more}))


async def failure(fetcher: Fetcher, url: str, seconds: float = 5) -> SourceError:
    """The error that fetching `url` ends with."""
    with pytest.raises(SourceError) as caught:
        await get(fetcher, url, seconds)
    return caught.value


async def test_a_healthy_answer_is_handed_on_whole(up: Upstream, fetcher: Fetcher) -> None:
    """Body, status and headers come as they were sent."""
    answer = await get(fetcher, f"{up.url}/a", query={"day": "1"}, headers={"X-Key": "k"})
    (hit,) = up.hits()
    assert (answer.status, answer.body) == (200, HEALTHY)
    assert (hit.path_qs, hit.headers["X-Key"]) == ("/a?day=1", "k")


async def test_the_client_says_who_it_is(up: Upstream, fetcher: Fetcher) -> None:
    """An honest User-Agent, and only encodings that are read in a stream."""
    await get(fetcher, f"{up.url}/a")
    (hit,) = up.hits()
    assert (hit.headers["User-Agent"], hit.headers["Accept-Encoding"]) == (AGENT, "gzip, deflate")


async def test_no_cookie_is_kept(up: Upstream, fetcher: Fetcher) -> None:
    """A guard's cookie is not sent back: we do not pass ourselves off as a browser."""
    up.answer("/c", body=b"{}", headers={"Set-Cookie": "__ddg1_=x; Path=/"})
    await get(fetcher, f"{up.url}/c")
    await get(fetcher, f"{up.url}/c")
    assert not [hit for hit in up.hits() if "Cookie" in hit.headers]


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("hang", Reason.TIMEOUT),
        ("drip:0.2", Reason.TIMEOUT),
        ("close", Reason.CONNECT),
        ("reset", Reason.CONNECT),
        ("truncate", Reason.PARSE),
        ("bomb_gzip", Reason.SIZE),
        ("endless", Reason.SIZE),
        ("redirect:http://guce.example.org/consent", Reason.BLOCKED),
        ("redirect:https://127.0.0.1/a", Reason.BLOCKED),
        ("redirect:file:///etc/passwd", Reason.BLOCKED),
        ("redirect:ftp://127.0.0.1/a", Reason.BLOCKED),
        ("redirect:http://[", Reason.BLOCKED),
        ("redirect:", Reason.BLOCKED),
        ("redirect:/loop", Reason.BLOCKED),
        ("status:204", Reason.HTTP_4XX),
        ("status:206", Reason.HTTP_4XX),
        ("status:304", Reason.HTTP_4XX),
        ("status:400", Reason.HTTP_4XX),
        ("status:403", Reason.HTTP_4XX),
        ("status:404", Reason.HTTP_4XX),
        ("status:429", Reason.RATE_LIMITED),
        ("status:500", Reason.HTTP_5XX),
        ("status:503", Reason.HTTP_5XX),
        ("status:599", Reason.HTTP_5XX),
        ("retry_after:120", Reason.RATE_LIMITED),
    ],
)
async def test_each_failure_has_its_reason(up: Upstream, fetcher: Fetcher, how: str, reason: Reason) -> None:
    """However an upstream misbehaves, the failure is a SourceError with the slug of its kind."""
    up.answer("/loop", body=HEALTHY)
    up.fail("/loop", how)
    assert (await failure(fetcher, f"{up.url}/loop", 0.5 if reason is Reason.TIMEOUT else 5)).reason is reason


async def test_a_name_nobody_has_is_a_dns_failure(fetcher: Fetcher) -> None:
    """A host that cannot be resolved is not the upstream's own failure."""
    assert (await failure(fetcher, "http://nonexistent.invalid/a", 20)).reason in {Reason.DNS, Reason.TIMEOUT}


async def test_a_closed_port_is_a_connect_failure(fetcher: Fetcher) -> None:
    """Where nobody listens nothing can be connected to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        assert (await failure(fetcher, f"http://127.0.0.1:{held.getsockname()[1]}/a")).reason is Reason.CONNECT


@pytest.mark.parametrize("how", ["bomb_gzip", "endless"])
async def test_a_bomb_is_never_held_whole(up: Upstream, fetcher: Fetcher, how: str) -> None:
    """Of a body that would inflate to 200 MB less than 4 MB are ever in memory."""
    up.fail("/a", how)
    await failure(fetcher, f"{up.url}/a")  # the upstream makes its bomb once
    tracemalloc.start()
    try:
        assert (await failure(fetcher, f"{up.url}/a")).reason is Reason.SIZE
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("size", "fits"), [(CAP, True), (CAP + 1, False)])
async def test_the_cap_is_a_cap(up: Upstream, fetcher: Fetcher, size: int, *, fits: bool) -> None:
    """A body of exactly the cap passes, a byte more does not."""
    up.answer("/a", body=b" " * size)
    if fits:
        assert len((await get(fetcher, f"{up.url}/a")).body) == size
    else:
        assert (await failure(fetcher, f"{up.url}/a")).reason is Reason.SIZE


async def test_a_compressed_answer_is_inflated(up: Upstream, fetcher: Fetcher) -> None:
    """The cap and the body handed on are those of the inflated answer."""
    up.answer("/a", body=gzip.compress(HEALTHY), headers={"Content-Encoding": "gzip"})
    assert (await get(fetcher, f"{up.url}/a")).body == HEALTHY


@pytest.mark.parametrize("name", ["gzip", "x-gzip", "X-GZIP", " x-gzip "])
async def test_gzip_has_two_names(up: Upstream, fetcher: Fetcher, name: str) -> None:
    """RFC 9110 has a recipient take x-gzip for gzip."""
    up.answer("/a", body=gzip.compress(HEALTHY), headers={"Content-Encoding": name.strip()})
    assert (await get(fetcher, f"{up.url}/a")).body == HEALTHY


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (gzip.compress(b" " * 10 * CAP), "x-gzip", Reason.SIZE),
        (gzip.compress(HEALTHY)[:-9], "x-gzip", Reason.ENCODING),
        (gzip.compress(HEALTHY) + b"more", "x-gzip", Reason.ENCODING),
        (HEALTHY, "x-gzip", Reason.ENCODING),
        (HEALTHY, "compress", Reason.ENCODING),
        (HEALTHY, "aes128gcm", Reason.ENCODING),
        (HEALTHY, "gzip, gzip", Reason.ENCODING),
    ],
    ids=["too large", "cut off", "more behind it", "not gzip", "compress", "aes128gcm", "twice"],
)
async def test_a_body_that_cannot_be_unpacked_is_an_encoding_failure(
    up: Upstream, fetcher: Fetcher, body: bytes, encoding: str, reason: Reason
) -> None:
    """Cut off, lengthened, not encoded at all, or as nobody asked for: named, and a bomb ends at the cap."""
    up.answer("/a", body=body, headers={"Content-Encoding": encoding})
    assert (await failure(fetcher, f"{up.url}/a")).reason is reason


async def test_a_guard_may_say_how_long_it_shuts_us_out(up: Upstream, fetcher: Fetcher) -> None:
    """Retry-After comes with a 403 as well."""
    up.answer("/a", status=403, headers={"Retry-After": "60"})
    error = await failure(fetcher, f"{up.url}/a")
    assert (error.reason, error.retry_after) == (Reason.HTTP_4XX, timedelta(minutes=1))


@pytest.fixture
def silent_nameserver() -> Iterator[str]:
    """Listen for questions about names, and answer none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{listening.getsockname()[1]}"


async def test_a_name_server_that_says_nothing_is_a_dns_failure(silent_nameserver: str) -> None:
    """Told as one before the whole call is given up; and the call is given up at its own time all the same."""
    async with Fetcher(AGENT, [silent_nameserver]) as fetcher:
        assert (await failure(fetcher, "http://rates.example/a", 0.3)).reason is Reason.TIMEOUT
        assert (await failure(fetcher, "http://rates.example/a", 30)).reason is Reason.DNS


async def test_names_of_this_machine_need_no_name_server(up: Upstream, silent_nameserver: str) -> None:
    """`localhost` and what /etc/hosts knows are found at once."""
    async with Fetcher(AGENT, [silent_nameserver]) as fetcher:
        url = up.url.replace("127.0.0.1", "localhost")
        assert (await get(fetcher, f"{url}/a")).body == HEALTHY


LOOKING_UP = """
import asyncio, sys
from datetime import timedelta
from ticker.fetch import Call, Fetcher

async def main():
    async with Fetcher("test", [sys.argv[1]]) as fetcher:
        call = asyncio.create_task(fetcher.get(Call("http://rates.example/")))
        await asyncio.sleep(0.2)
        call.cancel()

asyncio.run(main())
"""


async def test_a_lookup_that_hangs_does_not_hold_the_end_of_the_process(silent_nameserver: str) -> None:
    """There was a thread in each, and the interpreter waits for threads: 55 seconds after SIGTERM it still ran."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", LOOKING_UP, silent_nameserver)
    assert await asyncio.wait_for(process.wait(), PATIENCE) == 0


async def test_a_redirect_on_the_same_host_is_followed(up: Upstream, fetcher: Fetcher) -> None:
    """An upstream may move a path, relative or absolute, and no further than its own host."""
    up.answer("/old", status=301, headers={"Location": "/older"})
    up.answer("/older", status=308, headers={"Location": f"{up.url}/a"})
    assert (await get(fetcher, f"{up.url}/old")).body == HEALTHY


@pytest.mark.parametrize("header", [("ETag", "If-None-Match", '"v1"'), ("Last-Modified", "If-Modified-Since", "Fri")])
async def test_what_has_a_validator_is_asked_for_conditionally(
    up: Upstream, fetcher: Fetcher, header: tuple[str, str, str]
) -> None:
    """The second answer is a 304 and gives the body of the first."""
    name, asked, value = header
    up.answer("/a", body=HEALTHY, headers={name: value})
    assert [(await get(fetcher, f"{up.url}/a")).body for _ in range(2)] == [HEALTHY, HEALTHY]
    assert [hit.headers.get(asked) for hit in up.hits()] == [None, value]


async def test_what_has_none_is_asked_for_again(up: Upstream, fetcher: Fetcher) -> None:
    """The Bank of Russia sends no validator: every poll brings the whole table."""
    for body in (b"one", b"two"):
        up.answer("/a", body=body)
        assert (await get(fetcher, f"{up.url}/a")).body == body
    assert not [hit for hit in up.hits() if {"If-None-Match", "If-Modified-Since"} & set(hit.headers)]


async def test_a_new_answer_takes_the_place_of_the_known_one(up: Upstream, fetcher: Fetcher) -> None:
    """After a change of ETag the new body and the new condition count; another query has its own."""
    for tag in ("1", "2"):
        up.answer("/a", body=tag.encode(), headers={"ETag": f'"{tag}"'})
        assert (await get(fetcher, f"{up.url}/a")).body == tag.encode()
    assert (await get(fetcher, f"{up.url}/a")).body == b"2"
    await get(fetcher, f"{up.url}/a", query={"q": "1"})
    assert [hit.headers.get("If-None-Match") for hit in up.hits()] == [None, '"1"', '"2"', None]


async def test_a_failure_after_success_forgets_nothing(up: Upstream, fetcher: Fetcher) -> None:
    """Once the upstream is back the condition still holds."""
    up.answer("/a", body=HEALTHY, headers={"ETag": '"v"'})
    await get(fetcher, f"{up.url}/a")
    up.fail("/a", "status:500")
    await failure(fetcher, f"{up.url}/a")
    up.heal("/a")
    assert (await get(fetcher, f"{up.url}/a")).body == HEALTHY
    assert [hit.headers.get("If-None-Match") for hit in up.hits()] == [None, '"v"', '"v"']


async def test_the_whole_call_is_bounded(up: Upstream, fetcher: Fetcher) -> None:
    """An upstream that sends a byte now and then, and would have sent all in the end, is not waited for."""
    up.answer("/a", body=HEALTHY * 1000)
    up.fail("/a", "drip:0.02")
    async with asyncio.timeout(PATIENCE):
        assert (await failure(fetcher, f"{up.url}/a", 0.3)).reason == "timeout"


async def test_a_cancelled_call_is_cancelled(up: Upstream, fetcher: Fetcher) -> None:
    """The end of the service is no failure of the upstream."""
    up.fail("/a", "hang")
    call = asyncio.create_task(get(fetcher, f"{up.url}/a", 60))
    await asyncio.wait_for(up.seen("/a"), PATIENCE)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_outside_its_context_nothing_is_fetched() -> None:
    """That is a fault of ours and is said as one."""
    with pytest.raises(RuntimeError, match="outside"):
        await get(Fetcher(AGENT), "http://127.0.0.1:1/")


NOW = datetime(2024, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("120", timedelta(seconds=120)),
        ("0", timedelta(0)),
        (" 7 ", timedelta(seconds=7)),
        ("Fri, 22 Nov 2024 12:05:00 GMT", timedelta(minutes=5)),
        ("Fri, 22 Nov 2024 11:00:00 GMT", timedelta(0)),
        ("Fri, 22 Nov 2030 12:00:00 GMT", timedelta(days=1)),
        ("9" * 4000, timedelta(days=1)),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_has_two_forms(value: str | None, wait: timedelta | None) -> None:
    """Seconds or a date, never back in time, a day at most; anything else is as if it were not there."""
    assert retry_after({} if value is None else {"Retry-After": value}, NOW) == wait


@given(st.text(max_size=40))
def test_no_retry_after_breaks_anything(value: str) -> None:
    """Whatever the header says, the wait is between nothing and a day."""
    wait = retry_after({"Retry-After": value}, NOW)
    assert wait is None or timedelta(0) <= wait <= timedelta(days=1)


@pytest.mark.parametrize("how", ["retry_after:90", "retry_after:Fri, 22 Nov 2999 12:05:00 GMT"])
async def test_a_rate_limit_says_how_long(up: Upstream, fetcher: Fetcher, how: str) -> None:
    """The wait that the upstream asks for reaches whoever plans the next poll."""
    up.fail("/a", how)
    error = await failure(fetcher, f"{up.url}/a")
    assert error.retry_after in {timedelta(seconds=90), timedelta(days=1)}


async def test_an_overloaded_upstream_may_say_how_long_too(up: Upstream, fetcher: Fetcher) -> None:
    """Retry-After comes with a 503 as well."""
    up.answer("/a", status=503, headers={"Retry-After": "60"})
    error = await failure(fetcher, f"{up.url}/a")
    assert (error.reason, error.retry_after) == (Reason.HTTP_5XX, timedelta(minutes=1))
