"""uvicorn as fast as it goes: uvloop, httptools, one process, no access log."""

from __future__ import annotations

import sys
from typing import Any

import uvicorn


def run(app: Any) -> None:  # noqa: ANN401 - any ASGI application
    """Serve `app` on the command line's port until it is ended."""
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="error",
        timeout_keep_alive=75,
    )
