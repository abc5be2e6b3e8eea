"""When a market's price before is no price before at all."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.support.factories import instrument
from tests.support.timetables import MOSCOW, session
from ticker.normalize import Origin, normalise
from ticker.quotes import Contract, PriceType, Tick

EXCHANGE = Origin("exchange", "exchange", session("moex_forts"), {})
BARREL = instrument("OIL", base="BRENT", quote="USD")
FRIDAY = datetime(2026, 4, 17, 23, 45, tzinfo=MOSCOW)


def told(price: str, before: str, now: datetime, as_of: datetime = FRIDAY) -> tuple[Decimal | None, datetime | None]:
    """The previous price and its date, as a market tells them at `now`."""
    tick = Tick("BRENT", Decimal(price), "USD", as_of, PriceType.LAST, previous=Decimal(before))
    found = normalise(BARREL, EXCHANGE, [tick], now)
    assert found is not None
    return found.previous, found.previous_as_of


@pytest.mark.parametrize("later", [timedelta(hours=1), timedelta(days=1), timedelta(days=2, hours=10)])
def test_a_close_is_not_its_own_previous_close(later: timedelta) -> None:
    """At night, over the weekend and until Monday's first trade the last price may stand there twice: no 0.00 %."""
    assert told("73.73", "73.73", FRIDAY + later) == (None, None)


@pytest.mark.parametrize("later", [timedelta(hours=1), timedelta(days=1)])
def test_another_close_stays_the_previous_one(later: timedelta) -> None:
    """What differs is Thursday's."""
    thursday = datetime(2026, 4, 16, 23, 50, tzinfo=MOSCOW)
    assert told("73.73", "72.81", FRIDAY + later) == (Decimal("72.81"), thursday)


def test_while_there_is_trading_a_price_may_be_where_it_was() -> None:
    """An unchanged price of a running session is a measured 0.00 %."""
    noon = FRIDAY.replace(hour=12)
    assert told("73.73", "73.73", noon + timedelta(minutes=15), noon)[0] == Decimal("73.73")


@pytest.mark.parametrize(
    ("continuous", "its_close", "dated", "its_own", "known"),
    [
        ("72.10", "69.90", "70.00", "69.90", False),  # rolled before the month has ended: a spread of 2.10 is no change
        ("67.90", "69.90", "70.00", "69.90", False),
        ("70.02", "69.90", "70.00", "69.90", True),
        ("72.10", "71.95", "70.00", "69.90", True),  # the day after
    ],
)
def test_the_close_of_the_month_before_is_none_of_the_next(
    continuous: str, its_close: str, dated: str, its_own: str, *, known: bool
) -> None:
    """Yahoo rolls its continuous future some days before the month ends, which a dated contract beside it tells."""
    noon = datetime(2026, 5, 27, 12, tzinfo=MOSCOW)
    abroad = Origin("yahoo", "yahoo", session("ice_brent"), {"BRENT/USD": "BZ=F"})
    front = Tick("BZ=F", Decimal(continuous), "USD", noon, PriceType.LAST, previous=Decimal(its_close))
    contract = Contract("BZN26.NYM", date(2026, 5, 29))
    month = Tick("BZN26.NYM", Decimal(dated), "USD", noon, PriceType.LAST, previous=Decimal(its_own), contract=contract)
    found = normalise(BARREL, abroad, [front, month], noon + timedelta(minutes=10))
    assert found is not None
    assert (found.previous is not None, found.previous_as_of is not None) == (known, known)


@pytest.mark.parametrize(("dated", "close"), [("70.04", "69.90"), ("71.40", None)])
def test_a_continuous_future_without_a_close_takes_that_of_the_month_that_costs_as_much(
    dated: str, close: str | None
) -> None:
    """On the day after a month has ended Yahoo's own close is that month's; the next one is asked for beside it."""
    noon = datetime(2026, 6, 1, 12, tzinfo=MOSCOW)
    abroad = Origin("yahoo", "yahoo", session("ice_brent"), {"BRENT/USD": "BZ=F"})
    contract = Contract("BZQ26.NYM", date(2026, 6, 30))
    month = Tick("BZQ26.NYM", Decimal(dated), "USD", noon, PriceType.LAST, previous=Decimal("69.90"), contract=contract)
    found = normalise(
        BARREL,
        abroad,
        [Tick("BZ=F", Decimal("70.02"), "USD", noon, PriceType.LAST), month],
        noon + timedelta(minutes=10),
    )
    assert found is not None
    assert found.previous == (close and Decimal(close))
