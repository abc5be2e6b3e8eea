"""Raw upstream answers on disk, and the service run over them again.

A recording is a folder of files, one a day (UTC), one JSON object a line, only ever appended to. The first line of a
file says the format's version, every other one is one answer or failure::

    {"at": "2024-11-22T09:00:02.123456+00:00", "source": "cbr", "path": "/scripts/XML_daily.asp", "took": 0.142,
     "status": 200, "headers": {"Content-Type": "…"}, "charset": "windows-1251", "body": "<?xml …"}
    {"at": …, "source": "moex", "path": …, "took": 10.0, "failure": "timeout", "detail": "…", "retry_after": null}

`at` is when the answer was complete, `took` how many seconds it took. A body is text where its bytes are UTF-8 (no
`charset`) or round-trip through the `charset` named, else it is `base64`; `"same": true` is the body last written for
that path in the same file. Files may be gzipped (`.ndjson.gz`). `jq`, `grep` and `zcat` read all of it.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import math
import os
import time
import zlib
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlencode

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ticker.board import Board
from ticker.clock import Stepped
from ticker.fetch import Answer, Call, Fetching, redact, redact_bytes
from ticker.log import Log
from ticker.polling import Poller
from ticker.quotes import SOON, Reason, SourceError
from ticker.supervision import Supervisor

log = Log(__name__)

VERSION = 1
HEAD = "ticker_recording"
_CYRILLIC = "windows-1251"
# The longest line: the largest answer that is fetched, as base64, with its headers.
MAX_LINE_BYTES = 16 * 1024 * 1024
# A file with so many damaged lines is none of ours: a gigabyte of empty lines is a megabyte in gzip.
_MOST_DAMAGE = 1000
# Anything else is not in a recording, and what computes with it may fail.
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_Seconds = Annotated[float, Meta(ge=0, le=10 * 365 * 86_400)]
# What reading a line may raise; brackets in brackets in brackets are a RecursionError.
DAMAGE = (msgspec.MsgspecError, ValueError, KeyError, RecursionError)


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer, or one failure, of one request: `path` is behind the source's base address, with its query."""

    at: datetime
    source: str
    path: str
    took: float
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    failure: SourceError | None = None


@dataclass(frozen=True, slots=True)
class Recording:
    """Everything that could be read, in order of time; `damage` says where something could not."""

    entries: tuple[Entry, ...]
    damage: tuple[str, ...]


def read(folder: Path) -> Recording:
    """All of the recording in `folder`. A line that was cut or damaged is left out and named. Raises OSError."""
    entries: list[Entry] = []
    damage: list[str] = []
    for file in sorted(folder.glob("*.ndjson*")):
        if not file.is_file():
            damage.append(f"{file.name}: no file")
            continue
        bodies: dict[tuple[str, str], bytes] = {}
        wounds = 0
        for number, line in enumerate(_lines(file), start=1):
            if len(line) > MAX_LINE_BYTES:
                damage.append(f"{file.name}, line {number}: too long")
                continue
            try:
                entry = parse(line, bodies)
            except DAMAGE:
                how = "damaged" if line.endswith(b"\n") else "cut"
                damage.append(f"{file.name}, line {number}: {how}")
                wounds += 1
                if wounds >= _MOST_DAMAGE:
                    damage.append(f"{file.name}: too much damage, the rest is left out")
                    break
                continue
            if entry is not None:
                entries.append(entry)
    return Recording(tuple(sorted(entries, key=lambda entry: entry.at)), tuple(damage))


def _lines(file: Path) -> Iterator[bytes]:
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as opened:
            while line := opened.readline(MAX_LINE_BYTES + 1):
                yield line
                if len(line) > MAX_LINE_BYTES:
                    # Nobody knows how much more would come of it: a gigabyte of blanks is a megabyte in gzip.
                    return
    except (EOFError, OSError, zlib.error):
        yield b"what cannot be read: another user's, a bad disk, gzip that was cut"


