"""Issue 15 over the markets, finding by finding, with brothers of each: what was right to show, moment by moment.

Each runs straight on and with the product ended and begun again at every moment that is looked at. Expectations are
facts of `facts/`, written down here as numbers; nothing is computed by the product.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.world import wires
from tests.world.facts import incidents
from tests.world.play import (
    ABROAD,
    CENTS,
    JANUARY,
    NO_OIL,
    Stage,
    away,
    is_fresh,
    is_shown,
    only,
    spans,
    winter,
    wrong_body,
    wrong_print,
    wrong_rows,
)
from tests.world.world import MOEX_DELAY, YAHOO_DELAY, Market, Spell, World, moment, piecewise

Spans = tuple[tuple[str, str], ...]


def oil_of_2020(start: str) -> World:
    """The world of 9.03.2020."""
    world = World(moment(start), spells=only("moex", "yahoo"))
    world.moex = Market(spans(incidents.OIL_2020_MOEX), piecewise(*incidents.OIL_2020_MOEX_PRICE), MOEX_DELAY)
    world.yahoo = Market(
        spans(incidents.OIL_2020_ABROAD, abroad=True), piecewise(*incidents.OIL_2020_ABROAD_PRICE), YAHOO_DELAY
    )
    return world


# 1: a market that rests beside one that trades.


async def test_the_open_market_speaks_on_the_holiday_of_2020(stage: Stage) -> None:
    """On 9.03.2020 Moscow rests on Friday's 45.30 and trading goes on abroad at 33.90: the header must say 33.90."""
    async with stage(oil_of_2020("2020-03-06 18:00")) as play:
        shown = (await play.until("2020-03-06 23:00", 15))["OIL"]
        assert is_fresh("45.30", CENTS)(shown), shown
        shown = (await play.until("2020-03-08 12:00", 60))["OIL"]
        assert is_fresh("45.30", "0.05")(shown), shown
        await play.until("2020-03-09 01:00", 60)
        await play.until("2020-03-09 02:00", 1)
        assert not play.ever("OIL", lambda s: s.price > 40 and s.status == "fresh", "2020-03-09 01:13")
        assert not play.ever("OIL", lambda s: s.price is None)
        for when in ("2020-03-09 02:30", "2020-03-09 12:00", "2020-03-09 23:00"):
            shown = (await play.until(when, 15))["OIL"]
            assert is_fresh("33.90", CENTS)(shown), (when, shown)
            assert shown.source == "yahoo"
        shown = (await play.until("2020-03-10 11:00", 15))["OIL"]
        assert is_fresh("35.50", CENTS)(shown), shown
        assert shown.source == "moex"


async def test_a_cold_start_on_the_holiday_of_2020_shows_the_open_market(stage: Stage) -> None:
    """Begun at noon on 9.03.2020 over an empty store, the one market in session is what there is to show."""
    async with stage(oil_of_2020("2020-03-09 12:00")) as play:
        # Within a minute, marked; after ten as what it is.
        shown = (await play.start())["OIL"]
        assert is_shown("33.90", CENTS)(shown), shown
        shown = (await play.until("2020-03-09 12:01", 1))["OIL"]
        assert (shown.price, shown.status, shown.reason) == (Decimal("33.91"), "stale", "move"), shown
        await play.until("2020-03-09 12:08", 1)
        assert not play.ever("OIL", lambda s: s.status == "fresh")
        shown = (await play.until("2020-03-09 12:12", 1))["OIL"]
        assert is_fresh("33.90", CENTS)(shown), shown
        assert not play.ever("OIL", is_fresh("45.30", CENTS))


@pytest.mark.parametrize("close", ["7.0", "620.0"])
async def test_a_close_before_that_is_none_costs_the_change(stage: Stage, close: str) -> None:
    """Yahoo alone at a start, its minutes at 62.56 and `chartPreviousClose` absurd: shown, marked, without a change."""
    world = winter("2026-01-15 12:00", "yahoo")
    told = rf"\g<1>{close}".encode()
    world.spells.append(wrong_body("yahoo", lambda body: re.sub(rb'(reviousClose":)[0-9.]+', told, body)))
    async with stage(world) as play:
        await play.start()
        for when in ("2026-01-15 12:01", "2026-01-15 13:00"):
            shown = (await play.until(when, 5))["OIL"]
            assert is_shown("62.56", CENTS)(shown), (when, shown)
            assert (shown.status, shown.change) == ("stale", None), (when, shown)


async def test_another_instrument_in_its_place_is_not_fresh_at_a_start(stage: Stage) -> None:
    """Yahoo alone gives 104.00, minutes and all, beside Brent's close before of 62.56: for hours nobody believes it."""
    world = winter("2026-01-15 12:00", "yahoo")
    world.spells.append(wrong_print("yahoo", "2026-01-15 09:00", "2026-01-15 20:00", "104.00"))
    async with stage(world) as play:
        await play.start()
        await play.until("2026-01-15 15:40", 10)
        assert not play.ever("OIL", lambda s: s.status == "fresh")


