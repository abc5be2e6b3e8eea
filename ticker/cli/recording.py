"""`ticker record`, `ticker replay`, `ticker demo`: a recording made, and the service run over one."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from zoneinfo import ZoneInfo

import typer

from ticker import app, recording
from ticker.cli import lifecycle
from ticker.cli.logs import logs
from ticker.cli.serving import run
from ticker.log import Log
from ticker.recording import Recording
from ticker.settings.loader import load, shipped
from ticker.settings.models import Settings

log = Log(__name__)

# A working day at noon: the market is open and its table in force. Before it, the recording has four weeks; from it
# on eleven minutes, asked every two seconds.
DEMO_STARTS = datetime(2024, 11, 22, 12, tzinfo=ZoneInfo("Europe/Moscow"))


def record(config: Settings, folder: Path, upstream: str | None, seconds: float | None) -> None:
    """Poll and write down until SIGTERM, SIGINT or for so many seconds. Exits with 2 where it cannot write."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise typer.BadParameter(f"cannot write to {folder}: {error.strerror or error}", param_hint="DIR") from None
    logs()
    service = app.record(config, upstream, folder)

    async def recording_on() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with service.running():
            log.info("recording", folder=str(folder))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)
        counted = {what: getattr(service.fetcher, what, 0) for what in ("answers", "failures")}
        log.info("recorded", **counted)

    asyncio.run(recording_on())


def replay(config: Settings, folder: Path, at: datetime | None, speed: float) -> None:
    """Serve over the recording in `folder` until SIGTERM or SIGINT."""
    found = _read(folder)
    first, last = found.entries[0].at, found.entries[-1].at
    if at is not None and not first <= at <= last:
        raise typer.BadParameter(f"the recording is of {first.isoformat()} to {last.isoformat()}", param_hint="--at")
    logs()
    for each in found.damage:
        log.warning("the recording has a line that cannot be read", where=each)
    log.info("replaying", first=first.isoformat(), last=last.isoformat(), answers=len(found.entries), speed=speed)
    service = app.replay(config, found, at or first, speed)

    async def serving() -> None:
        await lifecycle.run(service, service.web(), None, "ticker replays")

    run(serving, config.server.host, config.server.port)


def demo(port: int) -> None:
    """Serve over the recording in the package, the last minutes of it again and again, until SIGTERM or SIGINT."""
    logs()
    service = app.replay(invented(port), recording.read(recording.SAMPLE), DEMO_STARTS, 1.0, demo=True)

    async def serving() -> None:
        await lifecycle.run(service, service.web(), None, "DEMO, invented numbers")

    run(serving, "127.0.0.1", port)


def invented(port: int) -> Settings:
    """The shipped settings, for numbers that move faster than a bank's: two answers may differ by a wave."""
    tolerances = {f"instruments.{symbol}.tolerance": 0.05 for symbol in load(shipped(), {}, {}).settings.instruments}
    return load(shipped(), {}, {**tolerances, "server.port": port}).settings


def _read(folder: Path) -> Recording:
    try:
        found = recording.read(folder)
    except OSError as error:
        raise typer.BadParameter(f"{folder}: {error.strerror or error}", param_hint="DIR") from None
    if not found.entries:
        raise typer.BadParameter(f"no recording in {folder}: it has no answer in a file *.ndjson", param_hint="DIR")
    return found
