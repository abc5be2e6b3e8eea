"""Commands that work and end: `record`, `backfill`, `export`, `drill`."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryFile

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from ticker import app, clock
from ticker.backfill import Backfill, Job
from ticker.cli.logs import LogFormat, LogLevel, sanitize, start_logging, stay_silent
from ticker.cli.reports import console, known
from ticker.drill.play import Frame
from ticker.drill.scenarios import SCENARIOS, Outcome, Scenario, played
from ticker.drill.upstream import MOSCOW
from ticker.export.exporter import ONCE, WATCHED, Exporter, target_of
from ticker.export.files import Target, TargetError
from ticker.log import Log
from ticker.quotes import Instrument, Status
from ticker.rendering import locales
from ticker.settings.models import Settings
from ticker.storage.base import StoreError

log = Log(__name__)


@dataclass(frozen=True, slots=True)
class Range:
    """What to fill: the days from `first` to `last`, both included; no symbols means all."""

    first: date
    last: date
    symbols: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """What to export and where; without languages those in which the configuration names its instruments."""

    where: str
    langs: tuple[str, ...]
    lease: timedelta | None
    watch: bool


def record(
    config: Settings,
    folder: Path,
    upstream: str | None,
    seconds: float | None,
    logging_as: tuple[LogLevel, LogFormat | None],
) -> None:
    """Poll and write down until SIGTERM, SIGINT or for so many seconds. Exits with 2 where it cannot write."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise typer.BadParameter(f"cannot write to {folder}: {error.strerror or error}", param_hint="DIR") from None
    writer = start_logging(*logging_as)
    service = app.record(config, upstream, folder)

    async def run() -> None:
        stop = _stop_signal()
        async with service.running():
            log.info("recording", folder=str(folder))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), seconds)
        counted = {what: getattr(service.fetcher, what, 0) for what in ("answers", "failures")}
        log.info("recorded", **counted)

    try:
        asyncio.run(run())
    finally:
        writer.flush_and_stop()


def backfill(config: Settings, asked: Range, upstream: str | None, pause: float) -> int:
    """Fill the store and print what came of it; the exit code: 1 where an instrument could not be filled."""
    stay_silent()
    if config.store.url.startswith("memory:"):
        raise typer.BadParameter("memory:// keeps nothing; name a file: sqlite:///var/ticker.db", param_hint="--store")
    known(asked.symbols, config.instruments)
    active = [each for each in config.instruments.values() if each.enabled]
    wanted = [each for each in active if not asked.symbols or each.symbol in asked.symbols]
    work = app.backfill(config, upstream, pause)
    try:
        work.store.open()
        left = asyncio.run(_fill(work, wanted, asked))
    except StoreError as error:
        typer.echo(f"{error.detail}; {error.mend}".rstrip("; "), err=True)
        return 1
    except KeyboardInterrupt:
        typer.echo("Interrupted; the same command goes on from here.", err=True)
        return 1
    finally:
        work.store.close()
        _print_summary(work)
    for each in left:
        reason = "none of its sources has an archive" if not work.sources(each) else "no archive answered"
        typer.echo(f"{each.symbol}: {reason}", err=True)
    return int(any(work.sources(each) for each in left))


async def _fill(work: Backfill, wanted: list[Instrument], asked: Range) -> list[Instrument]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    terminal = Console(stderr=True)
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal) as progress:
        # A row for each source from the beginning: while the first answer is waited for, nobody looks at nothing.
        tasks: dict[str, TaskID] = {}
        for source in dict.fromkeys(work.sources(each)[0] for each in wanted if work.sources(each)):
            tasks[source] = progress.add_task(source, total=None)

        def step(job: Job, left: int) -> None:
            source = job.feed.id
            if source not in tasks:
                tasks[source] = progress.add_task(source, total=None)
            progress.advance(tasks[source])
            progress.update(tasks[source], total=progress.tasks[tasks[source]].completed + left)

        async with work.fetcher:
            return await work.run(wanted, asked.first, asked.last, step)


def _print_summary(work: Backfill) -> None:
    table = Table("instrument", "source", "from", "to", "rows", "new", "not there", "refused", "done before")
    for (symbol, source), tally in sorted(work.tallies.items()):
        days = [str(each) if each else locales.DASH for each in (tally.first, tally.last)]
        counts = (tally.rows, tally.new, tally.absent, tally.refused, tally.skipped)
        table.add_row(symbol, source, *days, *map(str, counts))
    console().print(table)
    failures = {f"{source}: {tally.failure}" for (_, source), tally in work.tallies.items() if tally.failure}
    for line in sorted(failures):
        typer.echo(sanitize(line), err=True)