async def test_at_night_the_market_abroad_speaks(stage: Stage) -> None:
    """From 23:50 to 8:50 Moscow rests; what trades abroad at 3:00 is the newest, and is shown."""
    abroad = (("2024-12-01 00:00", "62.56"), ("2026-01-15 02:00", "63.30"))
    moscow = (("2024-12-01 00:00", "62.50"), ("2026-01-15 08:50", "63.24"))
    async with stage(winter("2026-01-14 22:00", "moex", "yahoo", moscow=moscow, abroad=abroad)) as play:
        shown = (await play.until("2026-01-14 23:30", 5))["OIL"]
        assert (shown.source, shown.status) == ("moex", "fresh"), shown
        for when in ("2026-01-15 00:45", "2026-01-15 00:58"):
            shown = (await play.until(when, 5))["OIL"]
            assert is_fresh("62.56", CENTS)(shown), (when, shown)
        await play.until("2026-01-15 03:00", 10)
        for when in ("2026-01-15 04:30", "2026-01-15 08:45"):
            shown = (await play.until(when, 10))["OIL"]
            assert is_fresh("63.30", CENTS)(shown), (when, shown)
        shown = (await play.until("2026-01-15 10:00", 5))["OIL"]
        assert (shown.source, shown.status) == ("moex", "fresh"), shown


async def test_a_gap_at_the_opening_abroad_is_shown_at_night(stage: Stage) -> None:
    """No weekend session on 10-11.01.2026; abroad opens on Monday at 2:00 Moscow's time 3 % higher."""
    abroad = (("2024-12-01 00:00", "62.56"), ("2026-01-12 00:00", "64.44"))
    world = winter("2026-01-09 22:00", "moex", "yahoo", abroad=abroad)
    async with stage(world) as play:
        await play.until("2026-01-10 12:00", 30)
        shown = (await play.until("2026-01-11 20:00", 60))["OIL"]
        assert is_fresh("62.53", "0.05")(shown), shown
        await play.until("2026-01-12 02:00", 60)
        await play.until("2026-01-12 02:40", 2)
        shown = (await play.until("2026-01-12 05:00", 10))["OIL"]
        assert is_fresh("64.44", CENTS)(shown), shown


async def test_moscow_alone_trades_on_good_friday(stage: Stage) -> None:
    """On 3.04.2026 abroad is shut; Moscow's price is fresh all day, and Yahoo's older one never shows."""
    world = winter("2026-04-02 20:00", "moex", "yahoo", moscow=(("2024-12-01 00:00", "62.50"),
                   ("2026-04-03 10:00", "63.10")))  # fmt: skip
    async with stage(world) as play:
        await play.until("2026-04-03 09:00", 20)
        for when in ("2026-04-03 12:00", "2026-04-03 23:40"):
            shown = (await play.until(when, 20))["OIL"]
            assert is_fresh("63.10", CENTS)(shown), (when, shown)
        shown = (await play.until("2026-04-04 08:00", 30))["OIL"]
        assert is_fresh("63.10", CENTS)(shown), shown


@pytest.mark.parametrize("cut", ["18:30", "18:52", "19:02", "19:06", "19:10"])
async def test_the_evening_clearing_is_no_silence(stage: Stage, cut: str) -> None:
    """Moscow clears from 18:50 to 19:05 and prints at 19:20: with abroad cut off about then, nothing is late."""
    world = winter("2026-01-15 17:30", "moex", "yahoo")
    world.spells.append(away("yahoo", f"2026-01-15 {cut}"))
    async with stage(world) as play:
        await play.until("2026-01-15 18:26", 5)
        for when in ("2026-01-15 19:14", "2026-01-15 19:29", "2026-01-15 20:10"):
            shown = (await play.until(when, 1))["OIL"]
            assert is_fresh("62.53", "0.05")(shown), (when, shown)
        assert not play.ever("OIL", lambda s: s.status != "fresh", "2026-01-15 18:26")


# Crises: true moves, of one market and of two.


def crisis(start: str, sessions: tuple[Spans, Spans], prices: Spans, *alive: str) -> World:
    """Both markets at the same prices by the sessions of `facts.incidents`, Moscow's and those abroad."""
    world = World(moment(start), spells=only(*alive))
    world.moex = Market(spans(sessions[0]), piecewise(*prices), MOEX_DELAY)
    world.yahoo = Market(spans(sessions[1], abroad=True), piecewise(*prices), YAHOO_DELAY)
    return world


APRIL = (incidents.APRIL_2020_MOEX, incidents.APRIL_2020_ABROAD)
MARCH = (incidents.MARCH_2022_MOEX, incidents.MARCH_2022_ABROAD)


