"""Issue 15 over the Bank's tables, finding by finding, with brothers of each: what was right, moment by moment.

Each runs straight on and with the product ended and begun again at every moment that is looked at. Expectations are
facts of `facts/`, written down here as numbers; nothing is computed by the product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.world.facts import fixings
from tests.world.harness import Product, Shown, one_shot
from tests.world.play import EVER, NO_OIL, Stage, away, bank, is_fresh, is_shown, stuck, wrong_from
from tests.world.world import Fixing, Spell, moment

# 2: kinds have tiers.


async def test_a_mid_displaces_no_fixing(stage: Stage) -> None:
    """The Bank and its copies silent: what a free service makes of the market is no table of the Bank."""
    world = bank("2026-03-03 12:00", fixings.MARCH_2026, "cbr", "cbr_mirror", "open_er_api", "fawazahmed0")
    world.spells += [away("cbr", "2026-03-03 13:00"), away("cbr_mirror", "2026-03-03 13:00")]
    async with stage(world) as play:
        for when, status in (
            ("2026-03-03 12:50", "fresh"),
            ("2026-03-03 23:00", "fresh"),
            ("2026-03-04 12:00", "stale"),
            ("2026-03-05 12:00", "stale"),
        ):
            shown = (await play.until(when, 60))["USD"]
            assert (shown.price, shown.status) == (Decimal("77.1734"), status), (when, shown)
        assert not play.ever("USD", lambda s: s.source in {"open_er_api", "fawazahmed0"} and s.status == "fresh")


# 3: calendars as the world keeps them.


async def test_a_working_saturday_has_a_table_of_its_own(stage: Stage) -> None:
    """The table of 28.12.2024 is in force that day only: Saturday's work gives the one of 29.12, until 9.01."""
    world = bank("2024-12-27 12:00", fixings.DECEMBER_2024, "cbr", "cbr_mirror")
    async with stage(world, flags=NO_OIL) as play:
        for when, price in (
            ("2024-12-27 20:00", "99.2295"),
            ("2024-12-28 12:00", "100.5281"),
            ("2024-12-28 20:00", "100.5281"),
            ("2024-12-29 00:10", "101.6797"),
            ("2025-01-03 12:00", "101.6797"),
            ("2025-01-09 20:00", "101.6797"),
            ("2025-01-10 00:10", "102.2911"),
        ):
            shown = (await play.until(when, 120))["USD"]
            assert is_fresh(price)(shown), (when, shown)


async def test_the_table_that_a_working_saturday_set_is_missed(stage: Stage) -> None:
    """With every source silent since Saturday noon, the table of 28.12.2024 is old on Sunday, not on 10.01."""
    world = bank("2024-12-28 10:00", fixings.DECEMBER_2024, "cbr", "cbr_mirror")
    world.spells += [away("cbr", "2024-12-28 12:00"), away("cbr_mirror", "2024-12-28 12:00")]
    async with stage(world, flags=NO_OIL) as play:
        for when, status in (
            ("2024-12-28 11:00", "fresh"),
            ("2024-12-28 23:50", "fresh"),
            ("2024-12-29 00:10", "stale"),
            ("2025-01-03 12:00", "stale"),
        ):
            shown = (await play.until(when, 60))["USD"]
            assert (shown.price, shown.status) == (Decimal("100.5281"), status), (when, shown)


async def test_the_newer_table_wins_over_the_preferred_source(stage: Stage) -> None:
    """The Bank's answer is stuck at 28.12.2024 and the mirror has 29.12: on Sunday the newer one is in force."""
    world = bank("2024-12-28 10:00", fixings.DECEMBER_2024, "cbr", "cbr_mirror")
    old = next(each for each in world.fixings if each.day == date(2024, 12, 28))
    world.spells.append(Spell("cbr", moment("2024-12-28 12:00"), moment("2025-01-08 00:00"), fixing=lambda _: old))
    async with stage(world, flags=NO_OIL) as play:
        shown = (await play.until("2024-12-28 22:00", 60))["USD"]
        assert is_fresh("100.5281")(shown), shown
        for when in ("2024-12-29 00:10", "2024-12-30 12:00"):
            shown = (await play.until(when, 60))["USD"]
            assert is_fresh("101.6797")(shown), (when, shown)


