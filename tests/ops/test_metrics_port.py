"""Metrics and health over their listeners, whatever is asked of them."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from tests.ops.process import answers, running, samples, until
from tests.ops.world import turning, write
from tests.support.running_service import serving
from tests.support.upstream import Upstream

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
STRANGE = ("/v1/quotes/{0}", "/v1/quotes?symbols={0}", "/widget?lang={0}", "/{0}", "/metrics/{0}", "/v1/quotes/{0}/{0}")
METHODS = ("GET", "POST", "PURGE", "BREW", "OPTIONS")


async def test_metrics_have_a_listener_of_their_own(tmp_path: Path) -> None:
    """With `metrics_port` the public one has none; health is at both."""
    config = write(tmp_path / "ticker.toml")
    async with turning() as world, running(config, world.upstream.url) as process, aiohttp.ClientSession() as session:
        await until(lambda: answers(session, f"{process.metrics}/readyz"))
        async with session.get(f"{process.url}/metrics") as response:
            assert (response.status, response.content_type) == (404, "application/problem+json")
        for url in (f"{process.metrics}/metrics", f"{process.metrics}/healthz", f"{process.url}/healthz"):
            assert await answers(session, url)
        assert not await answers(session, f"{process.metrics}/v1/quotes")


async def test_whatever_is_asked_the_number_of_series_stays(tmp_path: Path) -> None:
    """Paths, symbols, languages and methods that nobody has configured add no series after the first of their kind."""
    config = write(tmp_path / "ticker.toml")
    async with turning() as world, running(config, world.upstream.url) as process, aiohttp.ClientSession() as session:
        await until(lambda: answers(session, f"{process.url}/readyz"))
        counts = []
        for word in ("first", "zzz", "a%2fb", "9" * 60, "%F0%9F%92%A9"):
            for path in STRANGE:
                for method in METHODS:
                    async with session.request(method, process.url + path.format(word)):
                        pass
            counts.append(len(await samples(session, process.metrics)))
        assert len(set(counts)) == 1


@pytest.mark.parametrize(("accept", "end"), [(OPENMETRICS, True), ("text/plain", False), ("*/*", False)])
async def test_openmetrics_is_given_to_who_asks_for_it(accept: str, end: bool) -> None:  # noqa: FBT001 - a row of a table
    """The newer text ends with its mark, the older one has none."""
    async with Upstream() as upstream, serving(upstream.url) as served:
        answer = await served.client.get("/metrics", headers={"Accept": accept})
        assert ("openmetrics" in answer.content_type) is end
        assert (await answer.text()).endswith("# EOF\n") is end


async def test_requests_are_logged_where_it_is_wished(tmp_path: Path) -> None:
    """One line each with what was asked and answered; neither who asked nor any header."""
    config = write(tmp_path / "ticker.toml", more="[server]\naccess_log = true\n")
    async with turning() as world, running(config, world.upstream.url) as process, aiohttp.ClientSession() as session:
        async with session.get(f"{process.url}/v1/quotes?lang=ru", headers={"Authorization": "s3cret"}):
            pass
        await process.said("request")
        (line,) = [line for line in process.lines if line["event"] == "request"]
        assert line.items() >= {"method": "GET", "path": "/v1/quotes?lang=ru", "route": "/v1/quotes"}.items()
        assert not {"127.0.0.1", "s3cret"} & {str(value) for value in line.values()}


async def test_what_goes_on_is_not_logged_what_changes_is(tmp_path: Path) -> None:
    """A source that fails at every poll is one line, its coming back another; requests are none."""
    config = write(tmp_path / "ticker.toml", every="200ms")
    async with turning() as world, running(config, world.upstream.url) as process, aiohttp.ClientSession() as session:
        await until(lambda: answers(session, f"{process.url}/readyz"))
        world.upstream.fail("/cbr_mirror", "status:500")
        await process.said("source failed")
        await world.upstream.seen("/cbr_mirror", len(world.upstream.hits("/cbr_mirror")) + 2)
        world.upstream.heal("/cbr_mirror")
        await process.said("source is back")
        events = [line["event"] for line in process.lines if line.get("source") == "cbr_mirror"]
        assert events == ["source failed", "source is back"]
        assert process.count("request") == 0
