from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ticker.calendars import Calendar, Publication, Session
from ticker.quotes import Candidate, Contract, Instrument, MarketData, PriceType, Quote, Reason, Tick
from ticker.selection.decide import Choice, choose
from ticker.selection.evidence import Quotient, SelectionInput
from ticker.selection.memory import SelectionMemory, decode, encode

MOSCOW = ZoneInfo("Europe/Moscow")
YORK = ZoneInfo("America/New_York")
TABLE = Publication(zone=MOSCOW, at=time(16), grace=timedelta(hours=4), holidays="RU", lead=1)
MARKET = Session(
    zone=MOSCOW, opens=time(8, 50), closes=time(23, 50), delay=timedelta(minutes=15), grace=timedelta(minutes=10)
)
ABROAD = Session(
    zone=YORK,
    days="sun-thu",
    opens=time(20),
    closes=time(18),
    delay=timedelta(minutes=10),
    grace=timedelta(minutes=15),
)
DAILY = Publication(zone=ZoneInfo("UTC"), at=time(0, 5), grace=timedelta(hours=30), days="mon-sun")


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
    """An instrument's decisions one after the other, as the poller makes them, on a clock that the test moves."""

    what: Instrument
    calendars: dict[str, Calendar]
    now: datetime
    kind: PriceType = PriceType.FIXING
    candidates: dict[tuple[str, datetime | None], Candidate] = field(default_factory=dict)
    last: Quote | None = None
    memory: SelectionMemory = field(default_factory=SelectionMemory)
    failures: dict[str, Reason] = field(default_factory=dict)
    asked: dict[str, datetime] = field(default_factory=dict)
    quotients: tuple[Quotient, ...] = ()
    rule: str = ""

    def says(self, source: str, price: str, as_of: datetime | date | None = None, **changes: Any) -> Desk:  # noqa: ANN401
        """`source` answers with `price`; without `as_of`, of tomorrow for a fixing and of now for a market."""
        if as_of is None:
            as_of = self.now.date() + timedelta(days=1) if self.kind is PriceType.FIXING else self.now
        if not isinstance(as_of, datetime):
            as_of = datetime.combine(as_of, time(), MOSCOW)
        publisher = "cbr" if self.kind is PriceType.FIXING else source
        code = changes.pop("code", None)
        market: MarketData | None = changes.pop("market", None)
        contract: Contract | None = changes.pop("contract", None) or (Contract(code) if code else None)
        tick = Tick(self.what.symbol, Decimal(price), "RUB", as_of, self.kind, market=market, contract=contract)
        given: dict[str, Any] = {"publisher": publisher, "price_type": self.kind, "as_of": as_of, **changes}
        made = Candidate(
            symbol=self.what.symbol,
            source=source,
            price=Decimal(price),
            fetched_at=self.now,
            checked_at=self.now,
            contract=contract,
            ticks=(tick,),
            **given,
        )
        key = (source, made.as_of if made.price_type is PriceType.FIXING else None)
        before = self.candidates.get(key)
        if before is not None and (before.price, before.as_of) == (made.price, made.as_of):
            made = Candidate(**{**_fields(made), "fetched_at": before.fetched_at})
        self.candidates[key] = made
        return self.answers(source)

    def crosses(self, *prices: str, as_of: date | None = None) -> Desk:
        """Other central banks' rates of a day, one each."""
        day = as_of or self.now.date()
        for name, price in zip(("nbrb", "nbk", "uz"), prices, strict=False):
            self.says(name, price, day, publisher=name, price_type=PriceType.MID, derived=True)
        return self

    def answers(self, *sources: str) -> Desk:
        """They have been asked now, and have said nothing new."""
        for source in sources:
            self.asked[source] = self.now
            self.failures.pop(source, None)
        return self

    def fails(self, *sources: str) -> Desk:
        """They do not answer, and what they said before is forgotten by nobody."""
        self.failures |= dict.fromkeys(sources, Reason.TIMEOUT)
        return self

    def choose(self) -> Choice:
        """Choose, and remember as the poller does: through the text that the store keeps."""
        choice = choose(self.question())
        self.last, self.memory = choice.quote, decode(encode({"X": choice.memory}))["X"]
        self.rule = choice.evidence.rule
        return choice

    def question(self) -> SelectionInput:
        """All that the next decision depends on."""
        return SelectionInput(
            self.what,
            [*self.candidates.values()],
            self.calendars,
            self.now,
            self.last.at(self.now) if self.last else None,
            self.memory,
            self.failures,
            self.asked,
            self.quotients,
            self.what.sources,
        )

    def restart(self) -> Desk:
        """The process begins anew: of what was heard nothing is left but the board and the memory beside it."""
        self.candidates.clear()
        self.asked.clear()
        self.failures.clear()
        return self

    @property
    def price(self) -> str | None:
        """The price shown after a decision now."""
        price = self.choose().quote.price
        return None if price is None else str(price)

    def shown(self) -> tuple[str | None, str, str | None]:
        """Price, status and reason after a decision now."""
        quote = self.choose().quote
        return None if quote.price is None else str(quote.price), str(quote.status), quote.reason and str(quote.reason)

    def coming(self) -> tuple[str, bool, str | None] | None:
        """What is upcoming after a decision now: price, whether it is confirmed, and what speaks against it."""
        found = self.choose().quote.upcoming
        return None if found is None else (str(found.price), found.confirmed, found.reason and str(found.reason))

    def later(self, **step: float) -> Desk:
        """Let time pass."""
        self.now += timedelta(**step)
        return self

    def at(self, day: int, hour: int, minute: int = 0) -> Desk:
        """Let it be that hour in Moscow, on that day of the month."""
        self.now = self.now.replace(day=day, hour=hour, minute=minute, second=0)
        return self


