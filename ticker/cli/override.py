"""`ticker override`: the editor's hand, over the store that the service uses."""

from __future__ import annotations

import getpass
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal

import msgspec
import typer
from rich.table import Table

from ticker import clock
from ticker.cli.arguments import known
from ticker.cli.reports import console
from ticker.overrides import EditorOverride, Overrides, decode, encode, refusal
from ticker.settings.models import Settings
from ticker.storage import codec
from ticker.storage.base import EDITORS, OVERRIDES, Message, Store, StoreError
from ticker.storage.connect import is_shared, of_url
from ticker.storage.writer import QUOTES

# Above the fence of any leader: an editor is not one of the replicas.
_FENCE = 2**53
_TRIES = 5

Mode = Literal["freeze", "hide", "price"]


def price_of(text: str) -> Decimal:
    """The price that `text` writes, with point or comma. Exits with 2 for anything else."""
    try:
        found = Decimal(text.replace(",", "."))
    except InvalidOperation:
        raise typer.BadParameter(f"{text!r} is no number", param_hint="--price") from None
    if not found.is_finite():
        raise typer.BadParameter(f"{text!r} is no number", param_hint="--price")
    return found


def change(
    config: Settings, symbol: str, mode: Mode | None, price: Decimal | None, length: timedelta | None, note: str
) -> None:
    """Set an override on `symbol`, or with no mode end the one that holds it. Exits with 2, or 1 without the store."""
    known([symbol], config.instruments)
    store = _opened(config)
    try:
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
            raise StoreError("somebody else changes the overrides at the same time", "try again")  # noqa: TRY301 - one end
    except StoreError as error:
        raise _failed(error) from None
    finally:
        store.close()
    _say(changed, symbol, now)


def listing(config: Settings, *, as_json: bool, everything: bool) -> None:
    """Print what is in force, or with `everything` also what has ended, with who set it and why."""
    store = _opened(config)
    try:
        overrides, _ = _read(store)
    except StoreError as error:
        raise _failed(error) from None
    finally:
        store.close()
    now = clock.wall()
    chosen = overrides.entries if everything else tuple(overrides.active(now).values())
    if as_json:
        plain = [{**msgspec.to_builtins(each), "frozen": None, "active": each.holds(now)} for each in chosen]
        typer.echo(msgspec.json.format(msgspec.json.encode(plain)).decode())
        return
    if not chosen:
        typer.echo("no override is in force" if not everything else "there has been no override")
        return
    table = Table(box=None, pad_edge=False)
    for name in ("symbol", "mode", "price", "since", "until", "by", "note"):
        table.add_column(name)
    for each in chosen:
        until = f"{each.ends:%Y-%m-%d %H:%M}Z" + (f" (ended by {each.ended_by})" if each.ended_by else "")
        price = "" if each.price is None else f"{each.price:f}"
        table.add_row(each.symbol, each.mode, price, f"{each.since:%Y-%m-%d %H:%M}Z", until, each.by, each.note)
    console().print(table)


def _opened(config: Settings) -> Store:
    if not is_shared(config.store.url):
        message = (
            "memory:// is each process's own; an override needs the store that the service uses: --store or store.url"
        )
        raise typer.BadParameter(message, param_hint="--store")
    store = of_url(config.store.url)
    try:
        store.open()
    except StoreError as error:
        raise _failed(error) from None
    return store


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


def _failed(error: StoreError) -> typer.Exit:
    typer.echo(f"the store does not answer: {error.detail}" + (f"; {error.mend}" if error.mend else ""), err=True)
    return typer.Exit(1)