async def test_a_bank_that_comes_back_in_the_evening_is_asked_for_the_table_in_force(stage: Stage) -> None:
    """Alone, silent from Friday's noon to Monday's 17:00: Saturday's table is in force then, and Tuesday's is out."""
    world = bank("2026-02-26 18:00", fixings.MARCH_2026, "cbr")
    world.spells.append(away("cbr", "2026-02-27 12:00", "2026-03-02 17:00"))
    async with stage(world) as play:
        shown = (await play.until("2026-03-02 16:30", 30))["USD"]
        assert (shown.price, shown.status) == (Decimal("76.8512"), "stale"), shown
        shown = (await play.until("2026-03-02 17:30", 15))["USD"]
        assert (shown.price, shown.status) == (Decimal("76.9731"), "fresh"), shown
        assert shown.upcoming.price == Decimal("77.1734")


async def test_a_table_of_tomorrow_that_a_newer_one_hides_is_asked_for_at_midnight(stage: Stage) -> None:
    """Begun on Friday at 21:00, when the Bank has set Sunday's too: Saturday's 102.5761 is asked for then."""
    sunday = ("2024-11-22 20:30", "2024-11-24", "102.9000", "107.6000")
    world = bank("2024-11-22 21:00", (*fixings.NOVEMBER_2024[:-1], sunday), "cbr")
    async with stage(world, flags=NO_OIL) as play:
        for when, price in (
            ("2024-11-22 23:50", "100.6798"),
            ("2024-11-23 00:10", "102.5761"),
            ("2024-11-24 12:00", "102.9000"),
        ):
            shown = (await play.until(when, 10))["USD"]
            assert is_fresh(price)(shown), (when, shown)


async def test_new_year_has_one_table(stage: Stage) -> None:
    """The table of 31.12.2025 is in force until 12.01.2026 and never late; that of 13.01 follows at midnight."""
    world = bank("2025-12-30 12:00", fixings.NEW_YEAR_2026, "cbr", "cbr_mirror")
    async with stage(world, flags=NO_OIL) as play:
        for when, price in (
            ("2025-12-30 22:00", "77.9573"),
            ("2025-12-31 00:10", "78.2267"),
            ("2026-01-06 12:00", "78.2267"),
            ("2026-01-12 23:50", "78.2267"),
            ("2026-01-13 00:10", "78.7954"),
        ):
            shown = (await play.until(when, 240))["USD"]
            assert is_fresh(price)(shown), (when, shown)


async def test_a_late_table_makes_tomorrow_unknown_and_not_today_old(stage: Stage) -> None:
    """The Bank falls silent at noon of 4.03.2026: today's number is fresh until midnight, then it is stale."""
    world = bank("2026-03-04 11:00", fixings.MARCH_2026, "cbr")
    world.spells.append(away("cbr", "2026-03-04 12:00"))
    async with stage(world, flags=NO_OIL) as play:
        for when, status in (
            ("2026-03-04 11:50", "fresh"),
            ("2026-03-04 20:30", "fresh"),
            ("2026-03-04 23:55", "fresh"),
            ("2026-03-05 00:05", "stale"),
            ("2026-03-05 18:00", "stale"),
        ):
            shown = (await play.until(when, 30))["USD"]
            assert (shown.price, shown.status) == (Decimal("77.6093"), status), (when, shown)


async def test_the_next_table_is_due_on_the_working_saturday(stage: Stage) -> None:
    """On 28.12.2024 at noon the next publication is due that day; on the 30th it is 9.01.2025."""
    world = bank("2024-12-28 10:00", fixings.DECEMBER_2024, "cbr", "cbr_mirror")
    async with stage(world, flags=NO_OIL) as play:
        await play.until("2024-12-28 12:00", 60)
        assert (await play.product.quotes())["USD"]["next_update_at"][:10] == "2024-12-28"
        await play.until("2024-12-30 12:00", 120)
        assert (await play.product.quotes())["USD"]["next_update_at"][:10] == "2025-01-09"


# 4: a wrong fixing does not confirm itself.


@pytest.mark.parametrize("crosses", [(), ("nbrb", "cbu_uz", "nbk", "ecb")], ids=["two alive", "crosses too"])
@pytest.mark.parametrize("slip", ["x1.12", "x0.91", "x1.05"])
async def test_two_wrong_tables_do_not_confirm_each_other(stage: Stage, crosses: tuple[str, ...], slip: str) -> None:
    """The Bank's answers of 4 and 5.03.2026 are off by a share, the mirror's right: the right ones are shown."""
    world = bank("2026-03-03 12:00", fixings.MARCH_2026, "cbr", "cbr_mirror", *crosses)
    world.spells.append(wrong_from("cbr", "2026-03-04", "2026-03-05", slip, slip))
    async with stage(world, flags=NO_OIL) as play:
        for when in ("2026-03-03 15:00", "2026-03-03 23:50"):
            shown = (await play.until(when, 30))["USD"]
            assert is_fresh("77.1734")(shown), (when, shown)
        for when, right, before in (
            ("2026-03-04 00:10", "77.6093", "77.1734"),
            ("2026-03-04 15:00", "77.6093", "77.1734"),
            ("2026-03-05 00:10", "77.8009", "77.6093"),
            ("2026-03-05 15:00", "77.8009", "77.6093"),
        ):
            shown = (await play.until(when, 30))["USD"]
            if slip == "x1.05" and not crosses:
                # Within an ordinary day's move and with one witness it may be that neither is believed.
                assert not is_fresh(before)(shown), (when, shown)
            else:
                assert is_shown(right)(shown), (when, shown)
        wrong = [
            each.usd * Decimal(slip[1:]) for each in world.fixings if each.day in (date(2026, 3, 4), date(2026, 3, 5))
        ]
        assert not play.ever("USD", lambda s: s.price in [each.quantize(Decimal("0.0001")) for each in wrong])
        shown = (await play.until("2026-03-06 01:00", 30))["USD"]
        assert is_fresh("77.9120")(shown), shown


