from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import HOUR, NOON, instrument, tick
from ticker.normalize import Origin, normalise, word
from ticker.quotes import Candidate, Contract, Instrument, PriceType, Tick

DAY = timedelta(days=1)
EURO_DOLLAR = instrument("EURUSD", base="EUR", quote="USD")


@dataclass(frozen=True, slots=True)
class Daily:
    """A calendar of a publication a day, or of one that knows no day before."""

    first: bool = False

    def next_update(self, as_of: datetime, now: datetime) -> datetime | None:
        return max(as_of, now) + DAY

    def fresh_until(self, as_of: datetime) -> datetime:
        return as_of + DAY

    def latest(self, now: datetime) -> datetime:
        return now

    def previous(self, as_of: datetime) -> datetime | None:
        return None if self.first else as_of - DAY


BANK = Origin("mirror", "cbr", Daily(), {})  # type: ignore[arg-type]  # a fake of it


def candidate(wanted: Instrument, *ticks: Tick, origin: Origin = BANK) -> Candidate:
    """The candidate that `ticks` give, which they must."""
    found = normalise(wanted, origin, ticks, NOON + HOUR)
    assert found is not None
    return found


def test_a_price_of_one_unit_is_taken_as_it_is() -> None:
    """Digits, kind and date are the tick's, source and publisher the origin's."""
    assert candidate(instrument(), tick("EUR"), tick(price="100.6700")) == Candidate(
        symbol="USD",
        source="mirror",
        publisher="cbr",
        price=Decimal("100.6700"),
        price_type=PriceType.FIXING,
        as_of=NOON,
        fetched_at=NOON + HOUR,
        ticks=(tick(price="100.6700"),),
    )


@pytest.mark.parametrize(
    ("price", "nominal", "one"),
    [("65.0600", 100, "0.650600"), ("41.2800", 10_000, "0.00412800"), ("87.4478", 10, "8.74478")],
)
def test_a_price_of_many_becomes_that_of_one(price: str, nominal: int, one: str) -> None:
    """Dividing by a power of ten keeps every digit; the price before is of as many units."""
    made = candidate(
        instrument("JPY"), tick("JPY", price, nominal=nominal, previous=Decimal(price), previous_as_of=NOON - DAY)
    )
    assert made.price == made.previous == Decimal(one)
    assert not made.derived


@given(st.integers(1, 10**14), st.integers(0, 6), st.integers(0, 7))
def test_no_digit_is_lost(digits: int, places: int, power: int) -> None:
    """The price of one unit times the nominal is the tick's price, to the last digit."""
    price = Decimal(digits).scaleb(-places)
    made = candidate(instrument(), tick(price=f"{price:f}", nominal=10**power))
    assert made.price * 10**power == price


@pytest.mark.parametrize(("unit", "price"), [("1 JPY", "0.994486"), ("100 JPY", "99.4486"), ("one yen", "0.994486")])
def test_an_instrument_may_count_in_hundreds_as_banks_do(unit: str, price: str) -> None:
    """The Bank's table of 15.03.2022 has 99.4486 roubles for 100 yen; a unit that names no number is one."""
    yen = instrument("JPY", unit=unit)
    told = candidate(yen, tick("JPY", "99.4486", nominal=100, previous=Decimal("99.4486"), previous_as_of=NOON - DAY))
    assert (told.price, told.previous) == (Decimal(price), Decimal(price))


def test_what_is_not_spoken_of_is_not_known() -> None:
    """Neither another currency nor the right one in another money gives a number."""
    assert normalise(instrument(), BANK, [], NOON) is None
    assert normalise(instrument(), BANK, [tick("EUR"), tick("USD", currency="KZT")], NOON) is None


def test_a_pair_quoted_the_other_way_round_is_inverted() -> None:
    """Dollars for a rouble give roubles for a dollar, to eight digits, as an indicative price."""
    made = candidate(instrument(), tick("RUB", "0.0125", "USD", previous=Decimal("0.0100"), previous_as_of=NOON - DAY))
    assert (made.price, made.previous, made.previous_as_of) == (Decimal(80), Decimal(100), NOON - DAY)
    assert (made.price_type, made.derived) == (PriceType.MID, True)


def test_an_inverse_is_of_one_unit_too() -> None:
    """The nominal of the tick is that of the rouble."""
    assert candidate(instrument(), tick("RUB", "1.25", "USD", nominal=100)).price == Decimal(80)


def test_a_table_over_a_third_money_gives_the_cross_rate() -> None:
    """The Belarusian bank's dollar and hundred roubles of 17.03.2026, to eight digits."""
    ticks = [tick("USD", "2.9463", "BYN"), tick("RUB", "3.6709", "BYN", nominal=100)]
    made = candidate(instrument(), *ticks)
    assert made.price == Decimal("80.260971")
    assert (made.price_type, made.derived, made.publisher) == (PriceType.MID, True, "cbr")


