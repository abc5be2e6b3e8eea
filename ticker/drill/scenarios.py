"""What happened in this trade (scenarios.toml): played, and held against what should have been seen of it."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ticker.drill import upstream
from ticker.drill.play import Frame, Stage, staged
from ticker.drill.upstream import MOSCOW, TROUBLES
from ticker.quotes import Status
from ticker.settings.models import Settings

# How far a shown number may be from the true one: more than it moves in a day, less than any of the wrong ones.
_FAR = 0.03


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is to be seen in one of the frames at least, or, where it is `always`, in each."""

    says: str
    holds: Callable[[Frame], bool]
    always: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """One failure, as scenarios.toml tells it; `services` share a store, and of none each remembers what it is told."""

    name: str
    what: str
    begins: datetime
    steps: int
    at: Mapping[str, Mapping[str, Any]]
    expects: Sequence[str]
    needs: Sequence[str] = ()
    step: int = 1
    services: int = 0

    async def spoil(self, stage: Stage, step: int) -> None:
        """Let happen what happens before `step`."""
        for what, value in self.at.get(str(step), {}).items():
            if what == "troubles":
                stage.world.troubles = {adapter: TROUBLES[name] for adapter, name in value.items()}
            elif what == "clock_slow_by_hours":
                stage.skew = -timedelta(hours=value)
            elif what == "spoilt" and stage.store is not None:
                stage.store.spoilt = frozenset(value)
            elif what == "emptied" and stage.folder is not None:
                for file in stage.folder.iterdir():
                    file.unlink()
            elif what == "waits":
                await asyncio.sleep(value)
            elif hasattr(stage.world, what):
                setattr(stage.world, what, value)
            else:
                raise AttributeError(f"{self.name}: a drill knows no {what!r}")


_WRITTEN = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
SCENARIOS = tuple(
    Scenario(name, **{**table, "begins": table["begins"].astimezone(UTC)}) for name, table in _WRITTEN.items()
)


# --- What should be seen: a function for each word of `expects`. -----------------------------------------------------


def _failing(stage: Stage, reason: str, *adapters: str) -> list[Expectation]:
    """Polls fail so, and are counted."""

    def fails(source: str) -> Callable[[Frame], bool]:
        return lambda frame: frame.sample("ticker_source_poll_failures_total", source=source, reason=reason) > 0

    return [Expectation(f"polls of {each} fail as {reason}", fails(each)) for each in stage.by_adapter(*adapters)]


def _refused(stage: Stage, adapter: str) -> list[Expectation]:
    """Something that the adapter said of its instruments was refused or overruled, and counted."""
    sources, symbols = stage.by_adapter(adapter), stage.symbols(adapter)

    def refused(frame: Frame) -> bool:
        counted = [
            dict(labels)["source"]
            for (name, labels), value in frame.samples.items()
            if name == "ticker_ticks_rejected_total" and value > 0
        ]
        return bool(set(counted) & set(sources)) or any(frame.quotes[symbol].reason is not None for symbol in symbols)

    return [Expectation(f"what {', '.join(sources)} says of {', '.join(symbols)} is refused and counted", refused)]


def _true(stage: Stage) -> list[Expectation]:
    """Every number that is shown is near the true one."""
    fixed, traded = stage.symbols("cbr", "cbr_mirror"), stage.symbols("moex", "yahoo")

    def right(frame: Frame) -> bool:
        rates = {symbol: upstream.ROUBLES.get(frame.quotes[symbol].instrument.base, 10.0) for symbol in fixed}
        rates |= dict.fromkeys(traded, upstream.BRENT)
        shown = {symbol: frame.quotes[symbol].price for symbol in rates}
        return all(price is None or abs(float(price) / rates[symbol] - 1) <= _FAR for symbol, price in shown.items())

    return [Expectation("no wrong number is shown", right, always=True)]


def _shown(stage: Stage, *adapters: str) -> list[Expectation]:
    symbols = stage.symbols(*adapters)

    def kept(frame: Frame) -> bool:
        return all(frame.quotes[symbol].price is not None for symbol in symbols)

    return [Expectation(f"{', '.join(symbols)} keeps its number", kept, always=True)]


