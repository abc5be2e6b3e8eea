"""A night with everything in it, against a real Prometheus; what fired when is written down."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import aiohttp

from tests.ops.process import Process, answers, running, until
from tests.ops.prometheus import JOB, Prometheus, free_port, scraping
from tests.ops.world import World, turning, write
from tests.support.patience import PATIENCE
from tests.support.project_files import ROOT

Alert = tuple[str, str]
OIL_AWAY = [("TickerSourceDown", "moex"), ("TickerSourceDown", "yahoo"), ("TickerInstrumentSourcesDown", "OIL")]
# True wherever the tests share a machine that is short of processor.
OF_THE_MACHINE = {("TickerLoopBlocked", "")}
DASHBOARD = ROOT / "config" / "grafana" / "dashboards" / "ticker.json"


@dataclass
class Transcript:
    """By phase, the alerts that were awaited and those that fired; and what the dashboard's queries gave."""

    began: float = field(default_factory=time.monotonic)
    lines: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    queries: dict[str, list[Any]] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """Write a line, with the seconds since the beginning."""
        self.lines.append(f"{time.monotonic() - self.began:6.1f} s  {text}")


@dataclass
class Night:
    """The scene: the world outside, the service, the Prometheus."""

    world: World
    prometheus: Prometheus
    transcript: Transcript
    seen: set[Alert] = field(default_factory=set)

    async def _look(self, what: str, let: set[Alert]) -> set[Alert]:
        """The alerts that fire now; what has changed is written down, what is not in `let` is unexpected."""
        now = await self.prometheus.firing()
        for word, changed in (("fires", now - self.seen), ("resolved", self.seen - now)):
            for alert in sorted(changed):
                self.transcript.note(f"    {word:8} {' '.join(alert)}")
        self.transcript.unexpected += [f"{what}: {' '.join(alert)}" for alert in sorted(now - let - OF_THE_MACHINE)]
        self.seen = now
        return now

    async def phase(self, what: str, fires: Iterable[Alert], allowed: Iterable[Alert] = ()) -> None:
        """Wait until all of `fires` fire; what fires besides, and is not `allowed`, is unexpected."""
        wanted, let = set(fires), {*fires, *allowed}
        self.transcript.note(what)

        async def as_wanted() -> bool:
            return wanted <= await self._look(what, let)

        try:
            await until(as_wanted, PATIENCE)
        except TimeoutError:
            self.transcript.missing += [f"{what}: {' '.join(alert)}" for alert in sorted(wanted - self.seen)]

    async def calm(self, was: Iterable[Alert], lingering: Iterable[Alert] = ()) -> None:
        """Wait until none of what `was` fires any more; `lingering` looks back over a longer time."""
        self.transcript.note("all is well again")

        async def over() -> bool:
            return await self._look("calm", {*was, *lingering}) <= {*lingering, *OF_THE_MACHINE}

        try:
            await until(over, PATIENCE)
        except TimeoutError:
            raise AssertionError("\n".join([*self.transcript.lines, f"still fires: {sorted(self.seen)}"])) from None


