"""`ticker export`: once, or until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import typer

from ticker import clock
from ticker.app import Service, compose, exporter
from ticker.cli.logs import logs
from ticker.export.exporter import ONCE, WATCHED, Exporter
from ticker.export.files import Target, TargetError, target_of
from ticker.log import Log
from ticker.quotes import Status
from ticker.rendering import locales
from ticker.settings.models import Settings

log = Log(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to export and where; without languages those in which the configuration names its instruments."""

    where: str
    langs: tuple[str, ...]
    lease: timedelta | None
    watch: bool


def export(config: Settings, wanted: Wanted, upstream: str | None, at: datetime | None) -> int:
    """Write everything once, or again and again until SIGTERM or SIGINT; the exit code."""
    langs = _langs(wanted.langs or configured(config))
    logs()
    try:
        target = _target(wanted.where)
        service = compose(config, upstream=upstream, now=clock.Shifted(at) if at else clock.wall, stored=True)
        work = exporter(service, langs, target)
        run = _watch(service, work, wanted.lease or WATCHED) if wanted.watch else _once(service, work, wanted)
        return asyncio.run(run)
    except TargetError as error:
        log.error("export failed", detail=error.detail, mend=error.mend)  # noqa: TRY400 - a person reads it
        return 1


async def _once(service: Service, work: Exporter, wanted: Wanted) -> int:
    """1 where an instrument is unavailable: what was written says so too."""
    # No source is asked for files that nothing could take.
    await work.target.begin()
    async with service.asked():
        written = await work.once(wanted.lease or ONCE)
    snapshot = service.board.latest
    lost = [quote.symbol for quote in snapshot.quotes if quote.status is Status.UNAVAILABLE]
    log.info("exported", version=snapshot.version, files=written, to=wanted.where, unavailable=lost)
    return int(bool(lost))


async def _watch(service: Service, work: Exporter, lease: timedelta) -> int:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with service.running():
        await service.settled(stop)
        await work.watch(stop, lease)
    log.info("export ended")
    return 0


def configured(config: Settings) -> tuple[str, ...]:
    """The languages in which the configuration names its instruments."""
    named = (tag for each in config.instruments.values() for tag in (*each.name, *each.label))
    return tuple(dict.fromkeys(named)) or (locales.DEFAULT,)


def _langs(tags: Iterable[str]) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(locales.normalize_tag(tag) for tag in tags))
    except locales.UnknownLanguageError as error:
        raise typer.BadParameter(f"{error}", param_hint="--lang") from None


def _target(where: str) -> Target:
    try:
        return target_of(where)
    except ValueError as error:
        raise typer.BadParameter(f"{error}", param_hint="DIR") from None
