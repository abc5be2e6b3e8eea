"""Tick to candidate: which of a source's ticks speak of an instrument, and what they say of its unit.

A price for 100 units becomes that of one, or of as many as the instrument counts in (`Instrument.per`); a pair quoted
the other way round is inverted; a table over a third currency gives the cross rate. Decimals throughout: dividing by a
power of ten keeps the source's digits exactly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

from ticker.calendars import Calendar, Session
from ticker.calendars.session import SLACK
from ticker.quotes import Candidate, Contract, Instrument, PriceType, Tick

# A quotient has no last digit; eight significant ones are more than any of the tables it comes from carries.
DERIVED = Context(prec=8, rounding=ROUND_HALF_EVEN)
HORIZON = 40  # days back in which a market has been open once
ANOTHER_MONTH = Decimal("0.003")  # two prints of one month within two minutes are nearer


@dataclass(frozen=True, slots=True)
class Origin:
    """Where ticks come from: the source, whose numbers it carries, its words for pairs, its calendar."""

    source: str
    publisher: str
    calendar: Calendar
    codes: Mapping[str, str]


def word(instrument: Instrument, origin: Origin) -> str:
    """The source's own word for `instrument`: configured, else known to the adapter, else its base."""
    pair = f"{instrument.base}/{instrument.quote}"
    return instrument.codes.get(origin.source) or origin.codes.get(pair) or instrument.base


def candidates_of(
    instrument: Instrument, origin: Origin, ticks: Sequence[Tick], fetched_at: datetime
) -> list[Candidate]:
    """What `ticks` of one answer say of `instrument`: a candidate for each date, the newest first; none says nothing.

    Of a future, the other delivery months of the same answer go along as further ticks, as witnesses.
    """
    symbol = word(instrument, origin)
    ticks = [_dated(tick, origin.calendar, fetched_at) for tick in ticks]
    direct = [tick for tick in ticks if tick.symbol == symbol and tick.currency == instrument.quote]
    if not direct:
        derived = _derived(ticks, instrument.base, instrument.quote)
        return [] if derived is None else [_candidate(instrument, origin, derived, fetched_at, derived=True)]
    dates = {tick.as_of: _with_close(tick, ticks) for tick in reversed(direct)}
    found = [_candidate(instrument, origin, _rate(dates[each]), fetched_at) for each in sorted(dates, reverse=True)]
    months = tuple(t for t in ticks if t not in direct and t.contract is not None and t.currency == instrument.quote)
    found = [replace(each, previous=None, previous_as_of=None) if _rolled(each, months) else each for each in found]
    return [replace(each, ticks=each.ticks + months) if each.market_data.candles else each for each in found]


def _with_close(tick: Tick, months: Sequence[Tick]) -> Tick:
    """A continuous future that tells no close before, with the one of the month that costs what it costs now."""
    near = [each for each in months if each.contract and abs(each.price - tick.price) <= ANOTHER_MONTH * each.price]
    same = next((each.previous for each in near if abs(each.as_of - tick.as_of) < SLACK), None)
    return tick if tick.contract or tick.previous else replace(tick, previous=same)


def _rolled(one: Candidate, months: Sequence[Tick]) -> bool:
    """Whether a continuous future's close before is a month's that it is no longer: their prices of now differ."""
    same = [each for each in months if each.previous == one.ticks[0].previous and abs(each.as_of - one.as_of) < SLACK]
    return one.contract is None and any(
        abs(each.price - one.ticks[0].price) > ANOTHER_MONTH * each.price for each in same
    )


def normalise(instrument: Instrument, origin: Origin, ticks: Sequence[Tick], fetched_at: datetime) -> Candidate | None:
    """The newest candidate that `ticks` of one answer give for `instrument`, or None where they do not speak of it."""
    return next(iter(candidates_of(instrument, origin, ticks, fetched_at)), None)


def _candidate(
    instrument: Instrument, origin: Origin, rate: Rate, fetched_at: datetime, *, derived: bool = False
) -> Candidate:
    before = rate.previous_as_of
    if rate.previous is not None and before is None and (derived or not _own_close(rate, origin.calendar, fetched_at)):
        before = origin.calendar.previous(rate.as_of)
    return Candidate(
        symbol=instrument.symbol,
        source=origin.source,
        publisher=origin.publisher,
        price=rate.price * instrument.per,
        price_type=rate.price_type,
        as_of=rate.as_of,
        fetched_at=fetched_at,
        # A previous price without a date cannot be shown honestly.
        previous=rate.previous * instrument.per if rate.previous is not None and before else None,
        previous_as_of=before,
        contract=rate.contract,
        derived=derived,
        ticks=rate.ticks,
    )


