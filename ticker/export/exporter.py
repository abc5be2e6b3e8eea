"""The sparklines of an export, drawn anew from history with every export."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ticker.board import Board
from ticker.export.files import Folder, Target, TargetError, Trust, outputs_of, status_of
from ticker.log import Log
from ticker.quotes import Instrument, Snapshot
from ticker.rendering.chart import sparkline_file
from ticker.rendering.representation import Representation
from ticker.storage.base import StoreError
from ticker.storage.history import History, Series, TimeRange

log = Log(__name__)

# As `/sparkline/{symbol}.svg` has it without parameters.
_DAYS = timedelta(days=30)


class Pictures:
    """Draws every instrument's last days, titled in `lang`."""

    def __init__(self, history: History, lang: str) -> None:
        self._history = history
        self._lang = lang
        self._last: dict[str, Representation] = {}

    async def of(self, snapshot: Snapshot, now: datetime) -> dict[str, Representation]:
        """The pictures by path; where history cannot be read, those last drawn."""
        try:
            drawn = {quote.symbol: await self._one(quote.instrument, now) for quote in snapshot.quotes}
        except StoreError as error:
            log.warning("history cannot be read, the pictures stay", detail=error.detail)
        else:
            self._last = {f"{at}sparkline/{name}.svg": made for name, made in drawn.items() for at in ("", "now/")}
        return self._last

    async def _one(self, instrument: Instrument, now: datetime) -> Representation:
        def make(line: Series) -> Representation:
            return sparkline_file(line.points, instrument, self._lang, now)

        ask = TimeRange(instrument.symbol, now - _DAYS, None, "1d")
        return (await self._history.line(ask, make))[1]


# The exporter: writes the board as it stands, then whatever changes, and says how long that may be believed.

# How long an export is vouched for after the exporter was last heard of.
WATCHED, ONCE = timedelta(minutes=1), timedelta(minutes=10)
# Seconds. Versions that come closer than this are one export, of the newest.
_PACE = 1.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0


# Stores of objects, by the scheme of their address.
SCHEMES = ("s3", "gs", "az")


def target_of(where: str) -> Target:
    """The target that `where` names. Raises ValueError for an address of another kind."""
    scheme, found, rest = where.partition("://")
    if not found and where.partition(":")[0] not in SCHEMES:
        return Folder(Path(where))
    if scheme not in SCHEMES or not rest.strip("/"):
        raise ValueError(f"{where!r} is neither a folder nor {', '.join(f'{one}://BUCKET/PATH' for one in SCHEMES)}")
    try:
        from ticker.export.objects import Objects  # noqa: PLC0415 - an optional extra of fifteen megabytes that a folder does not need
    except ModuleNotFoundError as error:
        if error.name != "obstore":
            raise
        message = "a bucket needs the extra `objects`, which is not installed: pip install 'market-ticker[objects]'"
        raise ValueError(message) from None
    return Objects(where)


@dataclass(frozen=True, slots=True)
class Exporter:
    """Makes files by `tree` (of a snapshot and a moment) and puts them, with the `steady` ones, into `target`."""

    board: Board
    clock: Callable[[], datetime]
    target: Target
    langs: tuple[str, ...]
    tree: Callable[[Snapshot, datetime], Awaitable[Mapping[str, Representation]]]
    steady: Mapping[str, Representation]

    async def once(self, lease: timedelta) -> int:
        """Write the board as it stands, vouched for as long as `lease`; how many files were new. Raises TargetError."""
        now = self.clock()
        snapshot = self.board.current(now)
        written = await self._write(snapshot, now)
        await self._confirm(snapshot, now, lease)
        return written

    async def watch(self, stop: asyncio.Event, lease: timedelta) -> None:
        """Write every change of the board, also those that time alone brings, until `stop`.

        A target that fails is tried again with growing pauses; said once, and once that it is back.
        """
        done: object = None
        patience = _Patience()
        while not stop.is_set():
            now = self.clock()
            snapshot = self.board.current(now)
            # A stale number shows its date from the next day on: the hour changes files too.
            due = snapshot.version, now.replace(minute=0, second=0, microsecond=0)
            try:
                if due != done:
                    log.info("exported", version=snapshot.version, files=await self._write(snapshot, now))
                await self._confirm(snapshot, now, lease)
            except TargetError as error:
                done = None
                await _wait(stop, patience.lost(error))
            else:
                done = due
                patience.found()
                await _wait(stop, _PACE)
                await self._change(stop, snapshot.version)

    async def _write(self, snapshot: Snapshot, now: datetime) -> int:
        return await self.target.write(outputs_of(await self.tree(snapshot, now), self.steady))

    async def _confirm(self, snapshot: Snapshot, now: datetime, lease: timedelta) -> None:
        ends = [quote.usable_until for quote in snapshot.quotes if quote.price is not None and quote.usable_until]
        turns, changes = snapshot.turns_at(now), self.board.next_change(now)
        trust = Trust(now, changes, turns, now + lease, min(ends, default=None))
        await self.target.confirm(status_of(snapshot, self.langs, trust), trust)

    async def _change(self, stop: asyncio.Event, version: int) -> None:
        """Wait for a newer version, for the time to be heard of again, or for the end."""

        async def newer() -> None:
            await anext(self.board.updates(version), None)

        waits = {asyncio.ensure_future(newer()), asyncio.ensure_future(stop.wait())}
        try:
            await asyncio.wait(waits, timeout=self.target.renewal.total_seconds(), return_when="FIRST_COMPLETED")
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)


class _Patience:
    """How long to wait for a target that fails; it says when one is lost, and when it is found again."""

    def __init__(self) -> None:
        self._pause = 0.0

    def lost(self, error: TargetError) -> float:
        """Seconds until it is tried again."""
        if not self._pause:
            log.error("export failed, tried again", detail=error.detail, mend=error.mend)
        self._pause = min(self._pause * 2 or _FIRST_PAUSE, _LONGEST_PAUSE)
        return self._pause

    def found(self) -> None:
        """It takes what is written again."""
        if self._pause:
            log.info("export goes on")
        self._pause = 0.0


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
