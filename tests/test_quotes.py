from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.values import HOUR, NOON, quote, snapshot
from ticker.quotes import Reason, Status, worst

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
        following = shown.follow((), now)
        assert following.version > shown.version
        assert following.version >= snapshot(version=0).follow((), now).version
        shown = following


def test_a_quote_is_found_by_its_symbol() -> None:
    """Or is not."""
    shown = snapshot(quote(), quote("EUR"))
    assert (shown.get("EUR"), shown.get("OIL")) == (shown.quotes[1], None)
