"""The values everything else hands along: frozen, without I/O and without a clock.

Words are those of the contract: a *tick* is one observation in the source's own words, a *candidate* the same
observation in ours, a *quote* what is published, a *snapshot* all quotes at one moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le

from ticker.fields import Code, Flag, Fraction, Names, Positive, Price, Texts, Whole, written


class PriceType(StrEnum):
    """What kind of number a price is; one kind is never passed off as another."""

    FIXING = "fixing"
    LAST = "last"
    SETTLEMENT = "settlement"
    MID = "mid"


class Status(StrEnum):
    """How a quote stands towards its source's calendar, from best to worst."""

    FRESH = "fresh"
    STALE = "stale"
    UNAVAILABLE = "unavailable"


class Reason(StrEnum):
    """One slug per kind of failure, the same in log, metric and JSON."""

    TIMEOUT = "timeout"
    DNS = "dns"
    TLS = "tls"
    CONNECT = "connect"
    HTTP_4XX = "http_4xx"
    HTTP_5XX = "http_5xx"
    RATE_LIMITED = "rate_limited"
    BLOCKED = "blocked"
    SIZE = "size"
    ENCODING = "encoding"
    PARSE = "parse"
    SCHEMA = "schema"
    UNIT = "unit"
    RANGE = "range"
    MOVE = "move"
    FUTURE = "future"
    FROZEN = "frozen"
    DISAGREE = "disagree"


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of `statuses`; nothing at all is unavailable."""
    return max(statuses, key=worse, default=Status.UNAVAILABLE)


def worse(status: Status) -> int:
    """How bad `status` is."""
    return _WORSE[status]


# Asked for every quote at every look at the board.
_WORSE = {status: place for place, status in enumerate(Status)}


class SourceError(Exception):
    """The one error family of fetching and parsing: an upstream did not give a usable answer.

    `reason` is the slug that log, metric and JSON share, `detail` a sentence for a person, and `retry_after` how long
    the upstream asked us to stay away, where it did.
    """

    def __init__(self, reason: Reason, detail: str, *, retry_after: timedelta | None = None) -> None:
        # It quotes the upstream: neither a broken character nor a line of its own making may reach log or JSON.
        self.detail = "".join(c if c.isprintable() else "\ufffd" for c in detail[:200])
        super().__init__(f"{reason}: {self.detail}")
        self.reason = reason
        self.retry_after = retry_after


# What is quoted.


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What is quoted: `base` in `quote` per `unit`, and the rules its number must obey; as it is configured.

    `label` and `name` are words by language, `codes` what a source calls it. `sources` are of the instrument's own
    kind, in order of preference; `fallbacks`, of another kind, speak only when those have been stale for
    `fallback_after`, by default three days or half of `max_age`, whichever is shorter. `band` are the inclusive bounds
    of a believable price; `max_move` and `tolerance` are fractions (0.02 is 2 %). `rate` says which fixing is shown:
    the one in force, or the latest that was published.
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid"}

    symbol: str
    enabled: Flag = True
    label: Texts = field(default_factory=dict)
    name: Texts = field(default_factory=dict)
    base: Code
    quote: Code
    unit: str = ""
    decimals: Annotated[Whole, Ge(0), Le(8)] = 2
    sources: Names
    fallbacks: tuple[str, ...] = ()
    fallback_after: Positive = timedelta(0)
    rate: Literal["in_force", "latest"] = "in_force"
    max_age: Positive = timedelta(days=14)
    max_move: Fraction = Decimal("0.1")
    tolerance: Fraction = Decimal("0.005")
    band: tuple[Price, Price] = (Decimal(0), Decimal(1_000_000_000))
    calendar: str | None = None
    required: Flag = True
    codes: Texts = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError for rules that contradict each other."""
        if not self.unit:
            object.__setattr__(self, "unit", f"1 {self.base}")
        if not self.fallback_after:
            object.__setattr__(self, "fallback_after", min(timedelta(days=3), self.max_age / 2))
        low, high = self.band
        if low >= high:
            raise ValueError(f"band: the lower bound {low} is not below the upper one {high}")
        if self.fallbacks and self.fallback_after >= self.max_age:
            raise ValueError(
                f"fallback_after ({written(self.fallback_after)}) must be below max_age ({written(self.max_age)}),"
                " or no fallback would ever be shown"
            )
        if several := [name for name, count in Counter(self.sources).items() if count > 1]:
            raise ValueError(f"{', '.join(several)} stands twice among the sources: once is enough")
        if twice := set(self.sources) & set(self.fallbacks):
            raise ValueError(
                f"{', '.join(sorted(twice))} cannot be among both sources and fallbacks: take it out of one"
            )

    @property
    def per(self) -> int:
        """How many units of the base a price is for: 100 where `unit` is "100 JPY", as banks quote small currencies."""
        count, _, what = self.unit.partition(" ")
        return int(count) if what == self.base and count.isascii() and count.isdigit() and int(count) else 1

    @property
    def series(self) -> str:
        """What its numbers mean, whatever it is called: under this its history is kept.

        Version 0.1.0 kept the price of one whatever the unit said: what is for a hundred has a series of its own.
        """
        return f"{self.base}/{self.quote}/{'per ' if self.per != 1 else ''}{self.unit}"

    @property
    def all_sources(self) -> tuple[str, ...]:
        """Everyone who is asked for it, its fallbacks last."""
        return self.sources + self.fallbacks


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """`numerator` over `denominator`, two instruments, must be near base/quote as `sources` give it.

    The third number is never shown. `tolerance` is a fraction (0.02 is 2 %).
    """

    __pydantic_config__: ClassVar[Mapping[str, object]] = {"extra": "forbid"}

    name: str
    numerator: str
    denominator: str
    base: Code
    quote: Code
    sources: Names
    tolerance: Fraction = Decimal("0.02")
    max_age: Positive = timedelta(days=7)

    @property
    def reference(self) -> Instrument:
        """The instrument of the third number. Nothing bounds its moves: it is a measure, and no quote."""
        return Instrument(
            symbol=self.name,
            base=self.base,
            quote=self.quote,
            decimals=4,
            sources=self.sources,
            max_age=self.max_age,
            max_move=Decimal(1),
            tolerance=self.tolerance,
        )


