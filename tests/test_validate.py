from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.selection.conftest import MOSCOW, TABLE, instrument
from ticker.quotes import Candidate, PriceType, Reason
from ticker.validate import RULES, SLIPS, Case, refusal, slips

NOON = datetime(2024, 11, 22, 12, tzinfo=MOSCOW)
WHAT = instrument(band=(Decimal(20), Decimal(500)))


def candidate(price: str, as_of: datetime = NOON) -> Candidate:
    """A price as the Bank's table would give it."""
    return Candidate("USD", "cbr", "cbr", Decimal(price), PriceType.FIXING, as_of, NOON)


def case(price: str, as_of: datetime = NOON, last: Candidate | None = None) -> Case:
    """That price before the rules, at noon."""
    return Case(candidate(price, as_of), WHAT, TABLE, last, NOON)


@pytest.mark.parametrize(
    ("price", "reason"),
    [
        ("100.6798", None),
        ("120.3785", None),  # March 2022 was true
        ("0", Reason.RANGE),
        ("-100", Reason.RANGE),
        ("NaN", Reason.RANGE),
        ("Infinity", Reason.RANGE),
        ("1e300", Reason.RANGE),
        ("19.99", Reason.RANGE),
        ("500.01", Reason.RANGE),
    ],
)
def test_a_price_must_be_positive_finite_and_within_the_band(price: str, reason: Reason | None) -> None:
    """Whatever else a source says, these are no prices of this instrument."""
    assert refusal(case(price)) is reason


def test_tomorrows_table_is_no_future_and_the_day_afters_is() -> None:
    """The Bank publishes one day ahead, never two."""
    assert refusal(case("100", NOON + timedelta(hours=12))) is None
    assert refusal(case("100", NOON + timedelta(days=2))) is Reason.FUTURE


def test_a_source_does_not_go_back_in_time() -> None:
    """An answer older than the same source's last one comes from a cache that lags."""
    assert refusal(case("100", NOON - timedelta(days=1), candidate("101"))) is Reason.FROZEN
    assert refusal(case("100", NOON, candidate("101"))) is None


@given(st.decimals("3", "100000", places=4), st.sampled_from([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5]))
def test_every_power_of_ten_is_a_slip(price: Decimal, power: int) -> None:
    """With the true move of a day on top."""
    moved = price * Decimal(10) ** power * Decimal("1.08")
    assert slips(moved, price)


@given(st.decimals("3", "100000", places=4))
def test_every_inverse_is_a_slip(price: Decimal) -> None:
    """Dollars a rouble for roubles a dollar."""
    assert slips(1 / price, price)


@given(st.decimals("3", "100000", places=4), st.decimals("-0.5", "1", places=3))
def test_no_move_a_market_ever_made_in_a_day_is_a_slip(price: Decimal, move: Decimal) -> None:
    """Halving and doubling are jumps for selection to hold, not slips to refuse for good."""
    assert not slips(price * (1 + move), price)


def test_each_rule_tells_its_incident() -> None:
    """A rule without the incident it prevents is a rule nobody dares to change."""
    for rule in (*(rule for _, rule in RULES), *SLIPS):
        assert rule.__doc__
        assert ":" in rule.__doc__
