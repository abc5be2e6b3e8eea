"""The service as a process of its own, as an operator runs it: signals in, log lines out."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.patience import PATIENCE
from tests.support.project_files import ROOT


class Process:
    """A running `ticker serve`, with what it has logged so far."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self.child = child
        self.lines: list[dict[str, Any]] = []
        self.news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    @property
    def url(self) -> str:
        """Where readers ask."""
        return str(next(line["url"] for line in self.lines if line["event"] == "ticker serves"))

    @property
    def metrics(self) -> str:
        """Where Prometheus asks."""
        return str(next(line["url"] for line in self.lines if line["event"] == "metrics"))

    def count(self, event: str) -> int:
        """How often `event` was logged."""
        return sum(line["event"] == event for line in self.lines)

    async def said(self, event: str, times: int = 1, patience: float = PATIENCE) -> None:
        """Wait until `event` was logged so many times. Raises TimeoutError."""
        async with asyncio.timeout(patience), self.news:
            await self.news.wait_for(lambda: self.count(event) >= times)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.child.send_signal(number)

    async def ended(self) -> int:
        """Wait for the end; the exit code. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE):
            await self._reader
            return await self.child.wait()

    async def _read(self) -> None:
        assert self.child.stderr is not None
        async for raw in self.child.stderr:
            async with self.news:
                self.lines.append(json.loads(raw))
                self.news.notify_all()


@asynccontextmanager
async def running(
    config: Path,
    upstream: str,
    environment: Mapping[str, str] | None = None,
    *flags: str,
    under: Sequence[str] = (),
    patience: float = PATIENCE,
) -> AsyncIterator[Process]:
    """`ticker serve` on free ports over `upstream`; killed at the end where it still runs.

    `under` is a command that runs another one and becomes it.
    """
    serve = (sys.executable, "-m", "ticker", "serve", "--config", str(config), "--upstream", upstream, *flags)
    command = (*under, *serve)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("TICKER_")}
    settings = {
        "TICKER_SERVER__PORT": "0",
        "TICKER_SERVER__METRICS_PORT": "0",
        "TICKER_STORE__URL": "memory://",
        **(environment or {}),
    }
    child = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env={**plain, **settings}, stderr=asyncio.subprocess.PIPE
    )
    process = Process(child)
    try:
        await process.said("ticker serves", patience=patience)
        yield process
    finally:
        if child.returncode is None:
            child.kill()
        await process.ended()


async def until(wanted: Callable[[], Any], seconds: float = PATIENCE) -> None:
    """Wait until the coroutine function `wanted` says so: what happens in another process rings no bell here.

    Raises TimeoutError.
    """
    async with asyncio.timeout(seconds):
        while not await wanted():  # noqa: ASYNC110 - the event is in another process
            await asyncio.sleep(0.1)


async def answers(session: aiohttp.ClientSession, url: str) -> bool:
    """Whether `url` gives 200."""
    try:
        async with session.get(url) as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False


async def samples(session: aiohttp.ClientSession, url: str) -> dict[str, float]:
    """The samples of `url`/metrics by name and labels as written."""
    async with session.get(f"{url}/metrics") as response:
        text = await response.text()
    rows = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in rows}