@pytest.mark.parametrize("alive", [("moex", "yahoo"), ("moex",), ("yahoo",)])
async def test_the_fall_of_april_2020_is_followed(stage: Stage, alive: tuple[str, ...]) -> None:
    """From 28 to 16 dollars in two days, beside contracts below zero: at once with two, alone after ten minutes."""
    world = crisis("2020-04-20 10:30", APRIL, incidents.APRIL_2020_PRICE, *alive)

    def below(rows: list[wires.Row]) -> list[wires.Row]:
        oil = replace(rows[0], code="CLJ0", asset="CL", last=Decimal(incidents.NEGATIVE_2020))
        far = replace(rows[-3], last=Decimal("-1.20")) if rows[-3].asset == "BR" else rows[-3]
        return [oil, *rows[:-3], far, *rows[-2:]]

    if "moex" in alive:
        world.spells.append(wrong_rows("moex", below))
    wait = timedelta(minutes=16 if len(alive) > 1 else 31)  # the data are a quarter of an hour old
    async with stage(world, {"OIL": list(alive)}) as play:
        await play.until("2020-04-20 11:30", 10)
        for since, price in (
            ("2020-04-20 12:00", "26.60"),
            ("2020-04-21 12:00", "21.90"),
            ("2020-04-21 15:30", "18.60"),
            ("2020-04-22 11:00", "16.10"),
            ("2020-04-22 15:00", "20.37"),
        ):
            await play.until(since, 30)
            shown = (await play.until(f"{moment(since) + wait:%Y-%m-%d %H:%M}", 5))["OIL"]
            assert is_fresh(price, CENTS)(shown), (since, shown)
        assert not play.ever("OIL", lambda s: s.price is None or s.price < 15)


async def test_two_jumps_within_minutes_abroad_are_shown(stage: Stage) -> None:
    """On 7.03.2022 Moscow rests; abroad opens 10 % higher and is 7 % on in six minutes: shown ten minutes later."""
    world = crisis("2022-03-04 17:00", MARCH, incidents.MARCH_2022_PRICE, "moex", "yahoo")
    async with stage(world) as play:
        shown = (await play.until("2022-03-04 22:00", 10))["OIL"]
        assert is_fresh("118.11", CENTS)(shown), shown
        await play.until("2022-03-07 01:50", 120)
        shown = (await play.until("2022-03-07 02:29", 1))["OIL"]
        assert not play.ever("OIL", is_fresh("118.11", "0.1"), "2022-03-07 02:14")
        for when, price in (
            ("2022-03-07 02:32", "139.10"),
            ("2022-03-07 09:25", "126.50"),
            ("2022-03-07 22:50", "123.21"),
            ("2022-03-08 18:20", "131.20"),
            ("2022-03-08 22:50", "127.98"),
        ):
            shown = (await play.until(when, 2 if when.endswith("02:32") else 5))["OIL"]
            assert is_fresh(price, CENTS)(shown), (when, shown)
        for when, price in (
            ("2022-03-09 18:16", "119.00"),
            ("2022-03-09 19:46", "108.40"),
            ("2022-03-09 22:46", "111.14"),
        ):
            shown = (await play.until(when, 5))["OIL"]
            assert is_fresh(price, CENTS)(shown), (when, shown)
            assert shown.source == "moex", (when, shown)


# 2: kinds have tiers.

SPOT = tuple(
    (date(2026, 1, day), Decimal(price), date(2026, 1, day) + timedelta(days=3))
    for day, price in ((7, "61.10"), (8, "61.60"), (9, "61.95"), (12, "62.80"), (13, "62.10"), (14, "61.40"))
)


async def test_a_spot_price_displaces_no_future(stage: Stage) -> None:
    """Both markets silent since 15:00: the last future stays, marked; FRED's spot of four days ago is another thing."""
    world = winter("2026-01-14 14:00", "moex", "yahoo", "fred")
    world.spot = SPOT
    world.spells += [away("moex", "2026-01-14 15:00"), away("yahoo", "2026-01-14 15:00")]
    async with stage(world) as play:
        shown = (await play.until("2026-01-14 14:55", 5))["OIL"]
        assert is_fresh("62.50", CENTS)(shown), shown
        for when in ("2026-01-14 17:00", "2026-01-14 20:00", "2026-01-15 12:00", "2026-01-16 10:00"):
            shown = (await play.until(when, 30))["OIL"]
            assert is_shown("62.50", "0.08")(shown), (when, shown)
            assert shown.status == "stale", (when, shown)
            assert shown.source in {"moex", "yahoo"}, (when, shown)
        # Days later it may follow, and never as fresh.
        await play.until("2026-01-28 12:00", 240)
        assert not play.ever("OIL", lambda s: s.source == "fred" and s.status == "fresh")


async def test_a_spot_price_alone_is_never_fresh(stage: Stage) -> None:
    """On a cold start with FRED alone alive nothing of another kind is passed off as fresh."""
    world = winter("2026-01-14 14:00", "fred")
    world.spot = SPOT
    async with stage(world) as play:
        await play.start()
        await play.until("2026-01-15 14:00", 60)
        assert not play.ever("OIL", lambda s: s.status == "fresh")


# 3: calendars as the world keeps them.


