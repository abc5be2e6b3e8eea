"""Starlette under uvicorn: python -m tests.bench.peers.starlette_app PORT ANSWER."""

from __future__ import annotations

import sys
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.bench.peers import Answer
from tests.bench.peers.asgi import run


def main() -> None:
    """Serve until it is ended."""
    answer = Answer.read(Path(sys.argv[2]))

    async def quote(_request: Request) -> Response:
        return Response(answer.body, headers=answer.headers)

    run(Starlette(routes=[Route("/v1/quotes/{symbol}", quote)]))


if __name__ == "__main__":
    main()