# What a source says: in its own words, and in ours.


@dataclass(frozen=True, slots=True)
class Contract:
    """A futures contract: the exchange's own code of it, and its last trading day where that is known."""

    code: str
    expires: date | None = None


@dataclass(frozen=True, slots=True)
class AnswerDigest:
    """Which bytes a tick came in: SHA-256 in hex, and length, of the whole decompressed answer."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The next contract on the same board: how far apart both are is what a calendar spread is."""

    contract: Contract
    last: Decimal
    as_of: datetime
    previous_settlement: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Candle:
    """The last price of one minute of trading; `at` is when the minute began."""

    at: datetime
    close: Decimal


@dataclass(frozen=True, slots=True)
class MarketData:
    """What a market's answer says beside the price, for the same nominal; None is what it does not say.

    `previous_price` is the last price of the session before, and `change_from_previous` what the exchange itself says
    that the price has moved since, in percent.
    """

    low: Decimal | None = None
    high: Decimal | None = None
    bid: Decimal | None = None
    offer: Decimal | None = None
    previous_price: Decimal | None = None
    change_from_previous: Decimal | None = None
    previous_settlement: Decimal | None = None
    neighbour: Neighbour | None = None
    candles: tuple[Candle, ...] = ()


@dataclass(frozen=True, slots=True)
class Tick:
    """One observation in the source's own words: `price` units of `currency` for `nominal` units of `symbol`.

    `raw` is the price as it stood in the answer, and `answer` which answer that was. `date_inferred` is where the
    answer told a time of day alone: the day is the last one on which it can have been, holidays not considered.
    """

    symbol: str
    price: Decimal
    currency: str
    as_of: datetime
    price_type: PriceType
    nominal: int = 1
    previous: Decimal | None = None
    previous_as_of: datetime | None = None
    contract: Contract | None = None
    market: MarketData | None = None
    raw: str | None = None
    answer: AnswerDigest | None = None
    date_inferred: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A tick in our words: the price of one unit of an instrument, with where and when it is from.

    `publisher` is whose number it is: a mirror of the Bank of Russia publishes the Bank's number, not a second one.
    `ticks` is what it was made of: one, or the two of a cross rate. `fetched_at` is when the source first said this
    very number, `checked_at` when it last did.
    """

    symbol: str
    source: str
    publisher: str
    price: Decimal
    price_type: PriceType
    as_of: datetime
    fetched_at: datetime
    previous: Decimal | None = None
    previous_as_of: datetime | None = None
    contract: Contract | None = None
    derived: bool = False
    ticks: tuple[Tick, ...] = ()
    checked_at: datetime | None = None

    @property
    def market_data(self) -> MarketData:
        """What the market's answer says beside the price; empty for a cross rate."""
        found = self.ticks[0].market if self.ticks and not self.derived else None
        return found or MarketData()


