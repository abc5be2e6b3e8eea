"""One incident played: a world from its facts, the product over it, and what was shown at every step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.world.facts import fixings, moex, nymex
from tests.world.harness import Product, Shown
from tests.world.wires import NEW_YORK, Row
from tests.world.world import (
    CBR,
    CROSSES,
    MARKETS,
    MIDS,
    MOEX_DELAY,
    YAHOO_DELAY,
    Fixing,
    Market,
    Print,
    Spell,
    World,
    moment,
    piecewise,
)

# The markets are another story than the tables: instruments that are switched off.
NO_OIL = {"instruments.OIL.enabled": False}
ONLY_OIL = {"instruments.USD.enabled": False, "instruments.EUR.enabled": False}
JANUARY = (("2024-12-01 00:00", "62.50"),)
ABROAD = (("2024-12-01 00:00", "62.56"),)
CENTS = "0.02"
_SILENCE, _AGAIN = timedelta(hours=2), timedelta(hours=1)
ALL = (*CBR, *CROSSES, *MIDS, *MARKETS, "ecb", "fred")
EVER = (datetime(1990, 1, 1, tzinfo=NEW_YORK), datetime(2100, 1, 1, tzinfo=NEW_YORK))


def fixed(tables: Sequence[tuple[str, str, str, str]]) -> list[Fixing]:
    """The tables of `facts.fixings` as values."""
    return [Fixing(moment(at), date.fromisoformat(day), Decimal(usd), Decimal(eur)) for at, day, usd, eur in tables]


def spans(texts: Sequence[tuple[str, str]], *, abroad: bool = False) -> list[tuple[datetime, datetime]]:
    """The sessions of `facts.incidents` as moments, in New York's time where `abroad`."""
    zone = {"zone": NEW_YORK} if abroad else {}
    return [(moment(start, **zone), moment(end, **zone)) for start, end in texts]


def markets(world: World, moscow: Sequence[tuple[str, str]], abroad: Sequence[tuple[str, str]]) -> None:
    """Give `world` both markets by the published timetables of 2025 and 2026, at these prices."""
    first, last = date(2024, 12, 1), date(2026, 12, 31)
    world.moex = Market(moex.sessions(first, last), piecewise(*moscow), MOEX_DELAY)
    world.yahoo = Market(nymex.sessions(first, last), piecewise(*abroad), YAHOO_DELAY)


Prices = Sequence[tuple[str, str]]


def winter(start: str, *alive: str, moscow: Prices = JANUARY, abroad: Prices = ABROAD) -> World:
    """The markets of 2025 and 2026 by the published timetables, with the tables of the turn of the year."""
    world = World(moment(start), fixed(fixings.NEW_YEAR_2026), only(*alive))
    markets(world, moscow, abroad)
    return world


def bank(start: str, tables: Sequence[tuple[str, str, str, str]], *alive: str) -> World:
    """The Bank's tables with these sources alive."""
    return World(moment(start), fixed(tables), only(*alive))


def away(source: str, since: str | None = None, until: str | None = None) -> Spell:
    """`source` is silent from `since` until `until`."""
    return Spell(source, moment(since) if since else EVER[0], moment(until) if until else EVER[1])


def only(*alive: str) -> list[Spell]:
    """Every other source is silent all the time."""
    return [away(source) for source in ALL if source not in alive]


def wrong_table(
    source: str, since: str, until: str, usd: str | None = None, eur: str | None = None, day: str | None = None
) -> Spell:
    """`source` tells these numbers, whatever the table: "x1.12" is times 1.12, "75.1" is just that."""
    told_day = date.fromisoformat(day) if day else None

    def change(table: Fixing) -> Fixing:
        return replace(table, day=told_day or table.day, usd=_told(table.usd, usd), eur=_told(table.eur, eur))

    return Spell(source, moment(since), moment(until), fixing=change)


def wrong_from(source: str, first: str, last: str, usd: str | None = None, eur: str | None = None) -> Spell:
    """`source` tells these numbers of the tables dated from `first` to `last`, and the truth of all others."""
    days = (date.fromisoformat(first), date.fromisoformat(last))

    def change(table: Fixing) -> Fixing:
        if not days[0] <= table.day <= days[1]:
            return table
        return replace(table, usd=_told(table.usd, usd), eur=_told(table.eur, eur))

    return Spell(source, *EVER, fixing=change)


def stuck(source: str, table: Fixing) -> Spell:
    """`source` repeats one table for ever."""
    return Spell(source, *EVER, fixing=lambda _: table)


