"""`ticker serve`: which service, over which upstream, on which loop."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, NoReturn

from ticker import clock
from ticker.cli import lifecycle
from ticker.cli.configuration import composed
from ticker.cli.logs import logs
from ticker.log import Log
from ticker.settings import ConfigurationError
from ticker.stores import is_shared

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from ticker.cli.configuration import First
    from ticker.settings import Loaded

log = Log(__name__)


def shareable(loaded: Loaded) -> None:
    """Raises ConfigurationError where there are several workers and nothing that they could share."""
    workers = loaded.settings.server.workers
    if workers > 1 and not is_shared(loaded.settings.store.url):
        where = loaded.origins.get("store.url", "flag")
        message = f"{where}: store.url: memory:// is each process's own; {workers} workers need one they share: "
        raise ConfigurationError(message + "sqlite:///FILE or redis://HOST, or set server.workers to 1")


def serve(first: First, *, upstream: str | None, at: datetime | None) -> None:
    """Serve `first` until SIGTERM or SIGINT, then finish what is in flight; SIGHUP reads it anew."""
    loaded = first.loaded
    config, now = loaded.settings, clock.Shifted(at) if at else clock.wall
    logs()
    shareable(loaded)
    if config.server.workers > 1:
        from ticker.cli import workers  # noqa: PLC0415 - one process starts without them

        sys.exit(workers.serve(first, upstream, now))
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
