"""`ticker serve --workers N`: the same service from several processes behind one address."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ticker.app import compose
from ticker.cli import lifecycle
from ticker.cli.crew import Crew
from ticker.cli.logs import logs
from ticker.cli.ports import reserve
from ticker.cli.serving import refused, run
from ticker.settings import ConfigurationError
from ticker.siblings import Memory, Worker
from ticker.values import replace

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from socket import socket

    from ticker.cli.configuration import First
    from ticker.cli.hand import Channel
    from ticker.settings import Loaded
    from ticker.settings.model import Server, Settings

# Of a worker that was told to end: to finish what is in flight, and to write the last of it.
_ENDS_SECONDS = 20.0


def serve(first: First, upstream: str | None, now: Callable[[], datetime]) -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    server = first.loaded.settings.server
    ports, _kept = _reserved(server)
    memory = Memory(1 + server.workers)

    def on(read: Settings) -> Settings:
        """Where port 0 was asked for, the one that was found, here as in every later reading."""
        moved = {name: found for name, found in ports.items() if getattr(read.server, name) == 0}
        return replace(read, server=replace(read.server, **moved))

    def same() -> Loaded:
        read = first.again()
        return replace(read, settings=on(read.settings))

    def work(number: int, channel: Channel) -> int:
        logs(worker=number, pid=os.getpid())
        remember = first.remember if number == 0 else None
        config = on(first.loaded.settings)
        try:
            service = compose(config, upstream=upstream, now=now, stored=True, worker=Worker.of(memory, number))
        except ConfigurationError as error:
            # As of one process; where the first worker cannot begin, none does.
            sys.stderr.write(f"{error}\n")
            return 2

        async def serving() -> None:
            await lifecycle.run(service, service.web(), same, "ticker serves", channel, remember=remember)

        run(serving, config.server.host, config.server.port)
        return 0

    return Crew(server.workers, work, server.drain.total_seconds() + _ENDS_SECONDS).run()


def _reserved(server: Server) -> tuple[dict[str, int], list[socket]]:
    """The ports that every worker will listen on, by setting. Exits with 1 where one is in use."""
    wanted = {
        "port": (server.host, server.port),
        "metrics_port": (server.metrics_host or server.host, server.metrics_port),
    }
    ports: dict[str, int] = {}
    kept: list[socket] = []
    for name, (host, port) in wanted.items():
        if port is not None:
            try:
                ports[name], sockets = reserve(host, port)
            except OSError as error:
                refused(host, port, error)
            kept += sockets
    return ports, kept