async def test_three_tables_of_another_currency_do_not_confirm_each_other(stage: Stage) -> None:
    """The dollar's row holds the euro's number for three tables; mirror and crosses are right."""
    world = bank("2026-02-27 12:00", fixings.MARCH_2026, "cbr", "cbr_mirror", "nbrb", "nbk")

    def swapped(table: Fixing) -> Fixing:
        return replace(table, usd=table.eur) if table.day >= date(2026, 3, 3) else table

    world.spells.append(Spell("cbr", moment("2026-03-02 12:00"), moment("2026-03-05 12:00"), fixing=swapped))
    async with stage(world, flags=NO_OIL) as play:
        for when, right in (
            ("2026-03-02 23:00", "76.9731"),
            ("2026-03-03 09:00", "77.1734"),
            ("2026-03-04 09:00", "77.6093"),
            ("2026-03-05 09:00", "77.8009"),
        ):
            shown = (await play.until(when, 60))["USD"]
            assert is_fresh(right)(shown), (when, shown)
        assert not play.ever("USD", lambda s: s.price is not None and s.price > 85)


# 7: a right number beside it is not withheld.


@pytest.mark.parametrize("witness", [("ecb",), ("nbrb", "nbk"), ("nbrb", "cbu_uz", "nbk", "ecb")], ids="+".join)
async def test_a_cold_start_beside_a_wrong_bank_shows_the_right_copy(stage: Stage, witness: tuple[str, ...]) -> None:
    """Begun while the Bank's dollar is 3 % off: mirror and witness are right, and their number is shown at once."""
    world = bank("2026-03-04 12:00", fixings.MARCH_2026, "cbr", "cbr_mirror", *witness)
    world.spells.append(wrong_from("cbr", "2026-03-04", "2026-03-04", "x1.03"))
    async with stage(world, flags=NO_OIL) as play:
        await play.start()
        shown = (await play.until("2026-03-04 12:01", 1))["USD"]
        assert is_shown("77.6093")(shown), shown
        await play.until("2026-03-04 15:00", 30)
        assert not play.ever("USD", lambda s: s.price not in {Decimal("77.6093"), None}, "2026-03-04 12:01")


async def test_a_wrong_table_of_tomorrow_does_not_withdraw_today(stage: Stage) -> None:
    """The Bank alone: a table 12 % off at 16:00 leaves today's number fresh until midnight, and then marks it."""
    world = bank("2026-03-03 12:00", fixings.MARCH_2026, "cbr")
    world.spells.append(wrong_from("cbr", "2026-03-04", "2026-03-04", "x1.12", "x1.12"))
    async with stage(world, flags=NO_OIL) as play:
        for when in ("2026-03-03 15:00", "2026-03-03 17:00", "2026-03-03 23:50"):
            shown = (await play.until(when, 30))["USD"]
            assert is_fresh("77.1734")(shown), (when, shown)
        shown = (await play.until("2026-03-04 09:00", 30))["USD"]
        assert (shown.price, shown.status) == (Decimal("77.1734"), "stale"), shown
        assert not play.ever("USD", lambda s: s.price is not None and s.price > 80)
        shown = (await play.until("2026-03-05 01:00", 30))["USD"]
        assert is_fresh("77.8009")(shown), shown


async def test_two_crosses_are_heard_against_the_bank(stage: Stage) -> None:
    """The Bank 6 % off, two crosses near the truth: 6 % are within an ordinary day, and all the same not fresh."""
    world = bank("2026-03-03 12:00", fixings.MARCH_2026, "cbr", "nbrb", "nbk")
    world.spells.append(wrong_from("cbr", "2026-03-04", "2026-03-04", "x1.06", "x1.06"))
    async with stage(world, flags=NO_OIL) as play:
        shown = (await play.until("2026-03-03 15:00", 30))["USD"]
        assert is_fresh("77.1734")(shown), shown
        await play.until("2026-03-04 23:00", 30)
        assert not play.ever("USD", lambda s: s.status == "fresh" and s.price > 80)
        assert not play.ever("USD", lambda s: s.price is None)


