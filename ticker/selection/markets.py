"""What speaks for and against a market's print. Markets never print one number: it is moves that are compared.

The difference that two markets had when they corroborated each other is taken out first; it is learnt slowly, and from
such pairs only, so that neither a lasting difference is taken for news nor a lie for a lasting difference.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from ticker.calendars import Session
from ticker.quotes import Candidate, PriceType, Quote
from ticker.selection.evidence import Claim, Finding, SelectionInput, moved, ordinary
from ticker.selection.memory import Offset, SelectionMemory
from ticker.validate import slips

# Of the instrument's tolerance, how much a known difference may drift, and one that is taken from the last settlements.
_KNOWN, _SETTLED = Decimal("0.2"), Decimal("0.4")
# Pairs after which a difference is known.
_ENOUGH = 3
_SLOWLY = 50
# Equal delivery months, minute by minute; a minute in a wild market moves by a tenth of a percent.
CANDLE = Decimal("0.003")
_SAME_MONTH = timedelta(days=7)  # about New Year five days lie between; months are four weeks apart
# How far a print may lie outside of what its own answer says of it: columns are not written in one instant.
OWN_WORDS = Decimal("0.002")
_BID_OFFER = Decimal("0.005")
_NEIGHBOUR = Decimal("0.02")
_NEIGHBOUR_TIME = timedelta(minutes=30)
# A market alone is believed when it has printed the same for so long.
STANDS = timedelta(minutes=10)
_CONSISTENT = Decimal("0.25")
# The last print of a market at rest had a whole session to be wrong in: only nonsense is held.
_AT_REST = 3


def is_current(ask: SelectionInput, candidate: Candidate) -> bool:
    """Whether the print is on time and its market in session; a pause shorter than the data's delay is none."""
    calendar = ask.calendars[candidate.source]
    if not isinstance(calendar, Session):
        return ask.fresh(candidate)
    lag = calendar.delay + calendar.grace
    on_time = ask.now < candidate.as_of + lag
    return on_time and (calendar.is_open(ask.now, candidate.as_of) or calendar.next_open(ask.now) <= ask.now + lag)


def examine(ask: SelectionInput, one: Candidate, others: Sequence[Candidate], shown: Quote | None) -> Claim:
    """The print with every check that can be made: against `others` on time, and what is `shown` of its own kind."""
    found = [*_against(ask, one, others, shown), *_own_words(one), *_since(ask, one, shown)]
    return Claim((one,), {each.name: each for each in found})


def agrees(ask: SelectionInput, one: Candidate, other: Candidate) -> bool:
    """Whether two markets say the same after the difference they have."""
    off, limit = _off(ask, one, other)
    return off <= limit


def learn(memory: SelectionMemory, one: Candidate, other: Candidate) -> SelectionMemory:
    """With the difference of a pair that has corroborated each other; the more pairs, the slower it moves."""
    name, now = _pair(one, other), max(one.as_of, other.as_of)
    known, ratio = memory.offsets.get(name), one.price / other.price
    if known is not None and known.as_of >= now:
        return memory
    pairs = 1 if known is None else known.pairs + 1
    mean = ratio if known is None else known.ratio + (ratio - known.ratio) / min(pairs, _SLOWLY)
    offsets = {**memory.offsets, name: Offset(round(mean, 6), pairs, now)}
    # Contracts that have expired are not kept for ever.
    newest = sorted(offsets, key=lambda each: offsets[each].as_of)[-12:]
    return replace(memory, offsets={each: offsets[each] for each in newest})


def _pair(one: Candidate, other: Candidate) -> str:
    return "/".join(f"{c.source} {c.contract.code if c.contract else ''}".strip() for c in (one, other))