def written(entry: Entry, bodies: dict[tuple[str, str], bytes]) -> bytes:
    """The entry as a line; `bodies` are those already in the file, and are kept up."""
    line: dict[str, Any] = {"at": entry.at.isoformat(), "source": entry.source, "path": entry.path, "took": entry.took}
    if entry.failure is not None:
        wait = entry.failure.retry_after
        line |= {"failure": entry.failure.reason, "detail": entry.failure.detail}
        line |= {"retry_after": None if wait is None else wait.total_seconds()}
    else:
        key = (entry.source, entry.path)
        body = {"same": True} if bodies.get(key) == entry.body else _body(entry.body)
        line |= {"status": entry.status, "headers": dict(entry.headers), **body}
        bodies[key] = entry.body
    # Half of a surrogate pair, as a header of odd bytes is read, is no text that a tool could read.
    return json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


class _Head(Struct):
    """The first line of a file; no other has its version."""

    ticker_recording: Literal[1] | UnsetType = UNSET


class _Line(Struct):
    """Any other line: an answer, or a failure."""

    at: Annotated[datetime, Meta(tz=True)]
    source: str
    path: str
    took: _Seconds
    status: Annotated[int, Meta(gt=0, lt=1000)] | None = None
    headers: dict[str, str] = {}
    # Those that are written here. Others may be no text (rot13), or cost more than their size (punycode).
    charset: Literal["utf-8", "windows-1251"] = "utf-8"
    body: str | None = None
    base64: bytes | None = None
    same: bool = False
    failure: Reason | None = None
    detail: str = ""
    retry_after: _Seconds | None = None


def parse(line: bytes, bodies: dict[tuple[str, str], bytes]) -> Entry | None:
    """The entry of a line, None for a file's first one. Raises one of `DAMAGE` for anything else."""
    if msgspec.json.decode(line, type=_Head).ticker_recording is not UNSET:
        return None
    found = msgspec.json.decode(line, type=_Line)
    if not _EARLIEST < found.at < _LATEST:
        raise ValueError("a time at which nobody recorded anything")
    entry = Entry(found.at, found.source, found.path, found.took)
    if found.failure is not None:
        after = None if found.retry_after is None else timedelta(seconds=found.retry_after)
        return replace(entry, failure=SourceError(found.failure, found.detail, retry_after=after))
    if found.status is None:
        raise ValueError("neither an answer nor a failure")
    key = (entry.source, entry.path)
    if found.base64 is not None:
        bodies[key] = found.base64
    elif found.body is not None:
        bodies[key] = found.body.encode(found.charset)
    elif not found.same:
        raise ValueError("an answer without a body")
    return replace(entry, status=found.status, headers=found.headers, body=bodies[key])


def _body(body: bytes) -> dict[str, str]:
    for charset in ("utf-8", *([_CYRILLIC] if _CYRILLIC.encode() in body[:200].lower() else [])):
        try:
            text = body.decode(charset)
        except UnicodeDecodeError:
            continue
        if text.encode(charset) == body:
            return {"body": text} if charset == "utf-8" else {"charset": charset, "body": text}
    return {"base64": base64.b64encode(body).decode()}


# They say who asked, and nothing of what was answered.
_LEFT_OUT = {"set-cookie"}


