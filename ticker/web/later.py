"""Handlers that a start does not need: their file is imported when the first request for it comes, off the loop."""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp import web
    from aiohttp.typedefs import Handler


def later(place: str) -> Handler:
    """The handler at `place`, "file.name" of this room."""
    module, _, name = f"ticker.web.{place}".rpartition(".")

    async def handler(request: web.Request) -> web.StreamResponse:
        # What is imported may take tens of milliseconds; others are answered meanwhile.
        found = sys.modules.get(module) or await asyncio.to_thread(import_module, module)
        answered: web.StreamResponse = await getattr(found, name)(request)
        return answered

    return handler
