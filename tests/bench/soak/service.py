"""The service of the soak, a process of its own: the real listener, loop, store and signals, on a clock that runs fast.

Not `ticker serve` itself, whose timetable waits in real time; all that differs from it is said here. A machine's clock
at a thousandfold (libfaketime) would have its time-outs a thousandfold too, and no socket keeps to ten milliseconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.support.timekeepers import timetable
from ticker.app import Service, compose
from ticker.cli.logs import start_logging
from ticker.cli.serve import Run
from ticker.clock import Shifted
from ticker.scheduling import PollScheduler
from ticker.settings.loader import load, shipped
from ticker.settings.models import Settings

# Real seconds: five minutes of the service's clock at a thousandfold.
TIMEOUT = "300ms"
FEEDS = {"USD": ["cbr", "cbr_mirror"], "EUR": ["cbr", "cbr_mirror"], "OIL": ["moex", "yahoo"]}
# How often time alone may age what is shown, in real seconds at least.
_OFTEN = 0.05


class Fast(PollScheduler):
    """A timetable whose waiting goes by as fast as its clock."""

    speed = 1.0

    def _machine_time(self, when: datetime) -> datetime:
        return datetime.now(when.tzinfo) + (when - self._clock()) / self.speed

    def every(self, seconds: float, job: Callable[[], object]) -> None:
        """As often as the clock asks for, and no oftener than the processor likes."""
        super().every(max(seconds / self.speed, _OFTEN), job)

    def clock_was_set(self) -> bool:
        """It runs fast, and is not set."""
        return False


@dataclass(frozen=True, slots=True)
class Plan:
    """What the process is told on its command line."""

    upstream: str
    store: str
    start: datetime
    speed: float
    made: float

    @property
    def clock(self) -> Shifted:
        """The same in every process: Linux counts its monotonic time for all of them together."""
        return Shifted(self.start, self.speed, self.made)

    @property
    def arguments(self) -> list[str]:
        """The command line that tells it."""
        plan = [self.upstream, self.store, self.start.isoformat(), str(self.speed), repr(self.made)]
        return [sys.executable, "-m", "tests.bench.soak.service", *plan]


def configured(store: str) -> Settings:
    """The shipped trio over four sources, with time-outs of the real network."""
    flags: dict[str, Any] = {f"instruments.{symbol}.sources": sources for symbol, sources in FEEDS.items()}
    flags |= {f"sources.{each}.timeout": TIMEOUT for each in ("cbr", "cbr_mirror", "moex", "yahoo")}
    flags |= {"server.port": 0, "server.metrics_port": 0, "store.url": store}
    return load(shipped(), {}, flags).settings.model_copy(update={"checks": {}})


def composed(plan: Plan) -> Service:
    """The service with its timetable made a fast one where it stands: half a dozen parts hold it already."""
    service = compose(configured(plan.store), upstream=plan.upstream, now=plan.clock, stored=True)
    made = timetable(service)
    made.__class__ = Fast
    made.speed = plan.speed  # type: ignore[attr-defined]
    return service


def main() -> None:
    """Serve until SIGTERM."""
    upstream, store, start, speed, made = sys.argv[1:]
    plan = Plan(upstream, store, datetime.fromisoformat(start), float(speed), float(made))
    sys.exit(Run(composed(plan), start_logging(), "ticker serves", {}).until_stopped())


if __name__ == "__main__":
    main()
