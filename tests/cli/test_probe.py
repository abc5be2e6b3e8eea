from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from tests.cli.running import done
from tests.support.upstream import NOON
from tests.support.upstreams.server import build
from ticker.sources import SOURCES

KEYED = ("eia", "alphavantage", "twelvedata")
DAY = "2024-11-22T12:00:00+03:00"


@pytest.fixture
async def replay() -> AsyncIterator[str]:
    """The address of sample upstreams whose clock stands at noon."""
    async with TestServer(build(lambda: NOON)) as server:
        yield str(server.make_url("/")).rstrip("/")


def rows(out: str) -> dict[str, str]:
    """The lines of the table by their source."""
    return {line.split("│")[1].strip(): line for line in out.splitlines() if line.count("│") > 2}


async def test_the_probe_shows_every_source_with_what_it_gave(tmp_path: Path, replay: str) -> None:
    """Those that feed an instrument, those that feed nothing, and those that are off until they have a key."""
    code, out, err = await done(tmp_path, "sources", "--probe", "--upstream", replay, "--at", DAY, COLUMNS="400")
    found = rows(out)
    assert (code, err) == (0, "")
    assert set(SOURCES) <= found.keys()
    for source in SOURCES:
        assert ("off: needs an api_key" in found[source]) is (source in KEYED), found[source]
    assert "OIL 7" in found["fred"]
    assert "USD/RUB" in found["moex_fx"]
    assert "nothing" in found["moex_cbr"]


async def test_a_key_switches_a_source_on(tmp_path: Path, replay: str) -> None:
    """By its environment variable alone; it is probed though it feeds nothing."""
    keys = {f"TICKER_SOURCES__{source.upper()}__API_KEY": "GEHEIM" for source in KEYED}
    arguments = ("sources", "--probe", "--upstream", replay, "--at", DAY)
    code, out, err = await done(tmp_path, *arguments, COLUMNS="400", **keys)
    assert (code, err) == (0, "")
    assert "off" not in out
    assert "RBRTE" in rows(out)["eia"]
    assert "GEHEIM" not in out


async def test_what_failed_is_said_of_a_source_that_feeds_nothing(tmp_path: Path) -> None:
    """Its reason stands in the table, and the exit code is 1."""
    arguments = ("sources", "--probe", "--upstream", "http://127.0.0.1:9", "--at", DAY)
    code, out, _ = await done(tmp_path, *arguments, COLUMNS="400")
    assert code == 1
    assert all("connect: " in line for source, line in rows(out).items() if source in SOURCES and source not in KEYED)
