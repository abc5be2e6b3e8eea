"""Redis for real: a redis-server of the test's own, which can be paused, stopped and started again."""

from __future__ import annotations

import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.programs import needs

# Nothing on the disk unless a test asks for it: a restart then is a restart with nothing in it.
VOLATILE = ("--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0")


def free_port(host: str = "127.0.0.1") -> int:
    """A port of `host` that nobody listens on now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


class Server:
    """A redis-server with `options` on a port of its own, in a folder of its own."""

    def __init__(self, folder: str, *options: str, tls: bool = False) -> None:
        self.port = free_port()
        self._folder = Path(folder)
        ports = ("--port", "0", "--tls-port", str(self.port)) if tls else ("--port", str(self.port))
        self._command = (needs("redis-server"), *options, *ports, "--bind", "127.0.0.1", "-::1", "--dir", folder)
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


# The ways in which Redis is run, each for real: behind TLS, watched by a Sentinel, as a Cluster.


SLOTS = 16384


def certificates(folder: Path) -> None:
    """An authority of our own, `ca.pem`, and what it signed for 127.0.0.1: `server.pem` with `server.key`."""
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    authority = ("-CA", "ca.pem", "-CAkey", "ca.key")
    for name, subject, signed in (("ca", "/CN=ours", ()), ("server", "/CN=127.0.0.1", authority)):
        own = ("-subj", subject, "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2")
        files = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        command = (needs("openssl"), "req", "-x509", *key, *own, *files, *signed)
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


@contextmanager
def behind_tls(folder: Path) -> Iterator[Server]:
    """A server that speaks TLS only and asks nobody for a certificate."""
    certificates(folder)
    files = {"cert": "server.pem", "key": "server.key", "ca-cert": "ca.pem"}
    options = [word for name, file in files.items() for word in (f"--tls-{name}-file", str(folder / file))]
    with redis_server(*options, "--tls-auth-clients", "no", tls=True) as server:
        yield server


@contextmanager
def watched(folder: Path) -> Iterator[tuple[str, Server, Server]]:
    """A primary, its replica and a Sentinel that watches them: the address, and the two."""
    with ExitStack() as stack:
        primary = stack.enter_context(redis_server())
        replica = stack.enter_context(redis_server("--replicaof", "127.0.0.1", str(primary.port)))
        until(lambda: "master_link_status:up" in replica.tell("INFO", "replication"))
        configuration = folder / "sentinel.conf"
        configuration.write_text(
            f"sentinel monitor prime 127.0.0.1 {primary.port} 1\n"
            "sentinel down-after-milliseconds prime 300\nsentinel failover-timeout prime 3000\n"
        )
        sentinel = stack.enter_context(redis_server(sentinel=configuration))
        until(lambda: f"num-slaves\r\n${1}\r\n1" in sentinel.tell("SENTINEL", "MASTER", "prime"))
        yield f"redis+sentinel://127.0.0.1:{sentinel.port}/prime/0", primary, replica


@contextmanager
def cluster() -> Iterator[tuple[str, list[Server]]]:
    """Three nodes that have all slots between them: the address, and the nodes."""
    with ExitStack() as stack:
        buses = [str(free_port()) for _ in range(3)]
        own = ("--cluster-enabled", "yes", "--cluster-node-timeout", "500", "--cluster-port")
        nodes = [stack.enter_context(redis_server(*own, bus)) for bus in buses]
        for place, node in enumerate(nodes):
            first, last = place * SLOTS // 3, (place + 1) * SLOTS // 3 - 1
            node.tell("CLUSTER", "ADDSLOTSRANGE", str(first), str(last))
            node.tell("CLUSTER", "SET-CONFIG-EPOCH", str(place + 1))
            node.tell("CLUSTER", "MEET", "127.0.0.1", str(nodes[0].port), buses[0])
        until(lambda: all(whole(node) for node in nodes))
        yield "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes[:2]), nodes


def whole(node: Server) -> bool:
    """Whether the node knows the others, and all slots are served."""
    told = node.tell("CLUSTER", "INFO")
    return "cluster_state:ok" in told and "cluster_known_nodes:3" in told


def until(true: Callable[[], bool]) -> None:
    """Wait until `true` is. Raises AssertionError."""
    latest = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < latest
        time.sleep(0.02)
