"""An RSGI application for Granian; the answer is where the environment says."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.bench.peers import Answer

_ANSWER = Answer.read(Path(os.environ["BENCH_ANSWER"]))
_HEADERS = [(name.lower(), value) for name, value in _ANSWER.headers.items()]


class App:
    """The same to everybody."""

    @staticmethod
    async def __rsgi__(_scope: Any, protocol: Any) -> None:  # noqa: ANN401 - Granian's own
        protocol.response_bytes(200, _HEADERS, _ANSWER.body)
