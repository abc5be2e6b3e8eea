"""Plain aiohttp on uvloop, no access log, H in the tables: python -m tests.bench.peers.hello PORT ANSWER."""

from __future__ import annotations

import sys
from pathlib import Path

import uvloop
from aiohttp import web

from tests.bench.peers import Answer


def app(answer: Answer) -> web.Application:
    """One route, one answer."""

    async def quote(_request: web.Request) -> web.Response:
        return web.Response(body=answer.body, headers=answer.headers)

    made = web.Application()
    made.router.add_get("/v1/quotes/{symbol}", quote)
    return made


def main() -> None:
    """Serve until it is ended."""
    made = app(Answer.read(Path(sys.argv[2])))
    web.run_app(
        made, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None, loop=uvloop.new_event_loop()
    )


if __name__ == "__main__":
    main()
