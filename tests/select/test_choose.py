from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.select.conftest import MOSCOW, TABLE, Desk, instrument
from ticker.quotes import PriceType, Reason, Status
from ticker.select.question import Choice


def test_the_most_preferred_source_on_time_speaks(fixing: Desk) -> None:
    """Of three sources that say the same the first one's name stands under the number."""
    choice = fixing.choose()
    assert (choice.quote.source, choice.quote.fallback, choice.quote.reason) == ("cbr", False, None)
    assert choice.quote.agreement
    assert choice.quote.agreement.sources == 3


def test_a_new_table_that_a_copy_confirms_comes_through_at_once(fixing: Desk) -> None:
    """Two copies equal to the digit need no further word."""
    assert fixing.says("cbr", "100.2192").says("mirror", "100.2192").price == "100.2192"


def test_a_new_table_waits_for_the_copies_that_are_asked_at_once(fixing: Desk) -> None:
    """Copies asked before the table came are asked again now; until they have answered the shown table stays."""
    fixing.later(minutes=1).says("cbr", "100.2192")
    choice = fixing.choose()
    assert str(choice.quote.price) == "100.0348"
    assert set(choice.ask_now) == {"mirror", "third"}
    fixing.later(seconds=1)
    fixing.asked |= {"mirror": fixing.now, "third": fixing.now}
    assert fixing.price == "100.2192"


def test_a_copy_that_does_not_answer_is_not_waited_for_longer_than_two_minutes(fixing: Desk) -> None:
    """A witness that hangs must not keep the official number back."""
    fixing.later(minutes=1).says("cbr", "100.2192").choose()
    assert fixing.later(seconds=121).price == "100.2192"


def test_a_copy_that_has_failed_is_no_witness(fixing: Desk) -> None:
    """With every copy down the first source speaks alone, at once."""
    fixing.failures |= {"mirror": Reason.TIMEOUT, "third": Reason.BLOCKED}
    assert fixing.later(minutes=1).says("cbr", "100.2192").price == "100.2192"


def test_one_dissenter_never_moves_the_number(fixing: Desk) -> None:
    """A copy with another number is overruled by two that agree, counted, and not shown."""
    fixing.says("cbr", "100.2192").says("mirror", "100.2192").says("third", "107.9999")
    choice = fixing.choose()
    assert str(choice.quote.price) == "100.2192"
    assert choice.overruled == (("third", Reason.DISAGREE),)


def test_two_that_agree_against_the_first_speak_for_it(fixing: Desk) -> None:
    """A preferred source alone against two equal copies is outvoted, at once and counted."""
    fixing.says("cbr", "101.2192").says("mirror", "100.2192").says("third", "100.2192")
    choice = fixing.choose()
    assert (str(choice.quote.price), choice.quote.source, choice.quote.fallback) == ("100.2192", "mirror", True)
    assert ("cbr", Reason.DISAGREE) in choice.overruled


def test_two_copies_that_differ_hold_the_last_good_number(fixing: Desk) -> None:
    """Where nobody can tell which of two copies is wrong, neither is shown; the last good one stays, with a reason."""
    del fixing.candidates["third"]
    choice = fixing.says("cbr", "100.2192").says("mirror", "100.2129").choose()
    assert (str(choice.quote.price), choice.quote.reason) == ("100.0348", Reason.DISAGREE)


def test_a_third_copy_ends_the_dispute(fixing: Desk) -> None:
    """The copy that a third one confirms is shown at once."""
    del fixing.candidates["third"]
    fixing.says("cbr", "100.2192").says("mirror", "100.2129").choose()
    assert fixing.says("third", "100.2192").price == "100.2192"


def test_the_next_publication_ends_the_dispute_and_the_loser_has_no_veto(fixing: Desk) -> None:
    """A mirror that stays broken delays one table, not every second one."""
    del fixing.candidates["third"]
    fixing.says("cbr", "100.2192").says("mirror", "93.0000").choose()
    shown = []
    for price in ("100.6798", "102.5761", "103.7908"):
        fixing.later(days=1)
        shown.append(fixing.says("cbr", price).says("mirror", "93.0000").price)
    assert shown == ["100.6798", "102.5761", "103.7908"]


def test_a_jump_that_nobody_confirms_is_held(fixing: Desk) -> None:
    """More than `max_move` from one source alone: the last good quote stays, marked, and the jump is counted."""
    fixing.candidates.clear()
    choice = fixing.says("cbr", "112.0000").choose()
    assert (str(choice.quote.price), choice.quote.reason) == ("100.0348", Reason.MOVE)
    assert choice.overruled == (("cbr", Reason.MOVE),)


def test_a_confirmed_jump_comes_through_at_once(fixing: Desk) -> None:
    """The twelve per cent of March 2022 were true, and two copies said so."""
    assert fixing.says("cbr", "112.0000").says("mirror", "112.0000").price == "112.0000"


def test_the_next_publication_confirms_a_held_jump(fixing: Desk) -> None:
    """A single source that stands by its number a day later is believed."""
    fixing.candidates.clear()
    fixing.says("cbr", "112.0000").choose()
    assert fixing.later(days=1).says("cbr", "111.5000").price == "111.5000"


