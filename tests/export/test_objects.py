from __future__ import annotations

import asyncio
import gzip
import urllib.error

import pytest

from tests.export.conftest import Bucket
from tests.support.factories import HOUR, NOON
from tests.support.patience import PATIENCE
from ticker.export.files import KEPT, Output, TargetError, Trust, digests_in, outputs_of, status_of
from ticker.export.objects import Objects
from ticker.quotes import Snapshot
from ticker.rendering.representation import Representation

WAITING = Trust(NOON, NOON, None, NOON + HOUR, None)


def outputs(**texts: str) -> dict[str, Output]:
    """Pages of these texts, in every coding."""
    tree = {
        f"{name}.html": Representation(text.encode(), "text/html; charset=utf-8", NOON) for name, text in texts.items()
    }
    return outputs_of(tree, {})


async def test_an_object_says_what_http_needs(bucket: Bucket) -> None:
    """Type, coding and caching, each coding an object of its own."""
    target = Objects(bucket.url)
    assert await target.write(outputs(one="first")) == 3
    body, headers = bucket.get("one.html")
    assert (body, headers["Content-Type"], headers["Cache-Control"]) == (b"first", "text/html; charset=utf-8", KEPT)
    body, headers = bucket.get("one.html.gz")
    assert (gzip.decompress(body), headers["Content-Encoding"]) == (b"first", "gzip")
    assert bucket.get("one.html.br")[1]["Content-Encoding"] == "br"
    await target.confirm(status_of(Snapshot(1, NOON, ()), ("en",), WAITING), WAITING)
    body, headers = bucket.get("status.json")
    assert b'"trusted_until": "2024-11-22T13:00:00Z"' in body
    assert headers["Cache-Control"] == "no-cache"


async def test_only_what_has_changed_is_put_also_after_a_restart(bucket: Bucket) -> None:
    """The manifest tells the next exporter; what somebody has deleted is put again, what is not wanted goes."""
    target = Objects(bucket.url)
    assert await target.write(outputs(one="first", two="second")) == 6
    assert await target.write(outputs(one="first", two="second")) == 0
    assert await target.write(outputs(one="first", two="other")) == 3
    bucket.call("DELETE", "/ticker/one.html.br")
    again = Objects(bucket.url)
    assert await again.write(outputs(one="first", two="other")) == 1
    assert await again.write(outputs(two="other")) == 0
    with pytest.raises(urllib.error.HTTPError):
        bucket.get("one.html")
    assert digests_in(bucket.get("manifest.json")[0]).keys() == outputs(two="").keys()


async def test_what_an_exporter_died_in_the_middle_of_is_put_again(bucket: Bucket) -> None:
    """The price goes there and back while nobody knows what was written: the one between does not stay."""
    await Objects(bucket.url).write(outputs(one="100"))
    more = {f"page{number}": "text" for number in range(60)}
    writing = asyncio.create_task(Objects(bucket.url).write(outputs(one="101", **more)))
    async with asyncio.timeout(PATIENCE):
        while (await asyncio.to_thread(bucket.get, "one.html"))[0] != b"101":
            pass
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    await Objects(bucket.url).write(outputs(one="100"))
    assert bucket.get("one.html")[0] == b"100"


async def test_a_store_that_is_away_is_named_with_the_mend(away: Bucket) -> None:
    """Not with a dump of what the library saw."""
    target = Objects(away.url)
    with pytest.raises(TargetError) as raised:
        await target.write(outputs(one="first"))
    assert raised.value.detail.startswith("s3://numbers/ticker: ")
    assert "credentials" in raised.value.mend
    assert "hidden" not in str(raised.value)
    assert len(raised.value.detail) < 350