def export(
    config: Settings,
    wanted: Export,
    upstream: str | None,
    at: datetime | None,
    logging_as: tuple[LogLevel, LogFormat | None],
) -> int:
    """Write everything once, or again and again until SIGTERM or SIGINT; the exit code."""
    langs = _languages(wanted.langs or named_languages(config))
    writer = start_logging(*logging_as)
    try:
        target = _target(wanted.where)
        service = app.compose(config, upstream=upstream, now=clock.Shifted(at) if at else clock.wall, stored=True)
        work = app.exporter(service, langs, target)
        run = _watch(service, work, wanted.lease or WATCHED) if wanted.watch else _once(service, work, wanted)
        return asyncio.run(run)
    except TargetError as error:
        log.error("export failed", detail=error.detail, mend=error.mend)  # noqa: TRY400 - a person reads it
        return 1
    finally:
        writer.flush_and_stop()


def named_languages(config: Settings) -> tuple[str, ...]:
    """The languages in which the configuration names its instruments."""
    named = (tag for each in config.instruments.values() for tag in (*each.name, *each.label))
    return tuple(dict.fromkeys(named)) or (locales.DEFAULT,)


async def _once(service: app.Service, work: Exporter, wanted: Export) -> int:
    """1 where an instrument is unavailable: what was written says so too."""
    # No source is asked for files that nothing could take.
    await work.target.begin()
    async with service.asked():
        written = await work.once(wanted.lease or ONCE)
    snapshot = service.board.latest
    lost = [quote.symbol for quote in snapshot.quotes if quote.status is Status.UNAVAILABLE]
    log.info("exported", version=snapshot.version, files=written, to=wanted.where, unavailable=lost)
    return int(bool(lost))


async def _watch(service: app.Service, work: Exporter, lease: timedelta) -> int:
    stop = _stop_signal()
    async with service.running():
        await service.settled(stop)
        await work.watch(stop, lease)
    log.info("export ended")
    return 0


def _languages(tags: Iterable[str]) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(locales.normalize_tag(tag) for tag in tags))
    except locales.UnknownLanguageError as error:
        raise typer.BadParameter(f"{error}", param_hint="--lang") from None


def _target(where: str) -> Target:
    try:
        return target_of(where)
    except ValueError as error:
        raise typer.BadParameter(f"{error}", param_hint="DIR") from None


def _stop_signal() -> asyncio.Event:
    """What SIGTERM and SIGINT set."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


# What is told of the metrics; the rest stands still in a drill, or is of the machine.
_TOLD = frozenset(
    {
        "ticker_source_up",
        "ticker_source_poll_failures_total",
        "ticker_ticks_rejected_total",
        "ticker_store_up",
        "ticker_leader",
        "ticker_task_up",
    }
)


def chosen_drills(names: Sequence[str]) -> list[Scenario]:
    """The scenarios of these names, or all. Exits with 2 for a name that is none."""
    known = {each.name: each for each in SCENARIOS}
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"no drill {name!r}; there are {', '.join(known)}", param_hint="NAME")
    return [known[name] for name in names] or list(SCENARIOS)


def drill(config: Settings, names: Sequence[str]) -> int:
    """Play and tell; the exit code: 1 where something was not seen as it should be."""
    stay_silent()
    missed = 0
    for scenario in chosen_drills(names):
        outcome = asyncio.run(played(config, scenario))
        for line in drill_report(outcome):
            typer.echo(line)
        missed += len(outcome.missed)
    return 1 if missed else 0


def drill_report(outcome: Outcome) -> Iterator[str]:
    """The lines of one scenario; minutes in which nothing changes are told together."""
    scenario = outcome.scenario
    yield f"{scenario.name}: {scenario.what}"
    if outcome.skipped:
        yield f"  not played: {outcome.skipped}"
        return
    before: dict[str, float] = {}
    for seen, group in groupby(outcome.frames, key=_seen):
        frames = list(group)
        first, last = (f"{frame.now.astimezone(MOSCOW):%d.%m. %H:%M}" for frame in (frames[0], frames[-1]))
        readers, alerts, metrics = seen
        yield f"  {first}" + (f" to {last}" if len(frames) > 1 else "")
        yield f"    readers  {readers}"
        now = dict(metrics)
        changed = {name: value for name, value in now.items() if value != before.get(name, 1 if "_up" in name else 0)}
        before = now
        if changed:
            yield "    metrics  " + ", ".join(f"{name} {value:g}" for name, value in changed.items())
        if alerts:
            yield f"    alerts   {', '.join(alerts)}"
    yield from (f"  as it should be: {each}" for each in outcome.met)
    yield from (f"  NOT AS IT SHOULD BE: {each}" for each in outcome.missed)


def _seen(frame: Frame) -> tuple[str, tuple[str, ...], tuple[tuple[str, float], ...]]:
    readers = "; ".join(
        f"{quote.symbol} {'none' if quote.price is None else f'{quote.price:f}'} {quote.status}"
        + (f" ({quote.reason})" if quote.reason else "")
        + (f" of {quote.as_of:%d.%m.}" if quote.as_of else "")
        + (f" by {quote.source}" if quote.source else "")
        for quote in frame.quotes.values()
    )
    metrics = tuple(
        (f"{name}{{{','.join(f'{key}={value}' for key, value in labels)}}}" if labels else name, value)
        for (name, labels), value in sorted(frame.samples.items())
        if name in _TOLD
    )
    return readers, frame.alerts, metrics
