"""Issue 15, finding 13: a bad cell of what nobody asked for costs its own row; dollar, euro and Brent stay."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.world.facts import fixings, incidents
from tests.world.play import CENTS, NO_OIL, Stage, bank, is_fresh, winter, wrong_body, wrong_rows
from tests.world.wires import Row

NOON = "2026-03-04 12:00"
RIGHT = Decimal("77.6093")


def cell(code: str, value: bytes) -> Callable[[bytes], bytes]:
    """The Bank's table with another <Value> in the row of `code`."""
    pattern = rf"(<CharCode>{code}</CharCode>.*?)<Value>[^<]*</Value>".encode()
    return lambda body: _once(pattern, rb"\1" + value, body)


def twice(code: str) -> Callable[[bytes], bytes]:
    """The Bank's table with the row of `code` standing there twice."""
    pattern = rf"(<Valute ID=\"\w+\"><NumCode>\d+</NumCode><CharCode>{code}</CharCode>.*?</Valute>)".encode()
    return lambda body: _once(pattern, rb"\1\1", body)


def mirrored(code: str, key: str, value: str) -> Callable[[bytes], bytes]:
    """The mirror's table with another `key` in the row of `code`."""
    pattern = rf'("{code}": \{{[^}}]*?"{key}": )[^,}}\s]+'.encode()
    return lambda body: _once(pattern, rb"\g<1>" + value.encode(), body)


def _once(pattern: bytes, wanted: bytes, body: bytes) -> bytes:
    changed, count = re.subn(pattern, wanted, body, count=1, flags=re.DOTALL)
    assert count == 1, pattern
    return changed


BANK = {
    "an empty won": cell("KRW", b"<Value/>"),
    "a dong of nothing": cell("VND", b"<Value>0</Value>"),
    "a word for the dram": cell("AMD", b"<Value>n/a</Value>"),
    "the yen twice": twice("JPY"),
    "an infinite hryvnia": cell("UAH", b"<Value>1e999</Value>"),
    "a blank line before the prolog": lambda body: b"\r\n" + body,
    "blanks and a line before the prolog": lambda body: b" \n\n" + body,
}
MIRROR = {
    "a won without value": mirrored("KRW", "Value", "null"),
    "a dollar that was nothing": mirrored("USD", "Previous", "0"),
    "a euro without a day before": mirrored("EUR", "Previous", "null"),
    "a nominal of none for the dong": mirrored("VND", "Nominal", "0"),
    "a word for the krone": mirrored("NOK", "Value", '"n/a"'),
}


@pytest.mark.parametrize("what", BANK)
async def test_a_bad_cell_of_the_bank_costs_its_own_row(stage: Stage, what: str) -> None:
    """The Bank alone, one cell of another currency bad: dollar and euro are its own numbers, fresh."""
    world = bank("2026-03-04 11:00", fixings.MARCH_2026, "cbr")
    world.spells.append(wrong_body("cbr", BANK[what]))
    async with stage(world, flags=NO_OIL) as play:
        shown = await play.until(NOON, 30)
        assert is_fresh("77.6093")(shown["USD"]), shown["USD"]
        assert is_fresh("91.2201")(shown["EUR"]), shown["EUR"]


@pytest.mark.parametrize("what", MIRROR)
async def test_a_bad_cell_of_the_mirror_costs_its_own_row(stage: Stage, what: str) -> None:
    """The mirror alone, one cell bad that is not today's number: dollar and euro are there, fresh."""
    world = bank("2026-03-04 11:00", fixings.MARCH_2026, "cbr_mirror")
    world.spells.append(wrong_body("cbr_mirror", MIRROR[what]))
    async with stage(world, flags=NO_OIL) as play:
        shown = await play.until(NOON, 30)
        assert is_fresh("77.6093")(shown["USD"]), shown["USD"]
        assert is_fresh("91.2201")(shown["EUR"]), shown["EUR"]


