"""A scripted world: at each moment, who is alive and what each source says, right or wrong.

The truth is a row of the Bank's tables, each with the minute it appeared, and for the markets sessions and prices. On
top of it lie `Spell`s: from one moment to another a source is away, or says something wrong. Time stands still until
somebody sets `now`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from tests.world import wires
from tests.world.wires import CENT, FOUR, MOSCOW, NEW_YORK, Row

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
LAST_SECOND = timedelta(seconds=59)
# How many answers are kept that may be asked for again.
_PLENTY = 200
LETTERS = "FGHJKMNQUVXZ"
SATURDAY = 5
MOEX_DELAY, YAHOO_DELAY = timedelta(minutes=15), timedelta(minutes=10)
CBR = ("cbr", "cbr_mirror", "frankfurter")
CROSSES = ("nbrb", "cbu_uz", "nbk")
MIDS = ("open_er_api", "fawazahmed0")
MARKETS = ("moex", "yahoo")
_CLOSE = (Decimal("1.0012"), Decimal("0.9983"), Decimal("1.0021"))
_MID = (Decimal("1.0043"), Decimal("0.9961"))


_Kept = TypeVar("_Kept", bound=MutableMapping[Any, Any])


class Away(Exception):  # noqa: N818 - no error of the world, but a fact about a source
    """The source does not answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of an upstream."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fixing:
    """One table of the Bank of Russia: when it appeared, from which day it is in force, roubles for one unit."""

    at: datetime
    day: date
    usd: Decimal
    eur: Decimal


@dataclass(frozen=True, slots=True)
class Print:
    """The last trade of the front contract: when, at what price, and the settlement before it."""

    at: datetime
    price: Decimal
    settled: Decimal
    settled_on: date


@dataclass(frozen=True, slots=True)
class Spell:
    """From `since` up to `until` (not included) `source` is away, or tells the truth changed by one of these."""

    source: str
    since: datetime
    until: datetime
    fixing: Callable[[Fixing], Fixing] | None = None
    market: Callable[[Print], Print] | None = None
    rows: Callable[[list[Row]], list[Row]] | None = None
    body: Callable[[bytes], bytes] | None = None

    @property
    def away(self) -> bool:
        """Whether the source says nothing at all."""
        return not (self.fixing or self.market or self.rows or self.body)

    def holds(self, now: datetime) -> bool:
        """Whether it is under this spell at `now`."""
        return self.since <= now < self.until


