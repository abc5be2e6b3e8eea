"""Around the fetcher: every answer and failure that passes is appended to the recording."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

from ticker.fetch.hiding import hidden, hidden_bytes
from ticker.log import Log
from ticker.quotes import SourceError
from ticker.recording.entries import HEAD, VERSION, Entry, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime, timedelta
    from pathlib import Path
    from types import TracebackType

    from ticker.fetch import Answer, Fetching

log = Log(__name__)

# They say who asked, and nothing of what was answered.
_LEFT_OUT = {"set-cookie"}


class Recorder:
    """A fetcher that writes down what `fetcher` brings; `bases` are the sources by their base address.

    A disk that takes nothing is said once and stops no poll. The user's keys are never written.
    """

    def __init__(
        self, fetcher: Fetching, folder: Path, bases: Mapping[str, str], clock: Callable[[], datetime]
    ) -> None:
        self.answers = self.failures = 0
        self._fetcher = fetcher
        self._folder = folder
        self._bases = bases
        self._clock = clock
        self._file: int | None = None
        self._day: date | None = None
        self._bodies: dict[tuple[str, str], bytes] = {}
        self._failing = False

    async def __aenter__(self) -> Self:
        await self._fetcher.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
        await self._fetcher.__aexit__(kind, error, trace)

    async def get(
        self,
        url: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        timeout: timedelta,  # noqa: ASYNC109 - handed on
        max_bytes: int,
        secret: Mapping[str, str] | None = None,
    ) -> Answer:
        """As the fetcher's own; see there."""
        source, path = located(self._bases, url, query)
        keys, began = list((secret or {}).values()), time.monotonic()
        try:
            answer = await self._fetcher.get(url, query, headers, timeout=timeout, max_bytes=max_bytes, secret=secret)
        except SourceError as error:
            told = SourceError(error.reason, hidden(error.detail, keys), retry_after=error.retry_after)
            self._append(Entry(self._clock(), source, path, round(time.monotonic() - began, 3), failure=told))
            raise
        headers = {name: value for name, value in answer.headers.items() if name.lower() not in _LEFT_OUT}
        kept = {name: hidden(value, keys) for name, value in headers.items()}
        took = round(time.monotonic() - began, 3)
        # An answer may repeat the key that it was asked with ("your key ABC has ten requests left").
        body = hidden_bytes(answer.body, keys) if keys else answer.body
        self._append(Entry(self._clock(), source, path, took, answer.status, kept, body))
        return answer

    def _append(self, entry: Entry) -> None:
        try:
            file = self._opened(entry.at)
            line = memoryview(written(entry, self._bodies))
            while line:
                line = line[os.write(file, line) :]
        except OSError as error:
            # A line that is half written is ended by the next one's file being opened anew.
            self._day, self._bodies = None, {}
            if not self._failing:
                log.error("cannot record", folder=str(self._folder), error=str(error))  # noqa: TRY400 - a person reads it
            self._failing = True
        else:
            self.failures += entry.failure is not None
            self.answers += entry.failure is None
            self._failing = False

    def _opened(self, at: datetime) -> int:
        """The day's file, opened for appending; what a killed run left of a line is ended first."""
        if self._file is not None and self._day == at.date():
            return self._file
        if self._file is not None:
            os.close(self._file)
            self._file = None
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{at.date()}.ndjson"
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        self._bodies = {}
        size = os.fstat(self._file).st_size
        if size and os.pread(self._file, 1, size - 1) != b"\n":
            os.write(self._file, b"\n")
        os.write(self._file, json.dumps({HEAD: VERSION, "at": at.isoformat()}).encode() + b"\n")
        self._day = at.date()
        return self._file


def located(bases: Mapping[str, str], url: str, query: Mapping[str, str]) -> tuple[str, str]:
    """The source that `url` is of, and the path behind its base address, with the query."""
    base = max((base for base in bases if url.startswith(base)), key=len, default="")
    path = url.removeprefix(base)
    return bases.get(base, ""), f"{path}?{urlencode(query)}" if query else path
