"""`ticker drill`: historic failures against the operator's configuration, told minute by minute."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import groupby

import typer

from ticker.cli.logs import stay_silent
from ticker.drill.play import Frame
from ticker.drill.scenarios import SCENARIOS, Outcome, Scenario, played
from ticker.drill.upstream import MOSCOW
from ticker.settings.models import Settings

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


def chosen(names: Sequence[str]) -> list[Scenario]:
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
    for scenario in chosen(names):
        outcome = asyncio.run(played(config, scenario))
        for line in told(outcome):
            typer.echo(line)
        missed += len(outcome.missed)
    return 1 if missed else 0


def told(outcome: Outcome) -> Iterator[str]:
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
