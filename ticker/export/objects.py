"""A bucket as a target, S3's, Google's or Azure's: a put is whole or nothing, and says type, coding and caching.

The manifest there names the digest of every object. What is about to be written loses its digest first: an exporter
that dies in between has not lied, and the next one writes those objects again, whatever their bytes have become.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from ticker.export.files import MANIFEST, STATUS, Output, TargetError, Trust, digests_in, manifest_of

# The library's own threads may still be handing over an answer when the process ends. One that asks for an interpreter
# which is being taken down aborts the process (exit code -6); they need a moment for it, and no lock of ours meanwhile.
atexit.register(time.sleep, 0.1)

_AT_ONCE = 8
_CLIENT = {"timeout": timedelta(seconds=10), "connect_timeout": timedelta(seconds=5)}
# With options of one's own the library does not look for this any more.
_ALLOW_HTTP = ("AWS_ALLOW_HTTP", "AZURE_ALLOW_HTTP", "GOOGLE_ALLOW_HTTP")
# The exporter tries again itself, and says so.
_RETRY = {"max_retries": 2, "retry_timeout": timedelta(seconds=15)}
_MEND = "see address, credentials and endpoint (AWS_…, GOOGLE_…, AZURE_… in the environment)"


class Objects:
    """Writes below the address `where`; credentials and endpoint are the environment's, as the provider names them."""

    renewal = timedelta(seconds=60)

    def __init__(self, where: str) -> None:
        self._where = where
        plain = any(os.environ.get(name, "").lower() in ("true", "1") for name in _ALLOW_HTTP)
        with _told(where):
            self._store = from_url(where, client_options={**_CLIENT, "allow_http": plain}, retry_config=_RETRY)  # type: ignore[call-overload]
        self._digests: dict[str, str | None] | None = None

    async def begin(self) -> None:
        """See what is there. Raises TargetError where nobody answers, or not to us."""
        with _told(self._where):
            self._digests = await self._found()

    async def write(self, outputs: Mapping[str, Output]) -> int:
        """Put what is new, delete what an earlier export left. Raises TargetError."""
        with _told(self._where):
            known = self._digests if self._digests is not None else await self._found()
            wanted = {path: output.digest for path, output in outputs.items()}
            new = [path for path, digest in wanted.items() if known.get(path) != digest]
            left = sorted(known.keys() - wanted.keys())
            if not new and not left:
                self._digests = known
                return 0
            # Until all is done we know nothing of these, whatever fails in between.
            self._digests = {**known, **dict.fromkeys(new)}
            await self._put(MANIFEST, manifest_of(self._digests))
            await self._put_all({path: outputs[path] for path in new})
            for path in left:
                # Some providers call it an error where there is nothing to delete.
                with suppress(FileNotFoundError):
                    await obstore.delete_async(self._store, path)
            await self._put(MANIFEST, manifest_of(wanted))
            self._digests = dict(wanted)
            return len(new)

    async def confirm(self, status: Output, trust: Trust) -> None:  # noqa: ARG002 - a bucket has no clock; the status says it
        """Put the status, which says how long the rest may be believed."""
        with _told(self._where):
            await self._put(STATUS, status)

    async def _found(self) -> dict[str, str | None]:
        """The digests of what is there; of what somebody has deleted, none."""
        try:
            held = await obstore.get_async(self._store, MANIFEST)
            digests = digests_in(bytes(await held.bytes_async()))
        except FileNotFoundError:
            return {}
        there = {each["path"] async for chunk in obstore.list(self._store) for each in chunk}
        return {path: digest if path in there else None for path, digest in digests.items()}

    async def _put_all(self, outputs: Mapping[str, Output]) -> None:
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(path: str, output: Output) -> None:
            async with gate:
                await self._put(path, output)

        async with asyncio.TaskGroup() as puts:
            for path, output in outputs.items():
                puts.create_task(one(path, output))

    async def _put(self, path: str, output: Output) -> None:
        said = {"Content-Type": output.content_type, "Cache-Control": output.cache_control}
        coded = {} if output.coding == "identity" else {"Content-Encoding": output.coding}
        await obstore.put_async(self._store, path, output.body, attributes={**said, **coded}, use_multipart=False)


@contextmanager
def _told(where: str) -> Iterator[None]:
    """The library's errors as ours, several at once as the first of them; without its dumps of whole answers."""
    try:
        yield
    except* (BaseError, OSError, ValueError) as group:
        error: BaseException = group
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        said = " ".join(str(error).partition("Debug source")[0].split())
        raise TargetError(f"{where}: {said[:300]}", _MEND) from None
