"""SIGTERM in the middle of each fault: the process ends, whatever hangs behind it, and hangs for longer.

Within how many seconds is a matter of what the process waits for, not of the machine: tests/cli/test_lifecycle.py.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from tests.faults.injected import broken
from tests.faults.test_store import disk as disk  # noqa: PLC0414 - a fixture
from tests.faults.test_store import fill, held
from tests.ops.process import Process, answers, running, until
from tests.ops.world import World, turning, write
from tests.storage.test_redis_replies import drip, huge, redis_that, silent
from tests.support.redis_servers import redis_server
from tests.support.upstream import YAHOO

# It drives programs of Debian's for real.
pytestmark = pytest.mark.programs

# A fault has begun to be felt after so long: every source was asked in it, and every reader waits.
FELT_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault is brought about with; `stack` ends it."""

    folder: Path
    disk: Path
    world: World
    stack: AsyncExitStack
    environment: dict[str, str] = field(default_factory=dict)


Act = Callable[[Scene, Process], Awaitable[None]]


async def nothing(_scene: Scene, _process: Process) -> None:
    """It was there before the process was."""


def upstreams(how: str) -> Act:
    """Every source fails so."""

    async def act(scene: Scene, _process: Process) -> None:
        await scene.stack.enter_async_context(broken(scene.world.upstream, how))

    return act


def redis_of(way: Callable[[socket.socket], None]) -> Callable[[Scene], None]:
    """A Redis that answers so from the start."""

    def before(scene: Scene) -> None:
        scene.environment["TICKER_STORE__URL"] = scene.stack.enter_context(redis_that(way))

    return before


def store_of(name: str) -> Callable[[Scene], None]:
    """A store in this file."""
    return lambda scene: scene.environment.update({"TICKER_STORE__URL": f"sqlite:///{scene.disk}/{name}"})


def pipe(scene: Scene) -> None:
    """A store that is a named pipe: whoever opens it hangs, as on a disk that is away."""
    os.mkfifo(scene.disk / "pipe")
    store_of("pipe")(scene)


def paused_redis(scene: Scene) -> None:
    """A Redis that will hang."""
    server = scene.stack.enter_context(redis_server())
    scene.environment["TICKER_STORE__URL"] = f"{server.url}/0?timeout=30s"
    scene.stack.callback(server.go_on)
    scene.environment["REDIS_PORT"] = str(server.port)
    PAUSES[scene.environment["TICKER_STORE__URL"]] = server.pause


PAUSES: dict[str, Callable[[], None]] = {}


async def pause(scene: Scene, _process: Process) -> None:
    """SIGSTOP to Redis."""
    PAUSES.pop(scene.environment["TICKER_STORE__URL"])()


async def full(scene: Scene, _process: Process) -> None:
    """No byte is left on the disk."""
    fill(scene.disk / "ballast")


async def locked(scene: Scene, _process: Process) -> None:
    """Another process holds both files."""
    for name in ("t.db", "t.db-shared"):
        scene.stack.enter_context(held(scene.disk / name))


async def spoilt(scene: Scene, _process: Process) -> None:
    """The tables are gone."""
    with closing(sqlite3.connect(scene.disk / "t.db-shared", timeout=5)) as file, file:
        for table in ("leases", "replicas", "editions"):
            file.execute(f"DROP TABLE {table}")


async def no_descriptors(scene: Scene, process: Process) -> None:
    """Nothing can be opened."""
    capped(process.child.pid, resource.RLIMIT_NOFILE, 3)
    scene.world.upstream.fail("/", "close")


async def no_memory(scene: Scene, process: Process) -> None:
    """A megabyte is left, too little for a thread, and a source sends what takes thirty."""
    capped(process.child.pid, resource.RLIMIT_AS, size(process.child.pid) + (1 << 20))
    scene.world.frozen = True
    scene.world.upstream.answer(YAHOO, body=b'{"chart": "' + "\N{BAR CHART}".encode() + b"a" * 3_600_000 + b'"}')


def capped(pid: int, what: int, most: int) -> None:
    """Let the process have no more of `what`, for the rest of its life."""
    resource.prlimit(pid, what, (most, resource.prlimit(pid, what)[1]))


def size(pid: int) -> int:
    """How many bytes of addresses the process has."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return 1024 * int(status.partition("VmSize:")[2].split()[0])


async def deaf_readers(scene: Scene, process: Process) -> None:
    """Two hundred streams whose readers take no byte, and as many half requests."""
    host, port = process.url.removeprefix("http://").split(":")
    for number in range(400):
        reader = scene.stack.enter_context(socket.create_connection((host, int(port))))
        request = b"GET /v1/stream HTTP/1.1\r\nHost: h\r\n\r\n" if number % 2 else b"GET /v1/quotes HTTP/1.1\r\nHos"
        reader.sendall(request)


async def stopped(scene: Scene, process: Process) -> None:
    """It is asleep itself, and told to end before it wakes."""
    process.send(signal.SIGSTOP)
    scene.world.frozen = True
    asyncio.get_running_loop().call_later(2 * FELT_SECONDS, process.send, signal.SIGCONT)


async def reloads(scene: Scene, process: Process) -> None:
    """A hundred reloads, of a file that is a named pipe by now."""
    config = scene.folder / "t.toml"
    config.unlink()
    os.mkfifo(config)
    for _ in range(100):
        process.send(signal.SIGHUP)
        await asyncio.sleep(0.005)


def no_change(_scene: Scene) -> None:
    """As it is shipped."""


SCENES: dict[str, tuple[Callable[[Scene], None], Act]] = {
    **{f"every source: {how}": (no_change, upstreams(how)) for how in ("refused", "black hole", "hang", "drip:0.05")},
    "Redis drips": (redis_of(drip), nothing),
    "Redis sends five gigabytes": (redis_of(huge), nothing),
    "Redis is silent": (redis_of(silent), nothing),
    "Redis hangs, with thirty seconds to answer": (paused_redis, pause),
    "disk full": (store_of("t.db"), full),
    "store locked": (store_of("t.db"), locked),
    "store spoilt": (store_of("t.db"), spoilt),
    "store hangs when it is opened": (pipe, nothing),
    "no descriptor left": (store_of("t.db"), no_descriptors),
    "no memory left": (store_of("t.db"), no_memory),
    "readers who do not read": (no_change, deaf_readers),
    "stopped": (store_of("t.db"), stopped),
    "reloads of a named pipe": (no_change, reloads),
}


@pytest.mark.parametrize("name", SCENES)
async def test_sigterm_ends_the_process_in_the_middle_of_each_fault(tmp_path: Path, disk: Path, name: str) -> None:
    """The exit code is 0, or 1 where something hung that was let go of."""
    before, act = SCENES[name]
    config = write(tmp_path / "t.toml")
    async with turning() as world, AsyncExitStack() as stack:
        scene = Scene(tmp_path, disk, world, stack)
        before(scene)
        process = await stack.enter_async_context(running(config, world.upstream.url, scene.environment))
        async with aiohttp.ClientSession() as session:
            await until(lambda: answers(session, f"{process.url}/readyz"))
        await act(scene, process)
        await asyncio.sleep(FELT_SECONDS)
        process.send(signal.SIGTERM)
        assert await process.ended() in {0, 1}
