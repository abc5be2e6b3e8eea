from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.support.factories import HOUR, NOON, instrument, quote, snapshot
from ticker import carry
from ticker.calendars.session import Session
from ticker.quotes import Candidate, Instrument, PriceType, Status

OPEN = Session(zone=ZoneInfo("UTC"), days="mon-sun", opens=time(12), closes=time(12), delay=HOUR, grace=HOUR)
DOLLAR = instrument()
SHOWN = snapshot(quote())


def candidate(price: str = "100.6798", source: str = "cbr") -> Candidate:
    """What a source last said of the dollar."""
    return Candidate("USD", source, "cbr", Decimal(price), PriceType.FIXING, NOON, NOON)


def kept(after: Instrument, *candidates: Candidate) -> set[str]:
    """The sources whose candidates survive a change of the dollar to `after`."""
    known = {(each.source, each.symbol): each for each in candidates}
    calendars = {"USD": dict.fromkeys(("cbr", "cbr_mirror", "moex"), OPEN)}
    return {source for source, _ in carry.candidates(known, [DOLLAR], [after], calendars, NOON)}


def test_a_number_stays_where_only_its_dress_has_changed() -> None:
    """Decimals, labels, tolerance: the same price under the new rules."""
    after = replace(DOLLAR, decimals=4, tolerance=Decimal("0.1"), label={"en": "Dollar"})
    (carried,) = carry.quotes(SHOWN, [after], NOON)
    assert (carried.price, carried.status, carried.instrument) == (Decimal("100.6798"), Status.FRESH, after)
    assert kept(after, candidate(), candidate(source="cbr_mirror")) == {"cbr", "cbr_mirror"}


def test_a_number_goes_where_it_would_mean_something_else() -> None:
    """The price of a dollar is never shown as that of a hundred, or of another currency under the old symbol."""
    for after in (
        replace(DOLLAR, base="CNY"),
        replace(DOLLAR, quote="EUR"),
        replace(DOLLAR, unit="100 USD"),
        replace(DOLLAR, codes={"cbr": "CNY"}),
    ):
        (carried,) = carry.quotes(SHOWN, [after], NOON)
        assert (carried.price, carried.status) == (None, Status.UNAVAILABLE)
        assert kept(after, candidate()) == set()


def test_a_number_that_is_not_believed_any_more_goes() -> None:
    """A narrower band holds for what is shown already."""
    after = replace(DOLLAR, band=(Decimal(20), Decimal(90)))
    assert carry.quotes(SHOWN, [after], NOON)[0].price is None
    assert kept(after, candidate()) == set()


def test_a_shorter_life_ends_a_number_at_once() -> None:
    """`max_age` counts from the source's own time, and from the moment that it is configured."""
    after = replace(DOLLAR, max_age=timedelta(minutes=30))
    assert carry.quotes(SHOWN, [after], NOON)[0].price is not None
    assert carry.quotes(SHOWN, [after], NOON + HOUR)[0].price is None


def test_a_source_that_is_taken_off_the_list_speaks_no_more() -> None:
    """What it said last may stay on the board, marked as its own; it takes no part in the next choice."""
    after = replace(DOLLAR, sources=("moex", "cbr_mirror"))
    assert kept(after, candidate(), candidate(source="cbr_mirror")) == {"cbr_mirror"}
    assert carry.quotes(SHOWN, [after], NOON)[0].source == "cbr"


def test_a_new_instrument_begins_without_a_number() -> None:
    """And stands where the configuration puts it."""
    carried = carry.quotes(SHOWN, [instrument("EUR"), DOLLAR], NOON)
    assert [(each.symbol, each.price is None) for each in carried] == [("EUR", True), ("USD", False)]
