"""The real `ticker` as a process of its own, in an empty folder."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession

from tests.support.patience import PATIENCE
from tests.support.project_files import ROOT

TICKER = str(Path(sys.executable).parent / "ticker")
DAY = "2024-11-22T12:00+03:00"
# Of this very tree, also where it is a copy of the one that is installed.
VARIABLES = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}


async def started(folder: Path, *arguments: str, **environment: str) -> Process:
    """`ticker` in an empty folder, with a wide terminal and no setting of this machine."""
    pipe = asyncio.subprocess.PIPE
    variables = {**VARIABLES, "COLUMNS": "240", "PYTHONWARNINGS": "error", **environment}
    return await asyncio.create_subprocess_exec(
        TICKER, *arguments, cwd=folder, env=variables, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )


async def done(folder: Path, *arguments: str, **environment: str) -> tuple[int | None, str, str]:
    """Exit code, output and errors of a `ticker` that ends by itself."""
    process = await started(folder, *arguments, **environment)
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def serving(folder: Path, *arguments: str, **environment: str) -> AsyncIterator[tuple[Process, str]]:
    """A `ticker` that serves, and where; ended by SIGTERM unless it has ended."""
    process = await started(folder, *arguments, **environment)
    assert process.stderr is not None
    try:
        async with asyncio.timeout(PATIENCE):
            found = None
            while found is None:
                line = (await process.stderr.readline()).decode()
                assert line, "ended without a word"
                found = re.search(r'"url": "(http://[^"]+)"', line)
        yield process, found[1]
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(PATIENCE):
            await process.communicate()


async def ready(session: ClientSession, url: str) -> None:
    """Wait until every instrument has a number."""
    async with asyncio.timeout(PATIENCE):
        while (await session.get(f"{url}/readyz")).status != 200:  # noqa: ASYNC110 - another process rings no bell
            await asyncio.sleep(0.02)
