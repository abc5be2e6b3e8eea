"""Redis for real: a redis-server of the test's own, which can be paused, stopped and started again."""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.needs import needs

PATIENCE = 20.0
# Nothing on the disk unless a test asks for it: a restart then is a restart with nothing in it.
VOLATILE = ("--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A redis-server with `options` on a port of its own, in a folder of its own."""

    def __init__(self, folder: str, *options: str, tls: bool = False) -> None:
        self.port = free_port()
        self._folder = Path(folder)
        ports = ("--port", "0", "--tls-port", str(self.port)) if tls else ("--port", str(self.port))
        self._command = (needs("redis-server"), *options, *ports, "--bind", "127.0.0.1", "--dir", folder)
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Its address, without user or options."""
        return f"{'rediss' if self._tls else 'redis'}://127.0.0.1:{self.port}"

    def fresh(self) -> str:
        """Its address, with keys that nobody else has."""
        return f"{self.url}/0?prefix={uuid.uuid4().hex}"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        latest = time.monotonic() + PATIENCE
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > latest:
                raise AssertionError(f"redis-server does not run: {self._said()}")
            time.sleep(0.005)

    def tell(self, *words: str | bytes) -> str:
        """What it answers to a command of `words`, in the protocol's own letters; without TLS only."""
        with socket.create_connection(("127.0.0.1", self.port), 5) as wire:
            raw = [word if isinstance(word, bytes) else word.encode() for word in words]
            wire.sendall(b"*%d\r\n" % len(raw) + b"".join(b"$%d\r\n%s\r\n" % (len(each), each) for each in raw))
            return wire.recv(65536).decode()

    def pause(self) -> None:
        """Let it hang: connections are taken, nothing is answered."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End a pause."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(PATIENCE)
            if self._process.stdout:
                self._process.stdout.close()
        self._process = None

    def forget(self) -> None:
        """Lose what is on its disk; while it does not run."""
        for file in self._folder.iterdir():
            file.unlink()

    def restart(self) -> None:
        """Kill it and start it again on the same port."""
        self.kill()
        self.start()

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _said(self) -> str:
        self.go_on()
        assert self._process is not None
        self._process.kill()
        return self._process.communicate()[0].decode()[-2000:]

    def _listens(self) -> bool:
        with suppress(OSError):
            if self._tls:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
            return bool(self.tell("PING"))
        return False


@contextmanager
def redis_server(*options: str, sentinel: Path | None = None, tls: bool = False) -> Iterator[Server]:
    """A server that lives as long as the block; with `sentinel`, a Sentinel by that configuration."""
    first = (str(sentinel), "--sentinel") if sentinel else () if "--appendonly" in options else VOLATILE
    with tempfile.TemporaryDirectory(prefix="ticker-redis-") as folder:
        server = Server(folder, *first, *options, tls=tls)
        try:
            yield server
        finally:
            server.kill()
