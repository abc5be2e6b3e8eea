"""What `/readyz` tells the person who is paged: each instrument, each source, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ticker.quotes import Status
from ticker.render.wire import stamp, utc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ticker.health import Health
    from ticker.quotes import Quote, Snapshot


def readiness(snapshot: Snapshot, health: Mapping[str, Health], *, draining: bool = False) -> dict[str, object]:
    """`status` is "ready" only with a usable value for every required instrument and while the service stays."""
    missing = [q.symbol for q in snapshot.quotes if q.instrument.required and q.status is Status.UNAVAILABLE]
    return {
        "status": "draining" if draining else "not ready" if missing else "ready",
        "missing": missing,
        "instruments": {quote.symbol: _instrument(quote) for quote in snapshot.quotes},
        "sources": {source: _source(each) for source, each in health.items()},
    }


def _instrument(quote: Quote) -> dict[str, object]:
    return {
        "status": quote.status,
        "reason": quote.reason,
        "required": quote.instrument.required,
        "source": quote.source,
        "as_of": stamp(quote.as_of),
    }


def _source(health: Health) -> dict[str, object]:
    return {
        "up": health.up,
        "reason": health.reason,
        "failures_in_a_row": health.in_a_row,
        "last_success": utc(health.last_success),
        "next_poll": utc(health.next_poll),
    }
