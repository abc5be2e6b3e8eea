"""The servers that ours is measured beside, each giving the same answer: our own body and header fields, byte for byte.

Their libraries are the group `bench`; nginx and wrk come from Debian.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench.peers import nginx

# What every server writes itself; urllib asks for the connection to be closed.
THEIRS = ("Date", "Server", "Content-Length", "Connection")


@dataclass(frozen=True, slots=True)
class Answer:
    """What every peer answers."""

    body: bytes
    headers: dict[str, str]

    def write(self, file: Path) -> None:
        """Keep it where a peer's process can read it."""
        file.write_text(json.dumps({"body": self.body.decode(), "headers": self.headers}))

    @classmethod
    def read(cls, file: Path) -> Answer:
        """What `write` kept."""
        kept = json.loads(file.read_text())
        return cls(kept["body"].encode(), kept["headers"])


def _python(name: str) -> Callable[[Path, int], list[str]]:
    def command(folder: Path, port: int) -> list[str]:
        return [sys.executable, "-m", f"tests.bench.peers.{name}", str(port), str(folder / "answer.json")]

    return command


def _ours(*flags: str) -> Callable[[Path, int], list[str]]:
    return lambda _folder, port: [sys.executable, "-m", "tests.bench.peers.ours", str(port), *flags]


def _granian(_folder: Path, port: int) -> list[str]:
    options = ["--interface=rsgi", "--workers=1", "--loop=uvloop", "--no-ws", "--no-access-log", "--log-level=error"]
    return [sys.executable, "-m", "granian", *options, "--port", str(port), "tests.bench.peers.rsgi:App"]


def _flask(_folder: Path, port: int) -> list[str]:
    options = ["--workers", "1", "--worker-class", "gthread", "--threads", "4", "--keep-alive", "75"]
    options += ["--log-level", "error", "--bind", f"127.0.0.1:{port}"]
    return [sys.executable, "-m", "gunicorn", *options, "tests.bench.peers.wsgi:app"]


# By name, the command that starts it in a folder with `answer.json`, on a port.
PEERS: dict[str, Callable[[Path, int], list[str]]] = {
    "ticker, fast path": _ours("fast"),
    "ticker, ordinary path": _ours("ordinary"),
    "aiohttp + uvloop": _python("hello"),
    "nginx, static file": nginx.static,
    "nginx, return": nginx.returning,
    "Starlette": _python("starlette_app"),
    "FastAPI, response model": _python("fastapi_app"),
    "Litestar": _python("litestar_app"),
    "Granian, RSGI": _granian,
    "Flask + gunicorn": _flask,
}
