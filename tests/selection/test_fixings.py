from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.selection.conftest import DAILY, MOSCOW, TABLE, Desk, instrument
from ticker.quotes import Reason, Status
from ticker.selection.evidence import Quotient

D19, D20, D21, D22 = (date(2024, 11, day) for day in (19, 20, 21, 22))


def moment(day: date) -> datetime:
    """Its midnight in Moscow."""
    return datetime(day.year, day.month, day.day, tzinfo=MOSCOW)


# In force and upcoming.


def test_a_table_of_tomorrow_is_upcoming_and_becomes_the_price_at_midnight(fixing: Desk) -> None:
    """At 17:00 the number is still today's; tomorrow's is told beside it, and takes its place at 00:00 in Moscow."""
    fixing.says("cbr", "100.2192").says("mirror", "100.2192")
    assert fixing.shown() == ("100.0348", "fresh", None)
    assert fixing.coming() == ("100.2192", True, None)
    fixing.at(20, 23, 59)
    assert fixing.price == "100.0348"
    quote = fixing.later(minutes=1).choose().quote
    assert (str(quote.price), quote.status, quote.upcoming, quote.change) == (
        "100.2192",
        Status.FRESH,
        None,
        Decimal("0.1844"),
    )


def test_time_alone_and_a_decision_at_the_same_moment_say_the_same(fixing: Desk) -> None:
    """What followers show at midnight without hearing anything is what the leader decides then."""
    quote = fixing.says("cbr", "100.2192").says("mirror", "100.2192").choose().quote
    aged = quote.at(moment(D21))
    fixing.now = moment(D21)
    assert aged.news == fixing.choose().quote.news


def test_a_table_is_published_at_once_and_marked_until_a_copy_says_it(fixing: Desk) -> None:
    """What is not in force yet can wait for its copies, which are asked at once."""
    choice = fixing.later(minutes=1).says("cbr", "100.2192").choose()
    assert set(choice.ask_now) == {"mirror", "third"}
    assert fixing.coming() == ("100.2192", False, None)
    assert fixing.says("mirror", "100.2192").coming() == ("100.2192", True, None)


def test_a_dispute_has_until_midnight(fixing: Desk) -> None:
    """Copies that differ: today's number stays fresh until its last minute, then stale, with the reason."""
    fixing.fails("third").says("cbr", "100.2192").says("mirror", "103.1000")
    assert fixing.shown() == ("100.0348", "fresh", None)
    assert fixing.coming() in {("100.2192", False, "disagree"), ("103.1000", False, "disagree")}
    fixing.at(21, 0)
    assert fixing.shown() == ("100.0348", "stale", "disagree")
    assert fixing.says("mirror", "100.2192", D21).shown() == ("100.2192", "fresh", None)


def test_a_late_table_makes_tomorrow_unknown_and_not_today_old(fixing: Desk) -> None:
    """At 20:01 nothing has come: the number of today is fresh until midnight, and stale from there."""
    assert fixing.at(20, 23, 59).shown() == ("100.0348", "fresh", None)
    assert fixing.at(21, 0).shown()[:2] == ("100.0348", "stale")


def test_the_latest_rate_is_shown_where_it_is_asked_for(fixing: Desk) -> None:
    """`rate = "latest"`: the newest that is published, with its own date."""
    fixing.what = instrument(rate="latest")
    quote = fixing.says("cbr", "100.2192").says("mirror", "100.2192").choose().quote
    assert (str(quote.price), quote.as_of, quote.upcoming) == ("100.2192", moment(D21), None)


def test_a_cold_start_in_the_evening_shows_the_table_in_force(cold: Desk) -> None:
    """Of the Bank by the table asked for; with the Bank down by what the mirror tells of the one before."""
    evening = cold.at(20, 18)
    evening.says("cbr", "100.2192", D21).says("cbr", "100.0348", D20).says("mirror", "100.2192", D21)
    assert (evening.shown(), evening.coming()) == (("100.0348", "fresh", None), ("100.2192", True, None))
    evening.restart().fails("cbr")
    evening.last, evening.memory = None, type(evening.memory)()
    evening.says("mirror", "100.2192", D21).says("mirror", "100.0348", D20)
    assert evening.shown()[:2] == ("100.0348", "fresh")


