"""A Redis whose replies do not end, come drop by drop, or are larger than any of ours: an error, soon."""

from __future__ import annotations

import socket
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from ticker.storage import of_url
from ticker.storage.base import StoreError

MEGABYTE = 1024 * 1024


def huge(wire: socket.socket) -> None:
    """A text of five gigabytes, as fast as it is taken."""
    wire.sendall(b"$5000000000\r\n")
    while True:
        wire.sendall(b"x" * 65536)


def line(wire: socket.socket) -> None:
    """A line without an end."""
    wire.sendall(b"+")
    while True:
        wire.sendall(b"x" * 65536)


def drip(wire: socket.socket) -> None:
    """A byte every 20 ms: no wait for bytes is ever long."""
    wire.sendall(b"$5000000000\r\n")
    while True:
        wire.sendall(b"x")
        time.sleep(0.02)


def nested(wire: socket.socket) -> None:
    """A list in a list in a list."""
    while True:
        wire.sendall(b"*1\r\n" * 16384)


def silent(wire: socket.socket) -> None:
    """The beginning of a reply, and nothing."""
    wire.sendall(b"$100\r\nx")
    wire.recv(1)


@contextmanager
def redis_that(answers: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that takes what it is told and then `answers`."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    wire, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=talk, args=[wire], daemon=True).start()

        def talk(wire: socket.socket) -> None:
            with wire, suppress(OSError):
                while said := wire.recv(65536):
                    # What a client says of itself when it connects is agreed to.
                    if b"CLIENT" not in said and b"HELLO" not in said and b"SELECT" not in said:
                        answers(wire)
                    wire.sendall(b"+OK\r\n" * said.count(b"*"))

        threading.Thread(target=serve, daemon=True).start()
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0?timeout=800ms"
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("answers", [huge, line, drip, nested, silent], ids=lambda each: each.__name__)
def test_a_reply_is_bounded_in_time_and_size(answers: Callable[[socket.socket], None]) -> None:
    """By the time-out of the address, and some megabytes, whoever answers: none of them ever comes to an end."""
    with redis_that(answers) as url:
        store = of_url(url)
        tracemalloc.start()
        try:
            with pytest.raises(StoreError):
                store.saved("snapshot")
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
            store.close()
    assert most < 80 * MEGABYTE
