"""A world to poll for a year: who publishes what and when, and who is out. Every answer in the source's own format."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from tests.support.upstreams import formats, forts, listing, yahoo
from ticker.calendars.days import is_holiday
from ticker.fetch import Answer, Call
from ticker.quotes import Reason, SourceError

MOSCOW, YORK = ZoneInfo("Europe/Moscow"), ZoneInfo("America/New_York")
DAY = timedelta(days=1)


@dataclass
class World:
    """The four sources of the trio from `first` to `last`; `outages` are silent spans by source.

    Every price is told `slip` times what it is.
    """

    first: date
    last: date
    now: datetime
    outages: dict[str, list[tuple[datetime, datetime]]] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)
    slip: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        random = Random(7)  # noqa: S311 - the same world every time
        self.tables: list[tuple[datetime, date]] = []
        for offset in range(-20, (self.last - self.first).days + 2):
            day = self.first + offset * DAY
            if day.weekday() < 5 and not is_holiday("RU", day):
                at = datetime.combine(day, time(15, 30), MOSCOW) + timedelta(minutes=random.uniform(0, 90))
                self.tables.append((at, day + DAY))

    async def get(self, call: Call, /) -> Answer:
        """The answer of `call` at `now`. Raises SourceError while the source is out."""
        path = call.url.partition("://upstream/")[2]
        source = path.partition("/")[0]
        self.asked[source] = self.asked.get(source, 0) + 1
        if any(start <= self.now < end for start, end in self.outages.get(source, ())):
            raise SourceError(Reason.CONNECT, "out")
        return Answer(call.url, 200, {}, getattr(self, source)())

    def table(self, lag: timedelta = timedelta(0)) -> tuple[date, date]:
        """The dates of the newest table and of the one before, as far as a source with that lag knows."""
        i = bisect_right(self.tables, (self.now - lag, date.max)) - 1
        return self.tables[i][1], self.tables[i - 1][1]

    def cbr(self) -> bytes:
        """The Bank's table."""
        return formats.cbr_daily(self.table()[0], self._slipped(self.table()[0]))

    def cbr_mirror(self) -> bytes:
        """The mirror's, up to an hour later."""
        day, before = self.table(timedelta(minutes=50))
        return formats.cbr_mirror(day, before, self.now, self._slipped(day), self._slipped(before))

    def moex(self) -> bytes:
        """The futures board; outside the session it stands still."""
        trade = self.traded(MOSCOW, time(9), time(23, 50), range(5), "RU")
        price = brent(trade) * self.slip
        return forts.moex_forts(trade, listing.contracts(trade.date(), price, price))

    def yahoo(self) -> bytes:
        """The chart of Brent abroad, from Sunday evening to Friday evening in New York."""
        trade = self.traded(YORK, time(20), time(18), (6, 0, 1, 2, 3), None) - timedelta(minutes=10)
        price, before = brent(trade) * self.slip, brent(trade - DAY) * self.slip
        return yahoo.yahoo_chart("BZ=F", "USD", price, trade, before, "FUTURE")

    def _slipped(self, day: date) -> dict[str, Decimal]:
        return {code: rate * self.slip for code, rate in rates(day).items()}

    def traded(
        self, zone: ZoneInfo, opens: time, closes: time, days: range | tuple[int, ...], holidays: str | None
    ) -> datetime:
        """The moment of the last trade up to now."""
        here = self.now.astimezone(zone)
        for back in range(20):
            day = here.date() - back * DAY
            if day.weekday() in days and not (holidays and is_holiday(holidays, day)):
                start = datetime.combine(day, opens, zone)
                end = datetime.combine(day if closes > opens else day + DAY, closes, zone)
                if start < here:
                    return min(here, end)
        raise AssertionError("no session in twenty days")


def rates(day: date) -> dict[str, Decimal]:
    """The Bank's true rates of a day."""
    wave = math.sin(day.toordinal() / 9)
    return {"USD": Decimal(str(round(92 + 3 * wave, 4))), "EUR": Decimal(str(round(100 + 3 * wave, 4)))}


def brent(at: datetime) -> Decimal:
    """The true price of a moment."""
    return Decimal(str(round(78 + 4 * math.sin(at.timestamp() / 400_000), 2)))