NOVEMBER_26 = (("USD", "103.7908"), ("EUR", "108.8742"))


@pytest.mark.parametrize("who", ["cbr", "cbr_mirror"])
@pytest.mark.parametrize(("errs", "other"), [("usd", "EUR"), ("eur", "USD")])
@pytest.mark.parametrize("slip", ["x1.035", "x0.965", "x1.2"])
async def test_a_slip_in_one_row_leaves_the_other_one_alone(who: str, errs: str, other: str, slip: str) -> None:
    """Begun on 26.11.2024 with the ECB, then one copy whose dollar or euro is off: the other one is fresh."""
    world = bank("2024-11-26 10:00", fixings.NOVEMBER_2024, who, "ecb")
    world.spells.append(wrong_from(who, "2024-11-26", "2024-11-26", **{errs: slip}))
    async with Product(world, flags=NO_OIL) as product:
        await product.poll(reversed(product.feeds))
        shown = product.look()
        assert is_fresh(dict(NOVEMBER_26)[other])(shown[other]), shown[other]
        assert shown[errs.upper()].status != "fresh", shown[errs.upper()]


@pytest.mark.parametrize("others", [(), ("frankfurter",)], ids=["alone", "a relay without Saturdays"])
async def test_a_swapped_pair_is_seen_though_the_ecb_is_switched_off(stage: Stage, others: tuple[str, ...]) -> None:
    """Begun on Sunday, 24.11.2024: the Bank's table of Saturday has dollar and euro in each other's place."""
    world = bank("2024-11-24 13:00", fixings.NOVEMBER_2024, "cbr", *others)
    world.spells.append(wrong_from("cbr", "2024-11-23", "2024-11-23", "107.4252", "102.5761"))
    async with stage(world, flags=NO_OIL | {"sources.ecb.enabled": False}) as play:
        await play.start()
        await play.until("2024-11-25 12:00", 120)
        assert not [each.shown for each in play.seen if "fresh" in {shown.status for shown in each.shown.values()}]


@pytest.mark.parametrize("crosses", [("nbrb", "cbu_uz"), ("nbrb", "fawazahmed0")], ids="+".join)
async def test_crosses_of_monday_are_heard_about_the_table_of_saturday(stage: Stage, crosses: tuple[str, str]) -> None:
    """Begun on Monday, 25.11.2024, at 10:00: the Bank's table of Saturday is 7 % off, two crosses are right."""
    world = bank("2024-11-25 10:00", fixings.NOVEMBER_2024, "cbr", *crosses)
    world.spells.append(wrong_from("cbr", "2024-11-23", "2024-11-23", "x0.93", "x0.93"))
    async with stage(world, flags=NO_OIL) as play:
        await play.start()
        await play.until("2024-11-25 15:30", 60)
        assert not [each.shown for each in play.seen if "fresh" in {shown.status for shown in each.shown.values()}]


def fresh_but(right: str, shown: Shown) -> bool:
    """Whether another number than the right one is shown as fresh."""
    return shown.status == "fresh" and not is_shown(right)(shown)


@pytest.mark.parametrize("who", ["cbr", "cbr_mirror"])
@pytest.mark.parametrize(
    ("usd", "eur"),
    [
        ("x1.035", "x1.035"),
        ("x0.965", "x0.965"),
        ("x1.01", "x1.01"),
        ("108.8742", "103.7908"),
        ("102.5761", "107.4252"),
    ],
    ids=["+3.5 %", "-3.5 %", "+1 %", "swapped", "yesterday relabelled"],
)
async def test_a_relay_that_rounds_is_heard_where_it_says_another_number(
    stage: Stage, who: str, usd: str, eur: str
) -> None:
    """Begun on 26.11.2024 with one wrong copy and a relay of 103.7908, 108.8742: the wrong one is never fresh."""
    world = bank("2024-11-26 10:00", fixings.NOVEMBER_2024, who, "frankfurter")
    world.spells.append(wrong_from(who, "2024-11-26", "2024-11-26", usd, eur))
    async with stage(world, flags=NO_OIL) as play:
        await play.start()
        shown = await play.until("2024-11-26 15:00", 60)
        wrong = [symbol for symbol, right in NOVEMBER_26 for each in play.seen if fresh_but(right, each.shown[symbol])]
        assert not wrong
        if usd == "102.5761":
            assert is_fresh("103.7908")(shown["USD"]), shown["USD"]