class Recorder(Fetching):
    """A fetcher that writes down what `fetcher` brings; `bases` are the sources by their base address.

    A disk that takes nothing is said once and stops no poll. The user's keys are never written.
    """

    def __init__(
        self, fetcher: Fetching, folder: Path, bases: Mapping[str, str], clock: Callable[[], datetime]
    ) -> None:
        self.answers = self.failures = 0
        self._fetcher = fetcher
        self._folder = folder
        self._bases = bases
        self._clock = clock
        self._file: int | None = None
        self._day: date | None = None
        self._bodies: dict[tuple[str, str], bytes] = {}
        self._failing = False

    async def __aenter__(self) -> Self:
        await self._fetcher.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
        await self._fetcher.__aexit__(kind, error, trace)

    async def get(self, call: Call, /) -> Answer:
        """As the fetcher's own; see there."""
        source, path = located(self._bases, call)
        keys, began = list(call.secret.values()), time.monotonic()
        try:
            answer = await self._fetcher.get(call)
        except SourceError as error:
            told = SourceError(error.reason, redact(error.detail, keys), retry_after=error.retry_after)
            self._append(Entry(self._clock(), source, path, round(time.monotonic() - began, 3), failure=told))
            raise
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in _LEFT_OUT}
        kept = {name: redact(value, keys) for name, value in headers.items()}
        took = round(time.monotonic() - began, 3)
        # An answer may repeat the key that it was asked with ("your key ABC has ten requests left").
        body = redact_bytes(answer.body, keys) if keys else answer.body
        self._append(Entry(self._clock(), source, path, took, answer.status, kept, body))
        return answer

    def _append(self, entry: Entry) -> None:
        try:
            file = self._opened(entry.at)
            line = memoryview(written(entry, self._bodies))
            while line:
                line = line[os.write(file, line) :]
        except Exception as error:  # noqa: BLE001 - whatever it is, what was fetched is still good
            # A line that is half written is ended by the next one's file being opened anew.
            self._day, self._bodies = None, {}
            if not self._failing:
                log.error("cannot record", folder=str(self._folder), error=str(error) or repr(error))  # noqa: TRY400 - a person reads it
            self._failing = True
        else:
            self.failures += entry.failure is not None
            self.answers += entry.failure is None
            self._failing = False

    def _opened(self, at: datetime) -> int:
        """The day's file, opened for appending; what a killed run left of a line is ended first."""
        if self._file is not None and self._day == at.date():
            return self._file
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{at.date()}.ndjson"
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        self._bodies = {}
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")
        os.write(self._file, json.dumps({HEAD: VERSION, "at": at.isoformat()}).encode() + b"\n")
        self._day = at.date()
        return self._file


def located(bases: Mapping[str, str], call: Call) -> tuple[str, str]:
    """The source that `call` is to, and the path behind its base address, with the query."""
    base = max((base for base in bases if call.url.startswith(base)), key=len, default="")
    path = call.url.removeprefix(base)
    return bases.get(base, ""), f"{path}?{urlencode(call.query)}" if call.query else path


# The requests of one poll follow each other within this.
_ONE_POLL = timedelta(minutes=5)


class Playback(Fetching):
    """A fetcher that answers from the recording, in its order; `bases` are the sources by their base address."""

    def __init__(self, recording: Recording, bases: Mapping[str, str], clock: Stepped) -> None:
        self._bases = bases
        self._clock = clock
        self._left: dict[str, list[Entry]] = {}
        self._poll: dict[str, datetime] = {}
        for entry in reversed(recording.entries):
            self._left.setdefault(entry.source, []).append(entry)

    def begin(self, entry: Entry) -> bool:
        """Whether `entry` is still to be given; then a poll of its source may be made, which begins with it."""
        left = self._left[entry.source]
        if not left or left[-1] is not entry:
            return False
        self._poll[entry.source] = entry.at
        return True

    def end(self, entry: Entry) -> None:
        """The poll is over; an entry that it did not ask for is passed over."""
        left = self._left[entry.source]
        if left and left[-1] is entry:
            left.pop()

    def checkpoint(self) -> Callable[[], None]:
        """What makes all that is still to be given now be given again."""
        left = {source: list(entries) for source, entries in self._left.items()}

        def back() -> None:
            self._left = {source: list(entries) for source, entries in left.items()}

        return back

    async def get(self, call: Call, /) -> Answer:
        """The next recorded answer of the source, where it is one to this request. Raises SourceError as recorded."""
        source, path = located(self._bases, call)
        left = self._left.get(source)
        if not left or left[-1].at > self._poll[source] + _ONE_POLL or not _same(left[-1].path, path):
            raise SourceError(Reason.CONNECT, f"{path[:80]} is not in the recording")
        entry = left.pop()
        self._clock.to(entry.at)
        if entry.failure is not None:
            was = entry.failure
            raise SourceError(was.reason, was.detail, retry_after=was.retry_after)
        return Answer(call.url, entry.status, entry.headers, entry.body)


def _same(recorded: str, asked: str) -> bool:
    """The query may name the day, and a day may have begun between the question and its answer."""
    return recorded.partition("?")[0] == asked.partition("?")[0]


_ALIVE_SECONDS = 1.0