@pytest.mark.parametrize(
    "value", [b"<Value/>", b"<Value>0</Value>", b"<Value>-77,1</Value>", b"<Value>77,6093.1</Value>"]
)
async def test_a_bad_cell_of_the_dollar_is_no_dollar(stage: Stage, value: bytes) -> None:
    """Where the dollar's own cell is bad, no dollar is taken from that table, and the mirror's stands."""
    world = bank("2026-03-04 11:00", fixings.MARCH_2026, "cbr", "cbr_mirror")
    world.spells.append(wrong_body("cbr", cell("USD", value)))
    async with stage(world, flags=NO_OIL) as play:
        shown = await play.until(NOON, 30)
        assert is_fresh("77.6093")(shown["USD"]), shown["USD"]
        assert is_fresh("91.2201")(shown["EUR"]), shown["EUR"]


async def test_half_a_table_is_no_table(stage: Stage) -> None:
    """A body cut after twenty rows and closed again is refused, however good its dollar looks."""

    def cut(body: bytes) -> bytes:
        return b"</Valute>".join(body.split(b"</Valute>")[:20]) + b"</Valute></ValCurs>"

    world = bank("2026-03-04 11:00", fixings.MARCH_2026, "cbr")
    world.spells.append(wrong_body("cbr", cut))
    async with stage(world, flags=NO_OIL) as play:
        shown = await play.until(NOON, 30)
        assert shown["USD"].price is None


def _far(**changes: object) -> Callable[[list[Row]], list[Row]]:
    return lambda rows: [*rows[:3], replace(rows[3], cells=tuple(changes.items())), *rows[4:]]


ROWS = {
    "a far month without a last day": _far(LASTTRADEDATE=None),
    "a far month of no price": _far(LAST="", SETTLEPRICE=None),
    "a far month below zero": _far(LAST=Decimal(incidents.NEGATIVE_2020), SETTLEPRICE=Decimal(incidents.NEGATIVE_2020)),
    "gold with a word for its price": lambda rows: [*rows[:5], replace(rows[5], cells=(("LAST", "n/a"),))],
    "the dollar's future without a day": lambda rows: [
        *rows[:4], replace(rows[4], cells=(("LASTTRADEDATE", "0000-00-00"),)), *rows[5:]
    ],
    "an expired month that stands still": lambda rows: [
        replace(rows[0], code="BRF6", name="BR-1.26", expires=date(2026, 1, 5), last=Decimal("80.00")), *rows
    ],
}  # fmt: skip


@pytest.mark.parametrize("what", ROWS)
async def test_a_bad_row_of_another_contract_costs_nothing(stage: Stage, what: str) -> None:
    """Moscow alone, a row that nobody asked for bad: Brent's front month is there, fresh."""
    world = winter("2026-01-15 11:00", "moex")
    world.spells.append(wrong_rows("moex", ROWS[what]))
    async with stage(world, {"OIL": ["moex"]}) as play:
        shown = (await play.until("2026-01-15 12:00", 15))["OIL"]
        assert is_fresh("62.50", CENTS)(shown), shown


async def test_a_row_one_cell_short_costs_nothing(stage: Stage) -> None:
    """The last row of the board, an unrelated contract, lacks a cell: Brent is there all the same."""
    world = winter("2026-01-15 11:00", "moex")
    world.spells.append(wrong_body("moex", lambda body: re.sub(rb",[^,\]]*\]\]\}\}$", b"]]}}", body)))
    async with stage(world, {"OIL": ["moex"]}) as play:
        shown = (await play.until("2026-01-15 12:00", 15))["OIL"]
        assert is_fresh("62.50", CENTS)(shown), shown


async def test_an_old_word_in_the_spot_series_costs_its_own_day(stage: Stage) -> None:
    """One day of FRED's file says n/a: the days around it are read, and never called fresh as a future."""
    world = winter("2026-01-15 11:00", "fred")
    world.spot = [(date(2026, 1, day), Decimal("61.5"), date(2026, 1, day)) for day in (5, 6, 7, 8, 9)]
    world.spells.append(wrong_body("fred", lambda body: body.replace(b"2026-01-06,61.5", b"2026-01-06,n/a")))
    async with stage(world) as play:
        await play.until("2026-01-15 12:00", 30)
        health = play.product.service.poller.health["fred"]
        assert health.last_success is not None
        assert health.last_failure is None
