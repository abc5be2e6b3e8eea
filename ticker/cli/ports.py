"""Keeping an address for workers that will listen on it, each with a socket of its own (SO_REUSEPORT)."""

from __future__ import annotations

import socket

__all__ = ["reserve"]


def reserve(host: str, port: int) -> tuple[int, list[socket.socket]]:
    """The port that `host` has for us, `port` or with 0 any, and what keeps it while the sockets are open.

    Raises OSError where it is in use: with the option alone, two services would share it and each other's readers.
    """
    kept: list[socket.socket] = []
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for family, kind, protocol, _, address in dict.fromkeys(found):
        wanted = (address[0], port, *address[2:])
        if port:
            with _made(family, kind, protocol) as alone:
                alone.bind(wanted)
                # Only who listens is refused where somebody else does.
                alone.listen(1)
        keeper = _made(family, kind, protocol)
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        keeper.bind(wanted)
        port = keeper.getsockname()[1]
        kept.append(keeper)
    return port, kept


def _made(family: int, kind: int, protocol: int) -> socket.socket:
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return made
