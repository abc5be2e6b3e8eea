"""FastAPI with a response model, F in the tables: python -m tests.bench.peers.fastapi_app PORT ANSWER."""

import json
import sys
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Response
from pydantic import create_model

from tests.bench.peers import Answer
from tests.bench.peers.asgi import run


def main() -> None:
    """Serve until it is ended."""
    answer = Answer.read(Path(sys.argv[2]))
    quote = json.loads(answer.body)
    kinds: dict[str, Any] = {name: (str | None if value is None else type(value), ...) for name, value in quote.items()}
    model = create_model("Quote", **kinds)
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Type"}
    app = FastAPI()

    @app.get("/v1/quotes/{symbol}", response_model=model)  # type: ignore[untyped-decorator, unused-ignore]
    async def one(symbol: str, response: Response) -> Any:  # noqa: ANN401, ARG001 - as FastAPI wants it
        response.headers.update(headers)
        return quote

    run(app)


if __name__ == "__main__":
    main()
