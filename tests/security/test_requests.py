"""Where our own requests go: to the source that is configured, whatever an upstream answers."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain

import pytest

from tests.support.upstream import Upstream
from ticker.fetch import Call, Fetcher
from ticker.quotes import Reason, SourceError
from ticker.settings.errors import ConfigurationError
from ticker.settings.loader import load, shipped
from ticker.sources import SOURCES

# {elsewhere} is a port of this machine where another server listens, {here} the upstream's own.
ELSEWHERE = (
    "http://127.0.0.1:{elsewhere}/",
    "//127.0.0.1:{elsewhere}/",
    "///127.0.0.1:{elsewhere}/",
    "\\\\127.0.0.1:{elsewhere}/",
    "/\\127.0.0.1:{elsewhere}/",
    "http:\\\\127.0.0.1:{elsewhere}\\",
    "http:127.0.0.1:{elsewhere}/",
    "http:///127.0.0.1:{elsewhere}/",
    "http://localhost:{elsewhere}/",
    "http://localhost:{here}/",
    "http://[::1]:{here}/",
    "http://[::ffff:127.0.0.1]:{here}/",
    "http://[::ffff:7f00:1]:{elsewhere}/",
    "http://2130706433:{elsewhere}/",
    "http://2130706433:{here}/",
    "http://0x7f000001:{elsewhere}/",
    "http://0177.0.0.1:{elsewhere}/",
    "http://127.1:{elsewhere}/",
    "http://127.0.0.1.:{here}/",
    "http://0:{elsewhere}/",
    "http://0.0.0.0:{elsewhere}/",
    "http://127.0.0.2:{here}/",
    "http://127.0.0.1:{here}@127.0.0.1:{elsewhere}/",
    "http://user:word@127.0.0.1:{here}/b",
    "http://127.0.0.1:{here}#@127.0.0.1:{elsewhere}/",
    "http://127.0.0.1:{elsewhere}%2f@127.0.0.1:{elsewhere}/",
    "http://127.0.0.1%00.evil.invalid:{here}/",
    "http://127.0.0.1:{here}.evil.invalid/",
    "http://ⓛocalhost:{elsewhere}/",
    "https://127.0.0.1:{here}/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fe80::1]/",
    "http://metadata.google.internal/",
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "ftp://127.0.0.1:{elsewhere}/",
    "gopher://127.0.0.1:{elsewhere}/_GET",
    "data:application/json,{{}}",
    "javascript:1",
    "unix:/run/docker.sock",
    "http+unix://%2Frun%2Fdocker.sock/",
    "ws://127.0.0.1:{elsewhere}/",
    "about:blank",
    "",
    " ",
    "http://",
    "http://[",
)
WITHIN = ("/b", "b", "?b=1", "http://127.0.0.1:{here}/b", "//127.0.0.1:{here}/b")


async def fetched(here: Upstream, location: str, status: int = 302) -> bytes:
    """What the client makes of a redirect to `location`. Raises SourceError."""
    here.answer("/a", status=status, headers={"Location": location})
    here.answer("/a?b=1", body=b"within")
    here.answer("/b", body=b"within")
    async with Fetcher("market-ticker/test") as fetcher:
        answer = await fetcher.get(Call(f"{here.url}/a", timeout=timedelta(seconds=5), max_bytes=1000))
    return answer.body


async def test_a_redirect_goes_nowhere_but_where_it_came_from() -> None:
    """Not to another host, port, scheme or spelling of the same one: nothing listens to an upstream for addresses."""
    async with Upstream() as here, Upstream() as elsewhere:
        elsewhere.answer("/", body=b"secret of the network behind us")
        ports = {"here": here.url.rpartition(":")[2], "elsewhere": elsewhere.url.rpartition(":")[2]}
        for location in ELSEWHERE:
            seen = len(here.hits())
            with pytest.raises(SourceError) as caught:
                await fetched(here, location.format(**ports))
            if len(here.hits()) == seen + 1:
                assert caught.value.reason is Reason.BLOCKED, location
            # What stays within is asked within: a path of ours that is not there.
            assert {hit.headers["Host"] for hit in here.hits()} == {f"127.0.0.1:{ports['here']}"}, location
            assert not [hit for hit in here.hits() if "Authorization" in hit.headers], location
        assert elsewhere.hits() == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_within_is_followed(status: int) -> None:
    """Else nothing at all would be followed, and the test above would prove nothing."""
    async with Upstream() as here:
        for location in WITHIN:
            assert await fetched(here, location.format(here=here.url.rpartition(":")[2]), status) == b"within"


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://example.org",
        "gopher://example.org",
        "unix:///run/docker.sock",
        "javascript:1",
        "data:,1",
        "example.org",
        "//example.org",
        "https://",
        "https://user:word@example.org",
        "https://example.org\r\nX: y",
        "https://exam\nple.org",
        "https://example.org/ path",
    ],
)
def test_an_upstream_is_configured_by_an_http_address(address: str) -> None:
    """Anything else stops the start, before it could be asked."""
    with pytest.raises(ConfigurationError, match=r"sources\.cbr\.base_url"):
        load(None, {}, {"sources.cbr.base_url": address})


def test_no_shipped_source_is_asked_in_the_clear() -> None:
    """By name and certificate, so that a name that leads into our own network leads nowhere."""
    adapters = ((each.base_url, each.archive_url) for each in SOURCES.values())
    shipped_ones = (each.base_url for each in load(shipped(), {}, {}).settings.sources.values())
    for address in filter(None, chain(*adapters, shipped_ones)):
        assert address.startswith("https://")
