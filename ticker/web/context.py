"""What handlers need, handed to them through the application: no globals, so two apps live in one process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import TYPE_CHECKING

from aiohttp import web

from ticker.board import Board
from ticker.facts import Facts
from ticker.health import Health, Histogram
from ticker.process_health import ProcessHealth
from ticker.quotes import Snapshot
from ticker.rendering.renderer import Renderer
from ticker.storage.history import History

if TYPE_CHECKING:
    from ticker.metrics import Exposition
    from ticker.web.limits import Limiter
    from ticker.web.response_cache import Shelf


# Seconds, the bounds of the histogram of answers.
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 1.0)


@dataclass(slots=True)
class Traffic:
    """Plain counters of what was asked and answered, by route pattern; unknown paths are one route."""

    requests: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    durations: dict[str, Histogram] = field(default_factory=dict)
    streams: int = 0

    def note(self, route: str, method: str, status: int, took: float) -> None:
        """Count one answer and the seconds it took."""
        self.requests[route, method, status] += 1
        histogram = self.durations.get(route)
        if histogram is None:
            histogram = self.durations[route] = Histogram(SECONDS)
        histogram.observe(took)


@dataclass(slots=True)
class Context:
    """The board, the renderers, the clock, and what `/metrics`, `/readyz`, the page and CORS need.

    `terms` and `feeds` are, by source, the address of its terms and the instruments it feeds. One object for the
    application's whole life; only a reload changes what it holds, all of it in one step.
    """

    board: Board
    renderer: Renderer
    clock: Callable[[], datetime]
    health: Mapping[str, Health]
    traffic: Traffic
    metrics: Exposition
    history: History
    facts: Facts
    version: str
    limiter: Limiter
    shelf: Shelf
    public_url: str | None = None
    cors_origins: tuple[str, ...] = ("*",)
    demo: bool = False
    terms: Mapping[str, str | None] = field(default_factory=dict)
    feeds: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    process_health: ProcessHealth = field(default_factory=ProcessHealth)
    access_log: bool = False
    metrics_here: bool = True
    express: bool = True

    def become(self, other: Context) -> None:
        """Hold from now on what `other` holds."""
        for each in fields(self):
            setattr(self, each.name, getattr(other, each.name))

    def snapshot(self) -> Snapshot:
        """The board as it stands now."""
        return self.board.current(self.clock())


CONTEXT = web.AppKey("context", Context)