def _dated(tick: Tick, calendar: Calendar, now: datetime) -> Tick:
    """`tick`, and the next month beside it, of the last day with a session at that hour, where only an hour is told."""
    if not tick.date_inferred or not isinstance(calendar, Session):
        return tick
    as_of, market = tick.as_of, tick.market
    if tick.previous_as_of is not None:
        # The price before is of the trading day before: a halted pair's last trade keeps its day.
        following = (tick.previous_as_of + timedelta(days=ahead) for ahead in range(1, HORIZON))
        days = (day.astimezone(calendar.zone).date() for day in following)
        last = next((day for day in days if calendar.sessions(day)), as_of.date())
        as_of = min(as_of, datetime.combine(last, as_of.timetz()))
    if market is not None and market.neighbour is not None:
        beside = replace(market.neighbour, as_of=_traded(market.neighbour.as_of, calendar, now))
        market = replace(market, neighbour=beside)
    return replace(tick, as_of=_traded(as_of, calendar, now), market=market)


def _traded(as_of: datetime, calendar: Session, now: datetime) -> datetime:
    """`as_of`, or the last day before it on which the market was in session at that hour.

    What has just been printed proves that the market trades today, whatever the calendar knows; only the last print of
    a session has that hour on a day of rest too.
    """
    back = (as_of - timedelta(days=days) for days in range(HORIZON))
    traded = next((day for day in back if calendar.session_at(day) or calendar.session_at(day - SLACK)), as_of)
    just_printed = now - as_of < calendar.delay + calendar.grace
    return as_of if just_printed and calendar.session_at(traded + calendar.grace) else traded


def _own_close(rate: Rate, calendar: Calendar, now: datetime) -> bool:
    """A market that rests may tell its last close as the close before: a change of 0.00 % that nobody has measured."""
    if rate.price_type is PriceType.FIXING or rate.previous != rate.price:
        return False
    rests = calendar.next_update(rate.as_of, now) is not None
    return rests or calendar.previous(now) != calendar.previous(rate.as_of)


@dataclass(frozen=True, slots=True)
class Rate:
    """The price of one unit, now and before, as one or two ticks give it."""

    price: Decimal
    previous: Decimal | None
    as_of: datetime
    previous_as_of: datetime | None
    price_type: PriceType
    contract: Contract | None = None
    ticks: tuple[Tick, ...] = ()

    def over(self, other: Rate) -> Rate:
        """The cross rate self / other: as old as the older leg, and indicative whatever its legs are."""
        whole = self.previous and other.previous and self.previous_as_of == other.previous_as_of
        return Rate(
            price=DERIVED.divide(self.price, other.price),
            previous=DERIVED.divide(self.previous, other.previous)
            if whole and self.previous and other.previous
            else None,
            as_of=min(self.as_of, other.as_of),
            previous_as_of=self.previous_as_of if whole else None,
            price_type=PriceType.MID,
            ticks=self.ticks + other.ticks,
        )


def _direct(ticks: Sequence[Tick], symbol: str, currency: str) -> Rate | None:
    tick = next((tick for tick in ticks if tick.symbol == symbol and tick.currency == currency), None)
    return None if tick is None else _rate(tick)


def _rate(tick: Tick) -> Rate:
    previous = None if tick.previous is None else tick.previous / tick.nominal
    return Rate(
        price=tick.price / tick.nominal,
        previous=previous,
        as_of=tick.as_of,
        previous_as_of=tick.previous_as_of,
        price_type=tick.price_type,
        contract=tick.contract,
        ticks=(tick,),
    )


def _derived(ticks: Sequence[Tick], base: str, quote: str) -> Rate | None:
    """base/quote through a third currency both are priced in, or one that is priced in both, or the inverse."""
    inverse = _direct(ticks, quote, base)
    if inverse is not None:
        one = Rate(Decimal(1), Decimal(1), inverse.as_of, inverse.previous_as_of, inverse.price_type)
        return one.over(inverse)
    priced: dict[tuple[str, str], Tick] = {}
    for tick in ticks:  # of several dates the newest stands first
        priced.setdefault((tick.symbol, tick.currency), tick)
    for symbol, currency in priced:
        if symbol == base and (quote, currency) in priced:
            return _rate(priced[base, currency]).over(_rate(priced[quote, currency]))
        if currency == quote and (symbol, base) in priced:
            return _rate(priced[symbol, quote]).over(_rate(priced[symbol, base]))
    return None