# Copies.


def test_two_that_agree_against_the_first_speak_for_it(fixing: Desk) -> None:
    """A preferred source alone against two equal copies is outvoted, at once and counted."""
    fixing.says("cbr", "101.2192").says("mirror", "100.2192").says("third", "100.2192")
    choice = fixing.choose()
    assert ("cbr", Reason.DISAGREE) in choice.overruled
    assert fixing.coming() == ("100.2192", True, None)
    quote = fixing.at(21, 0).choose().quote
    assert (str(quote.price), quote.source, quote.fallback, quote.reason) == (
        "100.2192",
        "mirror",
        True,
        Reason.DISAGREE,
    )


def test_two_wrong_tables_in_a_row_never_confirm_themselves(fixing: Desk) -> None:
    """+12 % for two days beside a right mirror: on both days the mirror's number is shown."""
    fixing.fails("third")
    for day, wrong, right in ((D21, "112.2455", "100.2192"), (D22, "112.7614", "100.6798")):
        fixing.now = datetime(2024, 11, day.day - 1, 17, tzinfo=MOSCOW)
        fixing.says("cbr", wrong, day).says("mirror", right, day)
        assert fixing.coming() == (right, False, None)
        fixing.now = moment(day)
        assert fixing.shown() == (right, "fresh", "disagree")


def test_what_was_refuted_is_not_confirmed_by_repetition_once_the_other_is_away(fixing: Desk) -> None:
    """The mirror dies on the second day, and the wrong level goes on: held, however often it is said."""
    fixing.fails("third").says("cbr", "112.2455").says("mirror", "100.2192").choose()
    fixing.fails("mirror")
    for day, wrong in ((22, "112.7614"), (23, "112.9000"), (26, "113.0000")):
        fixing.now = datetime(2024, 11, day - 1, 17, tzinfo=MOSCOW)
        fixing.says("cbr", wrong, date(2024, 11, day)).choose()
        fixing.now = datetime(2024, 11, day, 12, tzinfo=MOSCOW)
        assert fixing.shown()[:2] == ("100.2192", "stale")
    fixing.now = datetime(2024, 11, 26, 17, tzinfo=MOSCOW)
    assert fixing.says("cbr", "101.0000", date(2024, 11, 27)).coming() == ("101.0000", False, None)


def test_a_right_number_beside_a_wrong_one_is_published(cold: Desk) -> None:
    """Cold, the Bank +3 %, the mirror right, and the European Central Bank against the Bank: the mirror's is shown."""
    eur = {moment(D20): {"cbr": Decimal("105.8067"), "mirror": Decimal("105.8067")}}
    cold.quotients = (Quotient("EURUSD", Decimal("1.0577"), Decimal("0.02"), False, eur),)  # noqa: FBT003
    cold.says("cbr", "103.0358", D20).says("mirror", "100.0348", D20)
    assert cold.shown() == ("100.0348", "fresh", "disagree")


def test_two_crosses_near_one_of_two_copies_decide(cold: Desk) -> None:
    """Cold, the Bank +10 %, and two other central banks near the mirror."""
    cold.says("cbr", "110.0383", D20).says("mirror", "100.0348", D20).crosses("100.5", "99.9")
    assert cold.shown() == ("100.0348", "fresh", "disagree")


def test_a_wrong_table_of_tomorrow_withdraws_nothing(cold: Desk) -> None:
    """The Bank alone, good since noon, and a wrong table at 16:41: today's number stays what it is."""
    cold.fails("mirror").says("cbr", "100.0348", D20)
    assert cold.shown() == ("100.0348", "fresh", None)
    assert cold.at(20, 16, 41).says("cbr", "115.2192", D21).shown() == ("100.0348", "fresh", None)
    assert cold.coming() == ("115.2192", False, "move")
    assert cold.at(21, 0).shown() == ("100.0348", "stale", "move")


def test_a_digit_slip_at_a_cold_start_is_told_by_the_table_before(cold: Desk) -> None:
    """57.5273 at the Bank, 75.5273 at the mirror, which tells 75.2711 of the day before."""
    cold.says("cbr", "57.5273", D20).says("mirror", "75.5273", D20).says("mirror", "75.2711", D19)
    assert cold.shown() == ("75.5273", "fresh", "disagree")