class Replayer:
    """Polls each source when the recording says it was polled; stands in for the timetable.

    The clock only ever stands at a recorded moment or at one where a quote turns old, so that the same recording gives
    the same snapshots to the byte, at whatever speed and however it is asked meanwhile.

    Until `start` of the recording everything goes by at once, from there `speed` seconds in one. `begun` is set when it
    is reached, `ended` when the recording is over; one that `repeats` begins at `start` again instead. `alive` is told
    every second of real time that we live, for hours may have nothing to poll.
    """

    def __init__(  # noqa: PLR0913 - everything it needs is handed to it here, and nothing later
        self,
        recording: Recording,
        playback: Playback,
        poller: Poller,
        board: Board,
        clock: Stepped,
        start: datetime,
        speed: float,
        *,
        repeats: bool = False,
        alive: Callable[[], object] = lambda: None,
        supervisor: Supervisor,
    ) -> None:
        self.begun, self.ended = asyncio.Event(), asyncio.Event()
        self.start_at = start
        self._repeats = repeats
        self._alive = alive
        self._supervisor = supervisor
        self._recording = recording
        self._playback = playback
        self._poller = poller
        self._board = board
        self._clock = clock
        self._speed = speed
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, *, resting: bool = False) -> None:  # noqa: ARG002 - nobody shares a recording
        """Set it going."""
        lives = {"replay": self._run, "replay clock": self._live}
        self._tasks = [asyncio.create_task(self._supervisor.run(name, live)) for name, live in lives.items()]

    def every(self, seconds: float, job: Callable[[], object]) -> None:
        """Nothing: what real time would bring about, the recording's clock does."""

    def clock_was_set(self) -> bool:
        """Never: nobody sets a recording's clock."""
        return False

    def revive(self) -> None:
        """Nothing: the recording's times are kept by its own task."""

    def poll_now(self, source: str) -> None:
        """Nothing: the recording says when a source was asked."""

    def reload(self, plans: Mapping[str, object], anew: Collection[str]) -> None:
        """Nothing: as above."""

    async def stop(self) -> None:
        """End it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        entries = self._recording.entries
        first = bisect_left(entries, self.start_at, key=lambda entry: entry.at)
        await self._play(entries[:first])
        back = self._checkpoint() if self._repeats else None
        self.begun.set()
        await self._play(entries[first:])
        while back is not None:
            back()
            await self._play(entries[first:])
        log.info("the recording is over", at=self._clock().isoformat(), damage=list(self._recording.damage))
        self.ended.set()

    def _checkpoint(self) -> Callable[[], None]:
        """What goes back to this moment of the recording."""
        snapshot, at = self._board.latest_selected, self._clock()
        forget, rewind = self._poller.checkpoint(), self._playback.checkpoint()

        def back() -> None:
            forget()
            rewind()
            self._clock.set(at)
            # A version never goes back, or a reader's stream would wait for it to be reached again.
            self._board.put(replace(snapshot, version=self._board.latest_selected.version + 1), at)

        return back

    async def _live(self) -> None:
        while True:
            self._alive()
            await asyncio.sleep(_ALIVE_SECONDS)

    async def _play(self, entries: Sequence[Entry]) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for entry in entries:
            if not self._playback.begin(entry):
                continue
            ahead = (entry.at - self.start_at).total_seconds() / self._speed - (loop.time() - began)
            self._board.expect(entry.at)
            # Where nothing is to be waited for, readers still have their turn.
            await asyncio.sleep(ahead if math.isfinite(ahead) and ahead > 0 else 0)
            self._age(entry.at)
            self._clock.to(entry.at)
            await self._poller.poll(entry.source)
            self._playback.end(entry)

    def _age(self, until: datetime) -> None:
        """Step through the moments before `until` at which time alone changes a status."""
        while (turn := self._board.latest_selected.turns_at(self._clock())) is not None and turn < until:
            for moment in (turn - SOON, turn):
                if moment > self._clock():
                    self._clock.to(moment)
                    self._poller.look_again(moment)


# The demo's: invented answers, made by `python -m tests.support.upstreams.record`.
SAMPLE = Path(__file__).parent / "sample"