def _fields(candidate: Candidate) -> dict[str, Any]:
    return {name: getattr(candidate, name) for name in Candidate.__dataclass_fields__}


@pytest.fixture
def fixing() -> Desk:
    """The dollar on Wednesday 20 November 2024 at five: 100.0348 in force, all three copies said so in the morning."""
    fallbacks = ("nbrb", "nbk", "uz")
    desk = Desk(
        instrument(fallbacks=fallbacks),
        {**dict.fromkeys(("cbr", "mirror", "third"), TABLE), **dict.fromkeys(fallbacks, DAILY)},
        datetime(2024, 11, 20, 10, tzinfo=MOSCOW),
    )
    for source in ("cbr", "mirror", "third"):
        desk.says(source, "100.0348", date(2024, 11, 20))
    assert desk.price == "100.0348"
    return desk.at(20, 17)


@pytest.fixture
def cold() -> Desk:
    """The dollar on Wednesday 20 November 2024 at noon; nothing is known."""
    fallbacks = ("nbrb", "nbk", "uz")
    return Desk(
        instrument(sources=("cbr", "mirror"), fallbacks=fallbacks),
        {**dict.fromkeys(("cbr", "mirror"), TABLE), **dict.fromkeys(fallbacks, DAILY)},
        datetime(2024, 11, 20, 12, tzinfo=MOSCOW),
    )


@pytest.fixture
def market() -> Desk:
    """Brent on Friday 22 November 2024 at noon: 73.73 shown from one exchange, 74.00 at the other."""
    desk = Desk(
        instrument("OIL", ("moex", "yahoo"), quote="USD", max_age=timedelta(days=7)),
        {"moex": MARKET, "yahoo": ABROAD},
        datetime(2024, 11, 22, 11, 50, tzinfo=MOSCOW),
        PriceType.LAST,
    )
    for _ in range(5):
        assert desk.later(minutes=2).says("moex", "73.73").says("yahoo", "74.00").price == "73.73"
    return desk
