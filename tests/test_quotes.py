from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.factories import HOUR, NOON, quote, snapshot
from ticker.quotes import Quote, Reason, Status, Upcoming, worst

ORDER = list(Status)


def exact(text: str | None) -> Decimal | None:
    """The decimal that `text` writes, if any."""
    return None if text is None else Decimal(text)


def test_the_slugs_are_those_of_the_contract() -> None:
    """One reason slug per kind of failure, and no other."""
    assert " ".join(Reason) == (
        "timeout dns tls connect http_4xx http_5xx rate_limited blocked size encoding parse schema unit range move "
        "future frozen disagree"
    )


def test_values_are_frozen() -> None:
    """What was published cannot be changed behind anybody's back."""
    with pytest.raises(AttributeError, match="cannot assign"):
        quote().price = Decimal(1)  # type: ignore[misc] # that it is refused is what is tested


@pytest.mark.parametrize(
    ("price", "previous", "change", "percent"),
    [
        ("100.6798", "100.2192", "0.4606", "0.4596"),
        ("100", "100", "0", "0.0000"),
        ("90", "100", "-10", "-10.0000"),
        ("90", None, None, None),
        ("90", "0", "90", None),
        (None, "90", None, None),
    ],
)
def test_the_change_is_exact_or_not_known(
    price: str | None, previous: str | None, change: str | None, percent: str | None
) -> None:
    """Price less the previous publication, never 0 where one of them is not known."""
    made = replace(quote(), price=exact(price), previous=exact(previous))
    assert made.change == exact(change)
    assert (None if made.change_percent is None else round(made.change_percent, 4)) == exact(percent)


@pytest.mark.parametrize(
    ("hours", "status"),
    [
        (0, Status.FRESH),
        (0.999, Status.FRESH),
        (1, Status.STALE),
        (9.999, Status.STALE),
        (10, Status.UNAVAILABLE),
        (10_000, Status.UNAVAILABLE),
    ],
)
def test_a_status_is_a_matter_of_time(hours: float, status: Status) -> None:
    """Fresh until `fresh_until`, stale until `usable_until`, then without a number."""
    aged = quote(previous=Decimal(100), previous_as_of=NOON - HOUR).at(NOON + hours * HOUR)
    assert aged.status is status
    if status is Status.UNAVAILABLE:
        assert (aged.price, aged.previous, aged.previous_as_of, aged.change, aged.agreement) == (None,) * 5
    else:
        assert aged.price == Decimal("100.6798")


@given(st.lists(st.floats(-5, 20), min_size=1, max_size=6))
def test_time_makes_a_quote_only_older(hours: list[float]) -> None:
    """However clocks jump between looks, a status never gets better and a number that is gone stays gone."""
    shown = quote()
    for hour in hours:
        older = shown.at(NOON + hour * HOUR)
        assert ORDER.index(older.status) >= ORDER.index(shown.status)
        assert older.price in {shown.price, None}
        shown = older


def test_the_next_turn_of_a_status() -> None:
    """Staleness, then withdrawal, then nothing more."""
    turns = [quote().turns_at(NOON + hours * HOUR) for hours in (0, 1, 10)]
    assert turns == [NOON + HOUR, NOON + 10 * HOUR, None]
    assert quote(price=None).turns_at(NOON) is None


def test_a_snapshot_is_as_bad_as_its_worst_quote() -> None:
    """One that is not known makes the whole unavailable; nothing at all is no better."""
    assert snapshot(quote(), quote("EUR", status=Status.STALE)).status is Status.STALE
    assert snapshot(quote(), quote("EUR", price=None)).status is Status.UNAVAILABLE
    assert snapshot().status is worst([]) is Status.UNAVAILABLE


def test_a_snapshot_ages_in_a_new_version() -> None:
    """The same one while no status changes, else one that follows it."""
    shown = snapshot(quote(), quote("EUR", fresh_until=NOON + 2 * HOUR))
    assert shown.at(NOON) is shown
    older = shown.at(NOON + HOUR)
    assert (older.version > shown.version, older.generated_at) == (True, NOON + HOUR)
    assert [each.status for each in older.quotes] == [Status.STALE, Status.FRESH]
    assert shown.turns_at(NOON) == NOON + HOUR


