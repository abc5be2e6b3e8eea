"""What handlers need, handed to them through the application: no globals, so two apps live in one process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from aiohttp import web

from ticker.board import Board
from ticker.health import Health, ProcessHealth
from ticker.metrics import Exposition, Traffic
from ticker.quotes import Snapshot
from ticker.rendering.renderer import Renderer
from ticker.settings.models import ServerSettings, Settings
from ticker.storage.history import History, RecordReader
from ticker.web.limits import RateLimiter
from ticker.web.response_cache import ResponseCache


@dataclass(slots=True, kw_only=True)
class Context:
    """The board, the renderers, the clock, and what `/metrics`, `/readyz`, the page and CORS need.

    `settings` is what is switched on of the configuration; its keys tell nobody what they hold. `fast_path_closed` is
    why the fast path answers nothing, None where it is open. One object serves for the application's whole life; only
    a reload changes what it holds, all of it in one step.
    """

    board: Board
    renderer: Renderer
    clock: Callable[[], datetime]
    health: Mapping[str, Health]
    traffic: Traffic
    exposition: Exposition
    records: RecordReader
    history: History
    settings: Settings
    limiter: RateLimiter
    cache: ResponseCache
    process_health: ProcessHealth
    demo: bool
    fast_path_closed: str | None

    @property
    def server(self) -> ServerSettings:
        """How the service listens and whom it lets in."""
        return self.settings.server

    def update_from(self, other: Context) -> None:
        """Hold from now on what `other` holds."""
        for each in fields(self):
            setattr(self, each.name, getattr(other, each.name))

    def snapshot(self) -> Snapshot:
        """The board as it stands now."""
        return self.board.current(self.clock())


CONTEXT = web.AppKey("context", Context)