# What is published: one number with its standing in time, and all of them at one moment.

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Who is late so soon is taken as late, so that another speaks before the number that is shown is old.
SOON = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many sources say the same, how far apart all are in percent, and the range of those that say the same."""

    sources: int
    spread_percent: Decimal
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Override:
    """An editor's hand on a quote: what it does, why, from when until when, and whose it is."""

    mode: Literal["freeze", "price", "hide"]
    note: str
    since: datetime
    until: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A fixing that is published and not in force yet; it becomes the price at `as_of`, unless there is a `reason`.

    `confirmed` says that an independent copy carries the same digits. `reason` is why nobody should count on it:
    copies that differ, a move that nobody confirms, yesterday's number under tomorrow's date.
    """

    price: Decimal
    as_of: datetime
    fetched_at: datetime
    source: str
    publisher: str
    confirmed: bool = False
    reason: Reason | None = None
    previous: Decimal | None = None
    previous_as_of: datetime | None = None
    fallback: bool = False
    agreement: Agreement | None = None
    next_update_at: datetime | None = None
    fresh_until: datetime | None = None
    usable_until: datetime | None = None
    checked_at: datetime | None = None

    @property
    def change(self) -> Decimal | None:
        """This number less the one in force before it; None where that is not known."""
        return None if self.previous is None else self.price - self.previous

    @property
    def change_percent(self) -> Decimal | None:
        """The change in percent of the number before, unrounded; None where it is not known."""
        return None if not self.previous else (self.price - self.previous) / self.previous * 100


@dataclass(frozen=True, slots=True)
class Quote:
    """What is published of one instrument: the chosen number, its provenance and its standing in time.

    Time alone changes it at known moments: `fresh_until` and `usable_until` end a status, `upcoming` comes into force,
    a market opens or closes (`market_turns_at`), and what was due is waited for (`next_update_at`).
    """

    instrument: Instrument
    price: Decimal | None = None
    price_type: PriceType | None = None
    previous: Decimal | None = None
    previous_as_of: datetime | None = None
    as_of: datetime | None = None
    fetched_at: datetime | None = None
    next_update_at: datetime | None = None
    source: str | None = None
    publisher: str | None = None
    contract: Contract | None = None
    fallback: bool = False
    status: Status = Status.UNAVAILABLE
    reason: Reason | None = None
    agreement: Agreement | None = None
    fresh_until: datetime | None = None
    usable_until: datetime | None = None
    market: Literal["open", "closed"] | None = None
    market_turns_at: datetime | None = None
    upcoming: Upcoming | None = None
    checked_at: datetime | None = None
    override: Override | None = None

    @property
    def symbol(self) -> str:
        """The instrument's symbol."""
        return self.instrument.symbol

    @property
    def change(self) -> Decimal | None:
        """Price less the source's previous publication, exactly; None where either is not known."""
        return None if self.price is None or self.previous is None else self.price - self.previous

    @property
    def change_percent(self) -> Decimal | None:
        """The change in percent of the previous publication, unrounded; None where it is not known."""
        change = self.change
        return None if change is None or not self.previous else change / self.previous * 100

    @property
    def valid_until(self) -> datetime | None:
        """The moment after which, if nothing more is heard, what is said may be untrue; None where nothing is said."""
        if self.price is None:
            return None
        ends = self.fresh_until if self.status is Status.FRESH else self.usable_until
        moments = [ends, self.upcoming.as_of if self.upcoming else None]
        return min((moment for moment in moments if moment), default=None)

    @property
    def news(self) -> Quote:
        """What makes a new version of a snapshot: everything but when a source last said the same again."""
        upcoming = self.upcoming and replace(self.upcoming, checked_at=None)
        return replace(self, checked_at=None, upcoming=upcoming)

    @property
    def marked(self) -> Quote:
        """The same quote, stale at best."""
        return replace(self, status=max(self.status, Status.STALE, key=worse))

    def at(self, now: datetime) -> Quote:
        """The same quote as it stands at `now`: what is upcoming comes into force, the rest can only grow older."""
        turned = _timed(_in_force(self, now), now)
        status = max(turned.status, _status(turned, now), key=worse)
        if status is turned.status:
            return turned
        if status is Status.UNAVAILABLE:
            return replace(turned, status=status, price=None, previous=None, previous_as_of=None, agreement=None)
        return replace(turned, status=status)

    def of_its_day(self, now: datetime) -> Quote:
        """The same quote, with a fixing that is dated after `now` upcoming, and what was published before it in force.

        Version 0.1.0 showed it before its day, and so does a service whose clock was a day ahead and is set back.
        """
        ahead = self.as_of is not None and self.as_of > now and self.price_type is PriceType.FIXING
        if not ahead or self.instrument.rate == "latest":
            return self
        told = {each.name: getattr(self, each.name) for each in fields(Upcoming) if each.name != "confirmed"}
        coming = Upcoming(**told)
        if self.previous is None or self.previous_as_of is None or self.previous_as_of > now:
            return Quote(self.instrument, upcoming=coming)
        told |= {"price": self.previous, "as_of": self.previous_as_of, "fresh_until": self.as_of}
        told |= dict.fromkeys(("fetched_at", "previous", "previous_as_of", "agreement", "checked_at"))
        return Quote(self.instrument, price_type=PriceType.FIXING, status=Status.FRESH, upcoming=coming, **told)

    def turns_at(self, now: datetime) -> datetime | None:
        """The next moment after `now` at which time alone changes it."""
        moments = [self.upcoming.as_of if self.upcoming else None, self.next_update_at, self.market_turns_at]
        moments += [self.fresh_until, self.usable_until] if self.price is not None else []
        return min((moment for moment in moments if moment and moment > now), default=None)