def test_a_table_of_one_base_gives_the_cross_rate() -> None:
    """All rates are in units for one dollar: roubles for a euro are one rate over the other."""
    ticks = [tick("USD", "89.378323", "RUB"), tick("USD", "0.907539", "EUR")]
    assert candidate(instrument("EUR"), *ticks).price == Decimal("98.484278")
    assert candidate(instrument("USD"), *ticks).price_type is PriceType.FIXING


def test_roubles_give_dollars_for_a_euro() -> None:
    """The same table answers for pairs that are not in roubles."""
    assert candidate(EURO_DOLLAR, tick("EUR", "106.0762"), tick("USD", "100.6798")).price == Decimal("1.0535996")


def test_what_is_said_directly_is_not_derived() -> None:
    """A direct price stands before any cross rate."""
    ticks = [tick("RUB", "0.5", "USD"), tick("USD", "2.9463", "BYN"), tick("RUB", "3.6709", "BYN"), tick()]
    assert candidate(instrument(), *ticks).price == Decimal("100.6798")


def test_a_cross_rate_is_as_old_as_its_older_leg() -> None:
    """A young leg makes no old one younger."""
    legs = [tick("EUR", "106.0762", as_of=NOON), tick("USD", "100.6798", as_of=NOON - DAY)]
    assert candidate(EURO_DOLLAR, *legs).as_of == candidate(EURO_DOLLAR, *reversed(legs)).as_of == NOON - DAY


@pytest.mark.parametrize(
    ("euro_before", "dollar_before", "expected"),
    [(DAY, DAY, Decimal("1.0500000")), (DAY, 2 * DAY, None), (DAY, None, None), (None, None, None)],
)
def test_the_cross_rate_before_needs_both_legs_of_one_day(
    euro_before: timedelta | None, dollar_before: timedelta | None, expected: Decimal | None
) -> None:
    """A change between two different days would be nobody's."""

    def leg(symbol: str, price: str, previous: str, before: timedelta | None) -> Tick:
        if before is None:
            return tick(symbol, price)
        return tick(symbol, price, previous=Decimal(previous), previous_as_of=NOON - before)

    origin = Origin("mirror", "cbr", Daily(first=True), {})  # type: ignore[arg-type]  # a fake of it
    legs = leg("EUR", "106", "105", euro_before), leg("USD", "101", "100", dollar_before)
    assert candidate(EURO_DOLLAR, *legs, origin=origin).previous == expected


def test_a_price_before_without_a_date_gets_the_calendars() -> None:
    """The exchange says what the settlement before was and not when; where nobody knows, it is not shown."""
    said = tick(previous=Decimal(100))
    made = candidate(instrument(), said)
    assert (made.previous, made.previous_as_of) == (Decimal(100), NOON - DAY)
    unknown = candidate(instrument(), said, origin=Origin("x", "x", Daily(first=True), {}))  # type: ignore[arg-type]  # a fake of it
    assert (unknown.previous, unknown.previous_as_of) == (None, None)


def test_the_words_of_a_source() -> None:
    """Configured for the instrument, else known to the adapter by pair, else the base itself."""
    oil = instrument("OIL", base="BRENT", quote="USD")
    chart = Origin("yahoo", "yahoo", Daily(), {"BRENT/USD": "BZ=F"})  # type: ignore[arg-type]  # a fake of it
    assert word(oil, BANK) == "BRENT"
    assert word(oil, chart) == "BZ=F"
    assert word(instrument("OIL", base="BRENT", quote="USD", codes={"yahoo": "BZF25.NYM"}), chart) == "BZF25.NYM"
    made = candidate(oil, tick("BZ=F", "73.73", "USD", contract=Contract("BZF5")), origin=chart)
    assert (made.symbol, made.price, made.contract) == ("OIL", Decimal("73.73"), Contract("BZF5"))


@given(
    st.lists(
        st.builds(
            tick,
            st.sampled_from(["USD", "EUR", "RUB", "BYN"]),
            st.sampled_from(["0.0001", "1", "99.5", "123456.789"]),
            st.sampled_from(["USD", "EUR", "RUB", "BYN"]),
            nominal=st.sampled_from([1, 10, 100]),
        ),
        max_size=6,
    )
)
def test_any_ticks_give_a_positive_price_or_none(ticks: list[Tick]) -> None:
    """No mixture of pairs breaks the reckoning, and its dates are never younger than the ticks."""
    made = normalise(instrument(), BANK, ticks, NOON)
    assert made is None or (made.price > 0 and made.price.is_finite() and made.as_of == NOON)
