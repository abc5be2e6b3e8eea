from __future__ import annotations

import asyncio
import gzip
import itertools
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from tests.support.patience import PATIENCE
from tests.support.running_service import Clock
from tests.support.stored_service import configured
from tests.support.timekeepers import replayer
from tests.support.upstream import DAY, NOON, Upstream
from ticker import app, clock
from ticker.fetch import Call, Fetcher
from ticker.quotes import Reason, Snapshot, SourceError
from ticker.recording import Entry, Recorder, Recording, parse, read, written
from ticker.rendering.renderer import Renderer, View

STEP = timedelta(seconds=20)
STEPS = 12


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A recording of four minutes: every source asked in turn, the oil moving, the mirror failing half of the time."""
    then, config = Clock(NOON - STEPS * STEP), configured("memory://")
    place = tmp_path / "recording"
    async with Upstream() as upstream:
        service = app.compose(
            config,
            upstream=upstream.url,
            now=then,
            around=lambda fetcher, bases: Recorder(fetcher, place, bases, then),
        )
        async with service.fetcher:
            for step in range(STEPS):
                upstream.trio(DAY, brent=str(Decimal("73.73") + step), now=then.now)
                if step == STEPS // 2:
                    upstream.fail("/cbr_mirror", "status:503")
                for source in ("cbr", "cbr_mirror", "moex", "yahoo"):
                    then.now += STEP / 4
                    await service.poller.poll(source)
    return place


def lines_of(folder: Path) -> list[bytes]:
    """The lines of the one file in it."""
    (file,) = folder.glob("*.ndjson")
    return file.read_bytes().splitlines(keepends=True)


def become(folder: Path, lines: list[bytes]) -> str:
    """Let the file be these lines; its name."""
    (file,) = folder.glob("*.ndjson")
    file.write_bytes(b"".join(lines))
    return file.name


async def replayed(recording: Recording, speed: float = float("inf")) -> list[bytes]:
    """The JSON of every snapshot that a replay puts on the board."""
    service = app.replay(configured("memory://"), recording, recording.entries[0].at, speed)
    seen: list[bytes] = []
    report = service.store_writer.report

    def keep(snapshot: Snapshot) -> None:
        seen.append(Renderer({}).render(snapshot, View("quotes")).body)
        report(snapshot)

    service.store_writer.report = keep  # type: ignore[method-assign] # to listen
    async with service.running(), asyncio.timeout(PATIENCE):
        await replayer(service).ended.wait()
    return seen


async def test_the_same_recording_gives_the_same_bytes(folder: Path) -> None:
    """Twice at once and once in time, every snapshot is byte for byte the same."""
    recording = read(folder)
    first = await replayed(recording)
    assert len(first) >= STEPS
    assert await replayed(recording) == first
    assert await replayed(recording, speed=480) == first
    assert b"84.73" in first[-1]


async def test_a_replay_shows_what_the_recorded_service_showed(folder: Path) -> None:
    """Numbers, dates, fetch times and reasons are those of the day, on the day's clock."""
    last = json.loads((await replayed(read(folder)))[-1])
    assert [quote["price"] for quote in last["quotes"]] == [100.6798, 106.0762, 84.73]
    assert last["generated_at"] == "2024-11-22T09:00:00Z"
    assert last["quotes"][2]["fetched_at"] == "2024-11-22T08:59:55Z"


async def test_a_replay_is_the_whole_service(folder: Path) -> None:
    """Every page answers over a recording, the board of an earlier minute and the failures of a source among them."""
    recording = read(folder)
    service = app.replay(configured("memory://"), recording, recording.entries[-1].at, 1.0)
    async with TestClient(TestServer(service.web())) as client:
        async with asyncio.timeout(PATIENCE):
            await replayer(service).ended.wait()
            while service.store_writer.pending:  # noqa: ASYNC110 - a store's thread has no event to wait for
                await asyncio.sleep(0.01)
        async with client.get("/v1/quotes/OIL") as answer:
            assert (await answer.json())["price"] == 84.73
        async with client.get("/v1/quotes/OIL?at=2024-11-22T08:58:30Z") as answer:
            assert (await answer.json())["price"] == 79.73
        async with client.get("/metrics") as answer:
            assert 'poll_failures_total{reason="http_5xx",source="cbr_mirror"} 6.0' in await answer.text()