async def play(folder: Path) -> Transcript:
    """The whole night; files go into `folder`."""
    config = write(folder / "ticker.toml")
    ports = {"TICKER_SERVER__METRICS_PORT": str(free_port()), "TICKER_SERVER__PORT": str(free_port())}
    target = f"127.0.0.1:{ports['TICKER_SERVER__METRICS_PORT']}"
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(turning())
        process = await stack.enter_async_context(running(config, world.upstream.url, ports))
        prometheus = await stack.enter_async_context(scraping(folder, target))
        await stack.enter_async_context(reading(process.url))
        night = Night(world, prometheus, Transcript())
        await _sources(night)
        await _configuration(night, process, config)
        night.transcript.queries = await _ask_all(prometheus)
        await _restarts(night, stack, process, config, ports)
    return night.transcript


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[None]:
    """A reader, who asks again and again, whatever comes."""

    async def read() -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                await answers(session, f"{url}/v1/quotes")
                await asyncio.sleep(0.3)

    task = asyncio.create_task(read())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _sources(night: Night) -> None:
    upstream = night.world.upstream
    await until(lambda: _scraped(night.prometheus))
    # Before its first scrape Prometheus knew of no service at all.
    await night.calm([("TickerDown", "")])
    upstream.fail("/yahoo", "status:500")
    await night.phase("yahoo answers 500", [("TickerSourceDown", "yahoo")])
    upstream.heal("/yahoo")
    await night.calm([("TickerSourceDown", "yahoo")])
    for source in ("moex", "yahoo"):
        upstream.fail(f"/{source}", "reset")
    late = [("TickerQuoteStale", "OIL")]
    await night.phase("neither source of the oil answers", OIL_AWAY, late)
    for source in ("moex", "yahoo"):
        upstream.heal(f"/{source}")
    await night.calm([*OIL_AWAY, *late])
    night.world.frozen = True
    await night.phase("both answer what they answered before", late)
    night.world.frozen = False
    # A market that was away comes back with a number that nobody has confirmed yet.
    await night.calm(late)
    night.world.yahoo = Decimal("82.00")
    apart = [("TickerSourcesDisagree", "OIL"), ("TickerTicksRejected", "OIL")]
    await night.phase("yahoo is ten percent off", apart)
    night.world.yahoo = Decimal("73.80")
    await night.calm(apart, apart[1:])


async def _configuration(night: Night, process: Process, config: Path) -> None:
    write(config, more="[server]\nprot = 1\n")
    process.send(signal.SIGHUP)
    refused = [("TickerReloadRefused", "")]
    await night.phase("a configuration with a misspelt key", refused, [("TickerTicksRejected", "OIL")])
    write(config)
    process.send(signal.SIGHUP)
    await night.calm(refused, [("TickerTicksRejected", "OIL")])


async def _restarts(night: Night, stack: AsyncExitStack, process: Process, config: Path, ports: dict[str, str]) -> None:
    lingering = [("TickerTicksRejected", "OIL"), ("TickerRestarting", "")]
    for _ in range(2):
        process.send(signal.SIGKILL)
        await process.ended()
        await night.phase("the process is killed", [("TickerDown", "")], lingering)
        process = await stack.enter_async_context(running(config, night.world.upstream.url, ports))
        await night.calm([("TickerDown", "")], lingering)
    await night.phase("it has started twice", lingering[1:], lingering)
    for source in ("moex", "yahoo"):
        night.world.upstream.fail(f"/{source}", "reset")
    process.send(signal.SIGKILL)
    await process.ended()
    await stack.enter_async_context(running(config, night.world.upstream.url, ports))
    # Nothing is kept over a restart here, so that it has never known a price.
    unknown = [("TickerQuoteUnavailable", "OIL"), *OIL_AWAY]
    await night.phase("it starts while neither source of the oil answers", unknown, [("TickerDown", ""), *lingering])


async def _scraped(prometheus: Prometheus) -> bool:
    return bool(await prometheus.query('ticker_quote_status{status="fresh"} == 1'))


async def _ask_all(prometheus: Prometheus) -> dict[str, list[Any]]:
    expressions = queries(json.loads(DASHBOARD.read_text()))
    found = await asyncio.gather(*(prometheus.query(filled(expression)) for expression in expressions))
    return dict(zip(expressions, found, strict=True))


def queries(dashboard: dict[str, Any]) -> list[str]:
    """Every expression of the dashboard, its annotations among them."""
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    return [*panels, *(each["expr"] for each in dashboard["annotations"]["list"] if "expr" in each)]


def filled(expression: str) -> str:
    """The expression as Grafana sends it, the job and all its instances chosen."""
    return expression.replace("$__rate_interval", "20s").replace("$instance", ".*").replace("$job", JOB)
