"""One run of the service: listen, take a new configuration on SIGHUP, drain and end on SIGTERM.

`serve` runs over the real sources, `replay` over a recording, `demo` over the recording in the package.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any
from zoneinfo import ZoneInfo

import typer
from aiohttp import web

from ticker import __version__, app, clock, recording
from ticker.app import Service, compose
from ticker.cli.logs import LineWriter, LogFormat, LogLevel, start_logging
from ticker.log import Log
from ticker.recording import Recording
from ticker.settings.errors import ConfigurationError, redact
from ticker.settings.loader import Changes, Loaded, load, shipped
from ticker.settings.models import Settings
from ticker.storage import is_shared
from ticker.supervision import begin
from ticker.web.connections import Bounds
from ticker.web.listener import Listener, bind, hand_over, listen

with suppress(ImportError):  # Windows has none, and no signals either: `get`, `check` and `backfill` work there
    import resource

try:
    import uvloop
except ImportError:  # the extra `speed`
    _NEW_LOOP: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
else:
    _NEW_LOOP = uvloop.new_event_loop

log = Log(__name__)

# Answers in flight take milliseconds; what is still open after this long is a reader who does not read. aiohttp waits
# twice: for the handlers, and for those that it has cancelled.
_FINISH_SECONDS = 4.0
# From the end of `server.drain` to the end of the process, whatever hangs.
_LONGEST_END_SECONDS = 9.0
# For threads, after everything has been closed: one may wait for a resolver or a disk.
_THREADS_SECONDS = 1.0
# Threads for what must not hold up the loop, such as a configuration that is read again.
_ASIDE = 2
# More readers at once than one process serves well; each costs memory too.
_MOST_DESCRIPTORS = 16_384
# Descriptors that readers may not have: upstreams, the store, the log, both listeners. Of very few, three quarters.
_OWN_DESCRIPTORS = 100
# Seconds from the start: by the first, readers have had answers; by the last what is loaded late, as a language, is in.
SETTLES = (1.0, 10.0, 60.0)
# A thread that reads thousands of rows gives way to the loop after so long. Python's own 5 ms is ten answers.
_SWITCH_SECONDS = 0.0005
# So many new objects are looked through at once; of what a start built, none.
_GARBAGE = 10_000
# A working day at noon: the market is open and its table in force. Before it, the recording has four weeks; from it
# on eleven minutes, asked every two seconds.
DEMO_STARTS = datetime(2024, 11, 22, 12, tzinfo=ZoneInfo("Europe/Moscow"))


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How `ticker serve` was asked to run: its clock starts `at`, `upstream` stands for every source's host."""

    upstream: str | None
    at: datetime | None
    reuse_port: bool
    log_level: LogLevel
    log_format: LogFormat | None


