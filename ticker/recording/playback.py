"""In the fetcher's and the timetable's place: recorded answers, given when they were given, on the recording's clock.

The clock only ever stands at a recorded moment or at one where a quote turns old, so that the same recording gives the
same snapshots to the byte, at whatever speed and however it is asked meanwhile.
"""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import structlog

from ticker.fetch import Answer
from ticker.quotes import Reason, SourceError
from ticker.recording.recorder import located

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from types import TracebackType

    from ticker.board import Board
    from ticker.clock import Stepped
    from ticker.poll import Poller
    from ticker.recording.entries import Entry, Recording

log = structlog.get_logger(__name__)

# The requests of one poll follow each other within this.
_ONE_POLL = timedelta(minutes=5)


class Playback:
    """A fetcher that answers from the recording; `bases` are the sources by their base address."""

    def __init__(self, recording: Recording, bases: Mapping[str, str], clock: Stepped) -> None:
        self._bases = bases
        self._clock = clock
        self._left: dict[str, list[Entry]] = {}
        self._poll: dict[str, datetime] = {}
        for entry in reversed(recording.entries):
            self._left.setdefault(entry.source, []).append(entry)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

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

    async def get(
        self,
        url: str,
        query: Mapping[str, str],
        _headers: Mapping[str, str],
        *,
        timeout: timedelta,  # noqa: ASYNC109, ARG002 - the fetcher's face
        max_bytes: int,  # noqa: ARG002 - the same
        secret: Mapping[str, str] | None = None,  # noqa: ARG002 - the same
    ) -> Answer:
        """The next recorded answer of the source, where it is one to this request. Raises SourceError as recorded."""
        source, path = located(self._bases, url, query)
        left = self._left.get(source)
        if not left or left[-1].at > self._poll[source] + _ONE_POLL or not _same(left[-1].path, path):
            raise SourceError(Reason.CONNECT, f"{path[:80]} is not in the recording")
        entry = left.pop()
        self._clock.to(entry.at)
        if entry.failure is not None:
            was = entry.failure
            raise SourceError(was.reason, was.detail, retry_after=was.retry_after)
        return Answer(url, entry.status, entry.headers, entry.body)


def _same(recorded: str, asked: str) -> bool:
    """The query may name the day, and a day may have begun between the question and its answer."""
    return recorded.partition("?")[0] == asked.partition("?")[0]


class Replayer:
    """Polls each source when the recording says it was polled; stands in for the timetable.

    Until `start` of the recording everything goes by at once, from there `speed` seconds in one.
    """

    def __init__(
        self,
        recording: Recording,
        playback: Playback,
        poller: Poller,
        board: Board,
        clock: Stepped,
        start: datetime,
        speed: float,
    ) -> None:
        self.ended = asyncio.Event()
        self.start_at = start
        self._recording = recording
        self._playback = playback
        self._poller = poller
        self._board = board
        self._clock = clock
        self._speed = speed
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Set it going."""
        self._task = asyncio.create_task(self._run())

    def every(self, seconds: float, job: Callable[[], object]) -> None:
        """Nothing: what real time would bring about, the recording's clock does."""

    async def stop(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for entry in self._recording.entries:
            if not self._playback.begin(entry):
                continue
            ahead = (entry.at - self.start_at).total_seconds() / self._speed - (loop.time() - began)
            self._board.expect(entry.at)
            if ahead > 0 and math.isfinite(ahead):
                await asyncio.sleep(ahead)
            self._age(entry.at)
            self._clock.to(entry.at)
            await self._poller.poll(entry.source)
            self._playback.end(entry)
        log.info("the recording is over", at=self._clock().isoformat(), damage=list(self._recording.damage))
        self.ended.set()

    def _age(self, until: datetime) -> None:
        """Step through the moments before `until` at which time alone changes a status."""
        while (turn := self._board.latest.turns_at(self._clock())) is not None and turn < until:
            self._clock.to(turn)
            self._board.current(turn)
