"""The ways in which Redis is run, each for real: behind TLS, watched by a Sentinel, as a Cluster."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.needs import needs
from tests.redises import PATIENCE, Server, free_port, redis_server

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
