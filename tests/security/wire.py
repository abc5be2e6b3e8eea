"""A client without manners: it says bytes, and hears what comes back and whether the connection is over."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.support.patience import PATIENCE

_HEAD = re.compile(rb"HTTP/[0-9.]+ ([0-9]{3}) [^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n")
# The last request of a test; once it is answered nothing more is to come.
END = b"GET /the-end HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Heard:
    """Everything up to the end of the connection."""

    text: bytes

    @property
    def statuses(self) -> list[int]:
        """Of each answer, in order."""
        return [int(found[1]) for found in _HEAD.finditer(self.text)]

    @property
    def heads(self) -> list[dict[str, str]]:
        """The headers of each answer, by small names."""
        return [
            {name.lower(): value for name, _, value in (line.partition(": ") for line in head[2].decode().splitlines())}
            for head in _HEAD.finditer(self.text)
        ]


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A bare connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def say(port: int, words: bytes) -> Heard:
    """Say `words`; hear all until the other side hangs up. Raises TimeoutError where it does not."""
    async with connected(port) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(words)
        return Heard(await heard(reader))


async def heard(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the end, a reset among the ends."""
    text = bytearray()
    try:
        while chunk := await reader.read(65_536):
            text += chunk
    except ConnectionError:
        pass
    return bytes(text)
