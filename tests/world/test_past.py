"""What is told of a moment afterwards is what was live at it: field by field, through whole days that went wrong.

Each day is played once straight on and once with the product ended and begun again every few hours. At each step the
live answer is kept, and when all is over each of them is asked for by `at=`. What must stand in them is written down
here as facts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.redis_servers import Server
from tests.world.facts import fixings
from tests.world.harness import Product
from tests.world.play import NO_OIL, away, bank, winter, wrong_from, wrong_print, wrong_table
from tests.world.world import MOEX_DELAY, YAHOO_DELAY, Market, Spell, World, moment, piecewise

# When a source last said a number again is no news, and not kept.
NOT_KEPT = frozenset({"checked_at"})
MINUTE = timedelta(minutes=1)
Quotes = dict[str, dict[str, Any]]


@dataclass
class Diary:
    """What was live at each step, and what is told of it later; the product begins anew each `restarts`."""

    product: Product
    restarts: timedelta | None
    live: dict[datetime, Quotes] = field(default_factory=dict)
    _begun: datetime | None = None

    async def until(self, text: str, step: int = 10) -> Quotes:
        """Go on to `text` (Moscow), asking who is alive each `step` minutes; what is live then."""
        world, end = self.product.world, moment(text)
        while world.now < end:
            world.now = min(end, world.now + step * MINUTE)
            self._begun = self._begun or world.now
            if self.restarts is not None and world.now - self._begun >= self.restarts:
                self._begun = world.now
                await self.product.restart()
            await self.product.poll([source for source in self.product.feeds if world.alive(source)])
            await self.look()
        return self.live[end]

    async def look(self) -> None:
        """Keep what is live now."""
        self.live[self.product.world.now] = await self.product.quotes()

    async def at(self, when: datetime | str) -> Quotes:
        """What is told of `when`: a date, a moment in Moscow, or one as it is."""
        text = when if isinstance(when, str) else when.isoformat()
        stamp = text if isinstance(when, datetime) or " " not in text else moment(text).isoformat()
        status, body = await self.product.http(f"/v1/quotes?at={stamp.replace('+', '%2B')}")
        assert status == 200, body
        return {quote["symbol"]: quote for quote in body["quotes"]}

    async def differences(self) -> list[str]:
        """Every field that is told otherwise of a moment than it was live."""
        return [
            f"{when:%m-%d %H:%M} {symbol}.{name}: live {quote[name]}, at= {told[symbol][name]}"
            for when, quotes in self.live.items()
            for told in [await self.at(when)]
            for symbol, quote in quotes.items()
            for name in quote.keys() - NOT_KEPT
            if quote[name] != told[symbol][name]
        ]

    async def days(self, symbol: str, first: str, last: str) -> dict[str, float]:
        """The line of days: what was in force on each that has a number of its own."""
        path = f"/v1/quotes/{symbol}/history?from={first}&to={last}&interval=1d"
        status, body = await self.product.http(path)
        assert status == 200, body
        return {point["as_of"][:10]: point["price"] for point in body["points"]}


Stage = Callable[..., Any]


@pytest.fixture(params=["straight", "restarted", pytest.param("redis", marks=pytest.mark.programs)])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    """Where a day is played: over a file, over one with restarts, and over Redis with restarts."""
    url = f"sqlite:///{tmp_path}/ticker.db"
    if request.param == "redis":
        server: Server = request.getfixturevalue("redis")
        url = server.fresh()
    restarts = None if request.param == "straight" else timedelta(hours=3)

    @asynccontextmanager
    async def play(world: World, flags: dict[str, Any] | None = None) -> AsyncIterator[Diary]:
        async with Product(world, None, flags, url) as product:
            yield Diary(product, restarts)

    return play


def tables(*spells: Spell) -> World:
    """The Bank and its mirror on the afternoon of 3.03.2026: 77.1734 in force, at 16:00 the table of 4.03: 77.6093."""
    world = bank("2026-03-03 15:30", fixings.MARCH_2026, "cbr", "cbr_mirror")
    world.spells += spells
    return world


def wrong(until: str, usd: str, eur: str, *sources: str) -> list[Spell]:
    """These numbers in the table of 4.03 until then, from each of `sources`."""
    spells = [wrong_from(source, "2026-03-04", "2026-03-04", usd, eur) for source in sources]
    return [replace(spell, until=moment(until)) for spell in spells]


async def test_an_ordinary_evening(stage: Stage) -> None:
    """Tomorrow's table is unconfirmed for half an hour, then confirmed, then the price: told of each minute since."""
    async with stage(tables(), NO_OIL) as diary:
        await diary.until("2026-03-03 15:55")
        await diary.until("2026-03-03 16:40", 1)
        await diary.until("2026-03-03 23:50", 30)
        await diary.until("2026-03-04 00:10", 1)
        await diary.until("2026-03-04 12:00", 60)
        assert await diary.differences() == []
        for when, price, upcoming, confirmed in (
            ("2026-03-03 15:59", 77.1734, None, None),
            ("2026-03-03 16:10", 77.1734, 77.6093, False),
            ("2026-03-03 16:35", 77.1734, 77.6093, True),
            ("2026-03-03 23:59", 77.1734, 77.6093, True),
            ("2026-03-04 00:00", 77.6093, None, None),
        ):
            usd = (await diary.at(when))["USD"]
            told = usd["upcoming"] or {"price": None, "confirmed": None}
            assert (usd["price"], told["price"], told["confirmed"]) == (price, upcoming, confirmed), when
        assert await diary.days("USD", "2026-03-03", "2026-03-04") == {"2026-03-03": 77.1734, "2026-03-04": 77.6093}


async def test_a_dispute_that_is_settled_in_the_evening(stage: Stage) -> None:
    """The mirror is wrong until 21:00: until then the table is told with its reason, then without."""
    world = tables(*wrong("2026-03-03 21:00", "79.9", "93.9", "cbr_mirror"))
    async with stage(world, NO_OIL) as diary:
        await diary.until("2026-03-03 16:40", 2)
        await diary.until("2026-03-03 20:55", 30)
        await diary.until("2026-03-03 21:05", 1)
        await diary.until("2026-03-04 00:30", 15)
        assert await diary.differences() == []
        disputed, settled = (await diary.at("2026-03-03 20:00"))["USD"], (await diary.at("2026-03-03 22:00"))["USD"]
        assert (disputed["price"], disputed["upcoming"]["reason"]) == (77.1734, "disagree")
        assert (settled["upcoming"]["price"], settled["upcoming"]["reason"]) == (77.6093, None)
        assert await diary.days("USD", "2026-03-03", "2026-03-04") == {"2026-03-03": 77.1734, "2026-03-04": 77.6093}


async def test_a_confirmed_table_that_is_issued_anew_before_midnight(stage: Stage) -> None:
    """Both copies say 78.0 until 19:00, then 77.6093: what was never in force is in no line, and no correction."""
    async with stage(tables(*wrong("2026-03-03 19:00", "78.0", "91.9", "cbr", "cbr_mirror")), NO_OIL) as diary:
        await diary.until("2026-03-03 18:50", 10)
        await diary.until("2026-03-03 19:10", 1)
        await diary.until("2026-03-03 23:50", 30)
        await diary.until("2026-03-04 00:10", 2)
        await diary.until("2026-03-04 12:00", 60)
        assert await diary.differences() == []
        upcoming = (await diary.at("2026-03-03 18:00"))["USD"]["upcoming"]
        assert (upcoming["price"], upcoming["confirmed"]) == (78.0, True)
        assert (await diary.at("2026-03-03 20:00"))["USD"]["upcoming"]["price"] == 77.6093
        assert await diary.days("USD", "2026-03-03", "2026-03-04") == {"2026-03-03": 77.1734, "2026-03-04": 77.6093}
        status, line = await diary.product.http("/v1/quotes/USD/history?from=2026-03-04")
        assert (status, [(p["price"], p["revision"]) for p in line["points"]]) == (200, [(77.6093, 0)])
        status, record = await diary.product.http("/v1/corrections?symbol=USD")
        assert (status, record["corrections"]) == (200, [])


