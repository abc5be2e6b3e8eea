"""Faults brought about for real in a local upstream: what `support.misbehaviour` knows, and what it cannot."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.upstream import CBR, MIRROR, MOEX, YAHOO, Upstream

# A name in each answer that its reader lives on.
RENAMED = {CBR: b"CharCode", MIRROR: b"Valute", MOEX: b"securities", YAHOO: b"chart"}


@asynccontextmanager
async def broken(upstream: Upstream, how: str) -> AsyncIterator[None]:
    """Inside, every source of `upstream` fails in the way `how` names; after it all of them are well again."""
    if how in {"refused", "black hole"}:
        port = int(upstream.url.rpartition(":")[2])
        await upstream.stop()
        held = deaf(port) if how == "black hole" else []
        try:
            yield
        finally:
            for each in held:
                each.close()
            await upstream.start()
    elif how == "renamed":
        rename(upstream)
        yield
    else:
        upstream.fail("/", how)
        yield
        upstream.heal("/")


def deaf(port: int) -> list[socket.socket]:
    """A listener who accepts nobody, with its queue full: what is sent to the port from then on is dropped."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(0)
    callers = [socket.socket() for _ in range(4)]
    for each in callers:
        each.settimeout(0)
        each.connect_ex(("127.0.0.1", port))
    return [listener, *callers]


def rename(upstream: Upstream) -> None:
    """Every answer of today, in a format of tomorrow."""
    for path, name in RENAMED.items():
        answer = upstream.answer_of(path)
        assert name in answer.body
        upstream.answer(path, body=answer.body.replace(name, name[::-1]), headers=answer.headers)
