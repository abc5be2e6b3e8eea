"""Litestar under uvicorn, its own serialiser: python -m tests.bench.peers.litestar_app PORT ANSWER."""

import json
import sys
from pathlib import Path
from typing import Any

from litestar import Litestar, get

from tests.bench.peers import Answer
from tests.bench.peers.asgi import run


def main() -> None:
    """Serve until it is ended."""
    answer = Answer.read(Path(sys.argv[2]))
    quote = json.loads(answer.body)
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Type"}

    @get("/v1/quotes/{symbol:str}", response_headers=headers)  # type: ignore[untyped-decorator, unused-ignore]
    async def one(symbol: str) -> dict[str, Any]:  # noqa: ARG001 - as Litestar wants it
        return quote  # type: ignore[no-any-return]

    run(Litestar([one], openapi_config=None))


if __name__ == "__main__":
    main()
