"""`ticker record` and `ticker replay` as an operator runs them."""

from __future__ import annotations

import json
from pathlib import Path

from aiohttp import ClientSession

from tests.cli.running import done, ready, serving
from tests.cli.test_serving import preloaded
from tests.support.fragments import folded
from tests.support.upstream import Upstream
from ticker import recording


async def test_what_was_recorded_is_replayed(tmp_path: Path) -> None:
    """The header of the day, long after; half a line that a kill left is passed over and said."""
    clock = {"LD_PRELOAD": await preloaded(), "FAKETIME": "@2024-11-22 12:00:00", "TZ": "Europe/Moscow"}
    async with Upstream() as upstream, ClientSession() as session:
        upstream.trio()
        code, _, err = await done(tmp_path, "record", "kept", "--upstream", upstream.url, "--for", "2", **clock)
        assert code == 0, err
        ended = json.loads(err.splitlines()[-1])
        kept = [each.failure is None for each in recording.read(tmp_path / "kept").entries]
        assert (ended["answers"], ended["failures"]) == (kept.count(True), kept.count(False))
        assert set(kept) == {True, False}
        with (tmp_path / "kept" / "2024-11-22.ndjson").open("ab") as file:
            file.write(b'{"at": "2024-11-22T09:0')
        async with serving(tmp_path, "replay", "kept", "--speed", "inf", "--port", "0") as (process, url):
            await ready(session, url)
            async with session.get(f"{url}/widget") as answer:
                assert folded(await answer.text()) == "USD100.68 EUR106.08 OIL73.73"
            process.terminate()
            assert process.stderr is not None
            assert b": cut" in await process.stderr.read()


async def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    """A recording of nothing is no recording: exit 2, the folder and the reason."""
    (tmp_path / "taken").write_text("a file")
    code, _, err = await done(tmp_path, "record", "taken", "--upstream", "http://127.0.0.1:9")
    assert code == 2
    assert "cannot write to taken: File exists" in folded(err)
