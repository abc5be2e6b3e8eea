"""`ticker serve`: which service, over which upstream, on which loop."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from ticker import clock
from ticker.app import compose
from ticker.cli import lifecycle
from ticker.cli.logs import logs
from ticker.log import Log
from ticker.settings import ConfigurationError, Loaded

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

log = Log(__name__)


def serve(again: Callable[[], Loaded], *, upstream: str | None, at: datetime | None) -> None:
    """Serve what `again` reads until SIGTERM or SIGINT, then finish what is in flight; SIGHUP reads it anew."""
    loaded = again()
    config = loaded.settings
    if config.server.workers != 1:
        where = loaded.origins.get("server.workers", "flag")
        message = f"{where}: server.workers: this version serves from one process; set it to 1"
        raise ConfigurationError(message)
    logs()
    service = compose(config, upstream=upstream, now=clock.Shifted(at) if at else clock.wall, stored=True)

    async def serving() -> None:
        await lifecycle.run(service, service.web(), again, "ticker serves")

    run(serving, config.server.host, config.server.port)


def run(serve: Callable[[], Coroutine[None, None, None]], host: str, port: int) -> None:
    """Run to the end. Exits with 1 and a sentence where the address cannot be listened on."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            runner.run(serve())
        except OSError as error:
            mend = "choose another --port or --host"
            log.error("cannot listen", host=host, port=port, error=str(error), mend=mend)  # noqa: TRY400 - a person reads it
            sys.exit(1)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not there on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop
