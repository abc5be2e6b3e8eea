"""What a person reads on a terminal, and a program from a pipe: `get`, `sources`, `check`."""

import asyncio
import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import typer
from babel import Locale
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from ticker import clock
from ticker.app import Service, compose
from ticker.calendars import coverage_warnings
from ticker.cli.logs import sanitize, stay_silent
from ticker.feeds import Feed, feeds_of
from ticker.fields import written
from ticker.quotes import Quote, Snapshot, SourceError, Status, Tick
from ticker.rendering import locales
from ticker.rendering.representation import to_json_text
from ticker.rendering.schemas import BoardSchema, QuoteSchema
from ticker.settings.errors import nearest, redact
from ticker.settings.loader import Loaded
from ticker.settings.models import Settings
from ticker.sources import KEYED

# Of a whole table so many rates are shown, these first.
_SHOWN = 3
_FIRST = {"USD", "EUR", "RUB"}
# Columns of a line that nobody looks at: a program reads lines, and a folded one is two.
_UNFOLDED = 100_000
# Columns of a list among the settings.
_WIDEST = 100


@dataclass(frozen=True, slots=True)
class QuotesAsked:
    """What `ticker get` was asked for; no symbols means all."""

    symbols: tuple[str, ...]
    lang: str
    as_json: bool


@dataclass(frozen=True, slots=True)
class Probed:
    """What came back from one source, in words, how long it took in seconds, and whether it was of use."""

    text: str
    seconds: float
    good: bool


def console() -> Console:
    """Standard output, as wide as the terminal; as wide as need be where it is none."""
    found = Console()
    return found if found.is_terminal else Console(width=_UNFOLDED)


def known(symbols: Iterable[str], there: Iterable[str]) -> None:
    """Exits with 2 where a symbol is not `there`, and names the nearest that is."""
    listed = list(there)
    for symbol in symbols:
        if symbol not in listed:
            raise typer.BadParameter(f"no instrument {symbol!r}{nearest(symbol, listed)}", param_hint="SYMBOL")


async def get(config: Settings, asked: QuotesAsked, upstream: str | None, at: datetime | None) -> int:
    """Poll every source once and print; the exit code: 1 where an instrument asked for is unavailable."""
    locale = _locale(asked.lang)
    known(asked.symbols, config.instruments)
    stay_silent()
    snapshot = await _polled_once(config, upstream, at)
    quotes = tuple(q for q in snapshot.quotes if not asked.symbols or q.symbol in asked.symbols)
    if asked.as_json:
        # Bytes: JSON is UTF-8 whatever the terminal is (RFC 8259, 8.1).
        typer.echo(to_json_text(BoardSchema.of(snapshot, quotes, locale)).encode())
    else:
        console().print(_quotes(quotes, locale))
    return int(any(quote.status is Status.UNAVAILABLE for quote in quotes))


def check(loaded: Loaded, *, as_json: bool) -> None:
    """Print every effective setting and where it comes from, and a warning of what soon ends. Secrets are masked."""
    used = loaded.settings.active(KEYED).used_calendars()
    warnings = [f"Warning: {each}." for each in coverage_warnings(used, clock.wall())]
    found = [(key, value, _origin(key, loaded.origins)) for key, value in _flat(loaded.settings.as_written())]
    if as_json:
        _print_json({key: {"value": value, "from": origin} for key, value, origin in found})
        # Standard output is the document's alone.
        typer.echo("\n".join(warnings), err=True, nl=bool(warnings))
        return
    table = _table("setting", "value", "from")
    for key, value, origin in found:
        table.add_row(_text(key), _value(value), _text(origin))
    console().print(table)
    typer.echo("\n".join(["The configuration is good.", *warnings]))


async def sources(config: Settings, upstream: str | None, at: datetime | None, *, probe: bool, as_json: bool) -> int:
    """Print the sources; with `probe`, ask each once. The exit code: 1 where a probed one failed."""
    stay_silent()
    service = compose(config, upstream=upstream, now=clock.Shifted(at) if at else clock.wall)
    found = await _probe(service, _unused(service.settings, upstream)) if probe else {}
    rows = {source: _source(config, service, source) for source in config.sources}
    if as_json:
        answers = {
            name: {"answer": each.text, "seconds": round(each.seconds, 3), "ok": each.good}
            for name, each in found.items()
        }
        _print_json({name: row | ({"probe": answers.get(name)} if probe else {}) for name, row in rows.items()})
    else:
        console().print(_sources(rows, found, probe=probe))
    return int(not all(each.good for each in found.values()))


async def _polled_once(config: Settings, upstream: str | None, at: datetime | None) -> Snapshot:
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
        table.add_row(row.symbol, _text(row.name), price, change, row.as_of or locales.DASH, origin, status)
    return table


