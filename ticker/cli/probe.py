"""`ticker sources`: every configured source with its cadence, its terms and what it feeds, or what it answers now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console
from rich.table import Column, Table

from ticker import clock
from ticker.app import Service, compose, feeds_of
from ticker.cli.logs import logs
from ticker.cli.tables import shown
from ticker.feeds import Feed
from ticker.fields import written
from ticker.quotes import SourceError, Tick
from ticker.settings.models import Settings

# Of a whole table so many rates are shown, these first.
_SHOWN = 3
_FIRST = {"USD", "EUR", "RUB"}


@dataclass(frozen=True, slots=True)
class Came:
    """What came back from one source, in words, how long it took in seconds, and whether it was of use."""

    text: str
    seconds: float
    good: bool


async def sources(config: Settings, upstream: str | None, at: datetime | None, *, probe: bool) -> int:
    """Print the sources; with `probe`, ask each once. The exit code: 1 where a probed one failed."""
    logs(logging.CRITICAL)
    service = compose(config, upstream=upstream, now=clock.Shifted(at) if at else clock.wall)
    found = await _probe(service, _idle(service.settings, upstream)) if probe else {}
    names = ("source", "feeds", "asked", "terms", *(("answer", "time") if probe else ()))
    table = Table(*(Column(name, overflow="fold") for name in names))
    for source in config.sources:
        came = found.get(source)
        off = "off: needs an api_key" if config.sources[source].enabled else "off: enabled = false"
        answer = [shown(came.text), f"{came.seconds:.2f} s"] if came else [off, ""] if probe else []
        table.add_row(source, _feeds(service, source), *_terms(config, source), *answer)
    Console().print(table)
    return int(not all(came.good for came in found.values()))


def _idle(active: Settings, upstream: str | None) -> dict[str, Feed]:
    """The sources that are on and feed nothing: they can be probed all the same."""
    used = active.used_sources()
    return feeds_of(active, upstream, [source for source in active.sources if source not in used])


async def _probe(service: Service, unfed: dict[str, Feed]) -> dict[str, Came]:
    async with service.fetcher:
        fed, rest = await asyncio.gather(
            asyncio.gather(*(_poll(service, source) for source in service.poller.feeds)),
            asyncio.gather(*(_ask(service, feed) for feed in unfed.values())),
        )
    return {**dict(zip(service.poller.feeds, fed, strict=True)), **dict(zip(unfed, rest, strict=True))}


async def _poll(service: Service, source: str) -> Came:
    """A source that feeds something goes the whole way, so that what it gave is what would be shown of it."""
    await service.poller.poll(source)
    health = service.poller.health[source]
    told = ", ".join(f"{symbol} {price}" for symbol, price in service.poller.told(source).items())
    refused = ", ".join(f"{symbol} refused ({reason})" for symbol, reason in health.rejected)
    failed = f"{health.reason}: {health.detail}" if health.reason else ""
    return Came(failed or ", ".join(filter(None, (told, refused))), health.duration.total, good=not failed)


async def _ask(service: Service, feed: Feed) -> Came:
    """A source that feeds nothing is asked for what its adapter has words for, and shows it in those words."""
    began = asyncio.get_running_loop().time()
    try:
        reply = await service.poller.ask(feed, list(feed.adapter.codes.values()))
        failure = reply.failure
        told = f"; {failure.reason}: {feed.told(failure).detail}" if failure else ""
        text, good = f"{_of(reply.ticks)}{told}", failure is None
    except SourceError as error:
        text, good = f"{error.reason}: {feed.told(error).detail}", False
    return Came(text, asyncio.get_running_loop().time() - began, good=good)


def _of(ticks: Sequence[Tick]) -> str:
    order = sorted(ticks, key=lambda tick: -len({tick.symbol, tick.currency} & _FIRST))
    told = [f"{tick.symbol} {tick.price / tick.nominal:f} {tick.currency}" for tick in order[:_SHOWN]]
    return ", ".join(told) + (f" and {len(ticks) - _SHOWN} more" if len(ticks) > _SHOWN else "")


def _feeds(service: Service, source: str) -> str:
    if source not in service.settings.sources:
        return "off"
    return ", ".join(instrument.symbol for instrument in service.poller.coverage.wanted(source)) or "nothing"


def _terms(config: Settings, source: str) -> tuple[str, str]:
    each = config.sources[source]
    schedule = each.schedule
    cadence = f"every {written(schedule.every)}" if schedule.every else "; ".join(schedule.cron)
    return f"{cadence} ({schedule.zone})", each.terms_url or ""