@pytest.mark.parametrize("crosses", [("nbrb", "cbu_uz"), ("nbrb", "nbk", "cbu_uz")], ids="+".join)
async def test_what_crosses_deny_is_not_believed_because_the_next_table_repeats_it(
    stage: Stage, crosses: tuple[str, ...]
) -> None:
    """The Bank's tables of 23 and 26.11.2024 are 12 % off, crosses right: Friday's number stays, stale."""
    world = bank("2024-11-22 11:00", fixings.NOVEMBER_2024, "cbr", *crosses)
    world.spells.append(wrong_from("cbr", "2024-11-23", "2024-11-26", "x1.12", "x1.12"))
    async with stage(world, flags=NO_OIL) as play:
        for when in ("2024-11-23 12:00", "2024-11-25 22:30"):
            shown = (await play.until(when, 90))["USD"]
            assert (shown.price, shown.status) == (Decimal("100.6798"), "stale"), (when, shown)
        # After three days another bank's cross follows, as what it is.
        shown = (await play.until("2024-11-26 12:00", 90))["USD"]
        assert (shown.source, shown.status) == ("nbrb", "stale"), shown
        assert not play.ever("USD", lambda s: s.price > 110)


async def test_what_a_table_confirmed_is_in_doubt_again_when_a_copy_denies_that_table(stage: Stage) -> None:
    """The Bank's tables of 23 and 26.11.2024 are 12 % off; the relay has none for Saturday, and denies Tuesday's."""
    world = bank("2024-11-22 11:00", fixings.NOVEMBER_2024, "cbr", "frankfurter")
    world.spells.append(wrong_from("cbr", "2024-11-23", "2024-11-26", "x1.12", "x1.12"))
    async with stage(world, flags=NO_OIL) as play:
        await play.until("2024-11-25 16:45", 45)
        for when in ("2024-11-25 17:40", "2024-11-25 23:50"):
            shown = (await play.until(when, 30))["USD"]
            assert (shown.price, shown.status) == (Decimal("100.6798"), "stale"), (when, shown)
        shown = (await play.until("2024-11-26 09:00", 90))["USD"]
        assert is_fresh("103.7908")(shown), shown


# 8: crises are shown.


# The tables that moved, or that came on days nobody foresaw: facts, the start, and what is in force on which day.
MOVES: dict[str, tuple[Sequence[tuple[str, str, str, str]], str, tuple[tuple[str, str], ...]]] = {
    "December 2014": (
        fixings.DECEMBER_2014,
        "2014-12-15 11:00",
        (
            ("2014-12-16", "58.3461"),
            ("2014-12-17", "61.1512"),
            ("2014-12-18", "67.7851"),
            ("2014-12-19", "59.6029"),
            ("2014-12-20", "60.6825"),
        ),
    ),
    "January 2015": (
        fixings.JANUARY_2015,
        "2014-12-31 11:00",
        (("2015-01-01", "56.2376"), ("2015-01-13", "62.7363"), ("2015-01-14", "64.8425"), ("2015-01-15", "66.0983")),
    ),
    "March 2020": (
        fixings.MARCH_2020,
        "2020-03-06 11:00",
        (("2020-03-07", "67.5175"), ("2020-03-10", "67.5175"), ("2020-03-11", "72.0208"), ("2020-03-12", "71.4720")),
    ),
    "decree of 2020": (
        fixings.DECREE_2020,
        "2020-03-26 11:00",
        (("2020-03-27", "78.7223"), ("2020-03-28", "77.7325"), ("2020-04-02", "77.7325"), ("2020-04-07", "76.4074")),
    ),
    "March 2022": (
        fixings.MARCH_2022,
        "2022-03-01 11:00",
        (("2022-03-02", "91.7457"), ("2022-03-03", "103.2487"), ("2022-03-04", "111.7564"), ("2022-03-05", "105.8124")),
    ),
    "November 2024": (
        fixings.WINTER_2024,
        "2024-11-26 11:00",
        (
            ("2024-11-27", "105.0604"),
            ("2024-11-28", "108.0104"),
            ("2024-11-29", "109.5782"),
            ("2024-12-03", "107.1758"),
        ),
    ),
    "June 2024": (
        fixings.JUNE_2024,
        "2024-06-10 11:00",
        (("2024-06-11", "89.1000"), ("2024-06-13", "89.0200"), ("2024-06-14", "88.2080"), ("2024-06-15", "89.0658")),
    ),
}


