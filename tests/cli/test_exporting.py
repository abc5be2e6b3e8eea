"""`ticker export` as a person or a unit file runs it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.cli.running import DAY, done, started
from tests.export.conftest import Bucket, away, bucket
from tests.support.fragments import folded
from tests.support.patience import PATIENCE
from tests.support.upstream import Upstream
from ticker.cli import main

__all__ = ["away", "bucket"]  # fixtures

AT = ("--at", DAY, "--store", "memory://")


@asynccontextmanager
async def watching(folder: Path, *arguments: str) -> AsyncIterator[tuple[Process, list[dict[str, object]]]]:
    """A `ticker export --watch`, and what it logs; killed at the end where it still runs."""
    process = await started(folder, "export", "--watch", *arguments)
    lines: list[dict[str, object]] = []

    async def read() -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            lines.append(json.loads(line))  # noqa: PERF401 - each is looked at as it comes

    reading = asyncio.create_task(read())
    try:
        yield process, lines
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


async def said(lines: list[dict[str, object]], event: str) -> None:
    """Wait until `event` is logged. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while not any(line["event"] == event for line in lines):  # noqa: ASYNC110 - another process rings no bell
            await asyncio.sleep(0.02)


async def test_once_into_a_folder_and_again_in_other_languages(tmp_path: Path) -> None:
    """Exit 0, in the configuration's languages; then in those chosen, each once and as CLDR spells it."""
    async with Upstream() as upstream:
        upstream.trio()
        ask = ("export", "out", "--upstream", upstream.url, *AT)
        code, out, err = await done(tmp_path, *ask)
        assert (code, out) == (0, ""), err
        written = json.loads(err.splitlines()[-1])
        assert (written["event"], written["unavailable"]) == ("exported", [])
        assert folded((tmp_path / "out/now/ru/widget.html").read_text()) == "USD100,68 EUR106,08 НЕФТЬ73,73"
        assert folded((tmp_path / "out/now/en/widget.html").read_text()) == "USD100.68 EUR106.08 OIL73.73"
        status = json.loads((tmp_path / "out/status.json").read_text())
        assert status["trusted_until"].startswith("2024-11-22T09:10:0")
        code, _, err = await done(tmp_path, *ask, "--lang", "pt-br", "--lang", "en", "--lang", "en", "--lease", "90s")
    assert code == 0, err
    assert json.loads((tmp_path / "out/status.json").read_text())["languages"] == ["pt-BR", "en"]
    assert {each.name for each in (tmp_path / "out/now").iterdir()} == {"pt-BR", "en", "sparkline"}
    assert len(list((tmp_path / "out/live").iterdir())) in (8, 9)


async def test_what_is_unavailable_is_written_as_such_and_exits_1(tmp_path: Path) -> None:
    """Nobody answers: a dash, and a monitor that sees it."""
    async with Upstream() as upstream:
        code, _, err = await done(tmp_path, "export", "out", "--upstream", upstream.url, *AT)
    assert code == 1
    assert json.loads(err.splitlines()[-1])["unavailable"] == ["USD", "EUR", "OIL"]
    assert folded((tmp_path / "out/en/widget.html").read_text()) == "USD— EUR— OIL—"