def _ratio(ask: SelectionInput, one: Candidate, other: Candidate) -> Offset | None:
    """What `one` costs for 1 of `other`, learnt in whichever direction."""
    known = ask.memory.offsets.get(_pair(one, other))
    if known is not None:
        return known
    back = ask.memory.offsets.get(_pair(other, one))
    return None if back is None else Offset(1 / back.ratio, back.pairs, back.as_of)


def _off(ask: SelectionInput, one: Candidate, other: Candidate) -> tuple[Decimal, Decimal]:
    """How far `one` is from where `other` says it should be, and how far it may be, as fractions."""
    known, tolerance = _ratio(ask, one, other), ask.instrument.tolerance
    if known is not None:
        limit = tolerance * (_KNOWN if known.pairs >= _ENOUGH else _SETTLED)
        return moved(one.price, other.price * known.ratio), limit
    if one.previous and other.previous:
        return moved(one.price, other.price * one.previous / other.previous), tolerance * _SETTLED
    return moved(one.price, other.price), tolerance


def _against(ask: SelectionInput, one: Candidate, others: Sequence[Candidate], shown: Quote | None) -> list[Finding]:
    found: list[Finding] = []
    measured = sorted(_off(ask, one, other) for other in others if is_current(ask, other) and is_current(ask, one))
    if measured:
        off, limit = min(measured, key=lambda each: each[0] - each[1])
        found.append(Finding("second_market", off <= limit, off, limit))
    denying = [other for other in others if is_current(ask, other) and not agrees(ask, one, other)]
    if denying and shown is None:
        # At a start: the one that moved an ordinary way since its settlement, where those that deny it did not.
        calm = all(_own_previous(ask, other).holds is False for other in denying)
        found.append(Finding("calmer", calm and _own_previous(ask, one).holds is True))
    minutes = [moved(one.price, price) for other in others for price in _same_minute(ask, one, other)]
    # What the minutes of this one say of another's print, they say of this one too.
    minutes += [moved(other.price, price) for other in others for price in _same_minute(ask, other, one)]
    if minutes:
        limit = CANDLE if shown is not None else 2 * CANDLE
        found.append(Finding("candle", min(minutes) <= limit, min(minutes), limit))
    if shown is not None and shown.price is not None and not _rolled(one, shown):
        limit = CANDLE if minutes else ask.instrument.tolerance * _KNOWN
        limit = min(limit, OWN_WORDS * 2) if any(each.holds is False for each in _own_words(one)) else limit
        step = moved(one.price, _expected(ask, one, shown))
        if not measured or min(measured)[0] <= ask.instrument.tolerance:
            # Of two markets that differ by little the one that prints what it last printed has not moved.
            step = min([step, *(moved(one.price, price) for price in _own_last(ask, one))])
        found.append(Finding("still", step <= limit, step, limit))
    return found


def _own_last(ask: SelectionInput, one: Candidate) -> list[Decimal]:
    """What the source itself printed last that was believed, of the same contract."""
    code = one.contract.code if one.contract else None
    known = (c for c in ask.memory.confirmed if c.source == one.source and c.contract == code)
    return [c.price for c in known if c.as_of <= one.as_of]


def _same_minute(ask: SelectionInput, one: Candidate, other: Candidate) -> list[Decimal]:
    """What `other` printed of the same delivery month around the minute of `one`, as `one` would have printed it."""
    if one.contract is None or one.contract.expires is None:
        return []
    for tick in other.ticks:
        expires = tick.contract.expires if tick.contract else None
        if tick.market is not None and expires is not None and abs(expires - one.contract.expires) <= _SAME_MONTH:
            near = [c.close for c in tick.market.candles if abs(c.at - one.as_of) <= timedelta(seconds=90)]
            known = _ratio(ask, one, other)
            ratio = known.ratio if known is not None and known.pairs >= _ENOUGH else Decimal(1)
            return [close / tick.nominal * ratio for close in near]
    return []


def _own_words(one: Candidate) -> list[Finding]:
    """What the same answer says beside the price."""
    if one.price_type is not PriceType.LAST or not one.ticks:
        return []
    said, price, found = one.market_data, one.ticks[0].price, list[Finding]()
    if said.low and said.high:
        outside = max(said.low / price - 1, price / said.high - 1, Decimal(0))
        found.append(Finding("day_range", outside <= OWN_WORDS, outside, OWN_WORDS))
    if said.bid and said.offer and said.bid <= said.offer:
        outside = max(said.bid / price - 1, price / said.offer - 1, Decimal(0))
        found.append(Finding("bid_offer", outside <= _BID_OFFER, outside, _BID_OFFER))
    # The recorded futures board does not settle which of both the exchange counts from; it is the one that fits.
    bases = [each for each in (said.previous_price, said.previous_settlement) if each]
    if bases and said.change_from_previous is not None:
        off = min(moved(price, base * (1 + said.change_from_previous / 100)) for base in bases)
        found.append(Finding("change_from_previous", off <= OWN_WORDS, off, OWN_WORDS))
    next_one = said.neighbour
    if next_one and next_one.previous_settlement and said.previous_settlement:
        apart = moved(price / said.previous_settlement, next_one.last / next_one.previous_settlement)
        if abs(next_one.as_of - one.as_of) <= _NEIGHBOUR_TIME:
            found.append(Finding("neighbour", apart <= _NEIGHBOUR, apart, _NEIGHBOUR))
    return found


def _since(ask: SelectionInput, one: Candidate, shown: Quote | None) -> list[Finding]:
    """The move since what is shown, or at a start and after a roll since its own settlement before."""
    found: list[Finding] = []
    if shown is not None and shown.price is not None and shown.as_of is not None and not _rolled(one, shown):
        expected = _expected(ask, one, shown)
        step, limit = moved(one.price, expected), ordinary(ask, ask.calendars[one.source], shown.as_of, one.as_of)
        found.append(Finding("move", step <= limit, step, limit))
        if slips(one.price, shown.price):
            found.append(Finding("slip", holds=False, figure=one.price / shown.price))
        doubts = [d for d in ask.memory.doubts if d.source == one.source and d.refuted]
        if any(moved(one.price, d.price) < step for d in doubts):
            found.append(Finding("refuted_before", holds=False))
    elif one.previous and one.previous_as_of:
        found.append(_own_previous(ask, one))
    held = [d for d in ask.memory.doubts if d.source == one.source and not d.refuted]
    for doubt in held:
        consistent = moved(one.price, doubt.price) <= ask.instrument.max_move * _CONSISTENT
        long = one.as_of - doubt.as_of >= STANDS
        figure = Decimal(int((one.as_of - doubt.as_of).total_seconds()))
        found.append(Finding("stands_by", consistent and long, figure, Decimal(int(STANDS.total_seconds()))))
    return found


def _own_previous(ask: SelectionInput, one: Candidate) -> Finding:
    """The move since its own settlement before; holds None where that is not told."""
    if not one.previous or one.previous_as_of is None:
        return Finding("own_previous", holds=None)
    limit = ordinary(ask, ask.calendars[one.source], one.previous_as_of, one.as_of)
    limit *= 1 if is_current(ask, one) else _AT_REST
    step = moved(one.price, one.previous)
    return Finding("own_previous", step <= limit, step, limit)


def _expected(ask: SelectionInput, one: Candidate, shown: Quote) -> Decimal:
    """What `one` would print where what is shown had not moved."""
    price = shown.price or Decimal(1)
    if shown.source is None or shown.source == one.source:
        return price
    other = next((c for c in ask.candidates if c.source == shown.source and c.contract == shown.contract), None)
    known = _ratio(ask, one, other) if other is not None else None
    return price if known is None else price * known.ratio


def _rolled(one: Candidate, shown: Quote) -> bool:
    """Whether the source went on to another futures contract: what its old one stood at is of no use then."""
    return one.source == shown.source and one.contract != shown.contract