def test_a_dispute_that_nothing_can_tell_shows_neither_as_fresh(cold: Desk) -> None:
    """The Bank +3 % or the mirror -3 %: the table before, where it is known, stale; else nothing."""
    cold.says("cbr", "103.0358", D20).says("mirror", "100.0348", D20)
    assert cold.shown() == (None, "unavailable", "disagree")
    assert cold.says("mirror", "99.9430", D19).shown() == ("99.9430", "stale", "disagree")


def test_a_first_table_is_judged_by_its_own_source_s_table_before(cold: Desk) -> None:
    """The Bank alone at a cold start, +10 % on its own table of yesterday."""
    cold.fails("mirror").says("cbr", "110.0383", D20).says("cbr", "99.9430", D19)
    assert cold.shown() == ("99.9430", "stale", "move")


def test_the_first_answers_of_a_start_are_not_fresh_before_all_were_asked(cold: Desk) -> None:
    """Half a minute at most: a witness that hangs keeps nothing back for longer."""
    assert cold.says("cbr", "57.5273", D20).shown()[1] == "stale"
    assert cold.says("mirror", "75.5273", D20).says("mirror", "75.2711", D19).shown()[0] == "75.5273"
    other = Desk(cold.what, cold.calendars, cold.now).says("cbr", "100.0348", D20)
    assert other.shown()[1] == "stale"
    assert other.later(seconds=31).shown() == ("100.0348", "fresh", None)


# Jumps.


def test_a_jump_that_nobody_confirms_is_marked_and_held_at_midnight(fixing: Desk) -> None:
    """More than `max_move` from one source alone."""
    fixing.fails("mirror", "third").says("cbr", "112.0000")
    assert fixing.coming() == ("112.0000", False, "move")
    assert fixing.at(21, 0).shown() == ("100.0348", "stale", "move")


def test_consecutive_true_jumps_are_shown_by_the_next_publication(fixing: Desk) -> None:
    """3 and 4 March 2022 with the Bank alone: 103.2487 when 111.7564 is out, and then that one from its date on."""
    desk = Desk(fixing.what, fixing.calendars, datetime(2022, 3, 2, 12, tzinfo=MOSCOW)).fails("mirror", "third")
    assert desk.says("cbr", "91.7457", date(2022, 3, 2)).price == "91.7457"
    desk.at(2, 17).says("cbr", "103.2487", date(2022, 3, 3)).choose()
    assert desk.at(3, 12).shown() == ("91.7457", "stale", "move")
    assert desk.at(3, 17).says("cbr", "111.7564", date(2022, 3, 4)).shown() == ("103.2487", "fresh", None)
    assert desk.at(4, 12).shown() == ("111.7564", "fresh", None)
    assert desk.at(4, 17).says("cbr", "105.8124", date(2022, 3, 5)).shown() == ("111.7564", "fresh", None)
    assert desk.at(5, 1).shown() == ("105.8124", "fresh", None)


def test_crosses_confirm_a_true_jump_and_those_that_have_not_moved_yet_deny_none(fixing: Desk) -> None:
    """With the Bank and crosses only a jump is shown when two of them show it, and theirs never takes its place."""
    fixing.fails("mirror", "third").crosses("100.1", "100.4")
    fixing.says("cbr", "112.0000")
    assert fixing.coming() == ("112.0000", False, "move")
    fixing.crosses("111.5", "112.9", as_of=D21)
    assert fixing.coming() == ("112.0000", False, None)
    assert fixing.at(21, 1).shown() == ("112.0000", "fresh", None)


def test_a_jump_that_is_taken_back_was_none(fixing: Desk) -> None:
    """A single source that corrects itself goes on from the last good number."""
    fixing.fails("mirror", "third").says("cbr", "112.0000").choose()
    assert fixing.says("cbr", "100.2192").coming() == ("100.2192", False, None)