async def test_a_silent_sunday_of_trading_is_not_fresh(stage: Stage) -> None:
    """On Sunday 25.01.2026 Moscow trades from 9:50; with both sources silent Saturday's price is old by noon."""
    world = winter("2026-01-24 17:00", "moex", "yahoo")
    world.spells += [away(source, "2026-01-25 03:00") for source in ("moex", "yahoo")]
    async with stage(world) as play:
        shown = (await play.until("2026-01-24 22:00", 15))["OIL"]
        assert is_fresh("62.50", CENTS)(shown), shown
        shown = (await play.until("2026-01-25 09:30", 30))["OIL"]
        assert is_fresh("62.50", CENTS)(shown), shown
        shown = (await play.until("2026-01-25 12:00", 15))["OIL"]
        assert is_shown("62.50", CENTS)(shown), shown
        assert shown.status == "stale", shown


async def test_the_fifth_of_january_trades(stage: Stage) -> None:
    """Moscow alone, silent since 30.12.2025: closed until Monday 5.01.2026, which trades: then its price is old."""
    world = winter("2025-12-30 20:00", "moex")
    world.spells += [away("moex", "2025-12-31 03:00")]
    async with stage(world, {"OIL": ["moex"]}) as play:
        for when, status in (
            ("2025-12-31 12:00", "fresh"),
            ("2026-01-02 12:00", "fresh"),
            ("2026-01-04 12:00", "fresh"),
            ("2026-01-05 08:30", "fresh"),
            ("2026-01-05 12:00", "stale"),
        ):
            shown = (await play.until(when, 120))["OIL"]
            assert shown.status == status, (when, shown)
            assert is_shown("62.50", CENTS)(shown), shown


async def test_no_evening_session_is_missed_on_the_last_friday_of_the_old_timetable(stage: Stage) -> None:
    """On 20.03.2026 trading ends at 18:50 and no weekend session follows: at 22:00 and on Sunday nothing is late."""
    async with stage(winter("2026-03-20 17:00", "moex"), {"OIL": ["moex"]}) as play:
        for when in ("2026-03-20 22:00", "2026-03-22 15:00", "2026-03-23 08:45"):
            shown = (await play.until(when, 60))["OIL"]
            assert is_fresh("62.50", CENTS)(shown), (when, shown)


async def test_abroad_is_shut_from_noon_of_24_december(stage: Stage) -> None:
    """With Yahoo alone, the last print of the half day is the newest until the 25th, 18:00 New York."""
    world = winter("2025-12-24 18:00", "yahoo")
    async with stage(world, {"OIL": ["yahoo"]}) as play:
        for when in ("2025-12-24 23:30", "2025-12-25 12:00", "2025-12-26 01:30"):
            shown = (await play.until(when, 60))["OIL"]
            assert is_fresh("62.56", CENTS)(shown), (when, shown)


async def test_the_day_after_thanksgiving_is_a_half_day(stage: Stage) -> None:
    """27.11.2026 ends early abroad: its last print stays the newest over the weekend, until Sunday 18:00."""
    async with stage(winter("2026-11-27 20:00", "yahoo"), {"OIL": ["yahoo"]}) as play:
        for when in ("2026-11-28 00:30", "2026-11-29 12:00"):
            shown = (await play.until(when, 60))["OIL"]
            assert is_fresh("62.56", CENTS)(shown), (when, shown)


# 5: a market's lie does not win by time.


@pytest.mark.parametrize("slip", ["x1.04", "x0.97"])
async def test_a_lie_of_moscow_does_not_win_by_time(stage: Stage, slip: str) -> None:
    """Moscow off from 12:00 to 18:00 and Yahoo right: the wrong number is never fresh, and is forgotten at once."""
    world = winter("2026-01-15 10:00", "moex", "yahoo")
    world.spells.append(wrong_print("moex", "2026-01-15 12:00", "2026-01-15 18:00", slip))
    wrong = str(Decimal("62.505") * Decimal(slip[1:]))
    async with stage(world) as play:
        shown = (await play.until("2026-01-15 11:50", 10))["OIL"]
        assert is_fresh("62.50", CENTS)(shown), shown
        for when in ("2026-01-15 12:15", "2026-01-15 13:00", "2026-01-15 15:30", "2026-01-15 17:50"):
            shown = (await play.until(when, 5))["OIL"]
            assert is_shown("62.53", "0.08")(shown), (when, shown)
        assert not play.ever("OIL", is_fresh(wrong, "0.1"))
        shown = (await play.until("2026-01-15 18:20", 5))["OIL"]
        assert is_fresh("62.53", "0.08")(shown), shown


async def test_a_lie_of_the_second_market_changes_nothing(stage: Stage) -> None:
    """Yahoo off by 4 % for five hours beside a right Moscow: what is shown is Moscow's, however marked."""
    world = winter("2026-01-15 10:00", "moex", "yahoo")
    world.spells.append(wrong_print("yahoo", "2026-01-15 12:00", "2026-01-15 17:00", "x1.04"))
    async with stage(world) as play:
        for when in ("2026-01-15 11:50", "2026-01-15 12:30", "2026-01-15 16:50"):
            shown = (await play.until(when, 10))["OIL"]
            assert is_shown("62.50", "0.08")(shown), (when, shown)
        assert not play.ever("OIL", is_shown("65.06", "0.1"))
        shown = (await play.until("2026-01-15 17:30", 10))["OIL"]
        assert is_fresh("62.50", CENTS)(shown), shown


