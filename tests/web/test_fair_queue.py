"""Of what is not ready one request is begun each time round the loop, each client in its turn."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.support.patience import PATIENCE
from tests.support.served_board import live
from ticker.web.limits import FairQueue
from ticker.web.routes import build

MANY = 30


class Rounds:
    """Counts how often the loop has gone round."""

    def __init__(self) -> None:
        self.count = 0
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.call_soon(self._round)

    def _round(self) -> None:
        self.count += 1
        self._next = self._loop.call_soon(self._round)

    def stop(self) -> None:
        """Count no more."""
        self._next.cancel()


async def test_what_comes_together_is_not_begun_together() -> None:
    """Between two of them the loop looks who else has come: a reader of the header is behind one, not behind all."""
    rounds, seen = Rounds(), list[int]()

    async def dear(_request: web.Request) -> web.Response:
        seen.append(rounds.count)
        return web.Response()

    app = build(live().context)
    app.router.add_get("/dear", dear)
    question = b"GET /dear HTTP/1.1\r\nHost: localhost\r\n\r\n"
    async with TestServer(app) as server, asyncio.timeout(PATIENCE):
        wires = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(MANY)]
        for reader, writer in wires:
            writer.write(question)
            await reader.readuntil(b"\r\n\r\n")
        seen.clear()
        # Without a pause: the loop finds all of them at once.
        for _, writer in wires:
            writer.write(question)
        for reader, writer in wires:
            await reader.readuntil(b"\r\n\r\n")
            writer.close()
    rounds.stop()
    assert len(seen) == len(set(seen)) == MANY


async def test_each_client_has_its_turn() -> None:
    """Who asks for one thing waits for one of each other client's, however many of those stand in line."""
    turns, order = FairQueue(), list[str]()

    async def ask(client: str) -> None:
        await turns.wait(client)
        order.append(client)

    await asyncio.gather(*map(ask, [*("flood" for _ in range(10)), "one", "other"]))
    assert order == ["flood", "flood", "one", "other", *("flood" for _ in range(8))]


async def test_who_has_hung_up_costs_no_turn_and_leaves_nothing_behind() -> None:
    """Neither in the line nor for those behind."""
    turns = FairQueue()
    await turns.wait("first")
    left, stays = (asyncio.create_task(turns.wait(client)) for client in ("left", "stays"))
    await asyncio.sleep(0)
    left.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await left
    await asyncio.wait_for(stays, PATIENCE)
    assert not turns._waiting