@pytest.mark.parametrize("price", ["1000.348", "10003.48", "10.00348", "0.009997"])
def test_a_slip_is_never_confirmed_by_its_own_source(fixing: Desk, price: str) -> None:
    """Ten times the price, or its inverse, stays refused however many publications repeat it."""
    fixing.fails("mirror", "third")
    for day in (21, 22, 23):
        fixing.at(day - 1, 17).says("cbr", price, date(2024, 11, day)).choose()
        assert fixing.at(day, 12).shown() == ("100.0348", "stale", "unit")


def test_yesterday_s_number_under_tomorrow_s_date_is_held(fixing: Desk) -> None:
    """A cache that stamps what it has; beside a copy that carries another number it is the one that errs."""
    fixing.fails("mirror", "third").says("cbr", "100.0348", D21)
    assert fixing.coming() == ("100.0348", False, "frozen")
    assert fixing.says("mirror", "100.2192", D21).coming() == ("100.2192", False, None)


@pytest.mark.parametrize("price", ["5.87", "1.1773"], ids=["RUB in KZT", "EUR in USD"])
def test_a_number_of_few_digits_may_be_the_same_on_two_days(price: str) -> None:
    """With two or four digits that is an ordinary day, as of the rouble in Kazakhstan: fresh, with the new date."""
    bank = Desk(instrument(sources=("nbk",)), {"nbk": TABLE}, datetime(2024, 11, 20, 10, tzinfo=MOSCOW))
    bank.says("nbk", price, D20).choose()
    bank.at(20, 17).says("nbk", price, D21).choose()
    quote = bank.at(21, 9).choose().quote
    assert (quote.status, quote.reason, quote.as_of) == (Status.FRESH, None, moment(D21))


def test_two_copies_of_yesterday_s_number_are_not_outvoted_by_one_of_another(fixing: Desk) -> None:
    """It may truly be the same on two days, and the mirror 1 % off; or two caches, and the mirror right."""
    fixing.says("cbr", "100.0348").says("third", "100.0348").says("mirror", "101.0351")
    assert fixing.at(21, 0).shown() == ("100.0348", "stale", "disagree")


def test_a_mirror_that_stays_broken_delays_nothing_after_its_first_day(fixing: Desk) -> None:
    """Its number stands still under each new date, and stands against nobody any more."""
    fixing.fails("third").says("cbr", "100.2192").says("mirror", "93.0000").choose()
    for day, price in ((22, "100.6798"), (23, "102.5761")):
        fixing.at(day - 1, 17).says("cbr", price, date(2024, 11, day)).says("mirror", "93.0000", date(2024, 11, day))
        assert fixing.coming() == (price, False, None)
        assert fixing.at(day, 1).shown() == (price, "fresh", None)


def test_an_error_about_a_confirmed_table_withdraws_nothing(fixing: Desk) -> None:
    """A source that changes its mind at noon about what all had agreed on: the copies are asked, the number stays."""
    choice = fixing.fails("third").later(minutes=1).says("cbr", "104.0348", D20).choose()
    assert (str(choice.quote.price), choice.quote.status) == ("100.0348", Status.FRESH)
    assert "mirror" in choice.ask_now
    fixing.later(seconds=1).says("mirror", "104.0348", D20)
    assert fixing.price == "104.0348"


# Fallbacks.


def test_a_number_of_another_kind_never_takes_the_place_of_a_usable_one(fixing: Desk) -> None:
    """A stale fixing of yesterday stays; after `fallback_after` a cross rate follows, as what it is, and stale."""
    fixing.fails("cbr", "mirror", "third")
    for day in (21, 22, 23):
        fixing.at(day, 12).crosses("100.5", "100.6", as_of=date(2024, 11, day))
        assert fixing.shown()[:2] == ("100.0348", "stale")
    quote = fixing.at(24, 12).crosses("100.7", "100.8", as_of=date(2024, 11, 24)).choose().quote
    assert (str(quote.price), quote.status, quote.fallback, str(quote.price_type)) == (
        "100.7",
        Status.STALE,
        True,
        "mid",
    )
    assert fixing.says("mirror", "101.0000", date(2024, 11, 23)).shown()[:2] == ("101.0000", "fresh")


def test_a_fallback_is_never_older_than_what_it_displaces(fixing: Desk) -> None:
    """A cross rate of last week stays away."""
    fixing.fails("cbr", "mirror", "third").crosses("100.7", "100.8", as_of=D19)
    assert fixing.at(25, 12).shown()[0] == "100.0348"


