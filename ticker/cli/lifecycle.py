"""One run of a service: listen, take new configurations on SIGHUP, drain on SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from ticker.app import Service
from ticker.cli.descriptors import descriptors
from ticker.cli.reloads import reloads
from ticker.cli.supervisor import notify, stay_alive
from ticker.log import Log
from ticker.settings.loader import Loaded
from ticker.settings.models import ServerSettings
from ticker.threads import begin
from ticker.web.connections import Bounds
from ticker.web.listener import Listener
from ticker.web.sockets import bind, hand_over, listen

log = Log(__name__)

# In-flight answers take milliseconds; what is still open after this long is a reader who does not read.
_FINISH_SECONDS = 10.0
# Threads for what must not hold up the loop: imports that nobody has needed before, a configuration read anew.
_ASIDE = 2
# Descriptors that readers may not have: upstreams, the store, the log, and both listeners. Of very few, three quarters.
_OWN = 100
# Seconds from the start: by the first, readers have had answers; by the last what is loaded late, as a language, is in.
SETTLES = (1.0, 10.0, 60.0)
# A thread that reads thousands of rows gives way to the loop after so long. Python's own 5 ms is ten answers.
_TURN_SECONDS = 0.0005
# So many new objects are looked through at once; of what a start built, none.
_GARBAGE = 10_000


async def run(
    service: Service,
    app: web.Application,
    again: Callable[[], Loaded] | None,
    what: str,
    *,
    reuse_port: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT. `again` reads the configuration anew; `what` is logged with the address.

    With `reuse_port` other processes may listen at the same address, and what is on its way to this one when it ends is
    still answered.

    Without `again`, as over a recording, there is nothing that SIGHUP could change, and it is passed over.

    Raises OSError where an address cannot be listened on.
    """
    stop, hang_up = _signals()
    asyncio.get_running_loop().set_default_executor(begin(ThreadPoolExecutor(_ASIDE, "aside")))
    listening = asyncio.Event()
    service.listening = listening if service.begun is None else None
    public, own = _runner(app), _runner(service.metrics())
    await public.setup()
    aside = [
        asyncio.create_task(each)
        for each in (reloads(service, again, hang_up, notify), stay_alive(), settle(service, SETTLES))
    ]
    try:
        if service.settings.server.metrics_port is not None:
            await _listen_for_metrics(own, service.settings.server)
        # The public address last: whoever reaches it finds everything else there.
        sockets = bind(service.settings.server.host, service.settings.server.port, reuse_port=reuse_port)
        await _listen(public, sockets, what)
        listening.set()
        notify("READY=1")
        await stop.wait()
        await _drain(service)
        if reuse_port:
            await hand_over(public, sockets)
    finally:
        for task in aside:
            task.cancel()
        await public.cleanup()
        await own.cleanup()


async def settle(service: Service, pauses: Sequence[float]) -> None:
    """Make ready what is asked for seldom, and after each of `pauses` take it out of the garbage collector's sight.

    It lives as long as the process; to walk it, when pages of history had allocated enough, held the loop for 55 ms.
    """
    sys.setswitchinterval(_TURN_SECONDS)
    for turn, pause in enumerate(pauses):
        await asyncio.sleep(pause)
        if not turn:
            await service.context.history.warm()
        gc.freeze()
        gc.set_threshold(_GARBAGE)


def _signals() -> tuple[asyncio.Event, asyncio.Event]:
    """What is set when the process is to stop, and when it is to read its configuration anew."""
    loop, stop, hang_up = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, hang_up.set)
    return stop, hang_up


def _runner(app: web.Application) -> web.AppRunner:
    every = descriptors()
    return Listener(app, Bounds(max(every - _OWN, every // 4)), shutdown_timeout=_FINISH_SECONDS)


async def _listen_for_metrics(runner: web.AppRunner, server: ServerSettings) -> None:
    await runner.setup()
    await _listen(
        runner, bind(server.metrics_host or server.host, server.metrics_port or 0, reuse_port=False), "metrics"
    )


async def _listen(runner: web.AppRunner, sockets: Sequence[socket.socket], what: str) -> None:
    await listen(runner, sockets)
    for address in runner.addresses:
        log.info(what, url="http://{}:{}".format(*address[:2]))


async def _drain(service: Service) -> None:
    """Not ready any more, but answering, and ending each connection with its answer."""
    notify("STOPPING=1")
    seconds = service.settings.server.drain.total_seconds()
    log.info("stopping", drain_seconds=seconds)
    service.context.process_health.draining = True
    await asyncio.sleep(seconds)
