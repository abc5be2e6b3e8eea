"""A real local object store: moto's server, as a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nginx.server import free_port

BUCKET = "numbers"


class Bucket:
    """A bucket in a store of its own; `environment` is what a client needs to know of it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"s3://{BUCKET}/ticker"
        self.environment = {
            "AWS_ENDPOINT": f"http://127.0.0.1:{port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "id",
            "AWS_SECRET_ACCESS_KEY": "hidden",
            "AWS_REGION": "us-east-1",
        }

    def start(self) -> subprocess.Popen[bytes]:
        """Start the store, empty but for the bucket."""
        command = [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(self.port)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.call("PUT", "")
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return process

    def call(self, method: str, path: str) -> tuple[bytes, dict[str, str]]:
        """One request as any reader of the bucket makes it: body and headers."""
        url, signed = f"http://127.0.0.1:{self.port}/{BUCKET}{path}", {"Authorization": "AWS id:anything"}
        request = urllib.request.Request(url, method=method, headers=signed)
        with urllib.request.urlopen(request, timeout=5) as got:  # noqa: S310 - the address is our own
            return got.read(), {name.title(): value for name, value in got.headers.items()}

    def get(self, path: str) -> tuple[bytes, dict[str, str]]:
        """An object of the export: body and headers."""
        return self.call("GET", f"/ticker/{path}")


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """A bucket in a store that is not there, as the environment of this process names it."""
    found = Bucket(free_port())
    for name, value in found.environment.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def bucket(away: Bucket) -> Iterator[Bucket]:
    """The same with the store."""
    process = away.start()
    yield away
    process.terminate()
    process.wait(10)