class Deadline:
    """Calls `end` with a code when a time is over that was not called off.

    In a thread that runs from the start: when memory has run out, none can be begun.
    """

    def __init__(self, end: Callable[[int], object]) -> None:
        self._end = end
        self._orders: SimpleQueue[tuple[float, int] | None] = SimpleQueue()
        threading.Thread(target=self._watch, name="deadline", daemon=True).start()

    def set(self, seconds: float, code: int) -> None:
        """End in so many seconds, instead of when it was to be before."""
        self._orders.put((seconds, code))

    def call_off(self) -> None:
        """Do not end."""
        self._orders.put(None)

    def _watch(self) -> None:
        order: tuple[float, int] | None = None
        while True:
            try:
                order = self._orders.get(timeout=order[0] if order is not None else None)
            except Empty:
                self._end(order[1] if order is not None else 1)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of `service`. `event` is logged with what stands behind it, `told`, and the address.

    `read` reads the configuration again; without it, as over a recording, SIGHUP changes nothing. With `reuse_port`
    other processes may listen at the same address, and what is on its way to this one when it ends is still answered.
    """

    service: Service
    writer: LineWriter
    event: str
    told: Mapping[str, Any]
    read: Callable[[], Loaded] | None = None
    reuse_port: bool = False

    def until_stopped(self) -> int:
        """Serve until SIGTERM or SIGINT; the exit code: 1 where the address cannot be listened on."""
        server, deadline, served = self.service.settings.server, Deadline(self._end), False
        try:
            with asyncio.Runner(loop_factory=_NEW_LOOP) as runner:
                runner.run(self._serve(deadline))
                served = True
                # The runner waits for every thread of the loop; one that hangs must not hold the process.
                deadline.set(_THREADS_SECONDS, 0)
        except (OSError, RuntimeError) as error:
            # uvloop needs descriptors to end: where none is left, everything else has been closed by now.
            if not served and isinstance(error, OSError):
                mend = "choose another --port or --host"
                log.error("cannot listen", host=server.host, port=server.port, error=str(error), mend=mend)  # noqa: TRY400
                return 1
            if not served:
                raise
        finally:
            deadline.call_off()
        return 0

    async def _serve(self, deadline: Deadline) -> None:
        service = self.service
        stop, hang_up = _signals()
        asyncio.get_running_loop().set_default_executor(begin(ThreadPoolExecutor(_ASIDE, "aside")))
        public, own = _runner(service.web()), _runner(service.metrics())
        await public.setup()
        supervise = service.context.process_health.supervisor.run
        tasks = [
            asyncio.create_task(supervise("reload", lambda: reload_on(hang_up, service, self.read))),
            asyncio.create_task(supervise("watchdog", stay_alive)),
            asyncio.create_task(settle(service, SETTLES)),
        ]
        try:
            sockets = await self._listen(public, own)
            notify("READY=1")
            await stop.wait()
            drain = service.settings.server.drain.total_seconds()
            deadline.set(drain + _LONGEST_END_SECONDS, 1)
            await _drain(service, drain)
            if self.reuse_port:
                await hand_over(public, sockets)
        finally:
            for task in tasks:
                task.cancel()
            await public.cleanup()
            await own.cleanup()
            deadline.call_off()

    async def _listen(self, public: web.AppRunner, own: web.AppRunner) -> list[socket.socket]:
        """The public address last: whoever reaches it finds everything else there."""
        server = self.service.settings.server
        if server.metrics_port is not None:
            await own.setup()
            await listen(own, bind(server.metrics_host or server.host, server.metrics_port, reuse_port=False))
            log.info("metrics", url=_urls(own)[0])
        sockets = bind(server.host, server.port, reuse_port=self.reuse_port)
        await listen(public, sockets)
        url, *others = _urls(public)
        visit = server.public_url or url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
        more = {"also": ", ".join(others)} if others else {}
        log.info(self.event, url=url, **more, **self.told, hint=f"Open {visit}")
        return sockets

    def _end(self, code: int) -> None:
        """End the process, whatever it waits for."""
        log.warning("the end was waited for long enough", threads=[each.name for each in threading.enumerate()])
        self.writer.flush_and_stop()
        os._exit(code)


def serve(read: Callable[[], Loaded], asked: ServeOptions) -> int:
    """Serve what `read` reads until SIGTERM or SIGINT, then finish what is in flight; SIGHUP reads it again.

    Raises ConfigurationError.
    """
    loaded = read()
    if asked.reuse_port:
        _ensure_shared(loaded)
    writer = start_logging(asked.log_level, asked.log_format)
    try:
        now = clock.Shifted(asked.at) if asked.at else clock.wall
        service = compose(
            loaded.settings, upstream=asked.upstream, now=now, stored=True, log_lines_dropped=lambda: writer.dropped
        )
        if loaded.changes:
            log.info("configuration differs from what is shipped", file=loaded.file, **_told(loaded.changes))
        told = _facts(service, loaded.file, loaded.settings.store.url)
        return Run(service, writer, "ticker serves", told, read, asked.reuse_port).until_stopped()
    finally:
        writer.flush_and_stop()


def replay(
    loaded: Loaded, folder: Path, at: datetime | None, speed: float, logging_as: tuple[LogLevel, LogFormat | None]
) -> int:
    """Serve over the recording in `folder` until SIGTERM or SIGINT."""
    found = _recording(folder)
    first, last = found.entries[0].at, found.entries[-1].at
    if at is not None and not first <= at <= last:
        raise typer.BadParameter(f"the recording is of {first.isoformat()} to {last.isoformat()}", param_hint="--at")
    writer = start_logging(*logging_as)
    try:
        for each in found.damage:
            log.warning("the recording has a line that cannot be read", where=each)
        log.info("replaying", first=first.isoformat(), last=last.isoformat(), answers=len(found.entries), speed=speed)
        service = app.replay(loaded.settings, found, at or first, speed)
        return Run(service, writer, "ticker replays", _facts(service, str(folder), "memory://")).until_stopped()
    finally:
        writer.flush_and_stop()


def demo(host: str, port: int, log_level: LogLevel, log_format: LogFormat | None) -> int:
    """Serve over the recording in the package, the last minutes of it again and again, until SIGTERM or SIGINT."""
    writer = start_logging(log_level, log_format)
    try:
        service = app.replay(demo_settings(host, port), recording.read(recording.SAMPLE), DEMO_STARTS, 1.0, demo=True)
        return Run(service, writer, "DEMO, invented numbers", _facts(service, "shipped", "memory://")).until_stopped()
    finally:
        writer.flush_and_stop()


def demo_settings(host: str, port: int) -> Settings:
    """The shipped settings, for numbers that move faster than a bank's: two answers may differ by a wave."""
    tolerances = {f"instruments.{symbol}.tolerance": 0.05 for symbol in load(shipped(), {}, {}).settings.instruments}
    return load(shipped(), {}, {**tolerances, "server.host": host, "server.port": port}).settings


async def reload_on(hang_up: asyncio.Event, service: Service, read: Callable[[], Loaded] | None) -> None:
    """Take what `read` reads whenever `hang_up` is set; signals that come during a reload are one more reload."""
    while read is not None:
        await hang_up.wait()
        hang_up.clear()
        notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        refused = await _reload(service, read)
        notify(f"READY=1\nSTATUS={'configuration refused: ' + refused.splitlines()[0] if refused else ''}")


