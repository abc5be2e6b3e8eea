"""What issue 15 does not name and an adversary would try next: other days, and other ways for a table to be wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.world.facts import fixings
from tests.world.play import NO_OIL, ONLY_OIL, Stage, away, bank, is_fresh, winter, wrong_body
from tests.world.world import Fixing, Spell, moment

SATURDAY = date(2024, 11, 23)

# Tables, when it begins, and what is fresh at which moment with the day on which the next table is due.
DAYS: dict[str, tuple[Sequence[tuple[str, str, str, str]], str, tuple[tuple[str, str, str], ...]]] = {
    "20 February 2021 works": (
        fixings.SATURDAY_2021,
        "2021-02-20 10:00",
        (
            ("2021-02-20 12:00", "73.7711", "2021-02-20"),
            ("2021-02-21 00:10", "74.1192", "2021-02-24"),
            ("2021-02-24 23:50", "74.1192", "2021-02-25"),
            ("2021-02-25 00:10", "73.7525", "2021-02-25"),
        ),
    ),
    "27 April 2024 works, 29 April to 1 May and 9 to 12 May rest": (
        fixings.MAY_2024,
        "2024-04-27 10:00",
        (
            ("2024-04-27 12:00", "92.0134", "2024-04-27"),
            ("2024-04-28 00:10", "91.7791", "2024-05-02"),
            ("2024-05-02 23:50", "91.7791", "2024-05-03"),
            ("2024-05-03 00:10", "92.0504", "2024-05-03"),
            ("2024-05-09 12:00", "91.8239", "2024-05-13"),
            ("2024-05-13 23:50", "91.8239", "2024-05-14"),
            ("2024-05-14 00:10", "91.6359", "2024-05-14"),
        ),
    ),
    "2 November 2024 works, 4 November rests": (
        fixings.SATURDAY_2024,
        "2024-11-02 10:00",
        (
            ("2024-11-02 12:00", "97.4402", "2024-11-02"),
            ("2024-11-03 00:10", "97.5499", "2024-11-05"),
            ("2024-11-05 23:50", "97.5499", "2024-11-06"),
            ("2024-11-06 00:10", "98.0562", "2024-11-06"),
        ),
    ),
    "1 November 2025 works, 3 and 4 November rest": (
        fixings.SATURDAY_2025,
        "2025-11-01 10:00",
        (
            ("2025-11-01 12:00", "80.9713", "2025-11-01"),
            ("2025-11-02 00:10", "80.9783", "2025-11-05"),
            ("2025-11-05 23:50", "80.9783", "2025-11-06"),
            ("2025-11-06 00:10", "81.1885", "2025-11-06"),
        ),
    ),
    "1 and 11 May 2026 rest": (
        fixings.MAY_2026,
        "2026-04-30 10:00",
        (
            ("2026-05-01 12:00", "81.0000", "2026-05-04"),
            ("2026-05-04 23:50", "81.0000", "2026-05-05"),
            ("2026-05-05 00:10", "81.5000", "2026-05-05"),
            ("2026-05-09 12:00", "80.1000", "2026-05-12"),
            ("2026-05-12 23:50", "80.1000", "2026-05-13"),
            ("2026-05-13 00:10", "80.2000", "2026-05-13"),
        ),
    ),
}


@pytest.mark.parametrize("days", DAYS)
async def test_a_table_is_fresh_over_the_days_on_which_none_is_set(stage: Stage, days: str) -> None:
    """Until the night after the next working day, and that day is when the next one is due."""
    tables, start, moments = DAYS[days]
    async with stage(bank(start, tables, "cbr", "cbr_mirror"), flags=NO_OIL) as play:
        for when, price, due in moments:
            shown = (await play.until(when, 180))["USD"]
            assert is_fresh(price)(shown), (when, shown)
            assert (await play.product.quotes())["USD"]["next_update_at"][:10] == due, when


def as_of(table: Fixing, day: date = SATURDAY) -> bool:
    """Whether it is the table of 23.11.2024, set on Friday at 16:00: 102.5761, 107.4252 after 100.6798, 106.0762."""
    return table.day == day


def skipped(table: Fixing) -> Fixing:
    """Monday's date instead of Saturday's."""
    return replace(table, day=date(2024, 11, 25)) if as_of(table) else table


def repeated(table: Fixing) -> Fixing:
    """Saturday's numbers under Friday's date."""
    return replace(table, day=date(2024, 11, 22)) if as_of(table) else table


def relabelled(table: Fixing) -> Fixing:
    """Friday's numbers under Saturday's date."""
    return replace(table, usd=Decimal("100.6798"), eur=Decimal("106.0762")) if as_of(table) else table


@pytest.mark.parametrize("wrong", [skipped, repeated, relabelled])
async def test_a_table_under_a_wrong_date_is_not_believed(stage: Stage, wrong: Callable[[Fixing], Fixing]) -> None:
    """The mirror has it right: Friday's number until midnight, Saturday's after, and never one for the other."""
    world = bank("2024-11-22 12:00", fixings.NOVEMBER_2024, "cbr", "cbr_mirror")
    world.spells.append(Spell("cbr", moment("2024-11-22 15:00"), moment("2030-01-01 00:00"), fixing=wrong))
    async with stage(world, flags=NO_OIL) as play:
        for when, price in (
            ("2024-11-22 16:20", "100.6798"),
            ("2024-11-22 23:58", "100.6798"),
            ("2024-11-23 00:05", "102.5761"),
            ("2024-11-24 12:00", "102.5761"),
        ):
            shown = (await play.until(when, 20))["USD"]
            assert is_fresh(price)(shown), (when, shown)


async def test_a_table_that_was_corrected_before_midnight_never_showed(stage: Stage) -> None:
    """12 % off at 16:00 at the Bank and half an hour later at its mirror; right at 18:00 and half an hour later."""

    def off(table: Fixing) -> Fixing:
        return replace(table, usd=Decimal("114.8852"), eur=Decimal("120.3162")) if as_of(table) else table

    world = bank("2024-11-22 12:00", fixings.NOVEMBER_2024, "cbr", "cbr_mirror")
    world.spells += [
        Spell("cbr", moment("2024-11-22 15:00"), moment("2024-11-22 18:00"), fixing=off),
        Spell("cbr_mirror", moment("2024-11-22 15:00"), moment("2024-11-22 18:30"), fixing=off),
    ]
    async with stage(world, flags=NO_OIL) as play:
        shown = (await play.until("2024-11-22 17:50", 10))["USD"]
        assert is_fresh("100.6798")(shown), shown
        await play.until("2024-11-22 19:00", 10)
        coming = (await play.product.quotes())["USD"]["upcoming"]
        assert (coming["price"], coming["confirmed"], coming["reason"]) == (102.5761, True, None)
        shown = (await play.until("2024-11-23 00:05", 60))["USD"]
        assert is_fresh("102.5761")(shown), shown
        assert not play.ever("USD", lambda s: s.price == Decimal("114.8852"))


async def test_caches_that_take_turns_with_an_old_table_change_nothing(stage: Stage) -> None:
    """Every other answer of the Bank is yesterday's, at whichever of its caches one arrives."""
    world = bank("2024-11-22 12:00", fixings.NOVEMBER_2024, "cbr")
    asked: list[None] = []

    def turns(table: Fixing) -> Fixing:
        asked.append(None)
        friday = next(each for each in world.fixings if each.day == date(2024, 11, 22))
        return friday if as_of(table) and len(asked) % 2 else table

    world.spells.append(Spell("cbr", moment("2024-11-22 15:00"), moment("2024-11-25 15:00"), fixing=turns))
    async with stage(world, flags=NO_OIL) as play:
        await play.until("2024-11-23 00:20", 10)
        for when in ("2024-11-23 01:00", "2024-11-24 12:00", "2024-11-25 14:00"):
            shown = (await play.until(when, 30))["USD"]
            assert is_fresh("102.5761")(shown), (when, shown)
        assert not play.ever("USD", lambda s: s.price == Decimal("100.6798"), "2024-11-23 00:30")