async def test_a_table_that_is_still_disputed_at_midnight(stage: Stage) -> None:
    """The mirror is wrong until noon: yesterday's number stands, stale, and the line of that morning has no other."""
    world = tables(*wrong("2026-03-04 12:00", "79.9", "93.9", "cbr_mirror"))
    async with stage(world, NO_OIL) as diary:
        await diary.until("2026-03-03 23:50", 30)
        await diary.until("2026-03-04 00:10", 1)
        await diary.until("2026-03-04 11:50", 30)
        assert await diary.days("USD", "2026-03-03", "2026-03-04") == {"2026-03-03": 77.1734}
        today = (await diary.at("2026-03-04"))["USD"]
        assert (today["price"], today["status"], today["reason"]) == (77.1734, "stale", "disagree")
        await diary.until("2026-03-04 12:10", 1)
        assert await diary.differences() == []
        morning = (await diary.at("2026-03-04 09:00"))["USD"]
        assert (morning["price"], morning["status"], morning["reason"]) == (77.1734, "stale", "disagree")
        assert (await diary.at("2026-03-04 12:10"))["USD"]["price"] == 77.6093
        assert await diary.days("USD", "2026-03-03", "2026-03-04") == {"2026-03-03": 77.1734, "2026-03-04": 77.6093}


async def test_a_table_that_is_withdrawn(stage: Stage) -> None:
    """From 18:00 to 15:00 the Bank and its mirror have the table of 3.03 again: that of 4.03 is not in force."""
    known = list(tables().fixings)
    gone = (moment("2026-03-03 18:00"), moment("2026-03-04 15:00"))
    spells = [Spell(s, *gone, fixing=lambda told: known[known.index(told) - 1]) for s in ("cbr", "cbr_mirror")]
    async with stage(tables(*spells), NO_OIL) as diary:
        await diary.until("2026-03-03 17:50", 10)
        await diary.until("2026-03-03 18:10", 1)
        assert (await diary.until("2026-03-03 23:50", 30))["USD"]["upcoming"] is None
        for when in ("2026-03-04 00:10", "2026-03-04 14:00"):
            told = (await diary.until(when, 1 if when.endswith("00:10") else 60))["USD"]
            assert (told["price"], told["status"], told["reason"]) == (77.1734, "stale", "frozen"), when
        assert (await diary.until("2026-03-04 15:10", 10))["USD"]["price"] == 77.6093
        assert await diary.differences() == []


async def test_a_table_that_is_corrected_while_it_is_in_force(stage: Stage) -> None:
    """78.0 was in force until 11:00 and then 77.6093: the moment tells what stood, the day what was right."""
    async with stage(tables(*wrong("2026-03-04 11:00", "78.0", "91.9", "cbr", "cbr_mirror")), NO_OIL) as diary:
        await diary.until("2026-03-03 23:50", 30)
        await diary.until("2026-03-04 00:05", 1)
        await diary.until("2026-03-04 10:55", 60)
        await diary.until("2026-03-04 11:10", 1)
        await diary.until("2026-03-05 12:00", 120)
        assert await diary.differences() == []
        assert (await diary.at("2026-03-04 10:00"))["USD"]["price"] == 78.0
        assert (await diary.at("2026-03-04 12:00"))["USD"]["price"] == 77.6093
        assert (await diary.at("2026-03-04"))["USD"]["price"] == 77.6093
        assert (await diary.days("USD", "2026-03-04", "2026-03-04")) == {"2026-03-04": 77.6093}
        status, record = await diary.product.http("/v1/corrections?symbol=USD")
        told = [(each["kind"], each["shown"], each["right"]) for each in record["corrections"]]
        assert (status, told) == (200, [("wrong", 78.0, 77.6093)])


async def test_a_night_in_which_nobody_was_there(stage: Stage) -> None:
    """The service was away from 22:00 to 9:00: the night is told by what was known of it."""
    async with stage(tables(), NO_OIL) as diary:
        await diary.until("2026-03-03 22:00", 30)
        diary.product.world.now = moment("2026-03-04 09:00")
        await diary.product.restart()
        await diary.look()
        await diary.until("2026-03-04 10:00", 20)
        assert await diary.differences() == []
        for when, price in (("2026-03-03 23:30", 77.1734), ("2026-03-04 03:00", 77.6093)):
            usd = (await diary.at(when))["USD"]
            assert (usd["price"], usd["status"]) == (price, "fresh"), when
        assert await diary.days("USD", "2026-03-03", "2026-03-04") == {"2026-03-03": 77.1734, "2026-03-04": 77.6093}