def test_with_nothing_of_the_own_kind_a_fallback_is_shown_stale(cold: Desk) -> None:
    """Once all of the own kind were asked."""
    cold.fails("cbr", "mirror").crosses("100.7", "100.8")
    assert cold.shown()[:2] == ("100.7", "stale")


# Memory.


def test_a_restart_shows_nothing_of_what_was_held(fixing: Desk) -> None:
    """The doubt is in the store: the same table again is in doubt again, and its next publication ends it."""
    fixing.fails("mirror", "third").says("cbr", "112.0000").choose()
    fixing.restart().fails("mirror", "third").at(21, 9).says("cbr", "112.0000", D21)
    assert fixing.shown() == ("100.0348", "stale", "move")
    fixing.restart().fails("mirror", "third").at(21, 17).says("cbr", "111.5000", D22)
    assert fixing.shown() == ("112.0000", "fresh", None)


def test_in_a_lasting_dispute_there_is_one_version(fixing: Desk) -> None:
    """Polls that repeat what was said change nothing that is shown."""
    fixing.fails("third").says("cbr", "100.2192").says("mirror", "103.1000")
    before = fixing.choose().quote.news
    for _ in range(5):
        fixing.later(minutes=10).says("cbr", "100.2192").says("mirror", "103.1000")
        assert fixing.choose().quote.news == before


WORDS = st.sampled_from(["100.0348", "100.2192", "103.1000", "112.2455", "10.0219"])


@given(st.tuples(WORDS, WORDS, WORDS), WORDS)
def test_the_order_of_answers_decides_nothing(said: tuple[str, str, str], before: str) -> None:
    """Whoever answers first: when all have, the same number stands there."""
    names, results = ("cbr", "mirror", "third"), set()
    for order in permutations(range(3)):
        desk = Desk(instrument(), dict.fromkeys(names, TABLE), datetime(2024, 11, 20, 12, tzinfo=MOSCOW))
        desk.says("mirror", before, D19)
        desk.asked.clear()
        for place in order:
            desk.later(seconds=1).says(names[place], said[place], D20).choose()
        results.add(desk.later(minutes=3).shown())
    assert len(results) == 1


def test_evidence_says_of_a_source_what_was_made_of_its_newest_number(cold: Desk) -> None:
    """Its older number is shown; the newest, ten times that, is not what spoke."""
    cold.says("cbr", "100.0348", D20).choose()
    cold.at(21, 12).says("cbr", "1012.345", D21).fails("mirror")
    choice = cold.choose()
    assert str(choice.quote.price) == "100.0348"
    told = {each.source: str(each.verdict) for each in choice.evidence.witnesses}
    assert told["cbr"] in {"held", "refused"}


@given(
    st.lists(st.tuples(st.sampled_from(["95.1", "97.3", "99.7", "103.8", "112.4", "118.0"])), min_size=1, max_size=6)
)
def test_one_source_alone_never_makes_a_refuted_level_fresh(steps: list[tuple[str]]) -> None:
    """However it goes on from a number that a copy and other evidence refuted, while it is nearer to that number."""
    desk = Desk(
        instrument(), dict.fromkeys(("cbr", "mirror", "third"), TABLE), datetime(2024, 11, 20, 10, tzinfo=MOSCOW)
    )
    desk.fails("third").says("cbr", "100.0348", D20).says("mirror", "100.0348", D20).choose()
    desk.at(20, 17).says("cbr", "115.0000").says("mirror", "100.2192").choose()
    desk.fails("mirror")
    for number, (price,) in enumerate(steps):
        day = desk.now.date() + timedelta(days=1)
        desk.says("cbr", f"{price}{number}", day).choose()
        desk.now = moment(day) + timedelta(hours=17)
        shown = desk.choose().quote
        if shown.status is Status.FRESH:
            assert shown.price is not None
            assert shown.price < Decimal("107.6")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("cbr", "mirror", "third")),
            st.decimals("0.0001", "100000", places=4),
            st.integers(-3, 1),
            st.integers(0, 2000),
        ),
        max_size=20,
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
        quote = desk.choose().quote
        assert quote.price in said
        assert (quote.price is None) == (quote.status is Status.UNAVAILABLE)
        assert quote.as_of is None or quote.as_of <= desk.now


