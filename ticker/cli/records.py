"""`ticker corrections` and `ticker verify`: the public record on a terminal, and a number computed once more."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from ticker.app import compose
from ticker.cli.reports import console
from ticker.corrections import correction_of
from ticker.evidence import MismatchError, verify
from ticker.polling import PollTargets
from ticker.quotes import SourceError
from ticker.recording import read
from ticker.settings.models import Settings
from ticker.storage.base import StoreError
from ticker.storage.connect import of_url

_MOST = 1000


def corrections(config: Settings, first: date | None, last: date | None, *, as_json: bool) -> None:
    """Print the record, the newest first. Exits with 1 where the store does not answer."""
    begun = datetime.combine(first, time.min, UTC) if first else None
    end = datetime.combine(last, time.max, UTC) if last else None
    store = of_url(config.store.url)
    try:
        store.open()
        entries = [e for symbol in config.instruments for e in store.entries("correction", symbol, begun, end, _MOST)]
    except StoreError as error:
        typer.echo(f"the store does not answer: {error.detail}", err=True)
        raise typer.Exit(1) from None
    finally:
        store.close()
    found = sorted((correction_of(each.text) for each in entries), key=lambda each: each.since, reverse=True)
    if as_json:
        for each in found:
            typer.echo(json.dumps({**_plain(each), "seconds": each.seconds, "material": each.material}, default=str))
        return
    if not found:
        typer.echo("nothing has stood wrong, late or missing")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("symbol", "kind", "from", "to", "seconds", "shown", "right", "found by", "note"):
        table.add_column(name)
    for each in found:
        until = f"{each.until:%Y-%m-%d %H:%M:%S}Z" if each.until else "still"
        numbers = ("" if each.shown is None else f"{each.shown:f}", "" if each.right is None else f"{each.right:f}")
        stood = "" if each.seconds is None else str(each.seconds)
        row = (each.symbol, each.kind, f"{each.since:%Y-%m-%d %H:%M:%S}Z", until, stood, *numbers, each.found_by)
        table.add_row(*row, each.note or "")
    console().print(table)


def check(config: Settings, file: Path, folder: Path | None) -> None:
    """Recompute the number of the evidence in `file`. Exits with 1 where it does not follow, with 2 for no evidence."""
    try:
        tree = json.loads(file.read_text("utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{file} cannot be read as JSON: {error}", param_hint="EVIDENCE") from None
    if not isinstance(tree, dict) or not {"symbol", "digest", "sources", "rule", "made_by"} <= tree.keys():
        message = f"{file} is no evidence; /v1/quotes/SYMBOL/evidence of a service gives it"
        raise typer.BadParameter(message, param_hint="EVIDENCE")
    tree.pop("demo", None)
    # Nothing of it runs: it is made for what it knows of instruments and calendars.
    targets = compose(config).poller.targets
    instruments = {each.symbol: each for each in targets.instruments}
    answers = None if folder is None else _answers(folder, targets)
    try:
        checked = verify(tree, instruments, targets.calendars, answers)
    except MismatchError as error:
        typer.echo(f"does not follow. {error}", err=True)
        raise typer.Exit(1) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        typer.echo(f"does not follow. The record cannot be read: {type(error).__name__}: {error}", err=True)
        raise typer.Exit(1) from None
    for line in checked:
        typer.echo(line)
    typer.echo(f"{tree['symbol']} {tree['price']} of {tree['as_of']} follows")


def _answers(folder: Path, targets: PollTargets) -> dict[str, list[str]]:
    """The raw numbers in each recorded answer, by the SHA-256 of its bytes. Exits with 2 for a folder without any."""
    try:
        recording = read(folder)
    except OSError as error:
        raise typer.BadParameter(f"{folder}: {error.strerror or error}", param_hint="--raw") from None
    if not recording.entries:
        raise typer.BadParameter(f"{folder} holds no recording; ticker record makes one", param_hint="--raw")
    found: dict[str, list[str]] = {}
    for each in recording.entries:
        feed = targets.feeds.get(each.source)
        if feed is None or each.failure is not None:
            continue
        name = hashlib.sha256(each.body).hexdigest()
        if name not in found:
            try:
                found[name] = [tick.raw for tick in feed.adapter.parse(each.body).ticks if tick.raw is not None]
            except SourceError:
                found[name] = []
    return found


def _plain(correction: Any) -> dict[str, Any]:  # noqa: ANN401 - any record
    return {name: getattr(correction, name) for name in correction.__dataclass_fields__}
