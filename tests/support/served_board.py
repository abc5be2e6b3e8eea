"""The service on a port of this machine with a board that a test fills by hand: no source is asked, no time passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from aiohttp import web

from tests.support.upstream import Listening
from ticker.app import compose
from ticker.quotes import PriceType, Quote, Snapshot, Status
from ticker.settings.loader import load, shipped
from ticker.web.connections import Bounds
from ticker.web.context import Context
from ticker.web.listener import Listener
from ticker.web.routes import build

NOON = datetime(2024, 11, 22, 9, tzinfo=UTC)
FIXED = datetime.fromisoformat("2024-11-22T00:00:00+03:00")
TRADED = datetime.fromisoformat("2024-11-22T11:45:00+03:00")
# symbol: price, previous, source, as of
TRIO = {
    "USD": ("100.6798", "100.2192", "cbr", FIXED),
    "EUR": ("106.0762", "105.8067", "cbr", FIXED),
    "OIL": ("73.73", "74.12", "moex", TRADED),
}


@dataclass
class Live(Listening):
    """A server for `async with`; `stop` and `start` keep port and board: a test can kill it and bring it back."""

    context: Context
    port: int = 0
    runner: web.AppRunner | None = None
    bounds: Bounds = field(default_factory=lambda: Bounds(1000))

    async def start(self) -> None:
        """Listen."""
        app = build(self.context)
        self.runner = Listener(app, self.bounds, shutdown_timeout=0.2)
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", self.port).start()
        self.port = self.runner.addresses[0][1]

    async def stop(self) -> None:
        """Close every connection and listen no more."""
        if self.runner is not None:
            await self.runner.cleanup()
            self.runner = None

    def put(self, prices: dict[str, str] | None = None, status: Status = Status.FRESH) -> Snapshot:
        """Publish the trio with `prices` in place of its own, all of one status."""
        last, now = self.context.board.latest, NOON
        quotes = tuple(self._quote(quote, (prices or {}).get(quote.symbol), status) for quote in last.quotes)
        self.context.board.put(replace(last.follow(quotes, now), version=last.version + 1), now)
        return self.context.board.latest

    def _quote(self, quote: Quote, price: str | None, status: Status) -> Quote:
        shown, previous, source, as_of = TRIO[quote.symbol]
        if status is Status.UNAVAILABLE:
            return Quote(quote.instrument)
        return Quote(
            quote.instrument,
            price=Decimal(price or shown),
            price_type=PriceType.FIXING if source == "cbr" else PriceType.LAST,
            previous=Decimal(previous),
            previous_as_of=as_of - timedelta(days=1),
            as_of=as_of,
            fetched_at=NOON,
            source=source,
            status=status,
        )


def live(
    *,
    demo: bool = False,
    now: datetime = NOON,
    clock: Callable[[], datetime] | None = None,
    **flags: Any,  # noqa: ANN401 - any setting's value
) -> Live:
    """A server that is not started yet, its board filled with the trio; `flags` are settings, `__` for the dots.

    Its clock stands still at `now`, unless it has a `clock`.
    """
    config = load(shipped(), {}, {key.replace("__", "."): value for key, value in flags.items()}).settings
    service = compose(config, upstream="http://127.0.0.1:9", now=clock or (lambda: now), demo=demo, seed=1)
    served = Live(service.context)
    served.put()
    served.context.board.expect(now + timedelta(minutes=1))
    return served
