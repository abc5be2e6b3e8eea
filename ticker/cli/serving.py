"""`ticker serve` and `ticker demo`: the loop, the listener, the signals."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog
from aiohttp import web

from ticker import clock
from ticker.app import compose
from ticker.cli.logs import logs
from ticker.settings import ConfigurationError, Loaded, load
from ticker.settings.load import shipped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

log = structlog.get_logger(__name__)

# A working day at noon: the demo's market is open and its table in force whenever it is looked at.
DEMO_STARTS = datetime(2024, 11, 22, 12, tzinfo=ZoneInfo("Europe/Moscow"))
_DRAIN_SECONDS = 10.0


def serve(loaded: Loaded, *, upstream: str | None, at: datetime | None) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in flight."""
    config = loaded.settings
    if config.server.workers != 1:
        where = loaded.origins.get("server.workers", "flag")
        message = f"{where}: server.workers: this version serves from one process; set it to 1"
        raise ConfigurationError(message)
    logs()
    service = compose(config, upstream=upstream, now=clock.Shifted(at) if at else clock.wall, stored=True)

    async def app() -> web.Application:
        return service.web()

    run(app, config.server.host, config.server.port, "ticker serves")


def demo(port: int) -> None:
    """Serve over sample upstreams in this process, on a clock that starts at noon of a working day."""
    from ticker.demo.server import build  # noqa: PLC0415 - only the demo needs it

    logs()
    now = clock.Shifted(DEMO_STARTS)
    config = load(shipped(), {}, _demo_flags()).settings

    async def app() -> web.Application:
        upstream = web.AppRunner(build(now), access_log=None)
        await upstream.setup()
        await web.TCPSite(upstream, "127.0.0.1", 0).start()
        own = "http://{}:{}".format(*upstream.addresses[0][:2])
        served = compose(config, upstream=own, now=now, demo=True).web()

        async def after(_app: web.Application) -> AsyncIterator[None]:
            yield
            await upstream.cleanup()

        served.cleanup_ctx.insert(0, after)
        return served

    run(app, "127.0.0.1", port, "DEMO, invented numbers")


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


def run(app: Callable[[], Awaitable[web.Application]], host: str, port: int, what: str) -> None:
    """Run until a signal. Exits with 1 and a sentence where the address cannot be listened on."""
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            runner.run(_listen(app, host, port, what))
        except OSError as error:
            mend = "choose another --port or --host"
            log.error("cannot listen", host=host, port=port, error=str(error), mend=mend)  # noqa: TRY400 - a person reads it
            sys.exit(1)


async def _listen(app: Callable[[], Awaitable[web.Application]], host: str, port: int, what: str) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # The access log would cost more than the answer (and name readers' addresses).
    runner = web.AppRunner(await app(), access_log=None, shutdown_timeout=_DRAIN_SECONDS, keepalive_timeout=75)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=1024).start()
        for address in runner.addresses:
            log.info(what, url="http://{}:{}".format(*address[:2]))
        await stop.wait()
        log.info("stopping")
    finally:
        await runner.cleanup()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - not there on Windows
    except ImportError:
        return None
    return uvloop.new_event_loop