def _in_force(quote: Quote, now: datetime) -> Quote:
    """With the upcoming number in the place of the price from its date on, or without it where it is in doubt."""
    coming = quote.upcoming
    if coming is None or now < coming.as_of:
        return quote
    if coming.reason is not None:
        return replace(quote.marked, upcoming=None, reason=coming.reason)
    told = {each.name: getattr(coming, each.name) for each in fields(coming) if each.name != "confirmed"}
    return Quote(quote.instrument, price_type=PriceType.FIXING, status=Status.FRESH, override=quote.override, **told)


def _timed(quote: Quote, now: datetime) -> Quote:
    """With its market open or closed as it is then, and without a next update once it is due: it may come any time."""
    found = quote
    if found.market_turns_at is not None and now >= found.market_turns_at:
        found = replace(found, market="closed" if found.market == "open" else "open", market_turns_at=None)
    if found.next_update_at is not None and now >= found.next_update_at:
        found = replace(found, next_update_at=None)
    return found


def _status(quote: Quote, now: datetime) -> Status:
    if quote.price is None or (quote.usable_until and now >= quote.usable_until):
        return Status.UNAVAILABLE
    return Status.STALE if quote.fresh_until and now >= quote.fresh_until else Status.FRESH


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All quotes at one moment; JSON, HTML, events and metrics are all cut from the same one."""

    version: int
    generated_at: datetime
    quotes: tuple[Quote, ...]
    demo: bool = False

    @property
    def status(self) -> Status:
        """The worst status of its quotes."""
        return worst(quote.status for quote in self.quotes)

    @property
    def valid_until(self) -> datetime | None:
        """The moment after which, if nothing more is heard, something that it says may be untrue."""
        return min(filter(None, (quote.valid_until for quote in self.quotes)), default=None)

    def repeats(self, quotes: tuple[Quote, ...]) -> bool:
        """Whether `quotes` say nothing that it does not say: at most that a source has said it again."""
        return [quote.news for quote in quotes] == [quote.news for quote in self.quotes]

    def at(self, now: datetime) -> Snapshot:
        """The same snapshot as it stands at `now`: itself while no status has changed, else a later version.

        Each change is dated when it was due, not when somebody looked: replicas age to one version and the same bytes.
        """
        found, moment = self, self.generated_at
        while (turn := found.turns_at(moment)) is not None and turn <= now:
            found, moment = _aged(found, turn), turn
        return _aged(found, now)

    def follow(self, quotes: tuple[Quote, ...], now: datetime) -> Snapshot:
        """The snapshot after this one; its version grows even across restarts, since it never lags the clock."""
        version = max(self.version + 1, int((now - EPOCH).total_seconds() * 1000))
        return replace(self, version=version, generated_at=now, quotes=quotes)

    def resumed(self, instruments: Iterable[Instrument], now: datetime) -> Snapshot:
        """The snapshot that a start at `now` shows: `instruments` as they were left, in their true age and status."""
        aged = self.at(now)
        quotes = tuple((aged.get(each.symbol) or Quote(each)).at(now) for each in instruments)
        return aged if quotes == aged.quotes else aged.follow(quotes, now)

    def turns_at(self, now: datetime) -> datetime | None:
        """The next moment after `now` at which time alone changes one of its statuses."""
        return min(filter(None, (quote.turns_at(now) for quote in self.quotes)), default=None)

    def get(self, symbol: str) -> Quote | None:
        """The quote of `symbol`, or None."""
        return next((quote for quote in self.quotes if quote.symbol == symbol), None)


def _aged(snapshot: Snapshot, now: datetime) -> Snapshot:
    quotes = tuple(quote.at(now) for quote in snapshot.quotes)
    return snapshot if quotes == snapshot.quotes else snapshot.follow(quotes, now)
