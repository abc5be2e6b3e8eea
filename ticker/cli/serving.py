"""`ticker serve`: which service, over which upstream, on which loop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import NoReturn

from ticker import clock
from ticker.cli import lifecycle
from ticker.cli.configuration import First, composed
from ticker.cli.logs import logs
from ticker.log import Log

log = Log(__name__)


def serve(first: First, *, upstream: str | None, at: datetime | None) -> None:
    """Serve `first` until SIGTERM or SIGINT, then finish what is in flight; SIGHUP reads it anew."""
    loaded = first.loaded
    config, now = loaded.settings, clock.Shifted(at) if at else clock.wall
    logs()
    service = composed(loaded, upstream=upstream, now=now, stored=True)

    async def serving() -> None:
        await lifecycle.run(service, service.web(), first.again, "ticker serves", remember=first.remember)

    run(serving, config.server.host, config.server.port)


def run(serve: Callable[[], Coroutine[None, None, None]], host: str, port: int) -> None:
    """Run to the end. Exits with 1 and a sentence where the address cannot be listened on."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            runner.run(serve())
        except OSError as error:
            refused(host, port, error)


def refused(host: str, port: int, error: OSError) -> NoReturn:
    """Say that the address cannot be listened on, and exit."""
    log.error("cannot listen", host=host, port=port, error=str(error), mend="choose another --port or --host")
    sys.exit(1)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not there on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop
