"""`ticker backfill`: the progress bar and the summary."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import date

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ticker.app import backfill
from ticker.backfill import Backfill, Job
from ticker.cli.arguments import known
from ticker.cli.harmless import harmless
from ticker.cli.logs import logs
from ticker.quotes import Instrument
from ticker.rendering import locales
from ticker.settings.models import Settings
from ticker.storage.base import StoreError


@dataclass(frozen=True, slots=True)
class Range:
    """What to fill: the days from `first` to `last`, both included; no symbols means all."""

    first: date
    last: date
    symbols: tuple[str, ...]


def run(config: Settings, asked: Range, upstream: str | None, pause: float) -> int:
    """Fill the store and print what came of it; the exit code: 1 where an instrument could not be filled."""
    logs(logging.CRITICAL)
    if config.store.url.startswith("memory:"):
        raise typer.BadParameter("memory:// keeps nothing; name a file: sqlite:///var/ticker.db", param_hint="--store")
    known(asked.symbols, config.instruments)
    wanted = [
        each
        for each in config.instruments.values()
        if each.enabled and (not asked.symbols or each.symbol in asked.symbols)
    ]
    work = backfill(config, upstream, pause)
    try:
        work.store.open()
        left = asyncio.run(_bar(work, wanted, asked))
    except StoreError as error:
        typer.echo(f"{error.detail}; {error.mend}".rstrip("; "), err=True)
        return 1
    except KeyboardInterrupt:
        typer.echo("Interrupted; the same command goes on from here.", err=True)
        return 1
    finally:
        work.store.close()
        _summary(work)
    for each in left:
        reason = "none of its sources has an archive" if not work.sources(each) else "no archive answered"
        typer.echo(f"{each.symbol}: {reason}", err=True)
    return int(any(work.sources(each) for each in left))


async def _bar(work: Backfill, wanted: list[Instrument], asked: Range) -> list[Instrument]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        tasks = {}

        def step(job: Job, left: int) -> None:
            source = job.feed.id
            if source not in tasks:
                tasks[source] = progress.add_task(source, total=left + 1)
            progress.advance(tasks[source])

        async with work.fetcher:
            return await work.run(wanted, asked.first, asked.last, step)


def _summary(work: Backfill) -> None:
    table = Table("instrument", "source", "from", "to", "rows", "new", "not there", "refused", "done before")
    for (symbol, source), tally in sorted(work.tallies.items()):
        days = [str(day) if day else locales.DASH for day in (tally.first, tally.last)]
        counts = (tally.rows, tally.new, tally.absent, tally.refused, tally.skipped)
        table.add_row(symbol, source, *days, *map(str, counts))
    Console().print(table)
    failures = {f"{source}: {tally.failure}" for (_, source), tally in work.tallies.items() if tally.failure}
    for line in sorted(failures):
        typer.echo(harmless(line), err=True)