async def _reload(service: Service, read: Callable[[], Loaded]) -> str | None:
    """Take the configuration that `read` reads, or keep the one in force and tell why."""
    try:
        loaded = await asyncio.to_thread(read)
        changes = service.reload(loaded.settings)
    except ConfigurationError as error:
        refused = str(error)
        log.error("configuration refused, the old one stays", error=refused)  # noqa: TRY400 - a person reads it
    except Exception as error:
        refused = f"{type(error).__name__}: {error}"
        log.exception("configuration refused, the old one stays")
    else:
        service.context.process_health.reloaded()
        log.info("configuration reloaded", **_told(changes))
        # What the former one was made of holds cycles, and the collector looks too seldom for who reloads often.
        gc.collect()
        return None
    service.context.process_health.reloaded(refused)
    return refused


async def settle(service: Service, pauses: Sequence[float]) -> None:
    """Make ready what is asked for seldom, and after each of `pauses` take it out of the garbage collector's sight.

    It lives as long as the process; to walk it, when pages of history had allocated enough, held the loop for 55 ms.
    """
    sys.setswitchinterval(_SWITCH_SECONDS)
    for turn, pause in enumerate(pauses):
        await asyncio.sleep(pause)
        if not turn:
            await service.context.history.warm()
        gc.freeze()
        gc.set_threshold(_GARBAGE)


def notify(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Tell the service manager that started us, as "READY=1" (sd_notify(3)); nothing where none asked to be told."""
    address = environment.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        # @ stands for the abstract name space.
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.sendall(state.encode())


async def stay_alive(environment: Mapping[str, str] = os.environ) -> None:
    """Say that we live twice in the time the manager gives us; a loop that hangs falls silent and is restarted."""
    seconds = int(environment.get("WATCHDOG_USEC", "0")) / 2_000_000
    while seconds:
        notify("WATCHDOG=1", environment)
        await asyncio.sleep(seconds)


def _signals() -> tuple[asyncio.Event, asyncio.Event]:
    """What is set when the process is to stop, and when it is to read its configuration again."""
    loop, stop, hang_up = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, hang_up.set)
    # It was blocked when the process began: one that came since is heard now.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    return stop, hang_up


async def _drain(service: Service, seconds: float) -> None:
    """Not ready any more, but answering, and ending each connection with its answer."""
    notify("STOPPING=1")
    log.info("stopping", drain_seconds=seconds)
    service.context.process_health.draining = True
    await asyncio.sleep(seconds)


def _runner(application: web.Application) -> web.AppRunner:
    every = _descriptors()
    bounds = Bounds(max(every - _OWN_DESCRIPTORS, every // 4))
    return Listener(application, bounds, shutdown_timeout=_FINISH_SECONDS)


def _descriptors() -> int:
    """How many files and connections the process may hold open: raised as far as the system lets us and we can use."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_DESCRIPTORS if most == resource.RLIM_INFINITY else min(_MOST_DESCRIPTORS, most)
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
        return wanted
    return _MOST_DESCRIPTORS if now == resource.RLIM_INFINITY else min(now, _MOST_DESCRIPTORS)


def _urls(runner: web.AppRunner) -> list[str]:
    hosts = [(f"[{host}]" if ":" in host else host, port) for host, port, *_ in runner.addresses]
    return [f"http://{host}:{port}" for host, port in hosts]


def _facts(service: Service, config: str, store: str) -> dict[str, Any]:
    """What an operator asks first: which version, of which configuration, over which store."""
    return {
        "version": __version__,
        "config": config,
        "store": redact(store),
        "instruments": ", ".join(service.settings.instruments),
        "fast_path": f"closed: {closed}" if (closed := service.context.fast_path_closed) else "open",
    }


def _told(changes: Changes) -> dict[str, str]:
    """What was added, removed and changed, by dotted key; what of it is empty is left out."""
    kinds = {"added": changes.added, "removed": changes.removed, "changed": changes.changed}
    return {kind: ", ".join(keys) for kind, keys in kinds.items() if keys}


def _ensure_shared(loaded: Loaded) -> None:
    """Raises ConfigurationError where each process would have a store, and numbers, of its own."""
    if not is_shared(loaded.settings.store.url):
        where = loaded.origins.get("store.url", "flag")
        message = f"{where}: store.url: memory:// is each process's own; with --reuse-port they need one they share: "
        raise ConfigurationError(message + "sqlite:///FILE or redis://HOST, or leave out --reuse-port")


def _recording(folder: Path) -> Recording:
    try:
        found = recording.read(folder)
    except OSError as error:
        raise typer.BadParameter(f"{folder}: {error.strerror or error}", param_hint="DIR") from None
    if not found.entries:
        raise typer.BadParameter(f"no recording in {folder}: it has no answer in a file *.ndjson", param_hint="DIR")
    return found