def test_daily_rates_have_their_own_calendar() -> None:
    """A cross rate is on time by its own publisher's day."""
    assert DAILY.fresh_until(moment(D20)) > moment(D21)


# The euro over the dollar, in the table before.


def beside(desk: Desk, euros: dict[date, str], *who: str, believed: dict[date, str] | None = None) -> Desk:
    """The euro's rows of the same tables: of each date what `who` say, and what is `believed`."""
    said = {moment(day): dict.fromkeys(who, Decimal(price)) for day, price in euros.items()}
    known = {moment(day): Decimal(price) for day, price in (believed or {D20: "105.7338"}).items()}
    desk.quotients = (Quotient("EURUSD", None, Decimal("0.02"), False, said, believed=known),)  # noqa: FBT003
    return desk


@pytest.mark.parametrize("wrong", ["103.2258", "101.9000"], ids=["+3 %", "+1.7 %"])
def test_a_slip_of_one_row_is_seen_beside_the_other(fixing: Desk, wrong: str) -> None:
    """The Bank's dollar off, the mirror's right, both with one euro: the right one is to it what yesterday's was."""
    fixing.fails("third").says("cbr", wrong).says("mirror", "100.2192")
    assert fixing.coming() == (wrong, False, "disagree")
    beside(fixing, {D21: "105.8090"}, "cbr", "mirror")
    assert fixing.at(21, 0).shown() == ("100.2192", "fresh", "disagree")


def test_a_slip_of_one_row_is_not_believed_of_the_bank_alone(fixing: Desk) -> None:
    """The Bank alone, 5 % off, the euro where it was: neither that day nor because its next table is as wrong."""
    fixing.fails("mirror", "third").says("cbr", "105.2302")
    beside(fixing, {D21: "105.8090"}, "cbr")
    assert fixing.at(21, 9).shown() == ("100.0348", "stale", "move")
    fixing.at(21, 16, 41).says("cbr", "105.7138", D22)
    # The older table of the euro is not told any more, but remembered.
    beside(fixing, {D22: "106.0762"}, "cbr", believed={D20: "105.7338", D21: "105.8090"})
    assert fixing.at(22, 9).shown() == ("100.0348", "stale", "move")


@pytest.mark.parametrize(("first", "second"), [("103.2258", "103.7002"), ("102.6500", "103.1200")])
def test_a_pair_that_moved_alone_is_shown_by_the_next_table_and_not_called_fresh(
    fixing: Desk, first: str, second: str
) -> None:
    """The Bank alone, its dollar up and the euro where it was, for two tables: it may be true, or two slips."""
    fixing.fails("mirror", "third").says("cbr", first)
    beside(fixing, {D21: "105.8090"}, "cbr")
    assert fixing.at(21, 9).shown() == ("100.0348", "stale", "move")
    fixing.at(21, 16, 41).says("cbr", second, D22)
    beside(fixing, {D21: "105.8090", D22: "106.0762"}, "cbr", believed={D20: "105.7338", D21: "105.8090"})
    assert fixing.shown() == (first, "stale", "move")
    # Begun again in the night, and told by the Bank's answer of the day alone.
    fixing.restart().fails("mirror", "third").at(22, 0, 10).says("cbr", second, D22)
    beside(fixing, {D22: "106.0762"}, "cbr", believed={D20: "105.7338", D21: "105.8090", D22: "106.0762"})
    assert fixing.shown() == (first, "stale", "move")
    # A table like those before the jump ends it: nothing was learnt of the two between.
    fixing.at(22, 16, 41).says("cbr", "101.1000", date(2024, 11, 23))
    beside(
        fixing, {date(2024, 11, 23): "106.5000"}, "cbr", believed={D20: "105.7338", D21: "105.8090", D22: "106.0762"}
    )
    assert fixing.at(23, 9).shown() == ("101.1000", "fresh", None)