async def test_a_true_jump_of_both_markets_is_shown_at_once(stage: Stage) -> None:
    """Both markets fall by 11 % within minutes: what two say is no lie."""
    fall = ("2026-01-15 15:00", "55.60")
    world = winter("2026-01-15 13:00", "moex", "yahoo", moscow=(*JANUARY, fall), abroad=(*ABROAD, fall))
    async with stage(world) as play:
        shown = (await play.until("2026-01-15 15:05", 10))["OIL"]
        assert is_fresh("62.50", "0.08")(shown), shown
        shown = (await play.until("2026-01-15 15:20", 1))["OIL"]
        assert is_fresh("55.60", "0.08")(shown), shown


async def test_a_rise_between_two_prints_is_no_lasting_doubt_where_the_other_market_dies(stage: Stage) -> None:
    """Both rise by 0.35 % in a minute that abroad does not tell any more: what is here is fresh once it is alone."""
    rise = "2026-06-10 17:03"
    prices = ((*JANUARY, (rise, "62.72")), (*ABROAD, (rise, "62.78")))
    world = winter("2026-06-10 16:00", "moex", "yahoo", moscow=prices[0], abroad=prices[1])
    world.spells.append(away("yahoo", "2026-06-10 17:12", "2026-06-10 21:00"))
    async with stage(world) as play:
        await play.until("2026-06-10 17:40", 5)
        for when in ("2026-06-10 17:45", "2026-06-10 19:00", "2026-06-10 20:50"):
            shown = (await play.until(when, 5))["OIL"]
            assert is_fresh("62.72", CENTS)(shown), (when, shown)


async def test_a_dated_witness_that_is_the_odd_one_out_denies_nobody(stage: Stage) -> None:
    """Moscow and BZ=F say 62.50 and 62.56; the contract that is asked for beside it is 3 % off, minutes and all."""

    def dated(body: bytes) -> bytes:
        return body if b'"BZ=F"' in body else re.sub(rb"\b62\.5[67]\b", b"64.44", body)

    world = winter("2026-06-10 12:00", "moex", "yahoo")
    world.spells.append(wrong_body("yahoo", dated))
    async with stage(world) as play:
        await play.start()
        await play.until("2026-06-10 12:01", 1)
        await play.until("2026-06-10 14:00", 5)
        assert not play.ever("OIL", lambda s: s.status != "fresh" or s.source != "moex", "2026-06-10 12:01")


def wrong_cell(lie: Spell, price: str) -> Spell:
    """The same lie of Yahoo's in its price alone, beside right minutes."""
    cell, told = re.compile(rb'(regularMarketPrice":)[0-9.]+'), rf"\g<1>{price}".encode()
    return replace(lie, market=None, body=lambda body: cell.sub(told, body))


@pytest.mark.parametrize("price", ["62.34", "62.91"])
async def test_a_price_beside_other_minutes_of_its_own_is_not_believed_in_a_clearing(stage: Stage, price: str) -> None:
    """Abroad is 0.35 % or more off its own minutes from 17:15 on, first alone: neither then nor while Moscow clears."""
    world = winter("2026-01-15 16:00", "moex", "yahoo")
    world.spells.append(away("moex", "2026-01-15 17:03", "2026-01-15 18:00"))
    world.spells.append(wrong_cell(wrong_print("yahoo", "2026-01-15 17:15", "2026-01-15 20:30", "x1"), price))
    async with stage(world) as play:
        await play.until("2026-01-15 18:30", 5)
        await play.until("2026-01-15 19:30", 1)
        assert not play.ever("OIL", is_fresh(price, CENTS))
        assert not play.ever("OIL", lambda s: s.status != "fresh", "2026-01-15 18:30")


@pytest.mark.parametrize("slip", ["x1.005", "x0.992"])
@pytest.mark.parametrize("since", ["2026-06-10 23:43", "2026-06-10 23:57"])
@pytest.mark.parametrize("cell", [True, False])
async def test_a_lie_that_begins_as_the_other_market_closes_is_denied_by_its_last_print(
    stage: Stage, since: str, slip: str, *, cell: bool
) -> None:
    """Abroad is wrong by less than 1 %, in its price alone or in its minutes too; here the last print is right."""
    world = winter("2026-06-10 22:30", "moex", "yahoo")
    assert world.yahoo is not None
    world.yahoo = replace(world.yahoo, reach=timedelta(hours=6))
    wrong = str((Decimal("62.565") * Decimal(slip[1:])).quantize(Decimal("0.01")))
    lie = wrong_print("yahoo", since, "2026-06-11 03:00", slip)
    world.spells.append(wrong_cell(lie, wrong) if cell else lie)
    async with stage(world) as play:
        shown = (await play.until("2026-06-10 23:40", 5))["OIL"]
        assert is_fresh("62.50", CENTS)(shown), shown
        await play.until("2026-06-11 02:55", 5)
        assert not play.ever("OIL", is_fresh(wrong, "0.03"))
        shown = (await play.until("2026-06-11 03:20", 5))["OIL"]
        assert is_fresh("62.56", CENTS)(shown), shown


