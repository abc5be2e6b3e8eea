"""New configurations while a service runs."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable

from ticker.app import Service
from ticker.log import Log
from ticker.settings.errors import ConfigurationError
from ticker.settings.loader import Loaded

log = Log(__name__)


async def reloads(
    service: Service, again: Callable[[], Loaded] | None, hang_up: asyncio.Event, tell: Callable[[str], None]
) -> None:
    """One after the other; signals that come during a reload are one more reload."""
    while again is not None:
        await hang_up.wait()
        hang_up.clear()
        tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
        await _reload(service, again)
        tell("READY=1")


async def _reload(service: Service, again: Callable[[], Loaded]) -> None:
    """Take the configuration that `again` reads, or keep the one in force and say why."""
    try:
        loaded = await asyncio.to_thread(again)
        service.adopt(loaded.settings)
    except ConfigurationError as error:
        service.context.process_health.reloaded(str(error))
        log.error("configuration refused, the old one stays", error=str(error))  # noqa: TRY400 - a person reads it
    except Exception as error:
        service.context.process_health.reloaded(f"{type(error).__name__}: {error}")
        log.exception("configuration refused, the old one stays")
    else:
        service.context.process_health.reloaded()
        log.info("configuration reloaded")
        # What the former one was made of, in rings: of itself the collector looks too seldom for who reloads often.
        gc.collect()
