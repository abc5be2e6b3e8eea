"""How long one update takes to reach many readers, and what each costs: python -m tests.bench.sse [CLIENTS] [ROUNDS].

Beside the service stands the usual design, a queue and a task a reader, with the same bytes. Each is a process on the
first core; the readers of both are one process on the second. The rounds alternate.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Callable, Coroutine
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any, cast

import uvloop
from aiohttp import web

from tests.support.served_board import live
from ticker.rendering.renderer import View
from ticker.web.connections import Bounds

REQUEST = b"GET /v1/stream HTTP/1.1\r\nHost: bench\r\n\r\n"
LIMIT = 60.0
# Not measured: the first updates of a process.
WARM = 2


class Listener(asyncio.Protocol):
    """One reader: notes when the bytes of the awaited event came."""

    def __init__(self, arrivals: list[float]) -> None:
        self.arrivals = arrivals
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).write(REQUEST)

    def data_received(self, data: bytes) -> None:
        data = self.tail + data
        self.tail = data[-12:]
        if b"event: quotes" in data:
            self.arrivals.append(time.monotonic())


async def listen(pipe: Connection, clients: int) -> None:
    """For each port told: open `clients` streams. For each update awaited: tell when each reader had it."""
    loop, seen = asyncio.get_running_loop(), dict[int, list[float]]()
    while (port := await asyncio.to_thread(pipe.recv)) is not None:
        if port not in seen:
            seen[port] = []
            for _ in range(clients):
                await loop.create_connection(partial(Listener, seen[port]), "127.0.0.1", port)
        async with asyncio.timeout(LIMIT):
            while len(seen[port]) < clients:  # noqa: ASYNC110 - an event a reader would be measured too
                await asyncio.sleep(0.005)
        pipe.send(seen[port][:])
        seen[port].clear()


async def ours(pipe: Connection) -> None:
    """The service."""
    served = live()
    served.bounds = Bounds(16_000)
    async with served:
        await answer(pipe, served.port, lambda step: served.put({"USD": f"{100 + step}.5"}))


async def queued(pipe: Connection) -> None:
    """A queue and a task a reader, each of which writes."""
    served, queues = live(), set[asyncio.Queue[bytes]]()

    def body() -> bytes:
        return served.context.renderer.render(served.context.board.latest, View("event", (), "en")).body

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        queue = asyncio.Queue[bytes]()
        queues.add(queue)
        await response.write(body())
        while True:
            await response.write(await queue.get())

    def put(step: int) -> None:
        served.put({"USD": f"{100 + step}.5"})
        made = body()
        for queue in queues:
            queue.put_nowait(made)

    app = web.Application()
    app.add_routes([web.get("/v1/stream", stream)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await answer(pipe, runner.addresses[0][1], put)


async def answer(pipe: Connection, port: int, put: Callable[[int], object]) -> None:
    """Say where to listen, then put an update for each number asked and say when; None asks for memory and time."""
    pipe.send(port)
    while True:
        step = await asyncio.to_thread(pipe.recv)
        if step is None:
            pipe.send((resident(), time.process_time()))
        else:
            pipe.send(time.monotonic())
            put(step)


def resident() -> int:
    """Bytes of memory this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def process(core: int, run: Callable[..., Coroutine[Any, Any, None]], *arguments: object) -> Connection:
    """`run` in a process of its own on that core; it ends with this one."""
    here, there = multiprocessing.Pipe()
    multiprocessing.get_context("spawn").Process(
        target=_inside, args=(core, run, there, *arguments), daemon=True
    ).start()
    return here


def _inside(core: int, run: Callable[..., Coroutine[Any, Any, None]], *arguments: object) -> None:
    os.sched_setaffinity(0, {core % (os.cpu_count() or 1)})
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    uvloop.run(run(*arguments))


def ask(pipe: Connection, what: object) -> Any:  # noqa: ANN401 - numbers
    """What it answers."""
    pipe.send(what)
    return pipe.recv()


def main() -> None:
    """Print a row a design: bytes a reader; milliseconds from the update to the median reader, to 99 of 100, to all.

    The last column is what the server itself computed for it, which a busy machine does not lengthen.
    """
    given = [int(word) for word in sys.argv[1:]]
    clients, rounds = given + [5_000, 20][len(given) :]
    listener = process(1, listen, clients)
    servers = {run.__name__: process(0, run) for run in (ours, queued)}
    ports, memory = {name: pipe.recv() for name, pipe in servers.items()}, {}
    for name, pipe in servers.items():
        before = ask(pipe, None)[0]
        ask(listener, ports[name])
        memory[name] = (ask(pipe, None)[0] - before) / clients
    took: dict[str, list[tuple[float, ...]]] = {name: [] for name in servers}
    for step in range(WARM + rounds):
        for name, pipe in servers.items():
            cpu = ask(pipe, None)[1]
            began = ask(pipe, step)
            arrivals = sorted(1000 * (moment - began) for moment in ask(listener, ports[name]))
            cpu = 1000 * (ask(pipe, None)[1] - cpu)
            took[name].append((median(arrivals), arrivals[int(clients * 0.99) - 1], arrivals[-1], cpu))
    print(f"{clients} readers, medians of {rounds} rounds")
    print(f"{'':8}{'bytes each':>12}{'median ms':>12}{'p99 ms':>12}{'last ms':>12}{'cpu ms':>12}")
    found = {name: [median(column) for column in zip(*rows[WARM:], strict=True)] for name, rows in took.items()}
    for name, row in found.items():
        print(f"{name:8}{memory[name]:12.0f}" + "".join(f"{value:12.1f}" for value in row))
    print(f"{'ratio':20}" + "".join(f"{one / other:12.2f}" for one, other in zip(*found.values(), strict=True)))
    listener.send(None)


if __name__ == "__main__":
    main()