@given(st.integers(0, 2**50), st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=8))
def test_versions_grow_whatever_the_clock_does(version: int, steps: list[int]) -> None:
    """Also where the clock is set back, and after a restart that forgot the last version."""
    shown, now = snapshot(version=version), NOON
    for step in steps:
        now += timedelta(seconds=step)
        coordinator = shown.follow((), now)
        assert coordinator.version > shown.version
        assert coordinator.version >= snapshot(version=0).follow((), now).version
        shown = coordinator


def test_a_quote_is_found_by_its_symbol() -> None:
    """Or is not."""
    shown = snapshot(quote(), quote("EUR"))
    assert (shown.get("EUR"), shown.get("OIL")) == (shown.quotes[1], None)


MIDNIGHT = NOON + 12 * HOUR


def evening(**coming: Any) -> Quote:  # noqa: ANN401 - any field of it
    """A fixing in force until midnight, with the next one out already; `coming` changes that one."""
    plain = {
        "price": Decimal("102.5761"),
        "as_of": MIDNIGHT,
        "fetched_at": NOON + 4 * HOUR,
        "source": "cbr",
        "publisher": "cbr",
        "previous": Decimal("100.6798"),
        "previous_as_of": NOON,
        "fresh_until": MIDNIGHT + 72 * HOUR,
        "usable_until": MIDNIGHT + 400 * HOUR,
    }
    return quote(upcoming=Upcoming(**{**plain, **coming}), fresh_until=MIDNIGHT, usable_until=MIDNIGHT + 300 * HOUR)


def test_what_is_upcoming_becomes_the_price_at_its_midnight_by_time_alone() -> None:
    """Not a second earlier, without any request, with its own provenance and its change from the number before."""
    shown = evening()
    assert shown.at(MIDNIGHT - timedelta(seconds=1)) == shown
    assert shown.turns_at(NOON) == MIDNIGHT
    turned = shown.at(MIDNIGHT)
    assert (turned.price, turned.as_of, turned.status, turned.upcoming) == (
        Decimal("102.5761"),
        MIDNIGHT,
        Status.FRESH,
        None,
    )
    assert (turned.change, turned.fetched_at) == (Decimal("1.8963"), NOON + 4 * HOUR)
    assert turned.turns_at(MIDNIGHT) == MIDNIGHT + 72 * HOUR


def test_a_dispute_that_stands_at_midnight_leaves_the_old_number_stale() -> None:
    """With the reason of the dispute, and nothing upcoming any more."""
    turned = evening(reason=Reason.DISAGREE).at(MIDNIGHT)
    assert (turned.price, turned.status, turned.reason, turned.upcoming) == (
        Decimal("100.6798"),
        Status.STALE,
        Reason.DISAGREE,
        None,
    )


def test_a_board_is_valid_until_the_first_moment_at_which_it_may_be_untrue() -> None:
    """Midnight while a table is upcoming, the end of freshness without one, the end of use while it is stale."""
    assert evening().valid_until == MIDNIGHT
    assert snapshot(quote(), evening()).valid_until == quote().valid_until == NOON + HOUR
    assert quote().at(NOON + HOUR).valid_until == NOON + 10 * HOUR
    assert quote(price=None).valid_until is None


def test_a_market_opens_and_closes_and_a_due_update_is_waited_for_by_time_alone() -> None:
    """`market` turns where it was said to, and what was due next is no longer ahead once it is due."""
    shown = quote(market="open", market_turns_at=NOON + HOUR / 2, next_update_at=NOON + HOUR / 4)
    assert shown.turns_at(NOON) == NOON + HOUR / 4
    assert shown.at(NOON + HOUR / 4).next_update_at is None
    assert shown.at(NOON + HOUR / 2).market == "closed"


def test_to_say_it_again_is_no_news() -> None:
    """When a source last said a number is shown, and makes no version."""
    shown = snapshot(quote())
    again = replace(quote(), checked_at=NOON + HOUR)
    assert shown.repeats((again,))
    assert not shown.repeats((replace(again, price=Decimal(1)),))