@pytest.mark.parametrize("when", ["2024-11-23 12:00", "2024-11-22 15:00"], ids=["cold", "warm"])
async def test_dollar_and_euro_that_changed_places_are_told_by_the_quotient(stage: Stage, when: str) -> None:
    """The Bank has them swapped, mirror and ECB have them right: what is shown is right."""

    def swapped(table: Fixing) -> Fixing:
        return replace(table, usd=table.eur, eur=table.usd) if as_of(table) else table

    world = bank(when, fixings.NOVEMBER_2024, "cbr", "cbr_mirror", "ecb")
    world.spells.append(Spell("cbr", moment("2024-11-22 15:30"), moment("2024-11-25 15:00"), fixing=swapped))
    async with stage(world, flags=NO_OIL) as play:
        await play.start()
        shown = await play.until("2024-11-23 12:02", 30)
        assert is_fresh("102.5761")(shown["USD"]), shown
        assert is_fresh("107.4252")(shown["EUR"]), shown
        assert not play.ever("USD", lambda s: s.price == Decimal("107.4252"))


def _dated(body: bytes) -> bytes:
    """The mirror's table before, under the date of the one before that."""
    return body.replace(b'"PreviousDate":"2024-11-22', b'"PreviousDate":"2024-11-21').replace(
        b'"PreviousDate": "2024-11-22', b'"PreviousDate": "2024-11-21'
    )