def test_the_row_that_is_in_doubt_is_not_cleared_by_what_the_other_one_did_since(fixing: Desk) -> None:
    """The Bank's dollar 3.7 % off for three tables, in which the euro truly fell by 2.2 %: the dollar is not fresh."""
    fixing.fails("mirror", "third")
    euros = {D20: "105.7338", D21: "105.8000", D22: "104.9000", date(2024, 11, 23): "103.4000"}
    for day, price in ((D21, "103.9000"), (D22, "103.5000"), (date(2024, 11, 23), "101.9000")):
        fixing.now = moment(day) - timedelta(hours=7)
        fixing.says("cbr", price, day)
        beside(fixing, euros, "cbr", believed=euros)
        fixing.choose()
        assert fixing.at(day.day, 0, 5).shown()[1] == "stale", day


def test_a_pair_that_moved_alone_is_fresh_after_four_tables(fixing: Desk) -> None:
    """3 % of the dollar over the euro, told by the Bank alone on four days: it is so."""
    fixing.fails("mirror", "third")
    told = {D21: "103.2258", D22: "103.7002", date(2024, 11, 23): "103.3000", date(2024, 11, 26): "103.1000"}
    euros = dict.fromkeys(told, "105.8090")
    for day, price in told.items():
        fixing.now = moment(day) - timedelta(hours=7)
        fixing.says("cbr", price, day)
        beside(fixing, euros, "cbr", believed={D20: "105.7338"})
        fixing.choose()
    assert fixing.at(26, 9).shown() == ("103.1000", "fresh", None)


@pytest.mark.parametrize(
    ("reference", "shown"), [("1.0490", ("100.0348", "stale", "move")), ("1.0330", ("102.6500", "fresh", None))]
)
def test_a_pair_that_moved_is_confirmed_by_a_reference_that_moved_as_well(
    fixing: Desk, reference: str, shown: tuple[str, str, str | None]
) -> None:
    """The Bank alone, the euro 2.5 % lower in dollars than in its table before; the ECB's has not moved, or has."""
    fixing.fails("mirror", "third").says("cbr", "102.6500")
    beside(fixing, {D21: "105.8090"}, "cbr")
    fixing.quotients = tuple(replace(each, reference=Decimal(reference)) for each in fixing.quotients)
    assert fixing.at(21, 9).shown() == shown


def test_a_rouble_that_falls_falls_against_both(fixing: Desk) -> None:
    """The Bank alone, dollar and euro 6 % up: an ordinary day's move at most, shown on its morning."""
    fixing.fails("mirror", "third").says("cbr", "106.0369")
    beside(fixing, {D21: "112.0778"}, "cbr")
    assert fixing.at(21, 9).shown() == ("106.0369", "fresh", None)


def test_the_other_row_of_a_pair_is_not_withheld(fixing: Desk) -> None:
    """The Bank alone, its euro 5 % off: the dollar, which moved as every day, is shown."""
    fixing.fails("mirror", "third").says("cbr", "100.2192")
    beside(fixing, {D21: "111.0995"}, "cbr")
    assert fixing.at(21, 9).shown() == ("100.2192", "fresh", None)


def test_what_four_tables_say_is_believed_although_it_was_unlike_the_one_before(fixing: Desk) -> None:
    """A number that was wrong when it was believed keeps the truth away for three tables and no longer."""
    fixing.fails("mirror", "third")
    days = [date(2024, 11, day) for day in (21, 22, 23, 26)]
    for number, day in enumerate(days):
        fixing.now = moment(day) - timedelta(hours=7)
        fixing.says("cbr", f"9{number}.1000", day)
        beside(fixing, dict.fromkeys(days[: number + 1], "105.8090"), "cbr", believed={D20: "90.0000"})
        assert fixing.at(day.day, 9).shown()[1] == ("fresh" if day == days[-1] else "stale"), day


def test_crosses_that_are_not_near_do_not_outweigh_the_other_row(fixing: Desk) -> None:
    """The Bank alone 3 % off against the euro; two crosses 2.5 % from it are none for it, and at 1 % they are."""
    fixing.fails("mirror", "third").says("cbr", "103.2258")
    beside(fixing, {D21: "105.8090"}, "cbr")
    fixing.at(21, 9).crosses("100.7000", "100.7100")
    assert fixing.shown() == ("100.0348", "stale", "move")
    fixing.at(21, 10).crosses("102.2000", "102.2100")
    assert fixing.shown()[0] == "103.2258"


