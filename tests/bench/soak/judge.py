"""What readers were shown, held against the world's own record: is every number true, and every old one marked."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any

import simplejson

from tests.bench.world import MOSCOW, YORK, World, brent, rates
from ticker.app import Service

# A market's stamp has whole seconds and its price cents.
CENTS = Decimal("0.02")
WIDGET = re.compile(rb'data-symbol="(\w+)" data-status="(\w+)".*?(?:<data value="([^"]+)"|<span)')
VERSION = re.compile(rb'data-version="(\d+)"')
# Loosely, beside the calendars: a table is known six hours after it is out; a market prints, and an hour may be lost.
TABLE_LATE, MARKET_LATE = timedelta(hours=6), timedelta(hours=2, minutes=10)


@dataclass
class Judge:
    """Counts what is wrong, the first of each kind in words. `service` never runs: it has the calendars."""

    world: World
    service: Service
    found: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    boards: dict[int, dict[str, tuple[str, str | None]]] = field(default_factory=dict)
    _last: tuple[bytes, Any] = (b"", None)

    def board(self, body: bytes, asked: datetime | None) -> None:
        """A whole answer of /v1/quotes; `asked` is when, None for an event, which tells the moment it was made."""
        if body != self._last[0]:
            self._last = (body, simplejson.loads(body, use_decimal=True))
        board = self._last[1]
        moment = asked or datetime.fromisoformat(board["generated_at"])
        shown = {}
        for quote in board["quotes"]:
            self.quote(quote, moment)
            shown[quote["symbol"]] = (quote["status"], None if quote["price"] is None else str(quote["price"]))
        self.boards[board["version"]] = shown
        if len(self.boards) > 2000:
            del self.boards[next(iter(self.boards))]

    def widget(self, body: bytes) -> None:
        """A fragment: what the JSON of its version said, where that was seen."""
        found = VERSION.search(body)
        known = self.boards.get(int(found[1])) if found else None
        if known is None:
            return
        shown = {s.decode(): (status.decode(), value.decode() or None) for s, status, value in WIDGET.findall(body)}
        if shown != known:
            self.note("wrong", f"the fragment says {shown} where the JSON said {known}")
        self.statuses["fragments compared"] += 1

    def quote(self, quote: dict[str, Any], moment: datetime) -> None:
        """One quote, as it was shown at `moment` or later."""
        symbol, price, status = quote["symbol"], quote["price"], quote["status"]
        self.statuses[status] += 1
        if (price is None) != (status == "unavailable"):
            self.note("wrong", f"{symbol} is {status} and {price}")
        if price is None:
            return
        as_of = datetime.fromisoformat(quote["as_of"])
        if not self.true(symbol, price, as_of):
            self.note("wrong", f"{symbol} {price} as of {as_of} at {moment}, from {quote['source']}")
        if quote["previous"] is not None and symbol != "OIL":
            before = datetime.fromisoformat(quote["previous_as_of"])
            if not self.true(symbol, quote["previous"], before):
                self.note("wrong", f"{symbol} {quote['previous']} before, as of {before}")
        if status == "fresh" and self.late(symbol, quote["source"], as_of, moment):
            self.note("unmarked", f"{symbol} as of {as_of} from {quote['source']} is fresh at {moment}")
        if as_of + self.service.board.latest.get(symbol).instrument.max_age <= moment:  # type: ignore[union-attr]
            self.note("unmarked", f"{symbol} as of {as_of} is shown at {moment}")

    def true(self, symbol: str, price: Decimal, as_of: datetime) -> bool:
        """Whether that was the price then, by the world's own record."""
        if symbol == "OIL":
            return abs(price - brent(as_of)) <= CENTS
        return bool(price == rates(as_of.astimezone(MOSCOW).date())[symbol])

    def late(self, symbol: str, source: str, as_of: datetime, moment: datetime) -> bool:
        """Whether there had long been a newer one, by the source's calendar or plainly by what the world did."""
        calendar = self.service.poller.calendars(symbol)[source]
        if calendar.fresh_until(as_of) <= moment:
            return True
        if symbol != "OIL":
            # A table counts from its own day: tomorrow's, which is out this evening, makes nothing old.
            today, known = moment.astimezone(MOSCOW).date(), moment - TABLE_LATE
            in_force = max(day for published, day in self.world.tables if published <= known and day <= today)
            return as_of.astimezone(MOSCOW).date() < in_force
        self.world.now = moment - MARKET_LATE
        if source == "moex":
            return as_of < self.world.traded(MOSCOW, time(9), time(23, 50), range(5), "RU") - timedelta(hours=1)
        return as_of < self.world.traded(YORK, time(20), time(18), (6, 0, 1, 2, 3), None) - timedelta(hours=2)

    def note(self, what: str, words: str) -> None:
        """Count it."""
        self.found[what] += 1
        self.first.setdefault(what, words)
