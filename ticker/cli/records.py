"""`ticker corrections`, `verify` and `override`: the public record, a number computed once more, the editor's hand."""

from __future__ import annotations

import getpass
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Literal

import msgspec
import typer
from rich.table import Table

from ticker import clock
from ticker.app import compose
from ticker.cli.reports import console, known
from ticker.corrections import correction_of
from ticker.evidence import MismatchError, verify
from ticker.feeds import PollTargets
from ticker.overrides import EditorOverride, Overrides, decode, encode, refusal
from ticker.quotes import SourceError
from ticker.recording import read
from ticker.settings.models import Settings
from ticker.storage import codec, is_shared, of_url
from ticker.storage.base import EDITORS, MOST_VERSIONS, OVERRIDES, Message, Store, StoreError
from ticker.storage.writer import QUOTES

_MOST = 1000


def corrections(config: Settings, first: date | None, last: date | None, *, as_json: bool) -> None:
    """Print the record, the newest first. Exits with 1 where the store does not answer."""
    begun = datetime.combine(first, time.min, UTC) if first else None
    end = datetime.combine(last, time.max, UTC) if last else None
    with _opened(config) as store:
        entries = store.entries("correction", tuple(config.instruments), begun, end, _MOST)
    found = sorted((correction_of(each.text) for each in entries), key=lambda each: each.since, reverse=True)
    if as_json:
        for each in found:
            typer.echo(json.dumps({**asdict(each), "seconds": each.seconds, "material": each.material}, default=str))
        return
    if not found:
        typer.echo("nothing has stood wrong, late or missing")
        return
    columns = ("symbol", "kind", "from", "to", "seconds", "shown", "right", "found by", "note")
    table = Table(*columns, box=None, pad_edge=False)
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


# Not below the fence of any leader: an editor is not one of the replicas.
_FENCE = MOST_VERSIONS - 1
_TRIES = 5

Mode = Literal["freeze", "hide", "price"]


def price_of(text: str) -> Decimal:
    """The price that `text` writes, with point or comma. Raises ValueError for anything else."""
    try:
        found = Decimal(text.replace(",", "."))
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise ValueError(f"{text!r} is no number")
    return found


def set_override(
    config: Settings, symbol: str, mode: Mode | None, price: Decimal | None, length: timedelta | None, note: str
) -> None:
    """Set an override on `symbol`, or with no mode end the one that holds it. Exits with 2, or 1 without the store."""
    known([symbol], config.instruments)
    _ensure_shared(config)
    with _opened(config) as store:
        for _ in range(_TRIES):
            now = clock.wall()
            overrides, version = _read(store)
            if mode is None:
                if symbol not in overrides.active(now):
                    raise typer.BadParameter(f"no override holds {symbol}; ticker override --list shows them")
                changed = overrides.ended(symbol, now, getpass.getuser())
            else:
                new = _new(config, store, symbol, mode, now)
                new = replace(new, price=price, until=now + (length or timedelta(0)), note=note.strip())
                why = refusal(new, config.instruments[symbol])
                if why is not None:
                    raise typer.BadParameter(why)
                changed = overrides.with_new(new)
            version = max(version + 1, int(now.timestamp() * 1000))
            if store.publish(EDITORS, Message(OVERRIDES, version, _FENCE, encode(changed))):
                break
        else:
            raise StoreError("somebody else changes the overrides at the same time", "try again")
    _say(changed, symbol, now)


def list_overrides(config: Settings, *, as_json: bool, everything: bool) -> None:
    """Print what is in force, or with `everything` also what has ended, with who set it and why."""
    _ensure_shared(config)
    with _opened(config) as store:
        overrides, _ = _read(store)
    now = clock.wall()
    chosen = overrides.entries if everything else tuple(overrides.active(now).values())
    if as_json:
        plain = [{**msgspec.to_builtins(each), "frozen": None, "active": each.holds(now)} for each in chosen]
        typer.echo(msgspec.json.format(msgspec.json.encode(plain)).decode())
        return
    if not chosen:
        typer.echo("no override is in force" if not everything else "there has been no override")
        return
    columns = ("symbol", "mode", "price", "since", "until", "by", "note")
    table = Table(*columns, box=None, pad_edge=False)
    for each in chosen:
        until = f"{each.ends:%Y-%m-%d %H:%M}Z" + (f" (ended by {each.ended_by})" if each.ended_by else "")
        price = "" if each.price is None else f"{each.price:f}"
        table.add_row(each.symbol, each.mode, price, f"{each.since:%Y-%m-%d %H:%M}Z", until, each.by, each.note)
    console().print(table)


def _ensure_shared(config: Settings) -> None:
    if not is_shared(config.store.url):
        message = (
            "memory:// is each process's own; an override needs the store that the service uses: --store or store.url"
        )
        raise typer.BadParameter(message, param_hint="--store")


@contextmanager
def _opened(config: Settings) -> Iterator[Store]:
    """The store of `config`. Exits with 1 where it does not answer."""
    store = of_url(config.store.url)
    try:
        store.open()
        yield store
    except StoreError as error:
        typer.echo(f"the store does not answer: {error.detail}" + (f"; {error.mend}" if error.mend else ""), err=True)
        raise typer.Exit(1) from None
    finally:
        store.close()


def _read(store: Store) -> tuple[Overrides, int]:
    found = {each.part: each for each in store.newer(EDITORS, {OVERRIDES: -1}, 0)}
    message = found.get(OVERRIDES)
    return (decode(message.text), message.version) if message else (Overrides(), 0)


def _new(config: Settings, store: Store, symbol: str, mode: Mode, now: datetime) -> EditorOverride:
    frozen = None
    if mode == "freeze":
        # Of several services over one store the one that has spoken last.
        told = [message for name in store.services() for message in store.newer(name, {QUOTES: -1}, 0)]
        for message in sorted(told, key=lambda each: each.version):
            snapshot = codec.snapshot_of_text(message.text, tuple(config.instruments.values()), now)
            quote = snapshot.get(symbol) if snapshot else None
            frozen = codec.tree_of_quote(quote) if quote and quote.price is not None else frozen
    return EditorOverride(symbol, mode, "", now, now, getpass.getuser(), frozen=frozen)


def _say(overrides: Overrides, symbol: str, now: datetime) -> None:
    held = overrides.active(now).get(symbol)
    if held is None:
        typer.echo(f"{symbol} is shown again as the sources say")
    else:
        shown = {"freeze": "is frozen", "hide": "is hidden", "price": f"is shown as {held.price}"}[held.mode]
        typer.echo(f"{symbol} {shown} until {held.until:%Y-%m-%d %H:%M:%S}Z: {held.note}")
