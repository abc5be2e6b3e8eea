from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from tests.support.factories import HOUR, NOON, instrument, quote, snapshot
from ticker.feeds import unchanged
from ticker.polling import migrate_quotes
from ticker.quotes import Status

DOLLAR = instrument()
SHOWN = snapshot(quote())


def test_a_number_stays_where_only_its_dress_has_changed() -> None:
    """Decimals, labels, tolerance: the same price under the new rules."""
    after = replace(DOLLAR, decimals=4, tolerance=Decimal("0.1"), label={"en": "Dollar"})
    (migrated,) = migrate_quotes(SHOWN, [after], NOON)
    assert (migrated.price, migrated.status, migrated.instrument) == (Decimal("100.6798"), Status.FRESH, after)
    assert unchanged([DOLLAR], [after]) == {"USD"}


def test_a_number_goes_where_it_would_mean_something_else() -> None:
    """The price of a dollar is never shown as that of a hundred, or of another currency under the old symbol."""
    for after in (
        replace(DOLLAR, base="CNY"),
        replace(DOLLAR, quote="EUR"),
        replace(DOLLAR, unit="100 USD"),
        replace(DOLLAR, codes={"cbr": "CNY"}),
    ):
        (migrated,) = migrate_quotes(SHOWN, [after], NOON)
        assert (migrated.price, migrated.status) == (None, Status.UNAVAILABLE)
        assert unchanged([DOLLAR], [after]) == set()


def test_a_number_that_is_not_believed_any_more_goes() -> None:
    """A narrower band holds for what is shown already."""
    after = replace(DOLLAR, band=(Decimal(20), Decimal(90)))
    assert migrate_quotes(SHOWN, [after], NOON)[0].price is None


def test_the_number_of_a_source_that_is_asked_no_longer_goes() -> None:
    """As it does at a start: nobody would say of it that it is old."""
    after = replace(DOLLAR, sources=("cbr_mirror",))
    assert migrate_quotes(SHOWN, [after], NOON)[0].price is None


def test_a_shorter_life_ends_a_number_at_once() -> None:
    """`max_age` counts from the end of its validity, and from the moment that it is configured."""
    after = replace(DOLLAR, max_age=timedelta(minutes=30))
    assert migrate_quotes(SHOWN, [after], NOON)[0].price is not None
    assert migrate_quotes(SHOWN, [after], NOON + 2 * HOUR)[0].price is None


def test_a_new_instrument_begins_without_a_number() -> None:
    """And stands where the configuration puts it."""
    migrated = migrate_quotes(SHOWN, [instrument("EUR"), DOLLAR], NOON)
    assert [(each.symbol, each.price is None) for each in migrated] == [("EUR", True), ("USD", False)]
