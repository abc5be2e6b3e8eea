"""`ticker serve`: which service, over which upstream, on which loop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import NoReturn

from ticker import clock
from ticker.app import compose
from ticker.cli import lifecycle
from ticker.cli.configuration import First
from ticker.cli.logs import logs
from ticker.log import Log
from ticker.settings.errors import ConfigurationError
from ticker.settings.loader import Loaded
from ticker.storage.connect import is_shared

log = Log(__name__)


def serve(first: First, *, upstream: str | None, at: datetime | None, reuse_port: bool = False) -> None:
    """Serve `first` until SIGTERM or SIGINT, then finish what is in flight; SIGHUP reads it anew.

    With `reuse_port` other processes over the same store may serve at the same address.
    Raises ConfigurationError where the store cannot be shared.
    """
    loaded = first.loaded
    config, now = loaded.settings, clock.Shifted(at) if at else clock.wall
    logs()
    if reuse_port:
        _shareable(loaded)
    service = compose(loaded.settings, upstream=upstream, now=now, stored=True)

    async def serving() -> None:
        await lifecycle.run(service, service.web(), first.again, "ticker serves", reuse_port=reuse_port)

    run(serving, config.server.host, config.server.port)


def _shareable(loaded: Loaded) -> None:
    """Raises ConfigurationError where each process would have a store, and numbers, of its own."""
    if not is_shared(loaded.settings.store.url):
        where = loaded.origins.get("store.url", "flag")
        message = f"{where}: store.url: memory:// is each process's own; with --reuse-port they need one they share: "
        raise ConfigurationError(message + "sqlite:///FILE or redis://HOST, or leave out --reuse-port")


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
