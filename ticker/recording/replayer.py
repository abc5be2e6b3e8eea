"""In the timetable's place: each source is polled when the recording says it was, on the recording's clock.

The clock only ever stands at a recorded moment or at one where a quote turns old, so that the same recording gives the
same snapshots to the byte, at whatever speed and however it is asked meanwhile.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from ticker.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from ticker.board import Board
    from ticker.clock import Stepped
    from ticker.poll import Poller
    from ticker.recording.entries import Recording
    from ticker.recording.playback import Playback

log = Log(__name__)


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