def test_a_number_that_went_up_and_came_back_is_not_doubted_for_it(cold: Desk) -> None:
    """In the evening the mirror tells yesterday's number as today's, and both tell tomorrow's, nearer to it."""
    cold.says("cbr", "100.1000", D19).says("cbr", "100.9000", D20).says("cbr", "100.0500", D21)
    cold.says("mirror", "100.1000", D20).says("mirror", "100.0500", D21)
    assert cold.shown()[:2] == ("100.9000", "fresh")


# Rules that nothing above needs.


def test_a_table_that_a_copy_confirmed_stands_when_its_source_changes_its_mind(fixing: Desk) -> None:
    """Bank and mirror said 100.2192 for tomorrow; at eight the Bank says 101.2192: the confirmed one is in force."""
    fixing.fails("third").says("cbr", "100.2192").says("mirror", "100.2192").choose()
    fixing.at(20, 20).says("cbr", "101.2192", D21)
    assert fixing.at(21, 0).shown() == ("100.2192", "fresh", "disagree")


def test_what_was_believed_is_not_withdrawn_by_crosses_that_move_on(fixing: Desk) -> None:
    """The Bank alone, believed in the morning; at three two crosses are at what will be tomorrow's."""
    fixing.fails("mirror", "third").says("cbr", "100.2192")
    assert fixing.at(21, 9).shown() == ("100.2192", "fresh", None)
    fixing.at(21, 15).crosses("104.5000", "104.6000")
    assert fixing.shown() == ("100.2192", "fresh", None)


def test_the_bank_alone_is_measured_by_the_european_central_bank(cold: Desk) -> None:
    """Cold, the Bank's dollar 3 % off, and nothing known of the table before: not believed."""
    eur = {moment(D20): {"cbr": Decimal("105.8067")}}
    cold.quotients = (Quotient("EURUSD", Decimal("1.0577"), Decimal("0.02"), False, eur),)  # noqa: FBT003
    assert cold.fails("mirror", "third").says("cbr", "103.0358", D20).shown() == (None, "unavailable", "disagree")


def test_the_bank_alone_is_measured_by_two_crosses(cold: Desk) -> None:
    """Cold, the Bank 6 % off, two other central banks where they should be: not believed, though no jump is known."""
    cold.fails("mirror", "third").crosses("100.1000", "99.9000")
    assert cold.says("cbr", "106.0369", D20).shown()[1] != "fresh"


def test_what_was_doubted_is_not_believed_because_its_witnesses_fell_silent(cold: Desk) -> None:
    """Cold, the Bank 6 % off two crosses; begun again without them, nothing has been said for it."""
    cold.fails("mirror", "third").crosses("100.1000", "99.9000").says("cbr", "106.0369", D20).choose()
    cold.candidates.clear()
    cold.last = None
    assert cold.later(minutes=5).says("cbr", "106.0369", D20).shown()[1] != "fresh"


def test_a_dispute_outlives_a_restart_whatever_was_believed_of_the_other_row(fixing: Desk) -> None:
    """Bank +5 % in both rows, mirror right; begun again, the Bank first: what it said of the euro refutes no mirror."""
    fixing.fails("third").says("cbr", "105.2302").says("mirror", "100.2192").choose()
    fixing.candidates.clear()
    beside(fixing, {D21: "111.0995"}, "cbr", believed={D20: "105.7338", D21: "111.0995"})
    fixing.says("cbr", "100.0348", D20).says("cbr", "105.2302")
    assert fixing.coming() == ("105.2302", False, "disagree")
    assert fixing.at(21, 9).shown() == ("100.0348", "stale", "disagree")


def test_a_true_move_of_the_pair_over_two_tables_refutes_nobody(fixing: Desk) -> None:
    """Over two tables the euro moved 1.8 % against the dollar, and the Bank's dollar is off by as much: a dispute."""
    fixing.fails("third").now = moment(D21) + timedelta(hours=17)
    beside(fixing, {D22: "107.6371"}, "cbr", "mirror")
    fixing.says("cbr", "101.8400", D22).says("mirror", "100.0948", D22)
    assert fixing.at(22, 0).shown() == ("100.0348", "stale", "disagree")
