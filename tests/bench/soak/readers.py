"""Readers over HTTP and over streams, who hand what they are told to the judge. A failed read is theirs to tell."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from tests.bench.soak.judge import Judge

# What is asked, so many times in a hundred.
QUESTIONS = (
    *(("/v1/quotes?lang=en", "board"),) * 55,
    *(("/widget?lang=en", "widget"),) * 25,
    *(("/widget?lang=ru&style=change", ""),) * 8,
    *(("/v1/quotes/USD", ""),) * 4,
    *(("/v1/convert?amount=100&from=USD&to=EUR", ""),) * 2,
    *(("/v1/quotes/OIL/history?limit=20", ""),) * 2,
    *(("/sparkline/OIL.svg", ""),) * 1,
    *(("/v1/sources", ""),) * 1,
    *(("/healthz", ""),) * 2,
)
# A page may say that there is no number (404 of a conversion or of a history that has not begun): that is an answer.
ANSWERS = {200, 304, 404}
PATIENCE = 10.0


@dataclass
class Readers:
    """Readers of one port; `clock` is the service's."""

    port: int
    clock: Callable[[], datetime]
    judge: Judge
    reads: int = 0
    events: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    async def read(self, pause: float, first: int) -> None:
        """Ask one thing after the other on a connection that stays open, `pause` real seconds from one to the next."""
        loop, turn = asyncio.get_running_loop(), first
        while True:
            due = loop.time()
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                while True:
                    due = max(due + pause, loop.time() - 5)
                    await asyncio.sleep(due - loop.time())
                    turn += 37
                    await self._ask(reader, writer, *QUESTIONS[turn % len(QUESTIONS)])
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                self.failures[f"{type(error).__name__}: {error}"[:120]] += 1
            finally:
                writer.close()

    async def _ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, kind: str) -> None:
        asked = self.clock()
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n".encode())
        async with asyncio.timeout(PATIENCE):
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
        self.reads += 1
        status = int(head[9:12])
        self.answers[f"{status} {path.partition('?')[0]}"] += 1
        if status not in ANSWERS or (status == 404 and kind):
            self.failures[f"{status} {path}: {body[:200]!r}"] += 1
        elif kind == "board":
            self.judge.board(body, asked)
        elif kind == "widget":
            self.judge.widget(body)

    async def listen(self) -> None:
        """Follow the stream; its end is a failure."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(b"GET /v1/stream?lang=en HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while line := await asyncio.wait_for(reader.readline(), 60):
                if line.startswith(b"data: "):
                    self.events += 1
                    self.judge.board(line.removeprefix(b"data: ").strip(), None)
            self.failures["a stream ended"] += 1
        except (OSError, TimeoutError, ValueError) as error:
            self.failures[f"stream: {type(error).__name__}: {error}"[:120]] += 1
        finally:
            writer.close()


def _length(head: bytes) -> int:
    """The announced length of a body. Raises ValueError where none is."""
    _, found, rest = head.lower().partition(b"content-length: ")
    if not found:
        raise ValueError(f"no length: {head[:80]!r}")
    return int(rest.partition(b"\r\n")[0])
