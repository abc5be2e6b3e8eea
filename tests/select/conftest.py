from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ticker.calendars import Calendar
from ticker.calendars.publication import Publication
from ticker.calendars.session import Session
from ticker.quotes import Candidate, Instrument, PriceType, Quote, Reason
from ticker.select.choose import choose
from ticker.select.question import Choice, Memory, Question

MOSCOW = ZoneInfo("Europe/Moscow")
TABLE = Publication(zone=MOSCOW, at=time(16), grace=timedelta(hours=4), holidays="RU", lead=1)
MARKET = Session(
    zone=MOSCOW, opens=time(9), closes=time(23, 50), delay=timedelta(minutes=15), grace=timedelta(minutes=45)
)


def instrument(
    symbol: str = "USD", sources: tuple[str, ...] = ("cbr", "mirror", "third"), **changes: object
) -> Instrument:
    """An instrument as the shipped configuration has it."""
    given: dict[str, Any] = {
        "symbol": symbol,
        "base": symbol,
        "quote": "RUB",
        "unit": "1",
        "decimals": 2,
        "sources": sources,
        "max_age": timedelta(days=14),
        "max_move": Decimal("0.08"),
        "tolerance": Decimal("0.05"),
        **changes,
    }
    return Instrument(**given)


@dataclass
class Desk:
    """An instrument's choices one after the other, as the poller makes them, on a clock that the test moves."""

    what: Instrument
    calendars: dict[str, Calendar]
    now: datetime
    kind: PriceType = PriceType.FIXING
    candidates: dict[str, Candidate] = field(default_factory=dict)
    last: Quote | None = None
    memory: Memory = field(default_factory=Memory)
    failures: dict[str, Reason] = field(default_factory=dict)
    asked: dict[str, datetime] = field(default_factory=dict)
    contradicted: frozenset[str] = frozenset()

    def says(self, source: str, price: str, as_of: datetime | date | None = None, **changes: object) -> Desk:
        """`source` answers with `price`; without `as_of`, of tomorrow for a fixing and of now for a market."""
        if as_of is None:
            as_of = self.now.date() + timedelta(days=1) if self.kind is PriceType.FIXING else self.now
        if not isinstance(as_of, datetime):
            as_of = datetime.combine(as_of, time(), MOSCOW)
        publisher = "cbr" if self.kind is PriceType.FIXING else source
        given: dict[str, Any] = {"publisher": publisher, "price_type": self.kind, "as_of": as_of, **changes}
        self.candidates[source] = Candidate(
            symbol=self.what.symbol, source=source, price=Decimal(price), fetched_at=self.now, **given
        )
        self.asked[source] = self.now
        self.failures.pop(source, None)
        return self

    def choose(self) -> Choice:
        """Choose, and remember as the poller does."""
        ask = Question(
            self.what,
            [*self.candidates.values()],
            self.calendars,
            self.now,
            self.last,
            self.memory,
            self.failures,
            self.asked,
            self.contradicted,
        )
        choice = choose(ask)
        self.last, self.memory = choice.quote, choice.memory
        return choice

    @property
    def price(self) -> str | None:
        """The price shown after a choice now."""
        price = self.choose().quote.price
        return None if price is None else str(price)

    def later(self, **step: float) -> Desk:
        """Let time pass."""
        self.now += timedelta(**step)
        return self


@pytest.fixture
def fixing() -> Desk:
    """The dollar on Wednesday 20 November 2024 in the evening: 100.0348 shown, all three copies say so."""
    desk = Desk(
        instrument(), dict.fromkeys(("cbr", "mirror", "third"), TABLE), datetime(2024, 11, 20, 10, tzinfo=MOSCOW)
    )
    for source in ("cbr", "mirror", "third"):
        desk.says(source, "100.0348", date(2024, 11, 20))
    assert desk.price == "100.0348"
    desk.now = datetime(2024, 11, 20, 17, tzinfo=MOSCOW)
    return desk


@pytest.fixture
def market() -> Desk:
    """Brent on Friday 22 November 2024 at noon: 73.73 shown from one exchange, 74.00 at the other."""
    desk = Desk(
        instrument("OIL", ("moex", "yahoo")),
        {"moex": MARKET, "yahoo": MARKET},
        datetime(2024, 11, 22, 12, tzinfo=MOSCOW),
        PriceType.LAST,
    )
    assert desk.says("moex", "73.73").says("yahoo", "74.00").price == "73.73"
    return desk