async def test_a_replay_is_alive_however_long_nothing_happens(folder: Path) -> None:
    """Over an hour of the recording without an answer `/healthz` stays 200: no timetable stands still here."""
    recording = read(folder)
    service = app.replay(configured("memory://"), recording, recording.entries[0].at, 1e-6)
    long_ago = service.context.process_health.timetable_ran_at = clock.wall() - timedelta(hours=1)
    async with TestClient(TestServer(service.web())) as client, client.get("/healthz") as answer:
        assert answer.status == 200
    assert service.context.process_health.timetable_ran_at > long_ago


async def test_a_cut_recording_replays_to_the_cut_and_says_so(folder: Path) -> None:
    """A process that was killed leaves half a line: everything before it counts, and where it is is said."""
    whole, lines = await replayed(read(folder)), lines_of(folder)
    name = become(folder, [*lines[:20], lines[20][:-30]])
    cut = read(folder)
    assert cut.damage == (f"{name}, line 21: cut",)
    assert len(cut.entries) == 19
    shown = await replayed(cut)
    assert shown == whole[: len(shown)]


async def test_a_damaged_line_is_passed_over_and_said(folder: Path) -> None:
    """One bad line costs one answer."""
    lines = lines_of(folder)
    lines[10] = b"\xff\xfe{" + lines[10][3:]
    name = become(folder, lines)
    found = read(folder)
    assert found.damage == (f"{name}, line 11: damaged",)
    assert await replayed(found)


async def test_recording_on_after_a_kill_ends_the_half_line_first(folder: Path) -> None:
    """What is appended stays readable, whatever the run before left."""
    become(folder, [*lines_of(folder), b'{"at": "2024-11-22T09:0'])
    before = len(read(folder).entries)
    async with Upstream() as upstream:
        upstream.answer("/one/path", body=b"{}")
        async with Recorder(Fetcher("test"), folder, {f"{upstream.url}/one": "one"}, lambda: NOON) as recorder:
            await recorder.get(Call(f"{upstream.url}/one/path", {"a": "b"}))
    found = read(folder)
    assert len(found.entries) == before + 1
    assert len(found.damage) == 1
    assert (found.entries[-1].source, found.entries[-1].path, found.entries[-1].body) == ("one", "/path?a=b", b"{}")


def test_packed_days_are_read_too(folder: Path) -> None:
    """Old files may be gzipped where they lie."""
    plain = read(folder)
    (file,) = folder.glob("*.ndjson")
    (folder / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    packed = read(folder)
    assert [entry.body for entry in packed.entries] == [entry.body for entry in plain.entries]


async def test_a_key_is_never_written(tmp_path: Path) -> None:
    """Neither with an answer nor with a failure that quotes the address."""
    bases = {"http://127.0.0.1:9": "keyed"}
    async with Recorder(Fetcher("test"), tmp_path, bases, lambda: NOON) as recorder:
        with pytest.raises(SourceError):
            await recorder.get(Call("http://127.0.0.1:9/x", secret={"key": "s3cret"}))
    assert b"s3cret" not in b"".join(lines_of(tmp_path))
    assert read(tmp_path).entries[0].failure is not None


def test_the_bank_s_letters_are_readable_in_a_recording(folder: Path) -> None:
    """A windows-1251 table stands there as text, not as base64; an answer that repeats itself is not written again."""
    text = next(folder.glob("*.ndjson")).read_text("utf-8")
    assert "Доллар США" in text
    assert '"same": true' in text


bodies = st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode))
failures = st.builds(
    SourceError,
    st.sampled_from(Reason),
    st.text(max_size=50),
    retry_after=st.none() | st.integers(0, 9999).map(lambda seconds: timedelta(seconds=seconds)),
)


@given(st.lists(st.tuples(bodies, st.none() | failures, st.text(max_size=20)), max_size=6))
def test_whatever_an_upstream_sent_is_read_back_to_the_byte(sent: list[tuple[bytes, SourceError | None, str]]) -> None:
    """Bodies of any bytes, headers of any text, failures of any kind."""
    writing: dict[tuple[str, str], bytes] = {}
    reading: dict[tuple[str, str], bytes] = {}
    for (body, failure, text), minute in zip(sent, itertools.count()):
        at = NOON + timedelta(minutes=minute)
        status, headers = (0, {}) if failure else (200, {"X-Text": text})
        entry = Entry(at, "cbr", "/path", 0.1, status, headers, b"" if failure else body, failure)
        line = written(entry, writing)
        assert line.count(b"\n") == 1
        back = parse(line, reading)
        assert back is not None
        assert (back.at, back.headers, back.body) == (at, headers, entry.body)
        assert str(back.failure) == str(failure)
