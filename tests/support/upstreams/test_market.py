"""The demo's market moves, and stays where a market may be."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.upstreams.forts import MOSCOW
from tests.support.upstreams.market import Market, Numbers, table_before, table_in_force

moments = st.integers(946_684_800, 4_102_444_800).map(lambda at: datetime.fromtimestamp(at, UTC))
markets = st.builds(Market, st.integers(0, 1_000_000))
TWO_SECONDS = timedelta(seconds=2)
BASES = (Decimal("100.6798"), Decimal("106.0762"), Decimal("73.73"))


def now(numbers: Numbers) -> tuple[Decimal, ...]:
    """Dollar, euro, oil."""
    return numbers.usd, numbers.eur, numbers.brent


def before(numbers: Numbers) -> tuple[Decimal, ...]:
    """The same three, as they were before."""
    return numbers.usd_previous, numbers.eur_previous, numbers.brent_previous


@given(markets, moments)
def test_every_number_stays_within_five_percent(market: Market, moment: datetime) -> None:
    """At any moment every number, and the one before it, is within 5 % of its base."""
    numbers = market.at(moment)
    for shown in (now(numbers), before(numbers)):
        assert all(abs(value / base - 1) < Decimal("0.05") for value, base in zip(shown, BASES, strict=True))


@given(markets, moments)
def test_two_seconds_move_it_half_a_percent_at_most(market: Market, moment: datetime) -> None:
    """From one look to the next no number jumps."""
    pairs = zip(now(market.at(moment)), now(market.at(moment + TWO_SECONDS)), strict=True)
    assert all(abs(later / earlier - 1) < Decimal("0.005") for earlier, later in pairs)


@given(markets, moments)
def test_two_seconds_show_another_number_most_of_the_time(market: Market, moment: datetime) -> None:
    """Over any two minutes most looks, two seconds apart, find every number changed in two decimals."""
    looks = [now(market.at(moment + step * TWO_SECONDS)) for step in range(61)]
    for shown in zip(*looks, strict=True):
        cents = [value.quantize(Decimal("0.01")) for value in shown]
        assert sum(one != other for one, other in pairwise(cents)) > 40


@given(markets, moments)
def test_the_cross_rate_stays_plausible(market: Market, moment: datetime) -> None:
    """Euro against dollar stays within 2 % of what it was."""
    numbers = market.at(moment)
    cross = BASES[1] / BASES[0]
    assert abs(numbers.eur / numbers.usd / cross - 1) < Decimal("0.02")


@given(st.integers(0, 1000), moments)
def test_it_is_a_pure_function_of_seed_and_moment(seed: int, moment: datetime) -> None:
    """Two markets of one seed agree at any moment, in whatever zone it is told."""
    assert Market(seed).at(moment) == Market(seed).at(moment.astimezone(MOSCOW))


def test_another_seed_is_another_market() -> None:
    """Different seeds give different numbers."""
    noon = datetime(2024, 11, 22, 12, tzinfo=MOSCOW)
    assert Market(1).at(noon) != Market(2).at(noon)


def test_numbers_have_the_decimals_of_their_source() -> None:
    """Rates have four decimals, oil two."""
    numbers = Market(1).at(datetime(2024, 11, 22, 12, tzinfo=MOSCOW))
    shown = [*now(numbers), *before(numbers)]
    assert [value.as_tuple().exponent for value in shown] == [-4, -4, -2, -4, -4, -2]


def test_the_number_before_holds_all_day() -> None:
    """The number before is the table before, which does not move while today's does."""
    market, morning = Market(1), datetime(2024, 11, 22, 9, tzinfo=MOSCOW)
    evening = market.at(morning + timedelta(hours=12))
    assert before(market.at(morning)) == before(evening)
    assert (evening.usd_previous, evening.eur_previous) == market.fixing(date(2024, 11, 21))


@pytest.mark.parametrize(
    ("moment", "table"),
    [
        ("2024-11-22T23:59+03:00", "2024-11-22"),
        ("2024-11-23T00:00+03:00", "2024-11-23"),
        ("2024-11-24T12:00+03:00", "2024-11-23"),
        ("2024-11-25T12:00+03:00", "2024-11-23"),
        ("2024-11-25T21:00+00:00", "2024-11-26"),
    ],
)
def test_saturdays_table_holds_until_tuesday(moment: str, table: str) -> None:
    """Tables are dated Tuesday to Saturday; Saturday's is in force on Sunday and Monday, by Moscow's day."""
    assert table_in_force(datetime.fromisoformat(moment)).isoformat() == table


def test_the_table_before_tuesdays_is_saturdays() -> None:
    """Going back skips the days without a table."""
    assert table_before(date(2024, 11, 26)) == date(2024, 11, 23)
    assert table_before(date(2024, 11, 23)) == date(2024, 11, 22)