def test_a_jump_that_is_taken_back_was_none(fixing: Desk) -> None:
    """A single source that corrects itself goes on from the last good number."""
    fixing.candidates.clear()
    fixing.says("cbr", "112.0000").choose()
    assert fixing.says("cbr", "100.2192").price == "100.2192"


def test_a_slip_of_nominal_is_never_confirmed_by_its_own_source(fixing: Desk) -> None:
    """Ten times the price stays refused however many publications repeat it."""
    fixing.candidates.clear()
    for factor in (10, 100, 10000):
        for _ in range(3):
            fixing.later(days=1)
            choice = fixing.says("cbr", str(Decimal("100.0348") * factor)).choose()
            assert (str(choice.quote.price), choice.quote.reason) == ("100.0348", Reason.UNIT)


def test_a_swapped_pair_is_never_shown(fixing: Desk) -> None:
    """Dollars for a rouble instead of roubles for a dollar."""
    fixing.candidates.clear()
    choice = fixing.says("cbr", "0.009997").choose()
    assert (str(choice.quote.price), choice.quote.reason) == ("100.0348", Reason.UNIT)


def test_a_first_number_that_was_wrong_is_no_prison(fixing: Desk) -> None:
    """After a cold start on a wrong number two sources that agree on the right one are believed, slip or not."""
    desk = Desk(fixing.what, fixing.calendars, fixing.now)
    assert desk.says("cbr", "1000.348").price == "1000.348"
    assert desk.says("mirror", "100.0348").says("third", "100.0348").price == "100.0348"


def test_yesterdays_number_under_todays_date_is_held(fixing: Desk) -> None:
    """A cache that stamps what it has gives the same four decimals twice; a market does not."""
    fixing.candidates.clear()
    choice = fixing.says("cbr", "100.0348").choose()
    assert (choice.quote.as_of, choice.quote.reason) == (datetime(2024, 11, 20, tzinfo=MOSCOW), Reason.FROZEN)


def test_an_older_table_never_replaces_a_newer_one(fixing: Desk) -> None:
    """One of an upstream's caches that lags behind is no reason to go back."""
    fixing.says("cbr", "100.2192").says("mirror", "100.2192").choose()
    fixing.candidates.clear()
    assert fixing.says("cbr", "100.0348", date(2024, 11, 20)).price == "100.2192"


def test_a_fallback_speaks_only_when_the_first_is_late(fixing: Desk) -> None:
    """The mirror's newer table is not preferred while the official one is on time, and is when it is not."""
    fixing.candidates.pop("third")
    fixing.failures["cbr"] = Reason.TIMEOUT
    fixing.says("mirror", "100.2192")
    assert fixing.price == "100.0348"
    fixing.now = datetime(2024, 11, 21, tzinfo=MOSCOW)
    quote = fixing.choose().quote
    assert (str(quote.price), quote.source, quote.fallback, quote.reason) == (
        "100.2192",
        "mirror",
        True,
        Reason.TIMEOUT,
    )


def test_another_kind_is_shown_as_what_it_is_and_never_agrees(fixing: Desk) -> None:
    """A cross rate stands in for a late fixing under its own kind, and is no witness for one."""
    fixing.candidates.pop("mirror")
    fixing.says("third", "100.5", price_type=PriceType.MID, publisher="nbrb")
    before = fixing.choose().quote
    assert before.agreement
    assert (before.price_type, before.agreement.sources) == (PriceType.FIXING, 1)
    fixing.now = datetime(2024, 11, 21, 20, 1, tzinfo=MOSCOW)
    fixing.says("third", "100.5", price_type=PriceType.MID, publisher="nbrb")
    after = fixing.choose().quote
    assert (after.price_type, after.fallback, after.source) == (PriceType.MID, True, "third")


def test_a_contradicted_number_is_held_unless_another_source_says_the_same(fixing: Desk) -> None:
    """What a cross-check speaks against needs a witness."""
    fixing.candidates.clear()
    fixing.contradicted = frozenset({"cbr"})
    held = fixing.says("cbr", "104.0000").choose().quote
    assert (str(held.price), held.reason) == ("100.0348", Reason.DISAGREE)
    assert fixing.says("mirror", "104.0000").price == "104.0000"


def test_past_its_maximum_age_no_number_is_shown(fixing: Desk) -> None:
    """Two weeks without a table end in a dash, not in an old number."""
    quote = fixing.later(days=14).choose().quote
    assert (quote.price, quote.status, quote.reason) == (None, Status.UNAVAILABLE, Reason.FROZEN)


def test_the_previous_publication_comes_from_a_copy_that_tells_it(fixing: Desk) -> None:
    """The Bank's table has no previous column; the mirror of the same table has."""
    before = datetime(2024, 11, 20, tzinfo=MOSCOW)
    fixing.says("cbr", "100.2192").says("mirror", "100.2192", previous=Decimal("100.0348"), previous_as_of=before)
    quote = fixing.choose().quote
    assert (quote.previous, quote.previous_as_of, quote.change) == (Decimal("100.0348"), before, Decimal("0.1844"))


