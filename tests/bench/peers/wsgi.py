"""A Flask application for gunicorn; the answer is where the environment says."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask, Response

from tests.bench.peers import Answer

_ANSWER = Answer.read(Path(os.environ["BENCH_ANSWER"]))
app = Flask(__name__)


@app.get("/v1/quotes/<symbol>")
def quote(symbol: str) -> Response:  # noqa: ARG001 - as Flask wants it
    """The same to everybody."""
    return Response(_ANSWER.body, headers=_ANSWER.headers)
