"""`ticker get` and `ticker check`: what a person reads on a terminal."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import typer
from babel import Locale
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from ticker import clock
from ticker.app import compose
from ticker.cli.arguments import known
from ticker.cli.harmless import harmless
from ticker.cli.logs import logs
from ticker.quotes import Quote, Snapshot, Status
from ticker.rendering import json, locales
from ticker.rendering.schemas import QuoteSchema, QuotesSchema
from ticker.settings.errors import redact
from ticker.settings.loader import Loaded
from ticker.settings.models import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """What `ticker get` was asked for; no symbols means all."""

    symbols: tuple[str, ...]
    lang: str
    as_json: bool


async def get(config: Settings, asked: Asked, upstream: str | None, at: datetime | None) -> int:
    """Poll every source once and print; the exit code: 1 where an instrument asked for is unavailable."""
    locale = _locale(asked.lang)
    known(asked.symbols, config.instruments)
    snapshot = await _once(config, upstream, at)
    quotes = tuple(q for q in snapshot.quotes if not asked.symbols or q.symbol in asked.symbols)
    if asked.as_json:
        # Bytes: JSON is UTF-8 whatever the terminal is (RFC 8259, 8.1).
        typer.echo(json.text(QuotesSchema.of(snapshot, quotes, locale)).encode())
    else:
        Console().print(_quotes(quotes, locale))
    return int(any(quote.status is Status.UNAVAILABLE for quote in quotes))


def check(loaded: Loaded, *, quiet: bool = False) -> None:
    """Print every effective setting and where it comes from; nothing at all where it is to be `quiet`."""
    if quiet:
        return
    table = _table("setting", "value", "from")
    for key, value in _flat(loaded.settings.as_written()):
        table.add_row(shown(key), shown(redact(str(value))), shown(_origin(key, loaded.origins)))
    Console().print(table)
    typer.echo("The configuration is good.")


async def _once(config: Settings, upstream: str | None, at: datetime | None) -> Snapshot:
    logs(logging.CRITICAL)
    now = clock.Shifted(at) if at else clock.wall
    service = compose(config, upstream=upstream, now=now)
    async with service.fetcher:
        await asyncio.gather(*map(service.poller.poll, service.poller.feeds))
    return service.board.current(now())


def _quotes(quotes: tuple[Quote, ...], locale: Locale) -> Table:
    table = _table("symbol", "name", "price", "change", "as of", "source", "status")
    for quote in quotes:
        row = QuoteSchema.of(quote, locale)
        status = row.status + (f" ({row.reason})" if row.reason else "")
        origin = f"{row.source or locales.DASH}{' (fallback)' if row.fallback else ''}"
        price, change = row.display.price or locales.DASH, row.display.change or locales.DASH
        table.add_row(row.symbol, shown(row.name), price, change, row.as_of or locales.DASH, origin, status)
    return table


def _table(*columns: str) -> Table:
    """A table that folds what is too long: half an address is of no use."""
    return Table(*(Column(column, overflow="fold") for column in columns))


def shown(text: str) -> Text:
    """Other people's words for a table: brackets in them are no markup of ours."""
    return Text(harmless(text))


def _flat(tree: object, at: str = "") -> list[tuple[str, object]]:
    if isinstance(tree, dict) and tree:
        return [pair for key, value in tree.items() for pair in _flat(value, f"{at}.{key}" if at else str(key))]
    return [(at, tree)]


def _origin(key: str, origins: Mapping[str, str]) -> str:
    while key:
        if key in origins:
            return origins[key]
        key = key.rpartition(".")[0]
    return "default"


def _locale(lang: str) -> Locale:
    try:
        return locales.locale_of(lang)
    except locales.UnknownLanguageError as error:
        raise typer.BadParameter(f"{error}", param_hint="--lang") from None
