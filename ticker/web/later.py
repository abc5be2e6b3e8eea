"""Handlers that a start does not need: their file is imported when the first request for it comes, off the loop."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.typedefs import Handler


def later(place: str) -> Handler:
    """The handler at `place`, "file.name" of this room."""
    module, _, name = f"ticker.web.{place}".rpartition(".")

    ready: list[Handler] = []

    async def handler(request: web.Request) -> web.StreamResponse:
        if not ready:
            # Tens of milliseconds, in which others are answered. Who asks meanwhile waits for the same import: a module
            # that is only half there stands among the imported ones already.
            ready.append(getattr(await asyncio.to_thread(import_module, module), name))
        return await ready[0](request)

    return handler
