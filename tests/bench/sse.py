"""How long one update takes to reach many listeners, and what each costs: python -m tests.bench.sse [CLIENTS].

The service runs in this process, the listeners in another, both on 127.0.0.1. Prints a row for each update.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.live import live

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

REQUEST = b"GET /v1/stream HTTP/1.1\r\nHost: bench\r\n\r\n"
UPDATES = 5
LIMIT = 60.0


class Listener(asyncio.Protocol):
    """One reader: notes when the bytes of the awaited version came."""

    def __init__(self, arrivals: list[float]) -> None:
        self.arrivals = arrivals
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(REQUEST)

    def data_received(self, data: bytes) -> None:
        data = self.tail + data
        self.tail = data[-12:]
        if b"event: quotes" in data:
            self.arrivals.append(time.monotonic())


async def listen(port: int, clients: int, pipe: Connection) -> None:
    """Open `clients` streams; for every update, send home when each reader had it."""
    loop, arrivals = asyncio.get_running_loop(), list[float]()
    transports = [
        (await loop.create_connection(lambda: Listener(arrivals), "127.0.0.1", port))[0] for _ in range(clients)
    ]
    for _ in range(1 + UPDATES):
        async with asyncio.timeout(LIMIT):
            while len(arrivals) < clients:  # noqa: ASYNC110 - an event a reader would be measured too
                await asyncio.sleep(0.005)
        pipe.send(arrivals[:])
        arrivals.clear()
    for transport in transports:
        transport.close()


def listeners(port: int, clients: int, pipe: Connection) -> None:
    """The other process."""
    asyncio.run(listen(port, clients, pipe))


def resident() -> int:
    """Bytes of memory this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


async def measure(clients: int) -> None:
    """Print a table: milliseconds from the update to the median, the 99th of a hundred, and the last listener.

    The last column is what the service itself computed for it, which a busy machine does not lengthen.
    """
    async with live() as served:
        before = resident()
        here, there = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(target=listeners, args=(served.port, clients, there))
        process.start()
        await asyncio.to_thread(here.recv)
        print(f"{clients} clients, {(resident() - before) / clients:.0f} bytes a client")
        print("median ms   p99 ms  last ms   cpu ms")
        for step in range(UPDATES):
            began, cpu = time.monotonic(), time.process_time()
            served.put({"USD": f"{100 + step}.5"})
            arrivals = await asyncio.to_thread(here.recv)
            cpu = 1000 * (time.process_time() - cpu)
            took = sorted(1000 * (moment - began) for moment in arrivals)
            p99 = took[int(len(took) * 0.99) - 1]
            print(f"{statistics.median(took):9.1f} {p99:8.1f} {took[-1]:8.1f} {cpu:8.1f}")
        process.join(LIMIT)


def main() -> None:
    """As many listeners as the command line says, 5,000 by default."""
    clients = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    wanted = clients + 200
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    try:
        import uvloop  # noqa: PLC0415 - as the service runs where there is one
    except ImportError:
        asyncio.run(measure(clients))
    else:
        uvloop.run(measure(clients))


if __name__ == "__main__":
    main()