@pytest.mark.parametrize("alive", [("cbr", "cbr_mirror"), ("cbr", "nbrb", "nbk", "cbu_uz", "ecb")], ids="+".join)
@pytest.mark.parametrize("move", MOVES)
async def test_true_moves_are_shown_with_a_second_word_for_them(
    stage: Stage, move: str, alive: tuple[str, ...]
) -> None:
    """A copy of the Bank's table, or three other banks' rates of the day: each day's number is fresh that morning."""
    tables, start, days = MOVES[move]
    async with stage(bank(start, tables, *alive), flags=NO_OIL) as play:
        for day, price in days:
            shown = (await play.until(f"{day} 09:00", 120))["USD"]
            assert is_fresh(price)(shown), (day, shown)


@pytest.mark.parametrize("move", MOVES)
async def test_the_bank_alone_is_believed_by_its_next_publication(stage: Stage, move: str) -> None:
    """With the Bank alone, up or down by whatever it was: by the table after it, the number of the day is shown."""
    tables, start, days = MOVES[move]
    async with stage(bank(start, tables, "cbr"), flags=NO_OIL) as play:
        for day, price in days[:-1]:
            shown = (await play.until(f"{day} 20:00", 120))["USD"]
            assert is_shown(price)(shown), (day, shown)
        assert not play.ever("USD", lambda s: s.price is None)


async def test_the_pair_goes_on_moving_while_moscow_rests(stage: Stage) -> None:
    """After the New Year of 2015 the euro is 2.4 % lower against the dollar: nothing against the Bank, alone or not."""
    async with stage(bank("2014-12-31 11:00", fixings.JANUARY_2015, "cbr"), flags=NO_OIL) as play:
        for when, price in (("2015-01-13 20:00", "62.7363"), ("2015-01-14 09:00", "64.8425")):
            shown = (await play.until(when, 240))["USD"]
            assert is_fresh(price)(shown), (when, shown)


async def test_crosses_that_have_not_moved_yet_are_never_fresh(stage: Stage) -> None:
    """2-4.03.2022, each cross a day late under the day's date: it is held until they have moved, a day after."""
    world = bank("2022-03-01 12:00", fixings.MARCH_2022, "cbr", "nbrb", "nbk", "cbu_uz")
    world.cross_lag = dict.fromkeys(("nbrb", "nbk", "cbu_uz"), 1)
    async with stage(world, flags=NO_OIL) as play:
        for when, price, status in (
            ("2022-03-02 12:00", "91.7457", "fresh"),
            ("2022-03-03 12:00", "91.7457", "stale"),
            ("2022-03-04 12:00", "103.2487", "stale"),
            ("2022-03-05 12:00", "105.8124", "fresh"),
        ):
            shown = (await play.until(when, 60))["USD"]
            assert (shown.price, shown.status) == (Decimal(price), status), (when, shown)
        assert not play.ever("USD", lambda s: s.status == "fresh" and s.source in {"nbrb", "nbk", "cbu_uz"})


# 9: a cold start with a dispute.


@pytest.mark.parametrize("wrong", ["57.5273", "75.5723", "7.5273", "88.9021"])
async def test_a_digit_slip_on_a_cold_start_is_not_shown(stage: Stage, wrong: str) -> None:
    """The Bank says a slip of 75.5273, the mirror 75.5273 after 75.2711: the mirror's is shown."""
    world = bank("2026-04-23 12:00", fixings.DISPUTE, "cbr", "cbr_mirror")
    world.spells.append(wrong_from("cbr", "2026-04-23", "2026-04-23", wrong))
    async with stage(world, flags=NO_OIL) as play:
        await play.start()
        shown = (await play.until("2026-04-23 12:01", 1))["USD"]
        if wrong != "75.5723":
            assert is_shown("75.5273")(shown), shown
        await play.until("2026-04-23 15:00", 30)
        assert not play.ever("USD", is_fresh(wrong))


# 10: in force, and upcoming.