async def test_a_target_that_takes_nothing_exits_1_and_says_so(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "out").write_text("")
    async with Upstream() as upstream:
        upstream.trio()
        code, _, err = await done(tmp_path, "export", "out", "--upstream", upstream.url, *AT)
    last = json.loads(err.splitlines()[-1])
    assert (code, last["event"]) == (1, "export failed")
    assert last["mend"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("ftp://host/x",), "s3://BUCKET/PATH"),
        (("out", "--lang", "xx"), "--lang"),
        (("out", "--lease", "soon"), "--lease"),
        (("out", "--lease", "0s"), "--lease"),
        (("out", "--at", DAY), "--upstream"),
        ((), "DIR"),
    ],
)
def test_bad_use_exits_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], word: str
) -> None:
    """And names what is wrong; nothing is written."""
    monkeypatch.setattr(sys, "argv", ["ticker", "export", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert word in capsys.readouterr().err


async def test_watching_ends_clean_on_sigterm_and_leaves_the_last_word(tmp_path: Path) -> None:
    """Exit 0; what it has vouched for stands for its minute, so that a restart is not noticed."""
    async with Upstream() as upstream:
        upstream.trio()
        async with watching(tmp_path, "out", "--upstream", upstream.url, *AT) as (process, lines):
            await said(lines, "exported")
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(PATIENCE):
                assert await process.wait() == 0
    assert 4 <= len(list((tmp_path / "out/live").iterdir())) <= 6
    assert lines[-1]["event"] == "export ended"


async def test_killed_again_and_again_every_file_is_whole(tmp_path: Path) -> None:
    """Whatever was being written: no file ends in the middle, and the next run mends all."""
    async with Upstream() as upstream:
        upstream.trio()
        for brent in ("73.73", "74.10", "74.20"):
            upstream.trio(brent=brent)
            async with watching(tmp_path, "out", "--upstream", upstream.url, *AT) as (process, lines):
                if brent == "73.73":
                    await said(lines, "exported")
                async with asyncio.timeout(PATIENCE):
                    while brent.encode() not in _read(tmp_path / "out/en/v1/quotes/OIL.json"):  # noqa: ASYNC110 - as above
                        await asyncio.sleep(0.001)
                process.kill()
            for file in (tmp_path / "out").rglob("*.json"):
                json.loads(file.read_text())
            for file in (tmp_path / "out").rglob("*.html"):
                assert file.read_text().endswith("</ul>"), file
        code, _, err = await done(tmp_path, "export", "out", "--upstream", upstream.url, *AT)
    assert code == 0, err
    assert folded((tmp_path / "out/now/en/widget.html").read_text()) == "USD100.68 EUR106.08 OIL74.20"
    assert not list((tmp_path / "out").rglob(".*.part"))


async def test_into_a_bucket_by_the_environment(tmp_path: Path, bucket: Bucket) -> None:
    """As with any client of the provider."""
    async with Upstream() as upstream:
        upstream.trio()
        ask = ("export", bucket.url, "--upstream", upstream.url, *AT)
        code, _, err = await done(tmp_path, *ask, **bucket.environment)
    assert code == 0, err
    body, headers = bucket.get("now/en/widget.html")
    assert folded(body.decode()) == "USD100.68 EUR106.08 OIL73.73"
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert bucket.get("en/v1/stream")[1]["Content-Type"] == "text/event-stream"
    assert bucket.get("sparkline/USD.svg.gz")[1]["Content-Encoding"] == "gzip"


async def test_a_bucket_that_is_away_exits_1_without_its_secrets(tmp_path: Path, away: Bucket) -> None:
    """Named with the mend."""
    async with Upstream() as upstream:
        upstream.trio()
        code, _, err = await done(tmp_path, "export", away.url, "--upstream", upstream.url, *AT, **away.environment)
    last = json.loads(err.splitlines()[-1])
    assert (code, last["event"]) == (1, "export failed")
    assert last["detail"].startswith(away.url)
    assert "hidden" not in err


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


async def test_a_folder_that_nobody_can_make_is_told_before_a_source_is_asked(tmp_path: Path) -> None:
    """What happened, where, and the mend: one line, and no request was spent on it."""
    async with Upstream() as upstream:
        upstream.trio()
        code, _, err = await done(tmp_path, "export", "/proc/x", "--upstream", upstream.url, *AT)
        assert not upstream.hits()
    told = json.loads(err)
    assert (code, told["event"]) == (1, "export failed")
    assert told["detail"].startswith("cannot write to /proc/x: ")
    assert told["mend"] == "name a folder that this user may write to, with room in it"