@pytest.mark.parametrize("slip", ["x1.02", "x1.06", "x0.90"])
async def test_a_lone_market_that_rewrites_its_day_is_never_believed_by_time(stage: Stage, slip: str) -> None:
    """At night abroad is alone and wrong for three hours, its whole day's chart as well; right again, it speaks."""
    world = winter("2026-06-10 03:00", "moex", "yahoo")
    assert world.yahoo is not None
    world.yahoo = replace(world.yahoo, reach=timedelta(hours=6))
    world.spells.append(wrong_print("yahoo", "2026-06-10 03:30", "2026-06-10 06:30", slip))
    async with stage(world) as play:
        await play.start()
        await play.until("2026-06-10 06:25", 5)
        assert not play.ever("OIL", is_fresh(str(Decimal("62.56") * Decimal(slip[1:])), "0.10"))
        shown = (await play.until("2026-06-10 06:45", 5))["OIL"]
        assert is_fresh("62.56", CENTS)(shown), shown


@pytest.mark.parametrize("slip", ["x1.006", "x0.98", "x1.03", "x1.10"])
@pytest.mark.parametrize("liar", ["moex", "yahoo"])
async def test_a_start_inside_a_lie_is_not_believed_when_the_denier_falls_silent(
    stage: Stage, liar: str, slip: str
) -> None:
    """A market is wrong since before the start; the other denies it and is then not heard for an hour."""
    other = "yahoo" if liar == "moex" else "moex"
    world = winter("2026-06-10 12:30", "moex", "yahoo")
    world.spells.append(wrong_print(liar, "2026-06-10 11:00", "2026-06-10 14:30", slip))
    world.spells.append(away(other, "2026-06-10 12:45", "2026-06-10 13:45"))
    true = Decimal("62.50") if liar == "moex" else Decimal("62.56")
    async with stage(world) as play:
        await play.start()
        await play.until("2026-06-10 14:25", 5)
        assert not play.ever("OIL", is_fresh(str(true * Decimal(slip[1:])), "0.10"))
        shown = (await play.until("2026-06-10 15:00", 5))["OIL"]
        assert is_fresh("62.50", CENTS)(shown), shown


@pytest.mark.parametrize(
    ("now", "since", "silent", "until", "end"),
    [
        # Before the close of the night, before the clearings of the old timetable, over an opening.
        ("2026-06-10 22:00", "2026-06-10 23:10", "2026-06-10 23:30", "2026-06-11 00:30", "2026-06-11 09:30"),
        ("2026-06-10 22:00", "2026-06-10 23:10", "2026-06-11 01:00", "2026-06-11 09:20", "2026-06-11 10:00"),
        ("2026-02-10 12:40", "2026-02-10 13:30", "2026-02-10 13:50", "2026-02-10 14:40", "2026-02-10 14:50"),
        ("2026-02-10 17:40", "2026-02-10 18:30", "2026-02-10 18:45", "2026-02-10 19:45", "2026-02-10 20:10"),
        ("2026-06-11 22:00", "2026-06-11 23:20", "2026-06-11 23:40", "2026-06-15 10:00", "2026-06-15 10:00"),
    ],
)
@pytest.mark.parametrize("slip", ["x1.01", "x0.97"])
async def test_who_was_denied_before_a_pause_stays_so_after_it(
    stage: Stage, slip: str, now: str, since: str, silent: str, until: str, end: str
) -> None:
    """Moscow is wrong before a close, Yahoo denies it and is silent over the pause: no time makes the lie true."""
    world = winter(now, "moex", "yahoo")
    world.spells += [wrong_print("moex", since, end, slip), away("yahoo", silent, until)]
    wrong = str(Decimal("62.505") * Decimal(slip[1:]))
    days = (moment(end) - moment(since)).days
    async with stage(world) as play:
        await play.until(since, 10)
        await play.until(silent, 5)
        await play.until(until, 60 if days else 10)
        await play.until(end, 60 if days else 5)
        assert not play.ever("OIL", is_fresh(wrong, "0.15"))


def rolling(start: str) -> World:
    """The last days of a month abroad, 30.06.2026, and in Moscow, 1.07.2026; the next month costs 0.41 less."""
    return winter(start, "moex", "yahoo")


async def test_a_roll_is_no_dispute(stage: Stage) -> None:
    """On 1.07.2026 Moscow's front month has ended abroad: a start on that morning is fresh, and a day over it."""
    async with stage(rolling("2026-07-01 10:00")) as play:
        await play.start()
        shown = (await play.until("2026-07-01 10:10", 5))["OIL"]
        assert is_fresh("62.50", CENTS)(shown), shown
    async with stage(rolling("2026-06-30 20:00"), store="over") as play:
        await play.until("2026-06-30 23:00", 15)
        await play.until("2026-07-02 10:00", 15)
        assert not play.ever("OIL", lambda s: s.status != "fresh")
        assert not play.ever("OIL", is_shown("61.50", "0.55"))