async def test_a_cold_evening_with_a_mirror_that_missed_a_table_is_not_fresh(stage: Stage) -> None:
    """Begun at 20:00 with the mirror alone, whose `Previous` is of Thursday: today is not known."""
    world = bank("2024-11-22 20:00", fixings.NOVEMBER_2024, "cbr_mirror")
    world.spells.append(wrong_body("cbr_mirror", _dated))
    async with stage(world, flags=NO_OIL) as play:
        await play.start()
        shown = (await play.until("2024-11-22 20:02", 1))["USD"]
        assert shown.status != "fresh", shown
        shown = (await play.until("2024-11-23 00:05", 60))["USD"]
        assert is_fresh("102.5761")(shown), shown


@pytest.mark.parametrize(
    ("old", "new"),
    [(rb'"Previous": ?[0-9.]+', b'"Previous": "?"'), (rb'"PreviousDate": ?"[^"]*"', b'"PreviousDate": "soon"')],
    ids=["rates", "date"],
)
async def test_a_table_before_that_cannot_be_read_costs_the_change_alone(stage: Stage, old: bytes, new: bytes) -> None:
    """The mirror is the only one left, and its own number is whole."""
    world = bank("2024-11-22 12:00", fixings.NOVEMBER_2024, "cbr_mirror")
    world.spells.append(wrong_body("cbr_mirror", lambda body: re.sub(old, new, body)))
    async with stage(world, flags=NO_OIL) as play:
        await play.start()
        shown = (await play.until("2024-11-22 12:05", 5))["USD"]
        assert is_fresh("100.6798")(shown), shown
        assert (await play.product.quotes())["USD"]["change"] is None


async def test_all_tables_silent_for_three_days_before_another_kind_speaks(stage: Stage) -> None:
    """From Friday noon: stale at Saturday's midnight, and what crosses make of it not before Tuesday's, marked."""
    world = bank("2024-11-22 11:00", fixings.NOVEMBER_2024, "cbr", "cbr_mirror", "nbrb", "cbu_uz")
    world.spells += [away("cbr", "2024-11-22 12:00"), away("cbr_mirror", "2024-11-22 12:00")]
    async with stage(world, flags=NO_OIL) as play:
        for when, status in (
            ("2024-11-22 23:50", "fresh"),
            ("2024-11-23 00:10", "stale"),
            ("2024-11-25 23:50", "stale"),
        ):
            shown = (await play.until(when, 120))["USD"]
            assert (shown.price, shown.status, shown.source) == (Decimal("100.6798"), status, "cbr"), (when, shown)
        await play.until("2024-11-26 12:00", 120)
        quote = (await play.product.quotes())["USD"]
        assert (quote["status"], quote["price_type"], quote["fallback"], quote["change"]) == (
            "stale",
            "mid",
            True,
            None,
        )


@pytest.mark.parametrize(("silent", "asked_at"), [("moex", 11), ("moex", 13), ("yahoo", 7)])
async def test_no_second_is_stale_while_another_market_is_on_time(stage: Stage, silent: str, asked_at: int) -> None:
    """A market falls silent at 11:20; whenever the other one was asked last, it speaks before the first is old."""
    world = winter("2026-01-15 11:00", "moex", "yahoo")
    world.spells.append(away(silent, "2026-01-15 11:20"))
    async with stage(world, flags=ONLY_OIL) as play:
        await play.until("2026-01-15 11:20", step=4)
        dull = []
        for second in range(60 * 40):
            world.now += timedelta(seconds=1)
            if second % (60 * asked_at) == 0:
                await play.product.poll()
            play.product.age()
            oil = play.product.look()["OIL"]
            if oil.status != "fresh":
                dull.append(f"{world.now:%H:%M:%S} {oil.status} {oil.source}")
        assert not dull
