"""One server under load from another core: what it computes for a request, by the kernel's own account."""

from __future__ import annotations

import os
import re
import resource
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.programs import needs

PATIENCE = 20.0
CONNECTIONS = 32
# Neighbours on the same core are let in no more than the kernel must: a burst is short.
FIRST = ["nice", "--adjustment=-20"] if os.geteuid() == 0 else []
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}
_LATENCY = re.compile(r"^\s+(50|99)%\s+([0-9.]+)(us|ms|s)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Load:
    """One burst of requests: server microseconds each, requests a second, milliseconds to the median and the 99th."""

    cpu: float
    rate: float
    p50: float
    p99: float


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found, text
    return found[1]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server process on a core of its own, for `with`; its children are counted with it."""

    def __init__(self, command: list[str], port: int, answer: Path) -> None:
        self._command = [*FIRST, "taskset", "--cpu-list", "0", *command]
        self._environment = {**os.environ, "BENCH_ANSWER": str(answer)}
        self.url = f"http://127.0.0.1:{port}"

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, env=self._environment)
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/v1/quotes/USD", timeout=1):  # noqa: S310 - ours
                    return self
            except OSError:
                if time.monotonic() > ends or self._process.poll() is not None:
                    self.__exit__(None, None, None)
                    raise
                time.sleep(0.1)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def burst(self, target: str, headers: dict[str, str], seconds: int) -> Load:
        """Ask for `target` over and over for so long, from the other core."""
        fields = [part for name, value in headers.items() for part in ("--header", f"{name}: {value}")]
        wrk = [needs("wrk"), "--threads=1", f"--connections={CONNECTIONS}", f"--duration={seconds}s", "--latency"]
        command = [*FIRST, "taskset", "--cpu-list", "1", *wrk, *fields, self.url + target]
        before = self._cpu()
        done = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        cpu, requests = self._cpu() - before, int(_found(r"(\d+) requests in", done))
        if not requests:  # on a machine that is very busy a server may have had no turn in a second
            return self.burst(target, headers, seconds + 1)
        if "Non-2xx" in done and "If-None-Match" not in headers:
            raise AssertionError(f"{self.url}{target}: {done}")
        latency = {percent: float(value) * _UNITS[unit] for percent, value, unit in _LATENCY.findall(done)}
        rate = float(_found(r"Requests/sec:\s+([0-9.]+)", done))
        return Load(cpu / 1000 / requests, rate, latency["50"], latency["99"])

    def resident(self) -> float:
        """Megabytes."""
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self._pids())
        return pages * resource.getpagesize() / 1e6

    def _cpu(self) -> int:
        """Nanoseconds that all its threads have run."""
        files = (file for pid in self._pids() for file in Path(f"/proc/{pid}/task").glob("*/schedstat"))
        return sum(int(file.read_text().split()[0]) for file in files)

    def _pids(self) -> list[int]:
        pids = [self._process.pid]
        for pid in pids:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
            pids += [int(child) for child in children.split()]
        return pids