async def test_tomorrow_is_upcoming_until_midnight(stage: Stage) -> None:
    """On 22.11.2024 at 17:00 the dollar is 100.6798 and 102.5761 is upcoming; live and `at=` say the same."""
    world = bank("2024-11-21 12:00", fixings.NOVEMBER_2024, "cbr", "cbr_mirror")
    async with stage(world, flags=NO_OIL) as play:
        await play.until("2024-11-22 12:00", 60)
        quote = (await play.product.quotes())["USD"]
        assert (quote["price"], quote["previous"], quote["upcoming"]) == (100.6798, 100.2192, None)
        await play.until("2024-11-22 17:00", 10)
        quote = (await play.product.quotes())["USD"]
        assert (quote["price"], quote["change"], quote["status"]) == (100.6798, 0.4606, "fresh")
        coming = quote["upcoming"]
        assert (coming["price"], coming["as_of"]) == (102.5761, "2024-11-23T00:00:00+03:00")
        assert (coming["change"], coming["confirmed"], coming["source"]) == (1.8963, True, "cbr")
        _, then = await play.product.http("/v1/quotes/USD?at=2024-11-22T17:00:00%2B03:00")
        assert then["price"] == 100.6798
        await play.until("2024-11-22 23:58", 60)
        # At midnight it is in force without anybody being asked.
        world.now = moment("2024-11-23 00:00")
        play.product.age()
        quote = (await play.product.quotes())["USD"]
        assert (quote["price"], quote["previous"], quote["upcoming"]) == (102.5761, 100.6798, None)
        _, then = await play.product.http("/v1/quotes/USD?at=2024-11-23T00:00:00%2B03:00")
        assert then["price"] == 102.5761
        # Until Monday's table, Saturday's stays.
        shown = (await play.until("2024-11-25 12:00", 240))["USD"]
        assert is_fresh("102.5761")(shown), shown


async def test_an_unconfirmed_table_is_upcoming_and_says_so(stage: Stage) -> None:
    """At 16:05 the Bank alone has the new table: upcoming, not confirmed; by 16:45 the mirror says the same."""
    world = bank("2024-11-22 12:00", fixings.NOVEMBER_2024, "cbr", "cbr_mirror")
    async with stage(world, flags=NO_OIL) as play:
        await play.until("2024-11-22 16:10", 10)
        coming = (await play.product.quotes())["USD"]["upcoming"]
        assert (coming["price"], coming["confirmed"]) == (102.5761, False)
        await play.until("2024-11-22 16:45", 5)
        coming = (await play.product.quotes())["USD"]["upcoming"]
        assert (coming["price"], coming["confirmed"]) == (102.5761, True)


async def test_a_cold_start_in_the_evening_knows_today(stage: Stage) -> None:
    """Begun at 20:00 with the Bank alone: its answer is tomorrow's; today's is asked for by date, and shown."""
    world = bank("2024-11-22 20:00", fixings.NOVEMBER_2024, "cbr")
    async with stage(world, flags=NO_OIL) as play:
        await play.start()
        shown = (await play.until("2024-11-22 20:02", 1))["USD"]
        assert is_shown("100.6798")(shown), shown
        shown = (await play.until("2024-11-23 00:10", 30))["USD"]
        assert is_shown("102.5761")(shown), shown


async def test_a_cold_start_in_the_evening_has_the_mirrors_previous(stage: Stage) -> None:
    """Begun at 20:00 with the mirror alone: its `Previous` of `PreviousDate` is what is in force."""
    world = bank("2024-11-22 20:00", fixings.NOVEMBER_2024, "cbr_mirror")
    async with stage(world, flags=NO_OIL) as play:
        await play.start()
        shown = (await play.until("2024-11-22 20:02", 1))["USD"]
        assert is_shown("100.6798")(shown), shown


@pytest.mark.parametrize("usd", ["x1.03", "x1.12", "x0.9", "90.6798", "106.0762"])
@pytest.mark.parametrize("source", ["cbr", "cbr_mirror"])
async def test_a_cold_evening_beside_one_wrong_copy_is_not_fresh(stage: Stage, source: str, usd: str) -> None:
    """Begun on 22.11.2024 at 20:00 with one copy alone, the dollar wrong in its tables of that day and of the next."""
    world = bank("2024-11-22 20:00", fixings.NOVEMBER_2024, source)
    world.spells.append(wrong_from(source, "2024-11-22", "2024-11-23", usd))
    async with stage(world, flags=NO_OIL) as play:
        await play.start()
        await play.until("2024-11-22 20:05", 1)
        await play.until("2024-11-23 12:00", 240)
        assert not play.ever("USD", lambda s: s.status == "fresh")
        shown = (await play.until("2024-11-26 09:00", 240))["USD"]
        assert is_fresh("103.7908")(shown), shown


# 11: a lasting dispute is one version.


@pytest.mark.parametrize("slip", ["x1.03", "x1.12"])
async def test_a_lasting_dispute_is_one_version(stage: Stage, slip: str) -> None:
    """Bank and mirror differ for a day: nothing new is said from poll to poll, and no new version is made."""
    world = bank("2026-03-03 12:00", fixings.MARCH_2026, "cbr", "cbr_mirror")
    world.spells.append(wrong_from("cbr", "2026-03-04", "2026-03-05", slip, slip))
    async with stage(world, flags=NO_OIL) as play:
        if play.restarts:
            pytest.skip("a restart may make one")
        await play.until("2026-03-04 01:00", 10)
        first = play.product.version
        await play.until("2026-03-04 15:30", 10)
        assert play.product.version - first <= 1, play.product.version - first