@pytest.mark.parametrize("confirmed", [True, False])
async def test_a_restart_into_silence_keeps_what_is_to_come(stage: Stage, *, confirmed: bool) -> None:
    """Nobody answers after 18:00, and at 18:05 the service begins anew: the known table is the price at midnight."""
    world = tables(
        away("cbr", "2026-03-03 18:00"), away("cbr_mirror", "2026-03-03 18:00" if confirmed else "2026-03-03 15:40")
    )
    async with stage(world, NO_OIL) as diary:
        await diary.until("2026-03-03 18:05", 5)
        await diary.product.restart()
        await diary.look()
        for when in ("2026-03-03 18:10", "2026-03-03 23:55"):
            usd = (await diary.until(when, 15))["USD"]
            assert (usd["price"], usd["upcoming"]["price"], usd["upcoming"]["confirmed"]) == (
                77.1734,
                77.6093,
                confirmed,
            )
        usd = (await diary.until("2026-03-04 00:05", 5))["USD"]
        assert (usd["price"], usd["status"], usd["fetched_at"]) == (77.6093, "fresh", "2026-03-03T13:00:00Z")
        assert await diary.differences() == []


async def test_a_restart_in_a_dispute_makes_no_version(stage: Stage) -> None:
    """Bank and mirror differ for days, and the service begins anew every few hours: nothing new is said by that."""
    async with stage(tables(*wrong("2026-03-06 12:00", "79.9", "93.9", "cbr_mirror")), NO_OIL) as diary:
        await diary.until("2026-03-04 00:10", 20)
        said = await diary.until("2026-03-04 00:30", 20)
        version = diary.product.version
        for hour in range(1, 15):
            assert _less(await diary.until(f"2026-03-04 {hour:02}:00", 20)) == _less(said), hour
        if diary.restarts is None:
            assert diary.product.version == version


def _less(quotes: Quotes) -> Quotes:
    """The quotes without what is not kept of them."""
    return {symbol: {name: quote[name] for name in quote.keys() - NOT_KEPT} for symbol, quote in quotes.items()}


async def test_a_change_of_leader(stage: Stage) -> None:
    """One replica follows from 16:10 on and leads from 18:00 on: of the evening there is one account."""
    world = tables(*wrong("2026-03-03 17:00", "79.9", "93.9", "cbr_mirror"))
    async with stage(world, NO_OIL) as diary:
        await diary.until("2026-03-03 16:10", 5)
        async with diary.product.beside() as other:
            await diary.until("2026-03-03 18:00", 10)
            await diary.product.retire()
            await other.leads()
            diary.product = other
            await diary.until("2026-03-03 23:50", 30)
            await diary.until("2026-03-04 00:10", 5)
            assert await diary.differences() == []


async def test_an_archive_that_is_read_in_between(stage: Stage) -> None:
    """At 18:00 it has tomorrow's table as well, which is issued anew at 19:00: what is told stays what was shown."""
    async with stage(tables(*wrong("2026-03-03 19:00", "78.0", "91.9", "cbr", "cbr_mirror")), NO_OIL) as diary:
        await diary.until("2026-03-03 18:00", 15)
        await diary.product.backfill("2026-02-20", "2026-03-04")
        await diary.until("2026-03-03 23:50", 30)
        await diary.until("2026-03-04 00:10", 5)
        await diary.product.backfill("2026-02-20", "2026-03-04")
        assert await diary.differences() == []
        line = await diary.days("USD", "2026-03-02", "2026-03-04")
        assert line == {"2026-03-03": 77.1734, "2026-03-04": 77.6093}
        status, raw = await diary.product.http("/v1/quotes/USD/history?from=2026-03-04")
        assert (status, [(p["price"], p["revision"]) for p in raw["points"]]) == (200, [(77.6093, 0)])


@pytest.mark.parametrize(("usd", "shown"), [("78.0", None), ("87.6093", 77.6093)], ids=["nobody can tell", "refuted"])
async def test_an_archive_that_is_read_in_a_dispute(stage: Stage, usd: str, shown: float | None) -> None:
    """Until noon the Bank's dollar of 4.03 is wrong and the mirror's right: the archive's word is not in the line."""
    spells = wrong("2026-03-04 12:00", usd, "91.2201" if shown else "91.9", "cbr")
    async with stage(tables(*spells), NO_OIL) as diary:
        await diary.until("2026-03-04 00:10", 20)
        await diary.until("2026-03-04 10:00", 60)
        await diary.product.backfill("2026-02-20", "2026-03-04")
        right = {"2026-03-03": 77.1734}
        assert await diary.days("USD", "2026-03-02", "2026-03-04") == right | ({"2026-03-04": shown} if shown else {})
        await diary.until("2026-03-04 13:00", 60)
        await diary.product.backfill("2026-02-20", "2026-03-04")
        assert await diary.days("USD", "2026-03-02", "2026-03-04") == right | {"2026-03-04": 77.6093}
        assert await diary.differences() == []