@pytest.mark.parametrize("slip", ["x1.01", "x0.97"])
@pytest.mark.parametrize("start", ["2026-07-01 11:00", "2026-06-30 22:00"])
async def test_a_lie_on_the_day_of_a_roll_is_not_believed(stage: Stage, start: str, slip: str) -> None:
    """Moscow's whole board is wrong on 1.07.2026: begun in the midst of it, or on the evening before."""
    world = rolling(start)
    world.spells.append(wrong_print("moex", "2026-06-30 23:00", "2026-07-01 13:00", slip))
    async with stage(world) as play:
        await play.start()
        await play.until("2026-07-01 08:30", 30)
        await play.until("2026-07-01 12:50", 10)
        assert not play.ever("OIL", is_fresh(str(Decimal("62.50") * Decimal(slip[1:])), "0.10"))
        shown = (await play.until("2026-07-01 13:30", 5))["OIL"]
        assert is_fresh("62.50", CENTS)(shown), shown


@pytest.mark.parametrize("apart", ["62.38", "62.66"])
async def test_a_real_difference_is_no_dispute(stage: Stage, apart: str) -> None:
    """A quarter of a percent between both, from the start on, and on the next day the other way round: fresh."""
    other = str(Decimal(125) - Decimal(apart))
    abroad = (("2024-12-01 00:00", apart), ("2026-06-11 02:00", other))
    async with stage(winter("2026-06-10 12:00", "moex", "yahoo", abroad=abroad)) as play:
        await play.start()
        await play.until("2026-06-10 14:00", 5)
        await play.until("2026-06-11 11:00", 10)
        assert not play.ever("OIL", lambda s: s.status != "fresh")


# 12: what is told of oil besides.


async def test_the_settlement_before_bears_its_own_day(stage: Stage) -> None:
    """On Monday 26.01.2026 PREVSETTLEPRICE is Friday evening's: the change is told since then, not since Sunday."""
    moscow = (*JANUARY, ("2026-01-26 08:50", "60.00"))
    abroad = (*ABROAD, ("2026-01-26 08:50", "60.06"))
    world = winter("2026-01-26 06:00", "moex", "yahoo", moscow=moscow, abroad=abroad)
    async with stage(world) as play:
        await play.until("2026-01-26 12:00", 5)
        quote = (await play.product.quotes())["OIL"]
        assert quote["source"] == "moex"
        assert quote["market"] == "open"
        assert quote["contract"] == {"code": "BRG6", "expires": "2026-02-02"}
        if quote["previous"] is not None:
            assert quote["change"] < -2.4
            assert quote["previous_as_of"][:10] in {"2026-01-23", "2026-01-25"}
        assert quote["next_update_at"] is None or quote["next_update_at"][:10] == "2026-01-26"


async def test_a_roll_is_no_move(stage: Stage) -> None:
    """BRG6 ends on 2.02.2026 and BRH6 costs 3 % less: no change is told across the two."""
    world = winter("2026-02-02 12:00", "moex", "yahoo")
    world.spread = Decimal("1.90")
    # The front month's price goes on where the next one's was.
    world.moex = replace(
        world.moex or Market((), piecewise(*JANUARY), MOEX_DELAY),
        price=piecewise(*JANUARY, ("2026-02-03 00:00", "60.60")),
    )
    async with stage(world, {"OIL": ["moex"]}) as play:
        await play.until("2026-02-02 18:00", 20)
        assert (await play.product.quotes())["OIL"]["contract"]["code"] == "BRG6"
        await play.until("2026-02-03 12:00", 20)
        quote = (await play.product.quotes())["OIL"]
        assert quote["contract"]["code"] == "BRH6"
        assert quote["change"] is None or abs(quote["change"]) < 0.5, quote


@pytest.mark.parametrize("now", ["2026-01-25 12:00", "2026-01-05 12:00", "2026-05-01 12:00", "2026-03-23 18:55"])
async def test_the_next_update_is_today_where_today_trades(stage: Stage, now: str) -> None:
    """In a session of a weekend or holiday the next print is a matter of minutes; no later day is named."""
    world = winter(now, "moex")
    async with stage(world, {"OIL": ["moex"]}) as play:
        await play.start()
        await play.until(f"{now[:13]}:59", 10)
        quote = (await play.product.quotes())["OIL"]
        assert quote["market"] == "open"
        assert quote["next_update_at"] is None or quote["next_update_at"][:10] == now[:10], quote


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("2026-01-24 21:00", "2026-01-25 09:50"),
        ("2026-03-20 21:00", "2026-03-23 08:50"),
        ("2026-05-01 21:00", "2026-05-02 09:50"),
        ("2026-01-07 01:00", "2026-01-08 08:50"),
        ("2026-02-14 12:00", "2026-02-16 08:50"),
    ],
)
async def test_the_next_update_is_due_when_the_market_opens(stage: Stage, now: str, opens: str) -> None:
    """While Moscow rests, the next print is due when it opens, and within the delay of its free data."""
    world = winter(now, "moex")
    async with stage(world, {"OIL": ["moex"]}) as play:
        await play.start()
        quote = (await play.product.quotes())["OIL"]
        assert quote["market"] == "closed"
        if quote["next_update_at"] is not None:
            due = datetime.fromisoformat(quote["next_update_at"])
            assert timedelta(0) <= due - moment(opens) <= timedelta(minutes=30), quote


