"""A service that records what its sources answer, and one that runs over such a recording."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from ticker import clock
from ticker.app.composing import compose
from ticker.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from ticker.app.service import Service
    from ticker.board import Board
    from ticker.poll import Poller
    from ticker.recording import Playback, Recording
    from ticker.schedule import Timetable
    from ticker.settings.model import Settings


def record(config: Settings, upstream: str | None, folder: Path) -> Service:
    """A service that appends every upstream answer to the recording in `folder`."""
    from ticker.recording import Recorder  # noqa: PLC0415 - what does not serve is no part of a start

    return compose(
        config, upstream=upstream, around=lambda fetcher, bases: Recorder(fetcher, folder, bases, clock.wall)
    )


def replay(config: Settings, recording: Recording, start: datetime, speed: float, *, demo: bool = False) -> Service:
    """A service over `recording`, on its clock: all before `start` at once, from there `speed` seconds in one.

    A `demo` says so everywhere, and begins at `start` again when the recording is over.
    """
    from ticker.recording import Playback, Replayer  # noqa: PLC0415 - as above

    now = clock.Stepped(recording.entries[0].at)
    service = compose(config, now=now, demo=demo, around=lambda _fetcher, bases: Playback(recording, bases, now))
    playback, poller, board = service.fetcher, service.poller, service.board
    if not isinstance(playback, Playback):
        raise TypeError("replay composes around a playback")
    poller.publisher.hurry = lambda _source: None
    replayer = Replayer(recording, playback, poller, board, now, start, speed)
    replayer.alive = service.context.vitals.timetable_ran
    replayer.remember = partial(_remember, board, poller, playback, now) if demo else None
    begun = replayer.begun if demo else None
    return replace(service, timetable=cast("Timetable", replayer), begun=begun)  # the same face: start, every, stop


def _remember(board: Board, poller: Poller, playback: Playback, now: clock.Stepped) -> Callable[[], None]:
    """What goes back to this moment of a recording."""
    snapshot, at, forget, rewind = board.latest, now(), poller.mark(), playback.mark()

    def back() -> None:
        forget()
        rewind()
        now.back(at)
        # A version never goes back, or a reader's stream would wait for it to be reached again.
        board.put(replace(snapshot, version=board.latest.version + 1), at)

    return back