async def test_a_cold_start_in_a_dispute(stage: Stage) -> None:
    """Where the board began without a number, that is what is told of those minutes."""
    world = bank("2026-03-03 12:00", fixings.MARCH_2026, "cbr", "cbr_mirror")
    world.spells += [
        wrong_table("cbr", "2026-03-03 12:00", "2026-03-03 12:30", "57.1734", "71.0012"),
        away("cbr_mirror", None, "2026-03-03 12:20"),
    ]
    async with stage(world, NO_OIL) as diary:
        await diary.until("2026-03-03 12:40", 1)
        assert await diary.differences() == []


async def test_a_number_for_a_hundred_has_nothing_to_do_with_one_for_one(stage: Stage) -> None:
    """Of the Bank alone by one dollar until 3.03.2026, 12:05, then by a hundred: 7717.34 is no slip, nor a move."""
    world = bank("2026-02-27 11:00", fixings.MARCH_2026, "cbr")
    async with stage(world, NO_OIL) as diary:
        told = (await diary.until("2026-03-03 12:00", 360))["USD"]
        assert (told["price"], told["status"]) == (77.1734, "fresh")
        diary.product.flags = NO_OIL | {"instruments.USD.unit": "100 USD", "instruments.USD.band": ["1000", "30000"]}
        await diary.product.restart()
        await diary.until("2026-03-03 12:05", 5)
        told = (await diary.until("2026-03-04 12:00", 120))["USD"]
        assert (told["price"], told["status"], told["change"]) == (7760.93, "fresh", 43.59)
        assert await diary.days("USD", "2026-02-27", "2026-03-04") == {"2026-03-03": 7717.34, "2026-03-04": 7760.93}
        assert (await diary.at("2026-03-03 11:00"))["USD"]["price"] is None


async def test_a_day_of_oil(stage: Stage) -> None:
    """Moscow is silent for an hour and lies for another, then closes: price, date, source, status and reason alike."""
    world = winter("2026-01-14 10:00", "cbr", "cbr_mirror", "moex", "yahoo")
    assert world.moex is not None
    assert world.yahoo is not None
    world.moex = Market(
        world.moex.sessions, piecewise(("2026-01-14 09:00", "62.10"), ("2026-01-14 23:59", "63.40")), MOEX_DELAY
    )
    world.yahoo = Market(
        world.yahoo.sessions, piecewise(("2026-01-14 00:00", "62.15"), ("2026-01-15 03:00", "63.60")), YAHOO_DELAY
    )
    world.spells += [
        away("moex", "2026-01-14 13:00", "2026-01-14 14:00"),
        wrong_print("moex", "2026-01-14 15:00", "2026-01-14 16:00", "x1.04"),
        away("yahoo", "2026-01-14 17:00", "2026-01-14 18:00"),
    ]
    async with stage(world) as diary:
        await diary.until("2026-01-14 12:50", 10)
        await diary.until("2026-01-14 13:30", 2)
        await diary.until("2026-01-14 16:30", 5)
        await diary.until("2026-01-14 18:30", 10)
        await diary.until("2026-01-14 23:40", 20)
        await diary.until("2026-01-15 00:20", 2)
        await diary.until("2026-01-15 02:00", 20)
        assert await diary.differences() == []
        # The last print of the day was heard of after midnight, as was one of 1:40 from abroad, where it was the 14th.
        _, board = await diary.product.http("/v1/quotes?at=2026-01-14")
        oil = next(each for each in board["quotes"] if each["symbol"] == "OIL")
        assert moment("2026-01-14 23:40") < datetime.fromisoformat(oil["as_of"]) < moment("2026-01-15 00:00"), oil
        assert all(each["fetched_at"] <= board["generated_at"] for each in board["quotes"]), board