def wrong_print(source: str, since: str, until: str, price: str) -> Spell:
    """`source` tells this last price: "x1.04" is times 1.04."""
    return Spell(
        source, moment(since), moment(until), market=lambda told: replace(told, price=_told(told.price, price))
    )


def wrong_rows(source: str, change: Callable[[list[Row]], list[Row]]) -> Spell:
    """`source` sends another board."""
    return Spell(source, *EVER, rows=change)


def wrong_body(source: str, change: Callable[[bytes], bytes]) -> Spell:
    """`source` sends other bytes."""
    return Spell(source, *EVER, body=change)


def frozen_print(source: str, since: str, until: str, at: Print) -> Spell:
    """`source` repeats one print."""
    return Spell(source, moment(since), moment(until), market=lambda _told: at)


def _told(true: Decimal, text: str | None) -> Decimal:
    if text is None:
        return true
    if text.startswith("x"):
        return (true * Decimal(text[1:])).quantize(true)
    return Decimal(text)


@dataclass
class Seen:
    """What was shown at one step."""

    at: datetime
    version: int
    shown: dict[str, Shown]


@dataclass
class Play:
    """An incident that goes on; with `restarts` the product is ended and begun again before each look."""

    world: World
    product: Product
    restarts: bool
    seen: list[Seen] = field(default_factory=list)
    _silent: dict[str, datetime] = field(default_factory=dict)

    async def until(self, text: str, step: int = 5) -> dict[str, Shown]:
        """Go on to `text` (Moscow), asking every source that may have news each `step` minutes; what is shown then.

        Who says the same is asked again after an hour, to the service as good as each time (`test_branches`).
        Who is known to be silent is asked again after two hours, or when he speaks.
        """
        end = moment(text)
        while self.world.now < end:
            self.world.now = min(end, self.world.now + timedelta(minutes=step))
            due = [source for source in self.product.feeds if self._speaks(source)]
            await (self.product.poll(due) if self.product.loopback else self.product.poll_news(due, again=_AGAIN))
            self._note()
        if self.restarts:
            await self.product.restart()
            self._note()
            await self.product.poll()
            self._note()
        return self.seen[-1].shown

    def _speaks(self, source: str) -> bool:
        """Whether asking `source` now can bring anything new: an answer, or the news of its silence."""
        now = self.world.now
        if self.world.alive(source):
            self._silent.pop(source, None)
            return True
        if now - self._silent.get(source, EVER[0]) < _SILENCE:
            return False
        self._silent[source] = now
        return True

    async def start(self) -> dict[str, Shown]:
        """Ask every source once, without moving on."""
        await self.product.poll()
        self._note()
        return self.seen[-1].shown

    def _note(self) -> None:
        self.seen.append(Seen(self.world.now, self.product.version, self.product.look()))

    def ever(self, symbol: str, holds: Callable[[Shown], bool], since: str | None = None) -> list[str]:
        """The moments from `since` on at which what was shown of `symbol` was like that, for a message."""
        start = moment(since) if since else EVER[0]
        return [
            f"{each.at:%m-%d %H:%M} {shown.price} {shown.status} {shown.reason} {shown.source}"
            for each in self.seen
            if each.at >= start
            for shown in (each.shown[symbol],)
            if holds(shown)
        ]


@dataclass(frozen=True)
class Stage:
    """A place for incidents: stores in `folder`, and whether the product is restarted before each look."""

    folder: Path
    restarts: bool

    @asynccontextmanager
    async def __call__(
        self,
        world: World,
        sources: Mapping[str, list[str]] | None = None,
        flags: Mapping[str, Any] | None = None,
        *,
        store: str = "ticker",
        loopback: bool = False,
    ) -> AsyncIterator[Play]:
        """The product over `world`; stores of one name are one store."""
        url = f"sqlite:///{self.folder}/{store}.db"
        async with Product(world, sources, flags, url, loopback) as product:
            yield Play(world, product, self.restarts)


def is_fresh(price: str, near: str = "0") -> Callable[[Shown], bool]:
    """Whether this number is shown as fresh."""
    low, high = Decimal(price) - Decimal(near), Decimal(price) + Decimal(near)
    return lambda shown: shown.status == "fresh" and shown.price is not None and low <= shown.price <= high


def is_shown(price: str, near: str = "0") -> Callable[[Shown], bool]:
    """Whether this number is shown, however marked."""
    low, high = Decimal(price) - Decimal(near), Decimal(price) + Decimal(near)
    return lambda shown: shown.price is not None and low <= shown.price <= high