def test_the_previous_publication_is_what_was_shown_if_it_was_the_one_before(fixing: Desk) -> None:
    """Without a copy that tells it, yesterday's shown table is the one before today's; last week's is not."""
    fixing.candidates.clear()
    assert fixing.says("cbr", "100.2192").choose().quote.previous == Decimal("100.0348")
    assert fixing.later(days=4).says("cbr", "100.9000").choose().quote.previous is None


def test_the_same_answer_again_changes_nothing(fixing: Desk) -> None:
    """A poll that repeats the number leaves the quote equal, fetched_at included."""
    before = fixing.choose().quote
    fixing.later(minutes=3).says("cbr", "100.0348", date(2024, 11, 20))
    assert fixing.choose().quote == before


PRICES = st.decimals("0.0001", "100000", places=4)


@given(
    st.lists(
        st.tuples(st.sampled_from(("cbr", "mirror", "third")), PRICES, st.integers(-3, 3), st.integers(0, 2000)),
        max_size=25,
    )
)
def test_no_sequence_of_answers_gives_a_number_nobody_said(steps: list[tuple[str, Decimal, int, int]]) -> None:
    """Selection picks and holds; whatever comes in whatever order, it never blends, invents or raises."""
    names = ("cbr", "mirror", "third")
    desk = Desk(instrument(), dict.fromkeys(names, TABLE), datetime(2024, 11, 20, 17, tzinfo=MOSCOW))
    said: set[Decimal | None] = {None}
    for source, price, day, minutes in steps:
        desk.later(minutes=minutes).says(source, str(price), desk.now.date() + timedelta(days=day))
        said.add(price)
        choice: Choice = desk.choose()
        assert choice.quote.price in said
        assert (choice.quote.price is None) == (choice.quote.status is Status.UNAVAILABLE)


@given(PRICES.filter(lambda p: p > 1), st.sampled_from([10, 100, 1000, 10000, "0.1", "0.01", "0.0001"]))
def test_no_power_of_ten_gets_past_a_single_source(price: Decimal, factor: int | str) -> None:
    """Whatever the price, its multiple by a power of ten is refused without a second source."""
    desk = Desk(instrument(sources=("cbr",)), {"cbr": TABLE}, datetime(2024, 11, 20, 17, tzinfo=MOSCOW))
    desk.says("cbr", str(price), date(2024, 11, 20)).choose()
    quote = desk.says("cbr", str(price * Decimal(factor))).choose().quote
    assert (quote.price, quote.reason) == (price, Reason.UNIT)


def test_a_first_number_that_a_cross_check_speaks_against_is_not_known(fixing: Desk) -> None:
    """Alone and contradicted it is shown as unknown, whether the contradiction comes before or after it."""
    for early in (True, False):
        cold = Desk(fixing.what, fixing.calendars, fixing.now)
        cold.contradicted = frozenset({"cbr"} if early else ())
        cold.says("cbr", "160.6798").choose()
        cold.contradicted = frozenset({"cbr"})
        quote = cold.choose().quote
        assert (quote.price, quote.reason) == (None, Reason.DISAGREE)
        assert cold.later(days=1).says("cbr", "160.7").price is None
        assert cold.says("mirror", "160.7").price == "160.7"


def test_the_reason_of_an_outvoted_first_source_is_its_dissent(fixing: Desk) -> None:
    """One slug everywhere: what log and metric call `disagree` the quote does not call `frozen`."""
    fixing.says("cbr", "106.6800").says("mirror", "100.2192").says("third", "100.2192")
    assert fixing.choose().quote.reason is Reason.DISAGREE


def test_a_corrected_table_waits_quietly_for_its_copies(fixing: Desk) -> None:
    """Another number under the date shown: the copies are asked first, and only then is it called a dispute."""
    day = date(2024, 11, 20)
    choice = fixing.later(minutes=1).says("cbr", "100.0400", day).choose()
    assert (str(choice.quote.price), choice.quote.reason) == ("100.0348", None)
    assert set(choice.ask_now) == {"mirror", "third"}
    fixing.later(seconds=1).says("mirror", "100.0400", day).says("third", "100.0400", day)
    assert fixing.price == "100.0400"


def test_what_is_due_next_is_never_past(fixing: Desk) -> None:
    """A number whose sources are silent tells when the next one is due seen from now, not from when it came."""
    kept = fixing.choose().quote
    fixing.candidates.clear()
    assert kept.next_update_at is None
    for days, due in ((1, None), (2, None), (3, datetime(2024, 11, 25, 16, tzinfo=MOSCOW))):
        fixing.now = datetime(2024, 11, 20 + days, 17, tzinfo=MOSCOW)
        assert fixing.choose().quote.next_update_at == due
    fixing.now = datetime(2024, 12, 22, 12, tzinfo=MOSCOW)
    assert (fixing.choose().quote.status, fixing.last and fixing.last.next_update_at) == (
        Status.UNAVAILABLE,
        datetime(2024, 12, 23, 16, tzinfo=MOSCOW),
    )
