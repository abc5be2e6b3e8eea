"""`ticker serve` and `ticker demo`: which service, over which upstream, on which loop."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from aiohttp import web

from ticker import clock
from ticker.app import compose
from ticker.cli import lifecycle
from ticker.cli.logs import logs
from ticker.log import Log
from ticker.settings import ConfigurationError, Loaded, load
from ticker.settings.load import shipped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

log = Log(__name__)

# A working day at noon: the demo's market is open and its table in force whenever it is looked at.
DEMO_STARTS = datetime(2024, 11, 22, 12, tzinfo=ZoneInfo("Europe/Moscow"))


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


def demo(port: int) -> None:
    """Serve over sample upstreams in this process, on a clock that starts at noon of a working day."""
    from ticker.demo.server import build  # noqa: PLC0415 - only the demo needs it

    logs()
    now = clock.Shifted(DEMO_STARTS)
    flags = {**_demo_flags(), "server.port": port}

    def again() -> Loaded:
        return load(shipped(), {}, flags)

    async def serving() -> None:
        upstream = web.AppRunner(build(now), access_log=None)
        await upstream.setup()
        await web.TCPSite(upstream, "127.0.0.1", 0).start()
        own = "http://{}:{}".format(*upstream.addresses[0][:2])
        service = compose(again().settings, upstream=own, now=now, demo=True)
        served = service.web()

        async def after(_app: web.Application) -> AsyncIterator[None]:
            yield
            await upstream.cleanup()

        served.cleanup_ctx.insert(0, after)
        await lifecycle.run(service, served, again, "DEMO, invented numbers")

    run(serving, "127.0.0.1", port)


def _demo_flags() -> dict[str, Any]:
    """Everything is asked every two seconds, so that the numbers are seen to move; two answers may differ by a wave."""
    plain = load(shipped(), {}, {}).settings
    flags: dict[str, Any] = {}
    for source in plain.sources:
        flags[f"sources.{source}.schedule"] = {"every": "2s", "jitter": "0s"}
        flags[f"sources.{source}.budget"] = 36_000
    for symbol in plain.instruments:
        flags[f"instruments.{symbol}.tolerance"] = 0.05
    return flags


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
