"""What a service manager is told: ready, reloading, stopping, still alive (systemd's sd_notify, a datagram of text)."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping


def notify(state: str, environment: Mapping[str, str] = os.environ) -> None:
    """Send `state` ("READY=1") to the manager that started us; nothing where none asked to be told."""
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
