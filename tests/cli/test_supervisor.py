import asyncio
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ticker.cli.serve import notify, stay_alive


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A service manager's socket and its address."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(address)
        channel.settimeout(10)
        yield channel, address


def test_the_manager_is_told(manager: tuple[socket.socket, str]) -> None:
    """One datagram, as systemd reads it."""
    channel, address = manager
    notify("READY=1", {"NOTIFY_SOCKET": address})
    assert channel.recv(100) == b"READY=1"


def test_an_abstract_address_is_understood() -> None:
    """The one that begins with @."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind("\0ticker-test")
        channel.settimeout(10)
        notify("STOPPING=1", {"NOTIFY_SOCKET": "@ticker-test"})
        assert channel.recv(100) == b"STOPPING=1"


def test_without_a_manager_nobody_is_told() -> None:
    """Started by hand."""
    notify("READY=1", {})


async def test_life_is_shown_as_often_as_it_is_asked(manager: tuple[socket.socket, str]) -> None:
    """Twice in the time of the watchdog; without one not at all."""
    channel, address = manager
    task = asyncio.create_task(stay_alive({"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "20000"}))
    for _ in range(3):
        assert await asyncio.to_thread(channel.recv, 100) == b"WATCHDOG=1"
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await stay_alive({"NOTIFY_SOCKET": address})