def _fresh(stage: Stage, *adapters: str) -> list[Expectation]:
    symbols = stage.symbols(*adapters)

    def fresh(frame: Frame) -> bool:
        return all(frame.quotes[symbol].status is Status.FRESH for symbol in symbols)

    return [Expectation(f"{', '.join(symbols)} stays fresh", fresh, always=True)]


def _alert(_stage: Stage, name: str) -> list[Expectation]:
    return [Expectation(f"{name} fires", lambda frame: name in frame.alerts)]


def _not_fresh_after_an_hour(stage: Stage, *adapters: str) -> list[Expectation]:
    def honest(frame: Frame) -> bool:
        shown = [frame.quotes[symbol] for symbol in stage.symbols(*adapters)]
        fresh = [each.as_of for each in shown if each.status is Status.FRESH and each.as_of]
        return all(frame.now - as_of < timedelta(hours=1) for as_of in fresh)

    return [Expectation("an hour-old trade is not shown as fresh", honest, always=True)]


def _silence_told(stage: Stage, adapter: str) -> list[Expectation]:
    sources = stage.by_adapter(adapter)

    def told(frame: Frame) -> bool:
        shown = [frame.quotes[symbol] for symbol in stage.symbols(adapter)]
        down = any(frame.sample("ticker_source_up", source=source) == 0 for source in sources)
        return down or any(each.status is not Status.FRESH or each.source not in sources for each in shown)

    says = "the exchange's silence is told: its polls fail, or another one speaks, or the number is stale"
    return [Expectation(says, told)]


def _first_table_in_force(stage: Stage, day: str, *adapters: str) -> list[Expectation]:
    def in_force(frame: Frame) -> bool:
        shown = [frame.quotes[symbol].as_of or frame.now for symbol in stage.symbols(*adapters)]
        return all(str(as_of.astimezone(MOSCOW).date()) == day for as_of in shown)

    return [Expectation("the first table of the year comes into force", in_force)]


def _store_is_down(_stage: Stage) -> list[Expectation]:
    return [Expectation("ticker_store_up is 0", lambda frame: frame.sample("ticker_store_up") == 0)]


def _store_stays_up(_stage: Stage) -> list[Expectation]:
    return [Expectation("ticker_store_up stays 1", lambda frame: frame.sample("ticker_store_up") == 1)]


def _other_leads(_stage: Stage) -> list[Expectation]:
    return [Expectation("the other one polls", lambda frame: frame.leads)]


_WORDS: Mapping[str, Callable[..., list[Expectation]]] = {
    each.__name__.removeprefix("_"): each
    for each in (
        _failing,
        _refused,
        _true,
        _shown,
        _fresh,
        _alert,
        _not_fresh_after_an_hour,
        _silence_told,
        _first_table_in_force,
        _store_is_down,
        _store_stays_up,
        _other_leads,
    )
}


@dataclass
class Outcome:
    """What was seen of a scenario: its frames, and what should have been seen and was not."""

    scenario: Scenario
    frames: list[Frame] = field(default_factory=list)
    met: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    skipped: str | None = None


def judged(scenario: Scenario, stage: Stage, frames: list[Frame]) -> Outcome:
    """Hold the frames against what the scenario expects; versions never go back in any."""
    outcome = Outcome(scenario, frames)
    for word, *arguments in map(str.split, scenario.expects):
        for each in _WORDS[word](stage, *arguments):
            held = [each.holds(frame) for frame in frames]
            (outcome.met if (all(held) if each.always else any(held)) else outcome.missed).append(each.says)
    versions = [frame.version for frame in frames]
    (outcome.met if versions == sorted(versions) else outcome.missed).append("versions never go back")
    return outcome


async def played(config: Settings, scenario: Scenario) -> Outcome:
    """Play `scenario` against `config`, on a clock of its own."""
    async with staged(config, scenario.begins, scenario.services) as stage:
        if scenario.needs and not set(scenario.needs) <= {feed.reads for feed in stage.service.poller.feeds.values()}:
            return Outcome(scenario, skipped=f"this configuration asks no {' or '.join(scenario.needs)}")
        frames = []
        for step in range(scenario.steps):
            await scenario.spoil(stage, step)
            frames.append(await stage.minute(scenario.begins + (step + 1) * timedelta(minutes=scenario.step)))
        return judged(scenario, stage, frames)