# 16: currencies in Moscow, and a contract that is missing.

YUAN = {
    "instruments.CNY.base": "CNY", "instruments.CNY.quote": "RUB", "instruments.CNY.sources": ["moex_fx"],
    "instruments.CNY.max_age": "30d", "instruments.CNY.band": [5, 30], **NO_OIL,
}  # fmt: skip


def yuan(start: str, halted: str | None = None) -> World:
    """The yuan traded on weekdays from 10:00 to 19:00; its UPDATETIME goes on when TIME does not."""
    world = World(moment(start), spells=[s for s in only() if s.source != "moex"])
    sessions = [
        (moment(f"2026-04-{day:02} 10:00"), moment(f"2026-04-{day:02} 19:00"))
        for day in (1, 2, 3, 6, 7, 8, 9, 10, 13, 14, 15)
        if halted is None or f"2026-04-{day:02}" <= halted
    ]
    market = Market(sessions, piecewise(("2026-01-01 00:00", "11.2500")), MOEX_DELAY)

    def told(now: datetime) -> bytes:
        del now
        at = market.told(world.now)
        back = 3 if at.at.weekday() == 0 else 1
        return wires.selt(
            world.now, "CNYRUB_TOM", at.price, at.at, Decimal("11.2000"), (at.at - timedelta(days=back)).date()
        )

    world.selt = told
    return world


async def test_the_yuan_rests_at_night_and_on_weekends(stage: Stage) -> None:
    """Friday's last trade is the newest until Monday: fresh, dated Friday, and the source is not in trouble."""
    async with stage(yuan("2026-04-09 12:00"), flags=YUAN) as play:
        for when, day in (
            ("2026-04-09 13:00", 9),
            ("2026-04-09 23:30", 9),
            ("2026-04-10 18:00", 10),
            ("2026-04-11 15:00", 10),
            ("2026-04-13 08:00", 10),
        ):
            shown = (await play.until(when, 60))["CNY"]
            assert shown.status == "fresh", (when, shown)
            assert shown.as_of is not None
            assert shown.as_of.astimezone(wires.MOSCOW).day == day, (when, shown)
        health = play.product.service.poller.health["moex_fx"]
        assert health.last_failure is None


async def test_a_halted_pair_ages(stage: Stage) -> None:
    """No trade since Tuesday 18:59 although UPDATETIME goes on and the status is T: by Wednesday night it is old."""
    async with stage(yuan("2026-04-07 12:00", halted="2026-04-07"), flags=YUAN) as play:
        shown = (await play.until("2026-04-07 20:00", 60))["CNY"]
        assert shown.status == "fresh", shown
        for when in ("2026-04-08 23:00", "2026-04-09 19:20", "2026-04-10 15:00"):
            shown = (await play.until(when, 60))["CNY"]
            assert shown.status == "stale", (when, shown)
            assert shown.as_of is not None
            assert shown.as_of.astimezone(wires.MOSCOW).date() == date(2026, 4, 7), (when, shown)


async def test_a_front_contract_missing_from_marketdata_is_not_passed_over_in_silence(stage: Stage) -> None:
    """BRG6 has no row in `marketdata`: the next month, 3 % off, is not shown in its place."""
    world = winter("2026-01-15 12:00", "moex", "yahoo")
    world.spread = Decimal("1.90")
    gone = wrong_rows("moex", lambda rows: [replace(rows[0], in_marketdata=False), *rows[1:]])
    world.spells.append(replace(gone, since=moment("2026-01-15 13:00")))
    async with stage(world) as play:
        shown = (await play.until("2026-01-15 12:50", 10))["OIL"]
        assert is_fresh("62.50", CENTS)(shown), shown
        await play.until("2026-01-15 18:00", 10)
        assert not play.ever("OIL", is_shown("60.60", "0.5"))
        assert not play.ever("OIL", lambda s: s.price is None)


async def test_a_dispute_with_a_market_that_then_contradicts_itself_is_over(stage: Stage) -> None:
    """Oil rises by 0.36 % and Yahoo is heard after Moscow: it is 12 % off its own past from then on."""
    rise = "2026-01-15 17:03"
    prices = ((*JANUARY, (rise, "62.72")), (*ABROAD, (rise, "62.78")))
    world = winter("2026-01-15 16:00", "moex", "yahoo", moscow=prices[0], abroad=prices[1])
    world.spells.append(wrong_print("yahoo", "2026-01-15 17:15", "2026-01-15 20:40", "x0.88"))
    async with stage(world) as play:
        await play.until("2026-01-15 17:10")
        shown = (await play.until("2026-01-15 17:40", 10))["OIL"]
        assert is_fresh("62.72", CENTS)(shown), shown
        await play.until("2026-01-15 20:35")
        assert not play.ever("OIL", lambda seen: seen.source == "yahoo" and seen.status == "fresh")
