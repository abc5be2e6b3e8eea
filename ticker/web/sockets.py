"""Listening sockets, and how they end without resetting a connection.

Closing a listening socket resets every connection that its kernel has accepted and its process has not. Where several
processes share one port (SO_REUSEPORT), those readers would have been served by a neighbour. So a process that ends
first refuses new handshakes, accepts what is left, and only then closes.
"""

import asyncio
import ctypes
import errno
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress

from aiohttp import web

# How many connections wait to be accepted while the loop is busy.
_BACKLOG = 1024
# Seconds for handshakes that have begun: a round trip to most readers, and many to a proxy. A client whose SYN is
# dropped meanwhile sends it again after one second (RFC 6298, 2.1), and a neighbour answers it.
_HANDSHAKES = 0.2
# Seconds in which a connection that was accepted last gets its first answer.
_FIRST_ANSWERS = 2.0
_LOOK = 0.01
_SO_ATTACH_FILTER = 26  # Linux, asm-generic/socket.h; Python's `socket` does not have it
# Classic BPF over a segment, from its TCP header on: one with SYN set is dropped, everything else passes.
_NO_SYN = (
    (0x30, 0, 0, 13),  # load the byte of the flags
    (0x45, 0, 1, 0x02),  # SYN?
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # pass
)


def bind(host: str, port: int, *, reuse_port: bool) -> list[socket.socket]:
    """A bound socket for each address that `host` names. With port 0, all of them have the same free one.

    Raises OSError where an address is in use, or none of them is one of this machine's.
    """
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    missing: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        try:
            made = _bound(family, kind, protocol, (address[0], port, *address[2:]), reuse_port=reuse_port)
        except OSError as error:
            if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                _close(bound)
                # Which of several addresses it was, `error` does not say.
                raise OSError(error.errno, f"{error.strerror}: {address[0]} port {port}") from None
            missing = error  # as ::1 for `localhost` on a machine without IPv6
        else:
            port = made.getsockname()[1]
            bound.append(made)
    if missing is not None and not bound:
        raise missing
    return bound


async def listen(runner: web.AppRunner, sockets: Sequence[socket.socket]) -> None:
    """Let `runner`, which has been set up, answer on `sockets`."""
    for each in sockets:
        await web.SockSite(runner, each, backlog=_BACKLOG).start()


async def hand_over(runner: web.AppRunner, sockets: Sequence[socket.socket]) -> None:
    """Stop accepting on `sockets`, which others listen on as well, without resetting a connection.

    Returns when every connection that was accepted has had an answer, or the time for it is over.
    """
    server = runner.server
    if server is None:
        return
    for each in sockets:
        _drop_handshakes(each)
    await asyncio.sleep(_HANDSHAKES)
    loop = asyncio.get_running_loop()
    for each in sockets:
        for connection in _accepted(each):
            await loop.connect_accepted_socket(server, connection)
    for site in list(runner.sites):
        await site.stop()
    with suppress(TimeoutError):
        async with asyncio.timeout(_FIRST_ANSWERS):
            # aiohttp does not tell when the last connection has gone.
            while any(getattr(each, "unanswered", False) for each in server.connections):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK)


def _bound(family: int, kind: int, protocol: int, address: tuple[object, ...], *, reuse_port: bool) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse_port:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            # An IPv4 address has a socket of its own.
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.settimeout(0)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made


def _close(sockets: Sequence[socket.socket]) -> None:
    for each in sockets:
        each.close()


def _drop_handshakes(listening: socket.socket) -> None:
    """Let the kernel ignore whoever begins to connect; on another system than Linux they go on being accepted."""
    code = b"".join(struct.pack("HBBI", *each) for each in _NO_SYN)
    room = ctypes.create_string_buffer(code)
    program = struct.pack("HP", len(_NO_SYN), ctypes.addressof(room))
    with suppress(OSError):
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def _accepted(listening: socket.socket) -> Iterator[socket.socket]:
    """Every connection that the kernel has accepted and the loop has not."""
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:  # none is left
            return
        connection.settimeout(0)
        yield connection