@pytest.mark.parametrize("source", ["cbr", "cbr_mirror"])
@pytest.mark.parametrize("alone", [False, True], ids=["beside the other", "alone"])
async def test_two_caches_that_answer_in_turn_say_nothing_new(stage: Stage, source: str, *, alone: bool) -> None:
    """One of 23.11.2024 has 120.5761 and the other 102.5761: once both are known, midnight alone is news."""
    world = bank("2024-11-22 15:00", fixings.NOVEMBER_2024, *([source] if alone else ["cbr", "cbr_mirror"]))

    def told(table: Fixing) -> Fixing:
        wrong = table.day == date(2024, 11, 23) and world.now.minute // 10 % 2
        return replace(table, usd=Decimal("120.5761")) if wrong else table

    world.spells.append(Spell(source, *EVER, fixing=told))
    async with stage(world, flags=NO_OIL) as play:
        await play.until("2024-11-22 18:00", 10)
        shown = (await play.until("2024-11-23 12:00", 10))["USD"]
        assert is_fresh("102.5761")(shown), shown
        assert not play.ever("USD", lambda s: s.price == Decimal("120.5761"))
        assert len({each.version for each in play.seen if each.at > moment("2024-11-22 18:10")}) <= 3


# 14: a one-shot run hears its witnesses first.


@pytest.mark.parametrize("behind", ["cbr", "cbr_mirror"])
async def test_one_shot_runs_show_the_newest_table(behind: str) -> None:
    """One of Bank and mirror is a table behind, the other not: ten runs of ten, asked all at once, show the newest."""
    for _ in range(10):
        world = bank("2026-03-04 12:00", fixings.MARCH_2026, "cbr", "cbr_mirror", "nbrb", "nbk", "ecb")
        world.spells.append(stuck(behind, next(each for each in world.fixings if each.day == date(2026, 3, 3))))
        shown = (await one_shot(world, NO_OIL))["USD"]
        assert is_fresh("77.6093")(shown), shown


async def test_one_shot_runs_believe_no_single_slip() -> None:
    """The Bank's dollar lost a digit: ten runs of ten show the mirror's, since all were heard first."""
    for _ in range(10):
        world = bank("2026-03-04 12:00", fixings.MARCH_2026, "cbr", "cbr_mirror", "nbrb", "nbk", "ecb")
        world.spells.append(wrong_from("cbr", "2026-03-04", "2026-03-04", "7.6093"))
        shown = (await one_shot(world, NO_OIL))["USD"]
        assert is_shown("77.6093")(shown), shown


# 15: history keeps meanings apart.


async def test_a_store_of_another_meaning_is_not_shown_in_roubles(stage: Stage) -> None:
    """A store written with the dollar in tenge says nothing of the dollar in roubles."""
    world = bank("2026-03-03 12:00", fixings.MARCH_2026, "cbr", "cbr_mirror", "nbk")
    tenge = {"instruments.USD.quote": "KZT", "instruments.USD.band": [200, 900], **NO_OIL}
    async with stage(world, {"USD": ["nbk"]}, tenge) as play:
        await play.until("2026-03-04 12:00", 60)
    async with stage(world, flags=NO_OIL) as play:
        await play.until("2026-03-05 12:00", 60)
        _, then = await play.product.http("/v1/quotes/USD?at=2026-03-03")
        assert not (isinstance(then, dict) and then.get("price") and then["price"] > 200), then
        _, series = await play.product.http("/v1/quotes/USD/history?from=2026-03-01&to=2026-03-06&interval=raw")
        assert all(row["price"] < 200 for row in _rows(series)), series


async def test_the_day_of_a_fixing_is_what_was_in_force(stage: Stage) -> None:
    """By the day, the series of the dollar over a weekend and a Monday is the number that was in force."""
    world = bank("2026-02-27 12:00", fixings.MARCH_2026, "cbr", "cbr_mirror")
    async with stage(world, flags=NO_OIL) as play:
        await play.until("2026-03-05 12:00", 60)
        _, then = await play.product.http("/v1/quotes/USD?at=2026-03-02")
        assert then["price"] == 76.9731, then
        status, board = await play.product.http("/v1/quotes?at=2026-03-04")
        assert status == 200
        for quote in board["quotes"]:
            if quote["symbol"] == "USD":
                assert quote["price"] == 77.6093
                assert quote["fetched_at"] is None or quote["fetched_at"] <= board["generated_at"], board


def _rows(series: object) -> list[dict[str, Any]]:
    if isinstance(series, dict):
        return next((value for value in series.values() if isinstance(value, list)), [])
    return []