def _source(config: Settings, service: Service, source: str) -> dict[str, Any]:
    each = config.sources[source]
    every = each.schedule.every
    return {
        "off": _off(service, each.enabled, source),
        "feeds": [instrument.symbol for instrument in service.poller.targets.wanted(source)],
        "every": written(every) if every else None,
        "cron": list(each.schedule.cron),
        "zone": str(each.schedule.zone),
        "terms_url": each.terms_url,
    }


def _off(service: Service, enabled: bool, source: str) -> str | None:  # noqa: FBT001 - as it is configured
    """Why the source is not asked; None where it is."""
    if source in service.settings.sources:
        return None
    return "needs an api_key" if enabled else "enabled = false"


def _sources(rows: Mapping[str, dict[str, Any]], found: Mapping[str, Probed], *, probe: bool) -> Table:
    table = _table("source", "feeds", "asked", "terms", *(("answer", "time") if probe else ()))
    for source, row in rows.items():
        feeds = "off" if row["off"] else ", ".join(row["feeds"]) or "nothing"
        cadence = f"every {row['every']}" if row["every"] else "; ".join(row["cron"])
        answer: list[str | Text] = []
        if probe:
            came = found.get(source)
            answer = [_text(came.text), f"{came.seconds:.2f} s"] if came else [f"off: {row['off']}", ""]
        table.add_row(source, feeds, f"{cadence} ({row['zone']})", row["terms_url"] or "", *answer)
    return table


def _unused(active: Settings, upstream: str | None) -> dict[str, Feed]:
    """The sources that are on and feed nothing: they can be probed all the same."""
    used = active.used_sources()
    return feeds_of(active, upstream, [source for source in active.sources if source not in used])


async def _probe(service: Service, unused: Mapping[str, Feed]) -> dict[str, Probed]:
    async with service.fetcher:
        used, rest = await asyncio.gather(
            asyncio.gather(*(_poll(service, source) for source in service.poller.feeds)),
            asyncio.gather(*(_ask(service, feed) for feed in unused.values())),
        )
    return {**dict(zip(service.poller.feeds, used, strict=True)), **dict(zip(unused, rest, strict=True))}


async def _poll(service: Service, source: str) -> Probed:
    """A source that feeds something goes the whole way, so that what it gave is what would be shown of it."""
    await service.poller.poll(source)
    health = service.poller.health[source]
    told = ", ".join(f"{symbol} {price}" for symbol, price in service.poller.latest_values(source).items())
    refused = ", ".join(f"{symbol} refused ({reason})" for symbol, reason in health.rejected)
    failed = f"{health.reason}: {health.detail}" if health.reason else ""
    return Probed(failed or ", ".join(filter(None, (told, refused))), health.duration.total, good=not failed)


async def _ask(service: Service, feed: Feed) -> Probed:
    """A source that feeds nothing is asked for what its adapter has words for, and shows it in those words."""
    began = asyncio.get_running_loop().time()
    try:
        reply = await service.poller.ask(feed, list(feed.adapter.codes.values()))
        failure = reply.failure
        told = f"; {failure.reason}: {feed.redacted(failure).detail}" if failure else ""
        text, good = f"{_rates(reply.ticks)}{told}", failure is None
    except SourceError as error:
        text, good = f"{error.reason}: {feed.redacted(error).detail}", False
    return Probed(text, asyncio.get_running_loop().time() - began, good=good)


def _rates(ticks: Sequence[Tick]) -> str:
    order = sorted(ticks, key=lambda tick: -len({tick.symbol, tick.currency} & _FIRST))
    told = [f"{tick.symbol} {tick.price / tick.nominal:f} {tick.currency}" for tick in order[:_SHOWN]]
    return ", ".join(told) + (f" and {len(ticks) - _SHOWN} more" if len(ticks) > _SHOWN else "")


def _table(*columns: str) -> Table:
    """A table that folds what is too long: half an address is of no use."""
    return Table(*(Column(column, overflow="fold") for column in columns))


def _text(text: str) -> Text:
    """Other people's words for a table: brackets in them are no markup of ours."""
    return Text(sanitize(text))


def _value(value: object) -> Text:
    """A setting's value; a long list takes several lines, or every line of the table would be as wide."""
    lines = textwrap.wrap(", ".join(map(str, value)), _WIDEST) if isinstance(value, list) else [str(value)]
    return Text("\n".join(map(sanitize, lines)))


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2).encode())


def _flat(tree: object, at: str = "") -> Iterator[tuple[str, object]]:
    """The values of `tree` by their dotted key, those of each table of a list by its number."""
    if isinstance(tree, dict) and tree:
        for key, value in tree.items():
            yield from _flat(value, f"{at}.{key}" if at else str(key))
    elif isinstance(tree, list) and any(isinstance(each, dict) for each in tree):
        for number, each in enumerate(tree):
            yield from _flat(each, f"{at}.{number}")
    else:
        yield at, [_masked(each) for each in tree] if isinstance(tree, list) else _masked(tree)


def _masked(value: object) -> object:
    return redact(value) if isinstance(value, str) else value


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