@dataclass(frozen=True)
class Market:
    """One market's truth: sessions in order, and the price of the front contract at a moment of trading."""

    sessions: Sequence[tuple[datetime, datetime]]
    price: Callable[[datetime], Decimal]
    delay: timedelta
    # How far its chart reaches back.
    reach: timedelta = timedelta(hours=2)
    # What a service asks for again and again: sessions by the second, and minutes that have passed and change no more.
    _starts: list[float] = field(init=False)
    _ends: list[float] = field(init=False)
    _passed: dict[int, Decimal | None] = field(init=False, default_factory=dict, compare=False)
    _closes: dict[datetime, list[tuple[datetime, Decimal]]] = field(init=False, default_factory=dict, compare=False)
    charts: dict[tuple[object, ...], bytes] = field(init=False, default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_starts", [start.timestamp() for start, _ in self.sessions])
        object.__setattr__(self, "_ends", [end.timestamp() for _, end in self.sessions])

    def traded(self, moment: datetime) -> datetime | None:
        """The last minute of trading up to `moment`; None before the first session."""
        stamp = moment.timestamp()
        place = bisect_right(self._starts, stamp) - 1
        if place < 0:
            return None
        return moment if stamp <= self._ends[place] else self.sessions[place][1]

    def in_session(self, moment: datetime) -> bool:
        """Whether there is trading at `moment`."""
        return self._trades(moment.timestamp())

    def _trades(self, stamp: float) -> bool:
        place = bisect_right(self._starts, stamp) - 1
        return place >= 0 and stamp < self._ends[place]

    def visible(self, now: datetime) -> datetime | None:
        """The time of the newest trade that the free feed shows at `now`."""
        return self.traded(now - self.delay)

    def closes(self, at: datetime) -> list[tuple[datetime, Decimal]]:
        """The minutes before `at` that its chart has: each bears its beginning and its last trade."""
        if at not in self._closes:
            newest = int(at.timestamp()) // 60 * 60
            closes = [
                (stamp, self._passed_close(stamp))
                for stamp in range(newest - int(self.reach.total_seconds()), newest, 60)
            ]
            closes.append((newest, self.price(at) if self._trades(newest) else None))
            _bounded(self._closes, _PLENTY)[at] = [
                (datetime.fromtimestamp(stamp, UTC), close) for stamp, close in closes if close is not None
            ]
        return self._closes[at]

    def _passed_close(self, stamp: int) -> Decimal | None:
        """The last trade of the minute that begins at `stamp`, over by now; None where there was no trading."""
        if stamp not in self._passed:
            last = datetime.fromtimestamp(stamp, UTC) + LAST_SECOND
            _bounded(self._passed, 100 * _PLENTY)[stamp] = self.price(last) if self._trades(stamp) else None
        return self._passed[stamp]

    def told(self, now: datetime) -> Print:
        """The newest trade that is shown at `now`, to the whole second. Raises Away before there was any."""
        at = self.visible(now)
        if at is None:
            raise Away
        day_start = datetime.combine(at.astimezone(MOSCOW).date(), time(), MOSCOW)
        before = self.traded(day_start - timedelta(minutes=5)) or at
        return Print(at.replace(microsecond=0), self.price(at), self.price(before), before.astimezone(MOSCOW).date())


@dataclass
class World:
    """All the sources at `now`."""

    now: datetime
    fixings: Sequence[Fixing] = ()
    spells: list[Spell] = field(default_factory=list)
    moex: Market | None = None
    yahoo: Market | None = None
    # The spot price of FRED: day, price and the day it was published.
    spot: Sequence[tuple[date, Decimal, date]] = ()
    mirror_lag: timedelta = timedelta(minutes=30)
    # What other central banks make of the Bank's number: a factor each; 1 day more where they are a table behind.
    cross: Mapping[str, Decimal] = field(default_factory=lambda: dict(zip(CROSSES, _CLOSE, strict=True)))
    cross_lag: Mapping[str, int] = field(default_factory=dict)
    mid: Mapping[str, Decimal] = field(default_factory=lambda: dict(zip(MIDS, _MID, strict=True)))
    # The currency market, for those who ask `moex` or `moex_fx` for it: code, trade, previous, its day.
    selt: Callable[[datetime], bytes] | None = None
    spread: Decimal = Decimal("0.41")
    asked: Counter[str] = field(default_factory=Counter)
    delivered: dict[str, datetime | date] = field(default_factory=dict)

    def hear(self, source: str, path: str, query: Mapping[str, str]) -> Reply:
        """What `source` answers now. Raises Away where it does not."""
        self.asked[source] += 1
        spells = [spell for spell in self.spells if spell.source == source and spell.holds(self.now)]
        if any(spell.away for spell in spells):
            raise Away
        speak: Callable[[str, str, Mapping[str, str], list[Spell]], Reply] = getattr(self, f"_{source}", self._nobody)
        reply = speak(source, path, query, spells)
        for spell in spells:
            if spell.body:
                reply = replace(reply, body=spell.body(reply.body))
        return reply

    def alive(self, source: str, now: datetime | None = None) -> bool:
        """Whether `source` answers at all."""
        return not any(s.source == source and s.away and s.holds(now or self.now) for s in self.spells)

    # The Bank of Russia and its copies.

    def known(self, lag: timedelta = timedelta()) -> list[Fixing]:
        """The tables that had appeared `lag` ago, oldest first."""
        return list(self.fixings[: self._count(lag)])

    def _count(self, lag: timedelta) -> int:
        return bisect_right(self.fixings, self.now - lag, key=lambda each: each.at)

    def in_force(self, day: date | None = None) -> Fixing | None:
        """The true table in force on `day`, today in Moscow by default."""
        day = day or self.now.astimezone(MOSCOW).date()
        place = bisect_right(self.fixings, day, key=lambda each: each.day) - 1
        return self.fixings[place] if place >= 0 else None

    def _told(self, spells: list[Spell], lag: timedelta = timedelta(), back: int = 0) -> Fixing:
        count = self._count(lag) - back
        if count < 1:
            raise Away
        return _changed(self.fixings[count - 1], spells)

    def _cbr(self, source: str, path: str, query: Mapping[str, str], spells: list[Spell]) -> Reply:
        if "XML_dynamic" in path:
            return self._dynamic(query, spells)
        if asked := query.get("date_req"):
            day = date(*reversed([int(part) for part in asked.replace(".", "/").split("/")]))
            tables = [each for each in (_changed(one, spells) for one in self.known()) if each.day <= day]
            if not tables:
                return Reply(b'<?xml version="1.0" encoding="windows-1251"?><ValCurs>Error in parameters</ValCurs>')
            table = tables[-1]
        else:
            table = self._told(spells)
            self.delivered[source] = table.day
        return Reply(wires.cbr_daily(table.day, table.usd, table.eur), headers=_XML)

    def _dynamic(self, query: Mapping[str, str], spells: list[Spell]) -> Reply:
        first, last = (date(*reversed([int(p) for p in query[f"date_req{n}"].split("/")])) for n in (1, 2))
        code = query["VAL_NM_RQ"]
        rows = [
            (each.day, 1, each.usd if code == "R01235" else each.eur)
            for each in (_changed(one, spells) for one in self.known())
            if first <= each.day <= last
        ]
        return Reply(wires.cbr_dynamic(code, rows, (first, last)), headers=_XML)

    def _cbr_mirror(self, source: str, path: str, _query: Mapping[str, str], spells: list[Spell]) -> Reply:
        if "/archive/" in path:
            day = date(*[int(part) for part in path.split("/archive/")[1].split("/")[:3]])
            known = self.known(self.mirror_lag)
            place = next((i for i, each in enumerate(known) if each.day == day and i), None)
            if place is None:
                return Reply(b"", 404)
            table, before = _changed(known[place], spells), _changed(known[place - 1], spells)
        else:
            table, before = self._told(spells, self.mirror_lag), self._told(spells, self.mirror_lag, 1)
            self.delivered[source] = table.day
        hour = self.now.replace(minute=0, second=0, microsecond=0)
        rates = ((table.usd, before.usd), (table.eur, before.eur))
        return Reply(wires.cbr_mirror(table.day, before.day, hour, *rates), headers=_JSON)

    def _frankfurter(self, _source: str, _path: str, query: Mapping[str, str], spells: list[Spell]) -> Reply:
        known = [each for each in self.known(timedelta(hours=1)) if each.day.weekday() < SATURDAY]
        if not known:
            raise Away
        table, base = _changed(known[-1], spells), query.get("base", "USD")
        return Reply(wires.frankfurter(table.day, base, table.usd if base == "USD" else table.eur), headers=_JSON)

    # Other central banks; each sets for the day what the Bank of Russia sets for it, near enough.

    def _foreign(self, source: str, spells: list[Spell]) -> tuple[date, Decimal, Decimal]:
        today = self.now.astimezone(MOSCOW).date()
        table = self.in_force(today - self.cross_lag.get(source, 0) * DAY)
        if table is None:
            raise Away
        table = _changed(replace(table, day=table.day + self.cross_lag.get(source, 0) * DAY), spells)
        near = {**self.cross, **self.mid}[source]
        return table.day, (table.usd * near).quantize(FOUR), (table.eur * near).quantize(FOUR)

    def _nbrb(self, source: str, _path: str, _query: Mapping[str, str], spells: list[Spell]) -> Reply:
        return Reply(wires.foreign(source, *self._foreign(source, spells)), headers=_JSON)

    def _cbu_uz(self, source: str, _path: str, _query: Mapping[str, str], spells: list[Spell]) -> Reply:
        return Reply(wires.foreign(source, *self._foreign(source, spells)), headers=_JSON)

    def _nbk(self, source: str, _path: str, _query: Mapping[str, str], spells: list[Spell]) -> Reply:
        return Reply(wires.foreign(source, *self._foreign(source, spells)), headers=_XML)

    def _open_er_api(self, source: str, _path: str, _query: Mapping[str, str], spells: list[Spell]) -> Reply:
        _, usd, eur = self._foreign(source, spells)
        midnight = self.now.replace(hour=0, minute=2, second=31, microsecond=0)
        return Reply(wires.open_er_api(min(midnight, self.now), usd, eur), headers=_JSON)

    def _fawazahmed0(self, source: str, _path: str, _query: Mapping[str, str], spells: list[Spell]) -> Reply:
        _, usd, eur = self._foreign(source, spells)
        return Reply(wires.fawazahmed0((self.now - timedelta(hours=3)).date(), usd, eur), headers=_JSON)

    def _ecb(self, source: str, _path: str, _query: Mapping[str, str], spells: list[Spell]) -> Reply:
        """The euro in dollars of the last TARGET day past 16:00 Frankfurt: the quotient that the Bank's table has."""
        day = (self.now.astimezone(MOSCOW) - timedelta(hours=18)).date()
        while day.weekday() >= SATURDAY:
            day -= DAY
        table = self.in_force(day + DAY)
        if table is None:
            raise Away
        table = _changed(table, spells)
        return Reply(wires.foreign(source, day, table.usd, table.eur), headers=_XML)

    def _moex_cbr(self, _source: str, _path: str, _query: Mapping[str, str], spells: list[Spell]) -> Reply:
        table = self._told(spells)
        names = ["CBRF_USD_LAST", "CBRF_USD_TRADEDATE", "CBRF_EUR_LAST", "CBRF_EUR_TRADEDATE"]
        row = [str(table.usd), f'"{table.day}"', str(table.eur), f'"{table.day}"']
        columns = ",".join(f'"{name}"' for name in names)
        return Reply(f'{{"cbrf":{{"columns":[{columns}],"data":[[{",".join(row)}]]}}}}'.encode(), headers=_JSON)

    # The markets.

    def _moex(self, source: str, path: str, _query: Mapping[str, str], spells: list[Spell]) -> Reply:
        if "currency" in path and self.selt:
            return Reply(self.selt(self.now), headers=_JSON)
        if self.moex is None:
            raise Away
        told = self.moex.told(self.now)
        self.delivered[source] = told.at
        rows = board(self.now, _market(told, spells), self.spread)
        for spell in spells:
            rows = spell.rows(rows) if spell.rows else rows
        return Reply(wires.forts(self.now, tuple(rows)), headers=_JSON)

    _moex_fx = _moex

    def _yahoo(self, source: str, path: str, query: Mapping[str, str], spells: list[Spell]) -> Reply:
        symbol = path.rsplit("/", 1)[1].replace("%3D", "=")
        if self.yahoo is None:
            raise Away
        if not symbol.startswith("BZ"):
            return Reply(b'{"chart":{"result":null,"error":{"code":"Not Found","description":"no"}}}', 404, _JSON)
        told = _market(self.yahoo.told(self.now), spells)
        delivery = _delivery(symbol, told.at)
        if delivery is None or not 0 <= _months(front_abroad(told.at.astimezone(NEW_YORK).date()), delivery) < 12:
            return Reply(b'{"chart":{"result":null,"error":{"code":"Not Found","description":"no"}}}', 404, _JSON)
        off = self._off(delivery, told.at)
        if symbol == "BZ=F":
            self.delivered[source] = told.at
        said = (symbol, told, off, *query.items())
        if said not in self.yahoo.charts:
            candles = []
            if query.get("interval") == "1m":
                factor = told.price / self.yahoo.price(told.at)
                closes = self.yahoo.closes(told.at)
                if factor != 1:
                    closes = [(minute, (close * factor).quantize(CENT)) for minute, close in closes]
                if self._off(delivery, told.at - self.yahoo.reach) != off:
                    candles = [(minute, close - self._off(delivery, minute)) for minute, close in closes]
                else:
                    candles = [(minute, close - off) for minute, close in closes] if off else closes
            settled = told.settled - self._off(delivery, datetime.combine(told.settled_on, time(12), MOSCOW))
            body = wires.chart(symbol, told.price - off, told.at, settled, candles, dict(query))
            _bounded(self.yahoo.charts, _PLENTY)[said] = body
        return Reply(self.yahoo.charts[said], headers=_JSON)

    def _off(self, delivery: date, at: datetime) -> Decimal:
        """What the contract of a month abroad cost less than that of Moscow's front month at a moment.

        Moscow's front month is the one before its delivery; it trades on for a day or more after it has ended abroad.
        """
        return self.spread * (_months(front_in_moscow(at.astimezone(MOSCOW).date()), delivery) - 1)

    def abroad(self, at: datetime) -> Decimal:
        """What BZ=F has really cost at a moment of trading. Raises Away where there is no such market."""
        if self.yahoo is None:
            raise Away
        return self.yahoo.price(at) - self._off(front_abroad(at.astimezone(NEW_YORK).date()), at)

    def _fred(self, _source: str, _path: str, _query: Mapping[str, str], _spells: list[Spell]) -> Reply:
        here = self.now.astimezone(NEW_YORK).date()
        return Reply(wires.fred([(day, price) for day, price, known in self.spot if known <= here]), headers=_CSV)

    def _nobody(self, _source: str, _path: str, _query: Mapping[str, str], _spells: list[Spell]) -> Reply:
        raise Away


_XML = {"Content-Type": "text/xml; charset=windows-1251"}
_JSON = {"Content-Type": "application/json; charset=utf-8"}
_CSV = {"Content-Type": "text/csv"}


def _bounded(kept: _Kept, most: int) -> _Kept:
    """`kept`, with room for one more of `most`."""
    if len(kept) >= most:
        kept.clear()
    return kept


def _changed(table: Fixing, spells: list[Spell]) -> Fixing:
    for spell in spells:
        table = spell.fixing(table) if spell.fixing else table
    return table


def _market(told: Print, spells: list[Spell]) -> Print:
    for spell in spells:
        told = spell.market(told) if spell.market else told
    return told


def _first_weekday(month: date) -> date:
    """The last trading day of Brent in Moscow: the first working day of its month (BR-6.26: 1.06.2026, SOURCES [C])."""
    return month + timedelta(days=7 - month.weekday() if month.weekday() >= SATURDAY else 0)


def _last_weekday(month: date) -> date:
    """The last weekday of the month."""
    day = _next(month) - DAY
    while day.weekday() >= SATURDAY:
        day -= DAY
    return day


def _next(month: date) -> date:
    return (month + timedelta(days=32)).replace(day=1)


def board(now: datetime, told: Print, spread: Decimal) -> list[Row]:
    """Four months of Brent from the front one on, and other assets; `told` is the front month's.

    The front month is the one whose last trading day is not over now.
    """
    here, traded = now.astimezone(MOSCOW), told.at.astimezone(MOSCOW)
    month, rows = front_in_moscow(here.date()), []
    for place in range(4):
        # Trade and settlement are of the month that was the front one then: each later month costs a spread less.
        off = spread * _months(front_in_moscow(traded.date()), month)
        settled = told.settled - spread * _months(front_in_moscow(told.settled_on), month)
        code = f"BR{LETTERS[month.month - 1]}{month.year % 10}"
        rows.append(
            Row(
                code=code,
                name=f"BR-{month.month}.{month:%y}",
                expires=_first_weekday(month),
                last=told.price - off,
                at=told.at,
                previous=settled,
                opened=settled,
                trade_date=traded.date(),
                interest=600_000 // 10**place,
            )
        )
        month = _next(month)
    rows += [
        Row("SiZ9", "Si-12.29", date(2029, 12, 20), Decimal(81_250), told.at, Decimal(81_000), Decimal(81_100),
            traded.date(), 900_000, "Si"),
        Row("GDZ9", "GOLD-12.29", date(2029, 12, 20), Decimal("4088.1"), told.at, Decimal("4070.0"), Decimal("4075.2"),
            traded.date(), 300_000, "GOLD"),
    ]  # fmt: skip
    return rows


def front_in_moscow(day: date) -> date:
    """The month of Moscow's front contract on `day`."""
    month = day.replace(day=1)
    return month if day <= _first_weekday(month) else _next(month)


def front_abroad(day: date) -> date:
    """The delivery month of NYMEX's front contract on `day`: a month ends two months before, on its last weekday."""
    month = day.replace(day=1)
    return _next(_next(month)) if day <= _last_weekday(month) else _next(_next(_next(month)))


def _delivery(symbol: str, at: datetime) -> date | None:
    """The month of `BZ<letter><year>.NYM`, of the front one for `BZ=F`; None for what is no contract."""
    if symbol == "BZ=F":
        return front_abroad(at.astimezone(NEW_YORK).date())
    if len(symbol) != 9 or symbol[2] not in LETTERS or not symbol[3:5].isdigit():
        return None
    return date(2000 + int(symbol[3:5]), LETTERS.index(symbol[2]) + 1, 1)


def _months(first: date, then: date) -> int:
    return (then.year - first.year) * 12 + then.month - first.month


def piecewise(*steps: tuple[str, str], zone: Any = MOSCOW) -> Callable[[datetime], Decimal]:  # noqa: ANN401 - a tzinfo
    """A price that stands at each `(since, price)` until the next, moving by a cent from minute to minute."""
    starts = [moment(since, zone) for since, _ in steps]
    prices = [Decimal(price) for _, price in steps]

    def price(at: datetime) -> Decimal:
        place = max(bisect_right(starts, at) - 1, 0)
        return prices[place] + (CENT if int(at.timestamp()) // 60 % 2 else 0)

    return price


def moment(text: str, zone: Any = MOSCOW) -> datetime:  # noqa: ANN401 - a tzinfo
    """A time of day in Moscow (or `zone`), as "2020-03-09 12:00"."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)
