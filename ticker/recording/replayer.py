"""In the timetable's place: each source is polled when the recording says it was, on the recording's clock.

The clock only ever stands at a recorded moment or at one where a quote turns old, so that the same recording gives the
same snapshots to the byte, at whatever speed and however it is asked meanwhile.
"""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_left
from typing import TYPE_CHECKING

from ticker.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from ticker.board import Board
    from ticker.clock import Stepped
    from ticker.poll import Poller
    from ticker.recording.entries import Entry, Recording
    from ticker.recording.playback import Playback

log = Log(__name__)

_ALIVE_SECONDS = 1.0


class Replayer:
    """Polls each source when the recording says it was polled; stands in for the timetable.

    Until `start` of the recording everything goes by at once, from there `speed` seconds in one. `begun` is set when it
    is reached, `ended` when the recording is over.
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
        self.begun, self.ended = asyncio.Event(), asyncio.Event()
        # Told every second of real time that we live, for hours may have nothing to poll; set by the composer.
        self.alive: Callable[[], object] = lambda: None
        # Gives what goes back to the moment of the call; with it a recording that is over begins at `start` again.
        self.remember: Callable[[], Callable[[], None]] | None = None
        self.start_at = start
        self._recording = recording
        self._playback = playback
        self._poller = poller
        self._board = board
        self._clock = clock
        self._speed = speed
        self._tasks: list[asyncio.Task[None]] = []

    def prepare(self) -> None:
        """Nothing has to be imported."""

    def start(self) -> None:
        """Set it going."""
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._live())]

    def every(self, seconds: float, job: Callable[[], object]) -> None:
        """Nothing: what real time would bring about, the recording's clock does."""

    async def stop(self) -> None:
        """End it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run(self) -> None:
        entries = self._recording.entries
        first = bisect_left(entries, self.start_at, key=lambda entry: entry.at)
        await self._play(entries[:first])
        back = self.remember() if self.remember is not None else None
        self.begun.set()
        await self._play(entries[first:])
        while back is not None:
            back()
            await self._play(entries[first:])
        log.info("the recording is over", at=self._clock().isoformat(), damage=list(self._recording.damage))
        self.ended.set()

    async def _live(self) -> None:
        while True:
            self.alive()
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
        while (turn := self._board.latest.turns_at(self._clock())) is not None and turn < until:
            self._clock.to(turn)
            self._board.current(turn)
